"""Loads a checkpoint into PyTorch: the pre-activation network, residual (avgpool_zeropad) or plain.

    python3 docs/pytorch_model.py CHECKPOINT DATA LOGITS

Computes the logits of the test images in DATA, a folder of CIFAR-10's binary files, and compares them with LOGITS,
written by `resnet-eval CHECKPOINT --data DATA --logits LOGITS`. Prints the largest relative difference of an image's
ten logits; exits with 1 if it is above 1e-4. Needs PyTorch 1.13 or later and the package safetensors.

w holds the checkpoint's tensors by name, model is the `model` object of its configuration. Images [n, 3, 32, 32] are
bytes minus the per-pixel mean, not divided by anything. Easily missed: epsilon is 1e-3 unless the configuration says
otherwise; with "same" padding a stride-2 convolution pads only at the bottom and right; the first shortcut starts
after norm1 and its ReLU. All networks, trainable, are in tests/golden/reference_model.py, whose load_state_dict takes
the tensors under the same names.
"""

import json
import sys

import torch
from safetensors import safe_open
from torch.nn import functional as F


def norm_relu(w, name, x, eps):
    return F.batch_norm(x, *(w[f"{name}.{k}"] for k in "running_mean running_var weight bias".split()), eps=eps).relu()


def conv(w, name, x, stride=1, before=1):
    return F.conv2d(F.pad(x, (before, 1, before, 1)), w[f"{name}.weight"], stride=stride)


def network(w, model, images):
    covered = model["family"] == "resnet" and model["block"] == "preact"
    assert covered and model["shortcut"] in ("avgpool_zeropad", "none"), f"not covered: {model}"
    eps = model.get("batch_norm", {}).get("epsilon", 1e-3)
    x = conv(w, "stem", images - w["data.mean"])
    for name in (f"stages.{stage}.{unit}" for stage in range(3) for unit in range((model["depth"] - 2) // 6)):
        p = norm_relu(w, f"{name}.norm1", x, eps)
        skip, halving = p if name == "stages.0.0" else x, ()
        if name in ("stages.1.0", "stages.2.0"):
            skip = F.pad(F.avg_pool2d(x, 2), [0, 0, 0, 0] + [x.shape[1] // 2] * 2)
            halving = 2, 0 if model["padding"] == "same" else 1
        q = norm_relu(w, f"{name}.norm2", conv(w, f"{name}.conv1", p, *halving), eps)
        x = conv(w, f"{name}.conv2", q) + (0 if model["shortcut"] == "none" else skip)
    return F.linear(norm_relu(w, "norm", x, eps).mean((2, 3)), w["head.weight"], w["head.bias"])


if __name__ == "__main__":
    with safe_open(sys.argv[1], "pt") as checkpoint, safe_open(sys.argv[3], "pt") as evaluated, torch.no_grad():
        w, expected = {name: checkpoint.get_tensor(name) for name in checkpoint.keys()}, evaluated.get_tensor("logits")
        model = json.loads(checkpoint.metadata()["config"])["model"]
        records = torch.from_file(f"{sys.argv[2]}/test_batch.bin", size=10000 * 3073, dtype=torch.uint8).view(-1, 3073)
        logits = torch.cat([network(w, model, part[:, 1:].view(-1, 3, 32, 32)) for part in records.split(500)])
    error = ((logits - expected).norm(dim=1) / expected.norm(dim=1)).max().item()
    print(f"{len(logits)} images, largest relative difference {error:.1e}")
    sys.exit(not error <= 1e-4)
