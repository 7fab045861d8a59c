#!/usr/bin/env python3
"""Training and evaluation speed of the engine against PyTorch, interleaved in one run.

    tools/bench_vs_pytorch.py --python /usr/bin/python3 --python /path/to/venv/bin/python
    tools/bench_vs_pytorch.py --device cuda --binary build/cuda/bin/step-bench --modes train --steps 200

Each side is a child process that waits on its standard input; for each line `run N` one of them does N steps of the
same work and answers with one JSON line, {"seconds": s, "images": n}. Only one of them runs at a time, and they take
turns round by round, so a slow minute of the machine strikes all (tools/bench/compare/).

A training step gathers a batch from uint8 records, subtracts the mean, crops, flips, and updates every weight. An
evaluation step gathers a batch, subtracts the mean, and makes logits, loss and the count of correct answers. The
records are random bytes; speed does not depend on them. On a GPU all of this stays in its memory, on both sides.

The engine runs as the table ENGINE_WAYS says, PyTorch as WAYS in tools/bench/compare/torch_side.py.

The children inherit the environment; only OMP_NUM_THREADS is set. libgomp's wait policy stays at its default, which
puts idle threads to sleep after some milliseconds: OMP_WAIT_POLICY=passive would slow both sides.
The table warns when a side used the processor while another ran.

Exit codes: 0 done; 1 a side failed (the others are measured); 2 wrong usage.
"""

import argparse
import json
import os
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
sys.path.insert(0, str(TOOLS / "bench" / "compare"))

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


def refuse(message):
    """Ends with the exit code of a wrong call."""
    print(message, file=sys.stderr)
    sys.exit(2)


def sides_for(args, name, mode):
    """(the engine's children, PyTorch's children)"""
    config = args.configs / f"{name}.json"
    if not config.exists():
        refuse(f"there is no {config}")
    common = [str(config), "--mode", mode, "--batch", str(args.batch), "--device", args.device]
    engine_sides, torch_sides = [], []
    if not args.torch_only:
        if not args.binary.exists():
            refuse(f"there is no {args.binary}; build it, or give --binary FILE or --torch-only")
        for way in args.engine_ways:
            flags = ENGINE_WAYS[args.device][way]
            command = [str(args.binary), *common, *flags]
            name = f"engine {way}".strip()
            engine_sides.append(turns.Side(way, name, command, args.threads, args.library_path))
    if not args.engine_only:
        for python in args.python:
            for way in args.ways:
                command = [python, str(TOOLS / "bench" / "compare" / "torch_bench.py"), *common, "--way", way]
                command += ["--threads", str(args.threads)]
                torch_sides.append(turns.Side(way, f"PyTorch of {python}, {way}", command, args.threads))
    return engine_sides, torch_sides


def measure(args, name, mode):
    """The rows of the table for one network and one mode."""
    engine_sides, torch_sides = sides_for(args, name, mode)
    sides = engine_sides + torch_sides
    try:
        turns.take_turns(sides, args.rounds, args.steps, args.warm_up, args.set_up_seconds)
    finally:
        for side in sides:
            side.close()
    return [{"network": name, "mode": mode} | row for row in turns.rows_of(sides, engine_sides, args.batch)]


def print_rows(rows, width):
    for row in rows:
        start = f"{row['network']:<10} {row['mode']:<6} {row['side']:<{width}}"
        if "failure" in row:
            print(f"{start} failed: {row['failure']}", flush=True)
            continue
        ratio = f"{row['engine_ratio']:.2f}" if "engine_ratio" in row else "-"
        print(
            f"{start} {row['median']:>9.1f} {row['min']:>9.1f} {row['max']:>9.1f} {row['ms_per_step']:>9.3f} "
            f"{ratio:>8}",
            flush=True,
        )
        if row["idle_cpu_share"] > 0.02:
            print(f"  warning: this side used {row['idle_cpu_share']:.0%} of a core while the others ran")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "build/cpu/bin/step-bench", help="the engine's side")
    parser.add_argument("--library-path", default="", help="LD_LIBRARY_PATH of the engine's side")
    parser.add_argument("--configs", type=Path, default=ROOT / "configs", help="folder of the network configs")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--python", action="append", help="interpreter that has PyTorch; may be given several times")
    parser.add_argument("--ways", nargs="+", help="of PyTorch; default: all that make sense on the device")
    parser.add_argument("--engine-ways", nargs="+", help="as in 'fused, captured'; default: all of the device")
    parser.add_argument("--networks", nargs="+", default=["resnet20", "resnet56"])
    parser.add_argument("--modes", nargs="+", choices=["train", "eval"], default=["train", "eval"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5, help="steps of each side in a round")
    parser.add_argument("--warm-up", type=int, default=5, help="steps of each side before the first round")
    parser.add_argument("--set-up-seconds", type=float, default=600, help="that a side may take until it is warm")
    parser.add_argument("--json", type=Path, help="write the table and every round's rates to this file")
    parser.add_argument("--torch-only", action="store_true", help="measure PyTorch alone")
    parser.add_argument("--engine-only", action="store_true", help="measure the engine alone")
    args = parser.parse_args()
    args.python = args.python or [sys.executable]
    args.ways = args.ways or TORCH_WAYS[args.device]
    args.engine_ways = args.engine_ways or list(ENGINE_WAYS[args.device])
    for way in args.engine_ways:
        if way not in ENGINE_WAYS[args.device]:
            refuse(f"the engine has no way '{way}'; it has: {'; '.join(ENGINE_WAYS[args.device])}")
    return args


def main():
    args = parse_arguments()
    precision = "float32" if args.device == "cpu" else "bfloat16 unless the side says otherwise"
    print(
        f"images/s, batch {args.batch}, {args.device}, {precision}, {args.threads} threads, {args.rounds} rounds of "
        f"{args.steps} steps"
    )
    width = 36 if args.device == "cpu" else 48
    heads = f"{'median':>9} {'min':>9} {'max':>9} {'ms/step':>9} {'engine/':>8}"
    print(f"{'network':<10} {'mode':<6} {'side':<{width}} {heads}")
    rows = []
    for name in args.networks:
        for mode in args.modes:
            measured = measure(args, name, mode)
            print_rows(measured, width)
            rows += measured
            if args.json:
                settings = {key: getattr(args, key) for key in ("device", "batch", "threads", "rounds", "steps")}
                args.json.write_text(json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n")
    sys.exit(1 if any("failure" in row for row in rows) else 0)


if __name__ == "__main__":
    main()
