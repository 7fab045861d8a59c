#!/usr/bin/env python3
"""Plots training and test error over the steps of several runs, as in He et al. 2015, figure 6.

    tools/plot_runs.py OUT.png RUN...     each RUN is a run folder of resnet-train

Also prints the last metrics of each run as a Markdown table. Needs matplotlib (Debian: python3-matplotlib).
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def rows(run, key):
    """The rows of the metrics that have `key`."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if key in row]


def smoothed(values, width=5):
    """Moving average; a training row covers few images and is noisy."""
    half = width // 2
    windows = [values[max(0, i - half) : i + half + 1] for i in range(len(values))]
    return [sum(window) / len(window) for window in windows]


def label(run):
    model = json.loads((run / "config.json").read_text())["model"]
    if model["family"] == "wide_resnet":
        return f"WRN-{model['depth']}-{model['widening']}"
    return f"{'Plain' if model['shortcut'] == 'none' else 'ResNet'}-{model['depth']}"


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    runs = [Path(name) for name in sys.argv[2:]]
    figure, axes = plt.subplots(figsize=(8, 5))
    print("| network | step | train error | train loss | test error | test loss |")
    print("|---|---|---|---|---|---|")
    for index, run in enumerate(runs):
        train, test = rows(run, "train_accuracy"), rows(run, "test_accuracy")
        train_error = [100 * (1 - row["train_accuracy"]) for row in train]
        test_error = [100 * (1 - row["test_accuracy"]) for row in test]
        color = f"C{index}"
        axes.plot([row["step"] for row in train], smoothed(train_error), color=color, linewidth=0.8, linestyle="--")
        axes.plot([row["step"] for row in test], test_error, color=color, marker=".", label=label(run))
        print(
            f"| {label(run)} | {test[-1]['step']} | {train_error[-1]:.2f} % | {train[-1]['train_loss']:.4f} "
            f"| {test_error[-1]:.2f} % | {test[-1]['test_loss']:.4f} |"
        )
    axes.set(xlabel="step", ylabel="error (%)", ylim=(0, 100), title="solid: test, dashed: training")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
