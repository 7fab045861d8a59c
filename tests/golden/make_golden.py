#!/usr/bin/env python3
"""Computes the golden tensors with PyTorch in float64. README.md describes the files.

    make_golden.py [CASE ...] [--out DIR]

If rounding changes the sign of a ReLU input, a correct float32 program differs by much more than rounding. Therefore
the script adjusts batch norm shifts so that zero is in a gap between the ReLU inputs of the first step, and searches
for the seed with the widest gap over all steps. It fails if a ReLU input changes sign between PyTorch's float32 and
float64 runs.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from reference_model import DECAY, EPSILON, build, weight_penalty
from safetensors_file import Bfloat16, round_to_bfloat16, write_safetensors

MOMENTUM = 0.9
LEARNING_RATE = 0.001
LARGE_LEARNING_RATE = 0.1  # for one step in bfloat16, so that errors of the gradient are visible in the weights
# Fraction of channels with a negative shift. With a positive shift the ReLU is nearly linear, and the next batch norm
# cancels the effect of the shift.
NEGATIVE_SHARE = 0.6


class Case:
    """One file. `model` is the "model" object of the configuration; `steps` is the number of updates, 0 to store only
    the first gradient; `nesterov` selects Nesterov momentum; `narrow` stores weight gradients as BF16; `autocast`
    measures the error of PyTorch in bfloat16, and does not keep ReLU inputs away from zero. The initial magnitude of
    batch norm shifts is `shifts` times the scale: larger if ReLU inputs must stay away from zero for ten steps."""

    def __init__(self, model, batch, weight_decay, steps, narrow=False, autocast=False, nesterov=False):
        self.model, self.nesterov = model, nesterov
        self.batch, self.weight_decay, self.steps, self.narrow = batch, weight_decay, steps, narrow
        self.autocast, self.learning_rate = autocast, LARGE_LEARNING_RATE if autocast else LEARNING_RATE
        self.candidates = 200 if steps > 1 else 5
        self.shifts = (1.2, 1.8) if steps else (0.3, 1.2)


def resnet(depth, block, shortcut, padding):
    return {"family": "resnet", "depth": depth, "block": block, "shortcut": shortcut, "padding": padding}


def wide_resnet(depth, widening):
    return {"family": "wide_resnet", "depth": depth, "widening": widening}


CASES = {
    "depth8_preact": Case(resnet(8, "preact", "avgpool_zeropad", "same"), 2, 0.05, 10),
    "depth8_plain": Case(resnet(8, "preact", "none", "same"), 2, 0.05, 10),
    "depth8_postact": Case(resnet(8, "postact", "subsample_zeropad", "symmetric"), 2, 0.05, 10),
    "depth8_postact_projection": Case(resnet(8, "postact", "projection", "symmetric"), 2, 0.05, 10),
    "depth8_preact_projection": Case(resnet(8, "preact", "projection", "same"), 2, 0.05, 0),
    "depth8_preact_subsample": Case(resnet(8, "preact", "subsample_zeropad", "symmetric"), 2, 0.05, 0),
    "depth10_wide": Case(wide_resnet(10, 2), 2, 0.05, 10, nesterov=True),
    "full_resnet20": Case(resnet(20, "preact", "avgpool_zeropad", "same"), 4, 2e-4, 0),
    "full_plain20": Case(resnet(20, "preact", "none", "same"), 4, 2e-4, 0),
    "full_postact20": Case(resnet(20, "postact", "subsample_zeropad", "symmetric"), 4, 2e-4, 0),
    "full_resnet56": Case(resnet(56, "preact", "avgpool_zeropad", "same"), 4, 2e-4, 0, narrow=True),
    "bf16_preact": Case(resnet(8, "preact", "avgpool_zeropad", "same"), 4, 0.05, 1, autocast=True),
    "bf16_plain": Case(resnet(8, "preact", "none", "same"), 4, 0.05, 1, autocast=True),
}


# ---- inputs ----


def random_images(random, batch):
    """[batch, 3, 32, 32]: coloured patches of several sizes, bytes 0..255 minus a mean of 120."""
    total = np.zeros((batch, 3, 32, 32))
    for size, contrast in ((16, 45.0), (8, 30.0), (4, 15.0), (2, 10.0), (1, 5.0)):
        patches = random.normal(size=(batch, 3, 32 // size, 32 // size)) * contrast
        total += np.kron(patches, np.ones((1, 1, size, size)))
    return (np.clip(np.rint(120.0 + total), 0, 255) - 120.0).astype(np.float32)


def initial_state(case, random, images):
    """Name -> float32 array of every parameter and running statistic, without trivial values such as 0 or 1.

    Weights are rounded to bfloat16; running statistics are randomly perturbed statistics of the batch.
    """
    model = build(**case.model)
    state = {}
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        if parameter.dim() > 1:
            receptive = int(np.prod(shape[2:]))
            bound = np.sqrt(6.0 / ((shape[0] + shape[1]) * receptive))
            state[name] = round_to_bfloat16(random.uniform(-bound, bound, shape))
        elif name == "head.bias":
            state[name] = random.normal(size=shape).astype(np.float32) * np.float32(0.2)
        elif name.endswith("weight"):
            state[name] = random.uniform(0.5, 1.5, shape) * np.where(random.uniform(size=shape) < 0.1, -1.0, 1.0)
        else:
            scale = np.abs(state[name.replace(".bias", ".weight")])
            sign = np.where(random.uniform(size=shape) < NEGATIVE_SHARE, -1, 1)
            state[name] = sign * scale * random.uniform(*case.shifts, shape)
    state = {name: values.astype(np.float32) for name, values in state.items()}
    load(model.double(), state)
    norms = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    for norm in norms.values():
        norm.momentum = 1.0
    gather_statistics(model, images, [] if case.autocast else norms.values())
    for name, norm in norms.items():
        state[name + ".bias"] = norm.bias.detach().numpy().astype(np.float32)
        mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
        shift = 0.2 * np.sqrt(variance) * random.normal(size=mean.shape)
        state[name + ".running_mean"] = (mean + shift).astype(np.float32)
        state[name + ".running_var"] = (variance * random.uniform(0.6, 1.7, mean.shape)).astype(np.float32)
    return state


def gather_statistics(model, images, norms):
    """Runs a forward pass in training mode to compute the running statistics, and adjusts the shift of each of `norms`
    so that zero is in the middle of the widest gap between nearby ReLU inputs.

    A ReLU input is the output of the last batch norm, plus a shortcut in the post-activation network.
    """
    last = []

    def set_last(norm, inputs, output):
        last[:] = [norm]

    def adjust_shift(relu, inputs):
        x, norm = inputs[0], last[0]
        shift = torch.zeros_like(norm.bias)
        for channel in range(x.shape[1]):
            values = x[:, channel].flatten()
            near = values[values.abs() < 0.3 * norm.weight[channel].abs()].sort().values
            if near.numel() > 1:
                widest = (near[1:] - near[:-1]).argmax()
                shift[channel] = -(near[widest] + near[widest + 1]) / 2
        norm.bias.add_(shift)
        return (x + shift[:, None, None],)

    hooks = [norm.register_forward_hook(set_last) for norm in norms]
    if hooks:
        hooks.append(model.relu.register_forward_pre_hook(adjust_shift))
    with torch.no_grad():
        model.train()(torch.from_numpy(images).double())
    for hook in hooks:
        hook.remove()


def load(model, state):
    """Copies `state` into the model."""
    tensors = model.state_dict()
    with torch.no_grad():
        for name, values in state.items():
            tensors[name].copy_(torch.from_numpy(values))


# ---- results ----


class TooClose(Exception):
    """A ReLU input is closer to zero than in the best candidate so far."""


class ReluWatch:
    """Records the smallest magnitude of all ReLU inputs in training and, if `keep`, the inputs themselves."""

    def __init__(self, model, keep, floor):
        self.margin, self.floor = np.inf, floor
        self.inputs = [] if keep else None
        model.relu.register_forward_pre_hook(self.observe)

    def observe(self, module, inputs):
        if not module.training:
            return
        x = inputs[0].detach()
        self.margin = min(self.margin, float(x.abs().min()))
        if self.margin < self.floor:
            raise TooClose
        if self.inputs is not None:
            self.inputs.append(x.double().clone())


def state_of(model):
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    return {name: model.state_dict()[name].detach().double().numpy().copy() for name in names}


def run(case, images, labels, state, dtype, keep=False, floor=0.0, autocast=False):
    """Trains in `dtype`. Returns name -> float64 array of the results to store, and the ReluWatch.

    `autocast` enables PyTorch's mixed precision with bfloat16.
    """
    model = build(**case.model).to(dtype)
    load(model, state)
    x, y = torch.from_numpy(images).to(dtype), torch.from_numpy(labels)
    watch = ReluWatch(model, keep, floor)
    result = {}
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            result["logits.eval"] = model.eval()(x).double().numpy()
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), case.learning_rate, MOMENTUM, nesterov=case.nesterov)
    for step in range(max(case.steps, 1)):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            logits = model(x)
            cross_entropy = F.cross_entropy(logits, y)
        loss = cross_entropy + weight_penalty(model, case.weight_decay)
        loss.backward()
        if step == 0:
            result["logits.train"] = logits.detach().double().numpy()
            result["cross_entropy.first"] = cross_entropy.detach().double().numpy().reshape(1)
            result["loss.first"] = loss.detach().double().numpy().reshape(1)
            for name, parameter in model.named_parameters():
                result["grad." + name] = parameter.grad.double().numpy().copy()
        if case.steps:
            optimizer.step()
    if case.steps:
        after = f"after{case.steps}."
        result.update({after + name: values for name, values in state_of(model).items()})
        if case.steps > 1:
            for name, parameter in model.named_parameters():
                momentum = optimizer.state[parameter]["momentum_buffer"]
                result[after + "momentum." + name] = momentum.double().numpy().copy()
    return result, watch


def deviation(values, reference):
    """Relative L2 error."""
    return float(np.linalg.norm(values - reference) / np.linalg.norm(reference))


def deviations(single, double):
    """Group of tensors -> largest relative L2 error of float32 compared with float64."""
    worst = {}
    for name, reference in double.items():
        parts = name.split(".")
        group = ".".join(parts[:2]) if parts[1] == "momentum" else parts[0]
        worst[group] = max(worst.get(group, 0.0), deviation(single[name], reference))
    return worst


# ---- search ----


class Candidate:
    """A seed, and the images, labels and initial state generated from it."""

    def __init__(self, case, seed):
        random = np.random.default_rng([seed, case.model["depth"]])
        self.seed = seed
        self.images = random_images(random, case.batch)
        self.labels = random.integers(0, 10, case.batch)
        self.state = initial_state(case, random, self.images)

    def inputs(self):
        return self.images, self.labels, self.state


def measure(case, candidate):
    """Runs the candidate in both precisions, sets its `result` and `report`, and returns it."""
    candidate.result, watch = run(case, *candidate.inputs(), torch.float64, keep=True)
    single, single_watch = run(case, *candidate.inputs(), torch.float32, keep=True)
    pairs = list(zip(watch.inputs, single_watch.inputs))
    candidate.report = {
        "relu_inputs": sum(x.numel() for x in watch.inputs),
        "relu_sign_changes": sum(int(((x > 0) != (y > 0)).sum()) for x, y in pairs),
        "relu_margin": watch.margin,
        "relu_float32_error": max(float((x - y).abs().max()) for x, y in pairs),
        "float32_deviation": deviations(single, candidate.result),
    }
    if case.autocast:
        narrow, _ = run(case, *candidate.inputs(), torch.float32, autocast=True)
        candidate.report["autocast_deviation"] = {
            name: deviation(narrow[name], values) for name, values in candidate.result.items()
        }
    return candidate


def search(case):
    """The candidate whose ReLU inputs stay farthest from zero."""
    best, margin = None, 0.0
    for seed in range(case.candidates):
        candidate = Candidate(case, seed)
        try:
            margin = run(case, *candidate.inputs(), torch.float64, floor=margin)[1].margin
            best = candidate
        except TooClose:
            pass
    return measure(case, best)


def make(name, case, folder):
    best = search(case)
    if best.report["relu_sign_changes"]:
        raise SystemExit(f"{name}: a ReLU input changes sign between float32 and float64; search more seeds")
    tensors = {"input": best.images, "labels": best.labels.astype(np.int64)}
    for key, values in best.state.items():
        tensors["before." + key] = Bfloat16(values) if values.ndim > 1 else values
    for key, values in best.result.items():
        narrow = case.narrow and key.startswith("grad.") and values.ndim > 1
        tensors[key] = Bfloat16(values) if narrow else values.astype(np.float32)
    metadata = {
        "model": json.dumps(case.model),
        "seed": str(best.seed),
        "seeds_searched": str(case.candidates),
        "weight_decay": str(case.weight_decay),
        "optimizer": "nesterov" if case.nesterov else "sgd",
        "momentum": str(MOMENTUM),
        "learning_rate": str(case.learning_rate),
        "steps": str(case.steps),
        "epsilon": str(EPSILON),
        "decay": str(DECAY),
        "torch": torch.__version__,
        **{key: json.dumps(value) for key, value in best.report.items()},
    }
    path = folder / f"{name}.safetensors"
    write_safetensors(path, tensors, metadata)
    print(f"{name}: seed {best.seed}, {path.stat().st_size / 1e6:.2f} MB, {json.dumps(best.report)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"default: all ({', '.join(CASES)})")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="default: tests/golden")
    args = parser.parse_args()
    for name in args.cases or CASES:
        if name not in CASES:
            raise SystemExit(f"unknown case '{name}'; the cases are {', '.join(CASES)}")
        make(name, CASES[name], args.out)


if __name__ == "__main__":
    main()
