"""Writes small networks of every kind with random weights and running statistics.

    make_weights.py FOLDER      writes NAME.safetensors and its configuration NAME.json
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
from reference_model import ResNet, WideResNet  # noqa: E402

NETWORKS = {
    "preact-avgpool": {"block": "preact", "shortcut": "avgpool_zeropad"},
    "preact-subsample": {"block": "preact", "shortcut": "subsample_zeropad", "padding": "symmetric"},
    "preact-projection": {"block": "preact", "shortcut": "projection"},
    "postact-avgpool": {"block": "postact", "shortcut": "avgpool_zeropad"},
    "postact-subsample": {"block": "postact", "shortcut": "subsample_zeropad", "padding": "symmetric"},
    "postact-projection": {"block": "postact", "shortcut": "projection"},
    "plain": {"block": "preact", "shortcut": "none"},
    "wide": {"depth": 10, "widening": 2},
}


def main():
    folder = Path(sys.argv[1])
    torch.manual_seed(1)
    for name, keys in NETWORKS.items():
        wide = "widening" in keys
        if wide:
            model, config = WideResNet(**keys), {"family": "wide_resnet", **keys}
        else:
            model, config = ResNet(depth=8, **keys), {"depth": 8, **keys}
        tensors = model.state_dict()
        for key, tensor in tensors.items():
            if key.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif "norm" in key and tensor.is_floating_point():
                tensor.uniform_(-1, 1)
        tensors["data.mean"] = torch.empty(3, 32, 32).uniform_(100, 150)
        save_file(tensors, folder / f"{name}.safetensors")
        (folder / f"{name}.json").write_text(json.dumps({"model": config}))


if __name__ == "__main__":
    main()
