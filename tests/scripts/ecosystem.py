"""Reads checkpoints and logits with the safetensors package of PyPI; an AssertionError names what is wrong.

    ecosystem.py checkpoint FILE DEPTH STEPS    names, types, shapes and metadata of a preact network's checkpoint
    ecosystem.py logits FILE DATA               shapes and types, and the labels against DATA's test images
    ecosystem.py weights FILE OUT               writes only the tensors that --init needs
    ecosystem.py same FILE OTHER                checks that both have the same parameters, bit for bit
"""

import json
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

RUNNING = ("running_mean", "running_var")


def batch_norm(name, channels):
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", *RUNNING)}


def network(depth):
    """The shape of every tensor by its name."""
    shapes, before = {"stem.weight": (16, 3, 3, 3), "head.weight": (10, 64), "head.bias": (10,)}, 16
    for stage, channels in enumerate((16, 32, 64)):
        for unit in range((depth - 2) // 6):
            name = f"stages.{stage}.{unit}"
            shapes |= batch_norm(f"{name}.norm1", before) | batch_norm(f"{name}.norm2", channels)
            shapes[f"{name}.conv1.weight"] = (channels, before, 3, 3)
            shapes[f"{name}.conv2.weight"] = (channels, channels, 3, 3)
            before = channels
    return shapes | batch_norm("norm", 64)


def check_equal(what, actual, expected):
    assert actual == expected, f"{what}: {actual}, expected {expected}"


def checkpoint(path, depth, steps):
    shapes = network(int(depth))
    momenta = {f"optimizer.momentum.{name}": shape for name, shape in shapes.items() if not name.endswith(RUNNING)}
    expected = shapes | momenta | {"data.mean": (3, 32, 32)}
    with safe_open(path, "np") as file:
        check_equal("names", sorted(file.keys()), sorted(expected))
        for name, shape in expected.items():
            tensor = file.get_tensor(name)
            check_equal(name, (tensor.shape, tensor.dtype), (shape, np.float32))
            assert np.isfinite(tensor).all(), f"{name} is not finite"
        metadata = file.metadata()
    check_equal("step", metadata["step"], steps)
    check_equal("depth", json.loads(metadata["config"])["model"]["depth"], int(depth))


def logits(path, data):
    tensors = load_file(path)
    check_equal("names", sorted(tensors), ["labels", "logits"])
    records = np.fromfile(f"{data}/test_batch.bin", np.uint8).reshape(-1, 3073)
    check_equal("logits", (tensors["logits"].shape, tensors["logits"].dtype), ((len(records), 10), np.float32))
    check_equal("labels", tensors["labels"].dtype, np.int64)
    assert (tensors["labels"] == records[:, 0]).all(), "the labels differ from those of the test images"


def weights(path, out):
    tensors = load_file(path)
    save_file({name: tensors[name] for name in tensors if not name.startswith(("optimizer.", "data."))}, out)


def same(path, other):
    ours, theirs = load_file(path), load_file(other)
    for name in ours:
        if not name.startswith("optimizer.") and not name.endswith(RUNNING):
            assert ours[name].tobytes() == theirs[name].tobytes(), f"{name} differs"


if __name__ == "__main__":
    {"checkpoint": checkpoint, "logits": logits, "weights": weights, "same": same}[sys.argv[1]](*sys.argv[2:])
