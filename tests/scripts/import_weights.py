"""Models of PyTorch for test_import_weights.sh; an AssertionError names what is wrong.

    import_weights.py make FOLDER                   writes models, their logits, and images in CIFAR-10's format
    import_weights.py compare FOLDER NAME...        compares resnet-eval's logits NAME.logits with those of the models
    import_weights.py refusals FOLDER               checks what the script refuses, and with which message
"""

import argparse
import collections
import contextlib
import io
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CIFAR10 = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
OWN = (0.5, 0.25, 0.75), (0.1, 0.2, 0.4)
IMAGES = 64  # compared per model


def conv(before, after, size=3, stride=1, bias=False):
    return nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=bias)


def zero_padded(x, channels):
    missing = channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, missing // 2, missing // 2))


class Unit(nn.Module):
    """Two convolutions and a shortcut, in the order of `kind`, "post" or "pre". `shortcut`: a name for projections,
    "subsample", "average", or None. `first`: the shortcut starts after batch norm and ReLU."""

    def __init__(self, kind, before, after, stride, shortcut, first):
        super().__init__()
        self.kind, self.how, self.first = kind, shortcut, first
        self.before, self.after, self.stride = before, after, stride
        self.conv1, self.conv2 = conv(before, after, 3, stride), conv(after, after)
        self.bn1, self.bn2 = nn.BatchNorm2d(before if kind == "pre" else after), nn.BatchNorm2d(after)
        self.project = None
        if before != after and shortcut not in ("subsample", "average", None):
            layers = [conv(before, after, 1, stride)] + ([nn.BatchNorm2d(after)] if kind == "post" else [])
            setattr(self, shortcut, layers[0] if shortcut == "convShortcut" else nn.Sequential(*layers))
            self.project = shortcut

    def skip(self, x, p):
        if self.how is None:
            return 0
        if self.project:
            return getattr(self, self.project)(x if self.kind == "post" else p)
        if self.before == self.after:
            return p if self.first else x
        return zero_padded(F.avg_pool2d(x, 2) if self.how == "average" else x[:, :, ::2, ::2], self.after)

    def forward(self, x):
        if self.kind == "post":
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(y + self.skip(x, x))
        p = F.relu(self.bn1(x))
        return self.conv2(F.relu(self.bn2(self.conv1(p)))) + self.skip(x, p)


class Stage(nn.Module):
    """Units under the name `layer`, as wide residual networks have them."""

    def __init__(self, units):
        super().__init__()
        self.layer = units

    def forward(self, x):
        return self.layer(x)


class Network(nn.Module):
    def __init__(self, kind, units=1, shortcut="subsample", widening=1, first=False, **names):
        super().__init__()
        norm, head, stages = ({"norm": "bn1", "head": "fc", "stages": "layer"} | names).values()
        self.kind, self.norm, self.head, self.stages = kind, norm, head, stages
        self.conv1 = conv(3, 16)
        before = 16
        for stage, channels in enumerate((16 * widening, 32 * widening, 64 * widening)):
            layers = []
            for unit in range(units):
                stride = 2 if stage > 0 and unit == 0 else 1
                layers.append(Unit(kind, before, channels, stride, shortcut, first and stage + unit == 0))
                before = channels
            layers = nn.Sequential(*layers)
            setattr(self, f"{stages}{stage + 1}", Stage(layers) if stages == "block" else layers)
        setattr(self, norm, nn.BatchNorm2d(before if kind == "pre" else 16))
        setattr(self, head, nn.Linear(before, 10))

    def forward(self, x):
        x, norm = self.conv1(x), getattr(self, self.norm)
        if self.kind == "post":
            x = F.relu(norm(x))
        for stage in (1, 2, 3):
            x = getattr(self, f"{self.stages}{stage}")(x)
        if self.kind == "pre":
            x = F.relu(norm(x))
        return getattr(self, self.head)(x.mean((2, 3)))


def randomise(network, epsilon=1e-5):
    """Batch norms far from the identity, as after training."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.3, 2)
            module.num_batches_tracked.fill_(12345)
    return network.eval()


def with_prefix(prefix, state):
    return {prefix + name: value for name, value in state.items()}


class Code:
    """Pickled, an instance would run code when it is read."""

    def __reduce__(self):
        return print, ("this code must not run",)


def make(folder):
    folder = Path(folder)
    (folder / "data").mkdir()
    for batch in range(1, 6):
        with open(folder / f"data/data_batch_{batch}.bin", "wb") as file:
            file.truncate(30_730_000)  # black images, which take no space on disk
    records = np.random.default_rng(1).integers(0, 256, (10_000, 3073), np.uint8)
    records[:, 0] %= 10
    records.tofile(folder / "data/test_batch.bin")
    images = torch.from_numpy(records[:IMAGES, 1:].reshape(-1, 3, 32, 32)).float()

    def keep(name, network, inputs):
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in inputs)
        with torch.no_grad():
            np.save(folder / f"{name}.npy", network((images / 255 - mean) / std).numpy())
        return network.state_dict()

    torch.manual_seed(1)
    state = keep("post-a", randomise(Network("post", units=3, head="linear")), IMAGENET)
    arguments = argparse.Namespace(lr=0.1, milestones=collections.Counter([100, 150]))
    saved = {"state_dict": with_prefix("module.", state), "best": np.float64(91.5), "args": arguments, "code": Code()}
    torch.save(saved, folder / "post-a.th", _use_new_zipfile_serialization=False)
    state = keep("post-b", randomise(Network("post", shortcut="downsample")), CIFAR10)
    torch.save({"net": state, "acc": 90.0}, folder / "post-b.pth")
    state = keep("pre", randomise(Network("pre", shortcut="shortcut", norm="bn")), OWN)
    save_file(with_prefix("_orig_mod.", state), folder / "pre.safetensors")
    state = keep("wide", randomise(Network("pre", shortcut="convShortcut", widening=2, stages="block")), CIFAR10)
    np.savez(folder / "wide.npz", **{name: value.numpy() for name, value in state.items()})
    state = keep("pre-average", randomise(Network("pre", shortcut="average", first=True), epsilon=1e-3), CIFAR10)
    save_file({name: value.double() for name, value in state.items()}, folder / "pre-average.safetensors")

    # This project's names need no conversion.
    sys.path.insert(0, str(REPOSITORY / "tests/golden"))
    from reference_model import ResNet

    network = randomise(ResNet(8, "preact", "projection", "same"), epsilon=1e-3)
    state = keep("own", network, ((0, 0, 0), (1 / 255, 1 / 255, 1 / 255)))
    save_file(with_prefix("module.", state), folder / "own.safetensors")


def compare(folder, *names):
    for name in names:
        expected = np.load(f"{folder}/{name}.npy")
        logits = load_file(f"{folder}/{name}.logits")["logits"][:IMAGES]
        error = np.abs(logits - expected).max() / np.abs(expected).max()
        print(f"{name}: largest difference {error:.1e} of the largest logit")
        assert error <= 1e-5 and expected.std() > 0


def outcome(module, *arguments):
    """Exit status and output of the script."""
    output = io.StringIO()
    sys.argv = ["import_weights.py", *map(str, arguments)]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            status = module.main()
        except SystemExit as exit_:
            status = exit_.code
    return status, output.getvalue()


def refusals(folder):
    folder = Path(folder)
    sys.path.insert(0, str(REPOSITORY / "tools"))
    import import_weights as script

    network = randomise(Network("post"))
    good, out = network.state_dict(), folder / "refused.safetensors"
    checked = 0

    def refused(message, path, *options):
        nonlocal checked
        status, output = outcome(script, path, out, *(options or ("--inputs", "cifar10")))
        assert status == 2 and message in output, f"expected: {message}\nstatus {status}: {output}"
        assert not list(folder.glob("refused*")), "a refused model was written"
        assert "this code must not run" not in output
        checked += 1

    def state(message, changes, base=good, options=(), drop=()):
        tensors = {name: value for name, value in (base | changes).items() if name not in drop}
        save_file(tensors, folder / "bad.safetensors")
        refused(message, folder / "bad.safetensors", "--inputs", "cifar10", *options)

    zeros = torch.zeros
    state("missing: layer2.0.bn2.bias [32]\n", {"a": zeros(1), "fc.bias": zeros(7)}, drop=["layer2.0.bn2.bias"])
    state("\n    not part of the network: a\n", {"a": zeros(1), "fc.bias": zeros(7)}, drop=["layer2.0.bn2.bias"])
    state("fc.bias has the shape [7], not [10]\n", {"a": zeros(1), "fc.bias": zeros(7)})
    state("not part of the network: layer1.0.shortcut.0.num_batches_tracked",
          {"layer1.0.shortcut.0.num_batches_tracked": torch.tensor(1)},
          base=Network("post", shortcut="shortcut").state_dict())
    state("stages of 1, 1, 1, 1 units; networks here have three", {"layer4.0.conv1.weight": zeros(128, 64, 3, 3)})
    state("stages of 1, 1, 2 units", {"layer3.1.conv1.weight": zeros(64, 64, 3, 3)})
    state("units of three convolutions (layer1.0.conv3.weight)", {"layer1.0.conv3.weight": zeros(64, 16, 1, 1)})
    state("convolutions with biases (conv1.bias)", {"conv1.bias": zeros(16)})
    state("convolutions with biases (layer3.0.conv2.bias)", {"layer3.0.conv2.bias": zeros(64)})
    state("convolutions of 16, 32, 64, 128 channels; networks here have 16, 16, 32, 64", {},
          base=Network("post", widening=2).state_dict())
    state("there is no conv1.weight; it has encoder.weight", {"encoder.weight": zeros(1)}, base={})
    state("there is no fc.weight", {}, drop=["fc.weight"])
    state("7 classes; data sets here have 10 or 100", {"fc.weight": zeros(7, 64), "fc.bias": zeros(7)})
    state("both fc.bias and linear.bias could be fc.bias", {"linear.bias": zeros(10)})
    state("bn1.bias holds nan at element 3", {"bn1.bias": torch.where(torch.arange(16) == 3, torch.nan, zeros(16))})
    state("fc.bias holds 1e+39 at element 0", {"fc.bias": torch.full((10,), 1e39, dtype=torch.float64)})
    state("conv1.weight has the type int64", {"conv1.weight": zeros(16, 3, 3, 3, dtype=torch.int64)})
    state("--shortcut none, but its shortcuts have weights (layer2.0.shortcut.0.weight)", {},
          base=Network("post", shortcut="shortcut").state_dict(), options=["--shortcut", "none"])
    state("layer2.0.downsample.0.weight before a batch norm", {},
          base=Network("pre", shortcut="downsample").state_dict())
    state("the first shortcut of the network follows batch norm and ReLU", {}, base=Network("pre").state_dict())
    state("missing: bn1.weight [64]", {}, base=Network("pre", shortcut="shortcut").state_dict(), drop=["bn1.weight"])

    bad = folder / "bad.pth"
    for content in (network, Code(), [good]):
        torch.save(content, bad)
        refused("it holds no state dictionary; save model.state_dict(), not the model", bad)
    bad.write_text("<html>")
    refused("not a file of torch.save, or damaged: UnpicklingError: invalid load key, '<'.", bad)
    np.savez(folder / "bad.npz", a=np.array([Code()], dtype=object))
    refused("allow_pickle", folder / "bad.npz")
    torch.save({0: zeros(1)}, bad)
    refused("there is no conv1.weight; it has 0", bad)

    arrays = {name: value.numpy() for name, value in good.items()}
    for write in (np.savez, np.savez_compressed):
        write(folder / "whole.npz", **arrays)
        whole = (folder / "whole.npz").read_bytes()
        directory, end = whole.index(b"PK\x01\x02"), whole.rindex(b"PK\x05\x06")
        for at in (directory // 2, directory, end + 16):  # in a member, in the directory, in where that is
            damaged = bytearray(whole)
            damaged[at] ^= 0x40
            (folder / "bad.npz").write_bytes(damaged)
            refused("this zip archive is damaged or cannot be read: ", folder / "bad.npz")
        locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 7)  # of an archive on seven disks
        (folder / "bad.npz").write_bytes(whole[:end] + locator + whole[end:])
        refused("span multiple disks", folder / "bad.npz")
    with zipfile.ZipFile(folder / "whole.npz", "a") as archive:
        archive.writestr("notes.txt", "trained on a Monday")
    refused("notes.txt in this NumPy archive is not an array", folder / "whole.npz")
    refused("No such file or directory", folder / "none.pth")

    save_file(good, bad)
    refused("give --inputs, or --mean and --std", bad, "--mean", "0,0,0")
    refused("give --inputs, or --mean and --std", bad, "--inputs", "cifar10", "--std", "1,1,1")
    refused("argument --mean: invalid", bad, "--mean", "0,0", "--std", "1,1,1")
    refused("argument --std: must be positive", bad, "--mean", "0,0,0", "--std", "1,0,1")
    refused("argument --epsilon: invalid", bad, "--inputs", "cifar10", "--epsilon", "0")
    refused("invalid choice: 'mnist'", bad, "--inputs", "mnist")
    out = folder / "refused.pth"
    refused("the name must end in .safetensors", bad)
    out = folder / "bad.safetensors"
    refused("exists already", bad)
    out = folder / "fine.safetensors"
    (folder / "fine.json").touch()
    refused("fine.json exists already", bad)
    out = folder / "nowhere/refused.safetensors"
    status, output = outcome(script, bad, out, "--inputs", "cifar10")
    assert status == 1 and "nowhere/refused.safetensors: No such file or directory" in output, output
    out = folder / "full.safetensors"
    for suffix in ("safetensors", "json"):
        (folder / f"full.{suffix}.partial").symlink_to("/dev/full")  # a disk without space for the second file, or both
        status, output = outcome(script, bad, out, "--inputs", "cifar10")
        assert status == 1 and f"full.{suffix}: No space left on device" in output, output
        assert not list(folder.glob("full*")), "a part of the output remains"
    status, output = outcome(script, bad, out, "--inputs", "cifar10")
    assert status == 0 and len(list(folder.glob("full*"))) == 2, output
    print(f"{checked} refusals")


if __name__ == "__main__":
    {"make": make, "compare": compare, "refusals": refusals}[sys.argv[1]](*sys.argv[2:])
