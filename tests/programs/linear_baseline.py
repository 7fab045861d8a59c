#!/usr/bin/env python3
"""The test accuracy of linear classifiers on the raw pixels of a data set in CIFAR-10's binary files: a lower bound for
any network.

    draw-images /tmp/images && python3 tests/programs/linear_baseline.py /tmp/images

Two classifiers on standardised pixels, each with several weight penalties: least squares on one-hot labels (solved
exactly), and softmax regression (Adam on mini-batches with random mirroring, step size falling to zero). Prints every
accuracy, then the highest test accuracy; choosing by the test set can only favour the linear classifiers.
"""

import argparse
import pathlib

import numpy as np

CLASSES = 10
TRAIN = [f"data_batch_{i}.bin" for i in range(1, 6)]


def read(path):
    records = np.fromfile(path, dtype=np.uint8).reshape(-1, 3073)
    return records[:, 1:].astype(np.float32), records[:, 0].astype(np.int64)


def accuracy(x, y, weight, bias):
    return float(np.mean(np.argmax(x @ weight + bias, axis=1) == y))


def least_squares(x, y, penalties):
    onehot = np.eye(CLASSES, dtype=np.float64)[y] - 1 / CLASSES
    gram = np.zeros((x.shape[1], x.shape[1]))
    for first in range(0, len(x), 10000):
        part = x[first : first + 10000]
        gram += part.T @ part
    moment = x.T.astype(np.float64) @ onehot
    for penalty in penalties:
        weight = np.linalg.solve(gram + penalty * len(x) * np.eye(len(gram)), moment)
        yield penalty, weight.astype(np.float32), np.zeros(CLASSES, np.float32)


def softmax_regression(x, y, penalty, epochs, batch=500, rate=1e-3):
    rng = np.random.default_rng(0)
    parameters = [np.zeros((x.shape[1], CLASSES), np.float32), np.zeros(CLASSES, np.float32)]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    steps = epochs * (len(x) // batch)
    for step in range(steps):
        if step % (len(x) // batch) == 0:
            order = rng.permutation(len(x))
        chosen = order[step * batch % len(x) :][:batch]
        xb, yb = x[chosen], y[chosen]
        if rng.integers(2):
            xb = xb.reshape(-1, 3, 32, 32)[:, :, :, ::-1].reshape(len(xb), -1)
        logits = xb @ parameters[0] + parameters[1]
        logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        slope = logits / logits.sum(axis=1, keepdims=True)
        slope[np.arange(len(yb)), yb] -= 1
        slope /= len(yb)
        gradients = [xb.T @ slope + penalty * parameters[0], slope.sum(axis=0)]
        for p, m, v, g in zip(parameters, first, second, gradients):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            unbiased = m / (1 - 0.9 ** (step + 1))
            scale = np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8
            p -= rate * (1 - step / steps) * unbiased / scale
    return parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()

    parts = [read(arguments.folder / name) for name in TRAIN]
    x = np.concatenate([part[0] for part in parts])
    y = np.concatenate([part[1] for part in parts])
    x_test, y_test = read(arguments.folder / "test_batch.bin")
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - mean) / deviation
    x_test = (x_test - mean) / deviation

    best = 0.0
    print("classifier          penalty  train    test")
    for penalty, weight, bias in least_squares(x, y, [1e-3, 1e-1, 1, 10, 100]):
        train, test = accuracy(x, y, weight, bias), accuracy(x_test, y_test, weight, bias)
        print(f"least squares       {penalty:<7g}  {train:.4f}   {test:.4f}", flush=True)
        best = max(best, test)
    for penalty in [0, 1e-2, 1e-1, 1]:
        weight, bias = softmax_regression(x, y, penalty, arguments.epochs)
        train, test = accuracy(x, y, weight, bias), accuracy(x_test, y_test, weight, bias)
        print(f"softmax regression  {penalty:<7g}  {train:.4f}   {test:.4f}", flush=True)
        best = max(best, test)
    print(f"highest linear test accuracy: {best:.4f}")


if __name__ == "__main__":
    main()
