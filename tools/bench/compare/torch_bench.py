"""Runs PyTorch's steps on request; a child process of tools/bench_vs_pytorch.py.

Answers each line `run N` on standard input with one JSON line, {"seconds": s, "images": n, "name": text}.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

import cifar10
import torch_side

SAMPLES = 10000


def random_records():
    """(images, labels, per-pixel mean); speed does not depend on the content."""
    shape = (SAMPLES, cifar10.HEIGHT, cifar10.WIDTH, cifar10.CHANNELS)
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    return images, torch.randint(0, cifar10.CLASSES, (SAMPLES,)), images.float().mean(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--mode", choices=["train", "eval"], default="train")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--way", choices=list(torch_side.WAYS), required=True, help="variant of PyTorch")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = json.loads(args.config.read_text())["model"]
    records = random_records()
    order = torch.randperm(SAMPLES)
    way = torch_side.WAYS[args.way]

    side = torch_side.TorchSide(model, records, order, args.batch, way, args.device)
    name = f"PyTorch {torch.__version__} {args.way}"
    if args.device == "cuda" and args.mode == "train":
        name += f", {side.optimizer_name}"
    images, labels = side.loss.images[: args.batch], side.loss.labels[: args.batch]

    def work(steps):
        if args.mode == "train":
            side.train(steps)
        else:
            for _ in range(steps):
                side.evaluate(images, labels, args.batch)

    for line in sys.stdin:
        steps = int(line.split()[1])
        seconds = side.timed(lambda: work(steps))
        print(json.dumps({"seconds": seconds, "images": steps * args.batch, "name": name}), flush=True)


if __name__ == "__main__":
    main()
