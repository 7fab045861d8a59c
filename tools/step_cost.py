#!/usr/bin/env python3
"""What one training step of a pre-activation network at batch 128 costs at least: products, bytes and launches, counted by kernel.

    tools/step_cost.py [--depth N ...] [--plain] [--kernels]

The bytes are those of the fused step (docs/fused-step.md): every activation is bfloat16 and counted each time a kernel
reads or writes it once; halos, weights, statistics and the partial sums of the weight gradients, which stay in the L2
cache, are not counted among them. --kernels lists every kernel with its part.
"""

import argparse
from dataclasses import dataclass

BATCH = 128
CLASSES = 10
STAGES = ((16, 32), (32, 16), (64, 8))  # channels and side of the picture
ONE_BACKWARD_KERNEL = {(16, 16), (16, 32)}  # half_unit_backward_kernels() in kernels/half_unit.h, at batch 128


@dataclass
class Kernel:
    name: str
    multiply_adds: int
    bytes: int


def activation(batch, channels, side):
    return batch * side * side * channels * 2


def half_unit(name, batch, x, y, residual, p, accumulate):
    """x and y are (channels, side); residual is the size of what is added, 0 for none."""
    read, written = activation(batch, *x), activation(batch, *y)
    products = batch * y[1] * y[1] * 9 * x[0] * y[0]
    forward = Kernel(f"{name} forward", products, read + written + residual + (read if p else 0))
    data = 2 * written + read + (read if p else 0) + (2 if accumulate else 1) * read + (written if residual else 0)
    weight = 2 * written + read
    if (x[0], y[0]) in ONE_BACKWARD_KERNEL:
        return forward, [Kernel(f"{name} backward", 2 * products, data)]
    return forward, [
        Kernel(f"{name} backward, data", products, data),
        Kernel(f"{name} backward, weight", products, weight),
    ]


def step(depth, batch, plain):
    """The kernels of one step in their order."""
    pictures = batch * 32 * 32 * 3
    stem_out = activation(batch, 16, 32)
    stem_products = batch * 32 * 32 * 27 * 16
    forward = [
        Kernel("gather and augment", 0, pictures + 2 * pictures),
        Kernel("stem forward", stem_products, 2 * pictures + stem_out),
    ]
    backward = []
    x = STAGES[0]
    parameters = 27 * 16
    for stage, y in enumerate(STAGES):
        for unit in range((depth - 2) // 6):
            name = f"stage {stage}, unit {unit}"
            first = stage == 0 and unit == 0
            shortcut = 0 if plain else activation(batch, *x)
            one, one_back = half_unit(f"{name}, conv1", batch, x, y, 0, first and not plain, not plain and not first)
            two, two_back = half_unit(f"{name}, conv2", batch, y, y, shortcut, False, False)
            forward += [one, two]
            pooled = []
            if not plain and x != y:
                pooled = [Kernel(f"{name}, shortcut backward", 0, activation(batch, *y) + activation(batch, *x))]
            backward = [*two_back, *pooled, *one_back, *backward]
            parameters += 9 * y[0] * (x[0] + y[0]) + 2 * (x[0] + y[0])
            x = y
    last = activation(batch, *x)
    parameters += 2 * x[0] + CLASSES * (x[0] + 1)
    head = [
        Kernel("classifier forward", batch * CLASSES * x[0], last),
        Kernel("softmax cross-entropy", 0, 2 * 4 * batch * CLASSES),
        Kernel("chain rule of the loss", 0, 2 * 4 * batch * CLASSES),
        Kernel("classifier backward", 2 * batch * CLASSES * x[0], 2 * last),
    ]
    end = [
        Kernel("stem backward", stem_products, 2 * stem_out + 2 * pictures),
        Kernel("update", 0, 22 * parameters),
    ]
    return forward + head + backward + end


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, nargs="+", default=[20, 56, 110], help="6 n + 2 (default: 20 56 110)")
    parser.add_argument("--plain", action="store_true", help="without shortcuts")
    parser.add_argument("--kernels", action="store_true", help="list every kernel")
    options = parser.parse_args()
    for depth in options.depth:
        if depth < 8 or (depth - 2) % 6:
            parser.error(f"--depth {depth}: a depth is 6 n + 2, such as 20")

    print(f"{'depth':>5} {'GFLOP':>8} {'MB':>8} {'kernels':>8}")
    for depth in options.depth:
        kernels = step(depth, BATCH, options.plain)
        if options.kernels:
            for kernel in kernels:
                print(f"      {2e-9 * kernel.multiply_adds:8.3f} {1e-6 * kernel.bytes:8.2f}   {kernel.name}")
        flops = 2e-9 * sum(kernel.multiply_adds for kernel in kernels)
        megabytes = 1e-6 * sum(kernel.bytes for kernel in kernels)
        print(f"{depth:5} {flops:8.1f} {megabytes:8.1f} {len(kernels):8}")


if __name__ == "__main__":
    main()
