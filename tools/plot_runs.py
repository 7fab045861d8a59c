#!/usr/bin/env python3
"""Draws training and test error over the steps of several runs, in the manner of He et al. 2015, figure 6.

    tools/plot_runs.py OUT.png RUN...     each RUN is a folder of resnet-train

Also prints the last row of each as a Markdown table. Needs matplotlib (Debian: python3-matplotlib).
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def rows(run, key):
    """[(step, row)] of the metrics that have `key`."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [(row["step"], row) for row in map(json.loads, lines) if key in row]


def smoothed(values, width=5):
    """Mean over `width` neighbours, fewer at the ends: a training row averages few pictures."""
    half = width // 2
    windows = [values[max(0, i - half) : i + half + 1] for i in range(len(values))]
    return [sum(window) / len(window) for window in windows]


def label(run):
    model = json.loads((run / "config.json").read_text())["model"]
    return f"{'Plain' if model['shortcut'] == 'none' else 'ResNet'}-{model['depth']}"


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    runs = [Path(name) for name in sys.argv[2:]]
    figure, axes = plt.subplots(figsize=(8, 5))
    print("| network | step | train error | train loss | test error | test loss |")
    print("|---|---|---|---|---|---|")
    for index, run in enumerate(runs):
        train = rows(run, "train_accuracy")
        test = rows(run, "test_accuracy")
        color = f"C{index}"
        errors = smoothed([100 * (1 - row["train_accuracy"]) for _, row in train])
        axes.plot([step for step, _ in train], errors, color=color, linewidth=0.8, linestyle="--")
        axes.plot(
            [step for step, _ in test],
            [100 * (1 - row["test_accuracy"]) for _, row in test],
            color=color,
            marker=".",
            label=label(run),
        )
        last_train, (step, last_test) = train[-1][1], test[-1]
        print(
            f"| {label(run)} | {step} | {100 * (1 - last_train['train_accuracy']):.2f} % | {last_train['train_loss']:.4f} "
            f"| {100 * (1 - last_test['test_accuracy']):.2f} % | {last_test['test_loss']:.4f} |"
        )
    axes.set(xlabel="step", ylabel="error (%)", ylim=(0, 100), title="solid: test, dashed: training")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
