#!/usr/bin/env python3
"""Compares the training and evaluation speed of the engine and PyTorch, alternating between them in one run.

    tools/bench_vs_pytorch.py --python /usr/bin/python3 --python /path/to/venv/bin/python
    tools/bench_vs_pytorch.py --device cuda --binary build/cuda/bin/step-bench --modes train --steps 200

Each variant of the engine and of PyTorch is a child process that reads lines `run N` from standard input, does N steps,
and answers each with one JSON line, {"seconds": s, "images": n}. Only one of them runs at a time and they alternate in
every round, so that a temporary slowdown of the machine affects all of them (tools/bench/compare/turns.py). With
--one-at-a-time, which a GPU in exclusive-process mode needs, each runs all its rounds before the next one starts.

A training step gathers a batch from uint8 records, subtracts the mean, crops, flips, and updates every weight. An
evaluation step gathers a batch, subtracts the mean, and computes logits, loss and the number of correct answers. The
records are random bytes; the speed does not depend on them. On a GPU all data stay in its memory.

ENGINE_WAYS lists the variants of the engine; WAYS in tools/bench/compare/torch_side.py lists those of PyTorch.

The children inherit the environment; only OMP_NUM_THREADS is set. OMP_WAIT_POLICY is left at each program's default: the
engine's waiting threads sleep, PyTorch's spin for some milliseconds first.
A warning follows the row of a variant that used the CPU while another ran.

Exit codes: 0 done; 1 a variant failed (the others are measured); 2 wrong usage.
"""

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPARE = ROOT / "tools" / "bench" / "compare"
sys.path.insert(0, str(COMPARE))

import turns  # noqa: E402

ENGINE_WAYS = {
    "cpu": {"": []},
    "cuda": {
        f"{kernels}, {how}": ["--set", "train.precision=bf16", "--set", f"train.kernels={kernels}", *flags]
        for kernels in ("composed", "fused")
        for how, flags in (("eager", ["--eager"]), ("captured", []))
    },
}
TORCH_WAYS = {
    "cpu": ["channels-last"],
    "cuda": ["eager", "bf16", "compile", "compile-graph", "graph"],
}


def sides_for(args, network, mode):
    """The engine's children and PyTorch's children."""
    common = [str(ROOT / "configs" / f"{network}.json"), "--mode", mode]
    common += ["--batch", str(args.batch), "--device", args.device]
    engine_sides, torch_sides = [], []
    for way in args.engine_ways:
        command = [str(args.binary), *common, *ENGINE_WAYS[args.device][way]]
        engine_sides.append(turns.Side(way, f"engine {way}".strip(), command, args.threads, args.library_path))
    for python in [] if args.engine_only else args.python:
        for way in args.ways:
            command = [python, str(COMPARE / "torch_bench.py"), *common, "--way", way, "--threads", str(args.threads)]
            torch_sides.append(turns.Side(way, f"PyTorch of {python}, {way}", command, args.threads))
    return engine_sides, torch_sides


def measure(args, network, mode):
    """The rows of the table for one network and one mode."""
    engine_sides, torch_sides = sides_for(args, network, mode)
    sides = engine_sides + torch_sides
    try:
        measure_all = turns.one_at_a_time if args.one_at_a_time else turns.take_turns
        measure_all(sides, args.rounds, args.steps, args.warm_up, args.set_up_seconds)
    finally:
        for side in sides:
            side.close()
    return [{"network": network, "mode": mode} | row for row in turns.rows_of(sides, engine_sides, args.batch)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "build/cpu/bin/step-bench", help="the engine's program")
    parser.add_argument("--library-path", default="", help="LD_LIBRARY_PATH of the engine's program")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--python", action="append", help="interpreter that has PyTorch; may be given several times")
    parser.add_argument("--ways", nargs="+", help="variants of PyTorch; default: all variants for the device")
    parser.add_argument(
        "--engine-ways",
        nargs="+",
        help="variants of the engine, such as 'fused, captured'; default: all variants for the device",
    )
    parser.add_argument("--networks", nargs="+", default=["resnet20", "resnet56"])
    parser.add_argument("--modes", nargs="+", choices=["train", "eval"], default=["train", "eval"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--batch", type=int, default=128, help="images per step; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=5, help="steps of each variant in a round; default: %(default)s")
    parser.add_argument(
        "--warm-up", type=int, default=5, help="steps of each variant before the first round; default: %(default)s"
    )
    parser.add_argument(
        "--set-up-seconds", type=float, default=600, help="time limit of a variant's warm-up; default: %(default)s"
    )
    parser.add_argument("--json", type=Path, help="write the table and every round's rates to this file")
    parser.add_argument("--one-at-a-time", action="store_true", help="do not alternate between the variants")
    parser.add_argument("--engine-only", action="store_true", help="do not measure PyTorch")
    args = parser.parse_args()
    args.python = args.python or [sys.executable]
    args.ways = args.ways or TORCH_WAYS[args.device]
    args.engine_ways = args.engine_ways or list(ENGINE_WAYS[args.device])
    for way in args.engine_ways:
        if way not in ENGINE_WAYS[args.device]:
            parser.error(f"the engine has no variant '{way}'; it has: {'; '.join(ENGINE_WAYS[args.device])}")
    for network in args.networks:
        if not (ROOT / "configs" / f"{network}.json").exists():
            parser.error(f"there is no configs/{network}.json")
    if not args.binary.exists():
        parser.error(f"there is no {args.binary}; build it, or name another with --binary FILE")
    return args


def main():
    args = parse_arguments()
    precision = "float32" if args.device == "cpu" else "bfloat16 unless the variant says otherwise"
    print(
        f"images/s, batch {args.batch}, {args.device}, {precision}, {args.threads} threads, {args.rounds} rounds of "
        f"{args.steps} steps"
    )
    width = 36 if args.device == "cpu" else 48
    turns.print_heads(width)
    rows = []
    for network in args.networks:
        for mode in args.modes:
            measured = measure(args, network, mode)
            turns.print_rows(measured, width)
            rows += measured
            if args.json:
                settings = {key: getattr(args, key) for key in ("device", "batch", "threads", "rounds", "steps")}
                args.json.write_text(json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n")
    sys.exit(1 if any("failure" in row for row in rows) else 0)


if __name__ == "__main__":
    main()
