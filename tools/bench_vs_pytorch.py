#!/usr/bin/env python3
"""Training and evaluation speed of the engine's CPU device against PyTorch, interleaved in one run.

    tools/bench_vs_pytorch.py --python /usr/bin/python3 --python /path/to/venv/bin/python

Both sides are child processes with the same number of OpenMP threads that wait on their standard input; for each line
`run N` one of them does N steps of the same work and answers with one JSON line, {"seconds": s, "images": n}. Only one
of them runs at a time, and they take turns round by round, so a slow minute of the machine strikes both.

A training step gathers a batch from uint8 records, subtracts the mean, crops, flips, and updates every weight. An
evaluation step gathers a batch, subtracts the mean, and makes logits, loss and the count of correct answers. The
records are random bytes; speed does not depend on them. Started with --worker, this script is PyTorch's side.

The children inherit the environment; only OMP_NUM_THREADS is set. libgomp's wait policy stays at its default, which
puts idle threads to sleep after some milliseconds: OMP_WAIT_POLICY=passive would slow both sides.
The table warns when a side used the processor while another ran.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = 10000
SETTLE_SECONDS = 0.05  # libgomp's threads spin for some milliseconds after the last parallel region, then sleep


# ---- PyTorch's side ----


def reference_model():
    path = ROOT / "tests" / "golden" / "reference_model.py"
    spec = importlib.util.spec_from_file_location("reference_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TorchSide:
    """What a good user of eager PyTorch on a CPU writes: channels_last, in-place ReLU, parameter groups."""

    def __init__(self, config, batch, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        reference = reference_model()
        model = config["model"]
        self.net = reference.ResNet(
            model["depth"],
            model.get("block", "preact"),
            model.get("shortcut", "avgpool_zeropad"),
            model.get("padding", "same"),
        ).to(memory_format=torch.channels_last)
        groups = [
            {"params": reference.decayed_parameters(self.net), "weight_decay": 2e-4},
            {"params": reference.other_parameters(self.net), "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
        self.images = torch.randint(0, 256, (SAMPLES, 32, 32, 3), dtype=torch.uint8)
        self.labels = torch.randint(0, 10, (SAMPLES,))
        self.mean = self.images.float().mean(0)
        self.batch = batch
        self.pixel = torch.arange(32)
        self.row = torch.arange(batch)[:, None, None]
        self.position = 0

    def augmented_batch(self, pad=4):
        """[batch, 3, 32, 32] in channels_last: zeros around after mean subtraction, random crop, random flip."""
        torch = self.torch
        index = torch.randint(0, SAMPLES, (self.batch,))
        pictures = torch.nn.functional.pad(self.images[index].float() - self.mean, (0, 0, pad, pad, pad, pad))
        top, left = torch.randint(0, 2 * pad + 1, (2, self.batch, 1))
        flip = torch.randint(0, 2, (self.batch, 1), dtype=torch.bool)
        rows = top + self.pixel
        columns = left + torch.where(flip, 31 - self.pixel, self.pixel)
        pictures = pictures[self.row, rows[:, :, None], columns[:, None, :]]
        return pictures.permute(0, 3, 1, 2), self.labels[index]

    def train_step(self):
        images, labels = self.augmented_batch()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.torch.nn.functional.cross_entropy(self.net(images), labels)
        loss.backward()
        self.optimizer.step()

    def eval_step(self):
        start = self.position
        self.position = (start + self.batch) % (SAMPLES - self.batch)
        images = (self.images[start : start + self.batch].float() - self.mean).permute(0, 3, 1, 2)
        labels = self.labels[start : start + self.batch]
        logits = self.net(images)
        loss = self.torch.nn.functional.cross_entropy(logits, labels)
        correct = (logits.argmax(1) == labels).sum()
        return loss.item(), correct.item()

    def run(self, mode, steps):
        """Seconds that `steps` steps take."""
        self.net.train(mode == "train")
        start = time.perf_counter()
        if mode == "train":
            for _ in range(steps):
                self.train_step()
        else:
            with self.torch.inference_mode():
                for _ in range(steps):
                    self.eval_step()
        return time.perf_counter() - start


def serve(args):
    """Answers `run N` lines until the input ends."""
    side = TorchSide(json.loads(Path(args.config).read_text()), args.batch, args.threads)
    name = f"PyTorch {side.torch.__version__}"
    for line in sys.stdin:
        steps = int(line.split()[1])
        answer = {"seconds": side.run(args.mode, steps), "images": steps * args.batch, "name": name}
        print(json.dumps(answer), flush=True)


# ---- the referee ----


class Side:
    """A child process that does steps on request."""

    def __init__(self, name, command, threads):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.name = name
        self.command = command
        self.rates = []
        self.idle_seconds = 0.0
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, steps):
        """Images per second over `steps` steps."""
        try:
            self.process.stdin.write(f"run {steps}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SystemExit(f"'{' '.join(map(str, self.command))}' ended with status {self.process.wait()}")
        answer = json.loads(line)
        self.name = answer.get("name", self.name)
        return answer["images"] / answer["seconds"]

    def cpu_seconds(self):
        """Processor time used so far, all threads together."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.communicate()


def refuse(message):
    """Ends with the exit code of a wrong call."""
    print(message, file=sys.stderr)
    sys.exit(2)


def sides_for(args, name, mode):
    """One child for the engine and one for each Python interpreter."""
    config = args.configs / f"{name}.json"
    if not config.exists():
        refuse(f"there is no {config}")
    common = [str(config), "--mode", mode, "--batch", str(args.batch)]
    sides = []
    if not args.torch_only:
        if not args.binary.exists():
            refuse(f"there is no {args.binary}; build it, or give --binary FILE or --torch-only")
        sides.append(Side("engine", [str(args.binary), *common], args.threads))
    for python in args.python:
        command = [python, str(Path(__file__).resolve()), "--worker", *common, "--threads", str(args.threads)]
        sides.append(Side(f"PyTorch of {python}", command, args.threads))
    return sides


def measure(args, name, mode):
    """The rows of the table for one network and one mode."""
    sides = sides_for(args, name, mode)
    try:
        for side in sides:
            side.run(args.warm_up)
        total = 0.0
        for round_number in range(args.rounds):
            for side in sides[::-1] if round_number % 2 else sides:
                time.sleep(SETTLE_SECONDS)
                idle = [other for other in sides if other is not side]
                before = [other.cpu_seconds() for other in idle]
                start = time.perf_counter()
                side.rates.append(side.run(args.steps))
                total += time.perf_counter() - start
                for other, used in zip(idle, before):
                    other.idle_seconds += other.cpu_seconds() - used
    finally:
        for side in sides:
            side.close()
    rows = []
    for side in sides:
        rates = side.rates
        row = {"network": name, "mode": mode, "side": side.name, "median": statistics.median(rates)}
        row.update(min=min(rates), max=max(rates), rates=rates, idle_cpu_share=side.idle_seconds / total)
        if side is not sides[0] and not args.torch_only:
            # Rates of one round are neighbours in time: the median of their ratios is steadier than a ratio of medians.
            row["engine_ratio"] = statistics.median(mine / theirs for mine, theirs in zip(sides[0].rates, rates))
        rows.append(row)
    return rows


def print_rows(rows):
    for row in rows:
        ratio = f"{row['engine_ratio']:.2f}" if "engine_ratio" in row else "-"
        print(
            f"{row['network']:<10} {row['mode']:<6} {row['side']:<24} {row['median']:>9.1f} {row['min']:>9.1f} "
            f"{row['max']:>9.1f} {ratio:>8}",
            flush=True,
        )
        if row["idle_cpu_share"] > 0.02:
            print(f"  warning: this side used {row['idle_cpu_share']:.0%} of a core while the others ran")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "build/cpu/bin/step-bench", help="the engine's side")
    parser.add_argument("--configs", type=Path, default=ROOT / "configs", help="folder of the network configs")
    parser.add_argument("--python", action="append", help="interpreter that has PyTorch; may be given several times")
    parser.add_argument("--networks", nargs="+", default=["resnet20", "resnet56"])
    parser.add_argument("--modes", nargs="+", choices=["train", "eval"], default=["train", "eval"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5, help="steps of each side in a round")
    parser.add_argument("--warm-up", type=int, default=5, help="steps of each side before the first round")
    parser.add_argument("--json", type=Path, help="write the table and every round's rates to this file")
    parser.add_argument("--torch-only", action="store_true", help="measure PyTorch alone")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--mode", choices=["train", "eval"], help=argparse.SUPPRESS)
    parser.add_argument("config", nargs="?", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.python = args.python or [sys.executable]
    return args


def main():
    args = parse_arguments()
    if args.worker:
        serve(args)
        return
    print(f"images/s, batch {args.batch}, float32, {args.threads} threads, {args.rounds} rounds of {args.steps} steps")
    print(f"{'network':<10} {'mode':<6} {'side':<24} {'median':>9} {'min':>9} {'max':>9} {'engine/':>8}")
    rows = []
    for name in args.networks:
        for mode in args.modes:
            rows += measure(args, name, mode)
            print_rows(rows[-len(args.python) - (not args.torch_only) :])
    if args.json:
        settings = {key: getattr(args, key) for key in ("batch", "threads", "rounds", "steps", "warm_up")}
        args.json.write_text(json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
