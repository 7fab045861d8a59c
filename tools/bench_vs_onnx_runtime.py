#!/usr/bin/env python3
"""Compares the evaluation speed of the engine and ONNX Runtime on this CPU, alternating between them in one run.

    build/python/bin/python tools/bench_vs_onnx_runtime.py runs/resnet20 runs/resnet56

Each RUN is a run folder. resnet-export writes its last checkpoint as two ONNX models, as it is and with --fold; step-bench
runs the same network in the engine. Each is a child process, and they alternate in every round
(tools/bench/compare/turns.py). A step of ONNX Runtime computes the logits of a batch of random bytes; a step of the engine
also computes loss and accuracy.

OMP_NUM_THREADS and the threads of ONNX Runtime are the same. A warning follows the row of a variant that used the CPU
while another ran: ONNX Runtime's threads spin for a while after a step.

Exit codes: 0 done; 1 a variant failed (the others are measured); 2 wrong usage.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPARE = ROOT / "tools" / "bench" / "compare"
sys.path.insert(0, str(COMPARE))

import turns  # noqa: E402

WIDTH = 28
WAYS = {"plain": [], "folded": ["--fold"]}


def export(args, run, folder):
    """The model of each way."""
    models = {}
    for way, flags in WAYS.items():
        models[way] = Path(folder) / f"{way}.onnx"
        command = [args.bin / "resnet-export", run, models[way], *flags]
        status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        if status != 0:
            sys.exit(status if status > 0 else 1)  # The program has printed why.
    return models


def measure(args, run, models):
    """The rows of the table for one run folder."""
    command = [args.bin / "step-bench", run / "config.json", "--mode", "eval", "--device", "cpu"]
    command += ["--set", "train.precision=fp32", "--batch", str(args.batch)]
    engine = turns.Side("engine", "engine", command, args.threads)
    script = [sys.executable, COMPARE / "onnx_bench.py"]
    options = ["--batch", str(args.batch), "--threads", str(args.threads)]
    others = [
        turns.Side(way, f"ONNX Runtime {way}", [*script, model, *options, "--way", way], args.threads)
        for way, model in models.items()
    ]
    sides = [engine, *others]
    try:
        turns.take_turns(sides, args.rounds, args.steps, args.warm_up, set_up_seconds=600)
    finally:
        for side in sides:
            side.close()
    return [{"network": run.name, "mode": "eval"} | row for row in turns.rows_of(sides, [engine], args.batch)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folder of resnet-train")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/cpu/bin", help="folder of the programs")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--batch", type=int, default=128, help="images per step; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=5, help="steps of each variant in a round; default: %(default)s")
    parser.add_argument(
        "--warm-up", type=int, default=5, help="steps of each variant before the first round; default: %(default)s"
    )
    parser.add_argument("--json", type=Path, help="write the table and every round's rates to this file")
    args = parser.parse_args()
    for run in args.runs:
        if not (run / "config.json").exists():
            parser.error(f"{run} is no run folder: it has no config.json")
    if args.json and not args.json.parent.is_dir():
        parser.error(f"--json {args.json}: there is no folder {args.json.parent}")
    for program in "resnet-export", "step-bench":
        if not (args.bin / program).exists():
            parser.error(f"there is no {args.bin / program}; build it, or name another folder with --bin DIR")
    return args


def main():
    args = parse_arguments()
    print(f"images/s, batch {args.batch}, {args.threads} threads, {args.rounds} rounds of {args.steps} steps")
    turns.print_heads(WIDTH)
    rows = []
    for run in args.runs:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(args, run, export(args, run, folder))
        turns.print_rows(measured, WIDTH)
        rows += measured
    if args.json:
        settings = {key: getattr(args, key) for key in ("batch", "threads", "rounds", "steps")}
        args.json.write_text(json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n")
    sys.exit(1 if any("failure" in row for row in rows) else 0)


if __name__ == "__main__":
    main()
