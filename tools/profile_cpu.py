#!/usr/bin/env python3
"""Profiles a training step on the CPU and compares its rates with the machine's peak.

    tools/profile_cpu.py configs/resnet20.json [--bin build/cpu/bin] [--batch 128] [--steps 10]

oneDNN reports the time of each primitive (ONEDNN_VERBOSE=1); the rest of a step is the project's own kernels and
overhead. The step is timed in a separate run, without these reports. A convolution's FLOPs follow from its
shape: two for each multiply-add, including those with the zeros of the padding. cpu-peaks measures the peak.
"""

import argparse
import collections
import json
import os
import re
import subprocess
from pathlib import Path

KINDS = {
    "forward_training": "convolution, forward",
    "backward_data": "convolution, gradient of the data",
    "backward_weights": "convolution, gradient of the weights",
}
CONVOLUTION = re.compile(r"mb(\d+)_ic(\d+)oc(\d+)_ih\d+oh(\d+)kh(\d+)sh\d+dh\d+ph\d+_iw\d+ow(\d+)kw(\d+)")


def run_steps(arguments, steps, verbose):
    """Returns the seconds of `steps` steps after 3 steps of warm-up, and the lines that they printed."""
    environment = os.environ | {"ONEDNN_VERBOSE": "1" if verbose else "0"}
    command = [str(arguments.bin / "step-bench"), str(arguments.config), "--batch", str(arguments.batch), "--device", "cpu"]
    words = f"run 3\nrun {steps}\n"
    output = subprocess.run(command, input=words, capture_output=True, text=True, check=True, env=environment).stdout
    *lines, answer = output.partition("}\n")[2].splitlines()
    return json.loads(answer)["seconds"], lines


def primitive(line):
    """Parses a line of ONEDNN_VERBOSE=1, version 2 or 3: (kind, milliseconds, FLOPs); None for other lines."""
    fields = line.split(",")
    if not re.match(r"(onednn|dnnl)_verbose", fields[0]) or "exec" not in fields:
        return None
    at = fields.index("exec")
    kind, propagation, milliseconds = fields[at + 2], fields[at + 4], float(fields[-1])
    if kind != "convolution":
        return {"reorder": "reorders of weights"}.get(kind, kind), milliseconds, 0
    batch, inputs, outputs, height, kernel_height, width, kernel_width = map(int, CONVOLUTION.search(line).groups())
    flops = 2 * batch * inputs * outputs * height * width * kernel_height * kernel_width
    return KINDS[propagation], milliseconds, flops


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="configuration file")
    programs = Path(__file__).resolve().parent.parent / "build/cpu/bin"
    parser.add_argument("--bin", type=Path, default=programs, help="folder of the programs; default: build/cpu/bin")
    parser.add_argument("--batch", type=int, default=128, help="images per step; default: %(default)s")
    parser.add_argument("--steps", type=int, default=10, help="steps to measure; default: %(default)s")
    arguments = parser.parse_args()

    peaks = json.loads(subprocess.run([arguments.bin / "cpu-peaks"], capture_output=True, text=True, check=True).stdout)
    step = 1e3 * run_steps(arguments, arguments.steps, False)[0] / arguments.steps
    times, flops = collections.Counter(), collections.Counter()
    for found in filter(None, map(primitive, run_steps(arguments, arguments.steps, True)[1])):
        times[found[0]] += found[1] / arguments.steps
        flops[found[0]] += found[2] / arguments.steps

    print(f"{peaks['threads']} threads, {peaks['fma_gflops']:.0f} GFLOP/s FMA peak, {peaks['copy_gb_per_s']:.1f} GB/s copy")
    print(f"{arguments.config.stem}, batch {arguments.batch}: {step:.1f} ms per step, {1e3 * arguments.batch / step:.0f} images/s\n")
    print("| part of a training step | ms | share | GFLOP/s | of the FMA peak |")
    print("|---|---|---|---|---|")
    for name, milliseconds in times.most_common():
        rate = flops[name] / milliseconds * 1e-6
        speed = f"{rate:.0f} | {100 * rate / peaks['fma_gflops']:.0f} %" if flops[name] else "|"
        print(f"| {name} | {milliseconds:.1f} | {100 * milliseconds / step:.0f} % | {speed} |")
    rest = step - sum(times.values())
    print(f"| own kernels and the rest | {rest:.1f} | {100 * rest / step:.0f} % | | |")
    total = sum(flops.values()) / step * 1e-6
    print(f"| a step | {step:.1f} | 100 % | {total:.0f} | {100 * total / peaks['fma_gflops']:.0f} % |")


if __name__ == "__main__":
    main()
