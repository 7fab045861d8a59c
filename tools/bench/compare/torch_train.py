#!/usr/bin/env python3
"""Trains the network of a resnet-train run in PyTorch, with the same recipe, to compare the accuracies.

    tools/bench/compare/torch_train.py runs/resnet20/config.json --data DIR --out runs/torch-resnet20 [--seed N]

The configuration is the resolved one that resnet-train writes to its run folder. The output is a metrics.jsonl like
the engine's (training rows `step, train_cross_entropy, learning_rate, images_per_second`; evaluation rows `step,
test_loss, test_accuracy`), which resnet-report reads. On a GPU the default is one CUDA graph per step in bfloat16
autocast, because 64,000 eager steps would take hours.

Exit codes: 0 done; 1 failed while running; 2 wrong usage, configuration or data.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

import cifar10
import torch_side

EVALUATION_BATCH = 1000


def refuse(message):
    print(f"torch_train.py: {message}", file=sys.stderr)
    sys.exit(2)


def read_records(files):
    """(images [N, height, width, channels] uint8, labels [N])"""
    parts = []
    for file in files:
        if not file.exists():
            refuse(f"{file} is missing: --data names the folder of CIFAR-10's six binary files")
        parts.append(torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8).view(-1, cifar10.RECORD_BYTES))
    records = torch.cat(parts)
    images = records[:, 1:].view(-1, cifar10.CHANNELS, cifar10.HEIGHT, cifar10.WIDTH).permute(0, 2, 3, 1).contiguous()
    return images, records[:, 0].long()


def sample_order(samples, needed, generator):
    """Concatenated permutations, so that batches cross the boundaries of epochs."""
    epochs = -(-needed // samples)
    order = torch.cat([torch.randperm(samples, generator=generator, dtype=torch.int32) for _ in range(epochs)])
    return order[:needed]


def learning_rate(schedule, step):
    return schedule["values"][sum(boundary <= step for boundary in schedule["boundaries"])]


def stops(config, steps):
    """The steps after which there is a log row, an evaluation or a new learning rate."""
    log_every, eval_every = config["run"]["log_every"], config["run"]["eval_every"]
    marks = {*range(log_every, steps, log_every), *range(eval_every, steps, eval_every), steps}
    return sorted(marks | {boundary for boundary in config["schedule"]["boundaries"] if 0 < boundary < steps})


def train(side, config, steps, test, write):
    """Runs the updates and writes the rows of metrics.jsonl."""
    images, labels = (tensor.to(side.device) for tensor in test)
    run, done, logged, rate = config["run"], 0, 0, None
    seconds = 0.0
    for stop in stops(config, steps):
        if learning_rate(config["schedule"], done) != rate:
            rate = learning_rate(config["schedule"], done)
            side.set_rate(rate)
        seconds += side.timed(lambda: side.train(stop - done))
        done = stop
        if done % run["log_every"] == 0 or done == steps:
            count = done - logged
            row = {"step": done, "train_cross_entropy": side.take_loss(count), "learning_rate": rate}
            write(row | {"images_per_second": count * side.batch / seconds})
            logged, seconds = done, 0.0
        if done % run["eval_every"] == 0 or done == steps:
            loss, accuracy = side.evaluate(images, labels, EVALUATION_BATCH)
            write({"step": done, "test_loss": loss, "test_accuracy": accuracy})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="config.json of a run folder")
    parser.add_argument("--data", type=Path, required=True, help="folder with the six CIFAR-10 binary files")
    parser.add_argument("--out", type=Path, required=True, help="folder for metrics.jsonl")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="default: train.steps of the configuration")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--way", choices=list(torch_side.WAYS), help="default: graph on a GPU, channels-last on a CPU")
    return parser.parse_args()


def main():
    args = parse_arguments()
    try:
        config = json.loads(args.config.read_text())
        steps, batch = args.steps or config["train"]["steps"], config["train"]["batch_size"]
        momentum, weight_decay = config["optimizer"]["momentum"], config["optimizer"]["weight_decay"]
        augment = config["data"]["augment"]
    except (OSError, ValueError, KeyError) as error:
        refuse(f"{args.config} is not the resolved config.json of a run: {error!r}")
    if args.device == "cuda" and not torch.cuda.is_available():
        refuse("PyTorch sees no GPU; give --device cpu, or install a PyTorch built for CUDA")
    if augment != {"pad": 4, "flip": True}:
        refuse(f'data.augment is {augment}; only {{"pad": 4, "flip": true}} is supported')

    generator = torch.Generator().manual_seed(args.seed)
    torch.manual_seed(args.seed)
    images, labels = read_records([args.data / f"data_batch_{number}.bin" for number in range(1, 6)])
    test = read_records([args.data / "test_batch.bin"])
    order = sample_order(len(images), steps * batch, generator)
    way = torch_side.WAYS[args.way or ("graph" if args.device == "cuda" else "channels-last")]
    records = (images, labels, images.float().mean(0))
    side = torch_side.TorchSide(config["model"], records, order, batch, way, args.device, weight_decay, momentum)

    args.out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with (args.out / "metrics.jsonl").open("w") as file:

        def write(row):
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(json.dumps(row), flush=True)

        train(side, config, steps, test, write)
    print(f"{steps} steps in {time.perf_counter() - start:.1f} s, evaluations included")


if __name__ == "__main__":
    main()
