"""Runs the stages of tools/prove_gpu.sh, which calls it."""

import argparse
import fnmatch
import math
import os
import signal
import sys
import time
from pathlib import Path

import checks
import gpu
import machine
import speed
import targets
from proof import Proof, Setting, Stage
from unusable import Unusable

NETWORKS = ("resnet20", "resnet56", "resnet110")
EVERYTHING_PASSED, SOMETHING_FAILED, UNUSABLE, INCOMPLETE = 0, 1, 2, 3


class Stopped(BaseException):
    """A signal asked the program to stop."""


def all_stages():
    return [
        Stage("machine", "machine facts", checks.machine_facts, 10, 120),
        Stage("tests", "[gpu] tests", checks.gpu_tests, 30, 1200),
        Stage("golden", "whole networks on the GPU against PyTorch in float64", checks.golden, 30, 600),
        speed.kernel_bench(128),
        *map(speed.engine_step, NETWORKS),
        *(speed.step_against_pytorch(network, "torch", ("eager", "bf16", "graph"), 90) for network in NETWORKS),
        speed.engine_run("resnet20", 0),
        *(speed.step_against_pytorch(network, "compiled", speed.COMPILED_WAYS, 240) for network in NETWORKS),
        *map(checks.sanitizer, ("memcheck", "racecheck", "initcheck")),
        speed.kernel_bench(512),
        speed.kernel_bench(1024),
        speed.torch_run("resnet20", 0),
        *(speed.engine_run(network, 0) for network in ("resnet56", "resnet110", "plain20", "plain56")),
        *(run("resnet20", seed) for seed in range(1, targets.SEEDS) for run in (speed.engine_run, speed.torch_run)),
    ]


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--only", default="*")
    return parser.parse_args()


def check_same_machine(setting):
    """Raises Unusable if the folder holds results of another GPU or another build."""
    done = setting.result("machine").get("data")
    now = setting.gpu | {"programs": machine.fingerprint(setting.programs)}
    if done and (done.get("uuid"), done["programs"]) != (now["uuid"], now["programs"]):
        texts = [f"{facts['gpu']} ({facts.get('uuid')}) with programs {facts['programs']}" for facts in (done, now)]
        raise Unusable(f"{setting.out} holds results of {texts[0]}; this is {texts[1]}: name another folder with --out")


def verdict(results):
    """The exit code, and one line that explains it."""
    states = [result["state"] for result in results.values()]
    count = {state: states.count(state) for state in ("passed", "failed", "skipped", "not reached")}
    line = ", ".join(f"{number} {state}" for state, number in count.items() if number)
    if count["failed"]:
        return SOMETHING_FAILED, line
    if count["not reached"]:
        return INCOMPLETE, f"{line}; run the same command again to continue"
    return EVERYTHING_PASSED, line


def stop(number, frame):
    raise Stopped(signal.Signals(number).name)


def main():
    args = parse_arguments()
    deadline = time.monotonic() + args.seconds
    stages = all_stages()
    if not any(fnmatch.fnmatch(stage.name, args.only) for stage in stages):
        print(f"prove_gpu.sh: --only {args.only} matches no stage; there are {', '.join(s.name for s in stages)}")
        return UNUSABLE
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        library_path = machine.library_path(args.programs / "resnet-train", args.root / "lib")
        setting = Setting(args.root, args.programs, args.out, deadline, library_path, args.data, gpu.facts())
        check_same_machine(setting)
    except Unusable as reason:
        print(f"prove_gpu.sh: {reason}", file=sys.stderr)
        return UNUSABLE
    # Every program, PyTorch included, uses this GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = setting.gpu["uuid"]
    args.out.mkdir(parents=True, exist_ok=True)
    proof = Proof(setting, stages)
    try:
        results = proof.run(lambda name: name == "machine" or fnmatch.fnmatch(name, args.only))
    except Stopped as signal_name:
        print(f"prove_gpu.sh: stopped by {signal_name}; finished stages are kept in {args.out}", file=sys.stderr)
        proof.write_report()
        results = proof.results()
    code, line = verdict(results)
    print(f"{line}\n{args.out / 'results.md'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
