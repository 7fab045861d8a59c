"""Recognises a CIFAR ResNet of PyTorch by the names and shapes of its tensors, and names them as this project does."""

import re

from weights.files import Refused

# What DataParallel, torch.compile and Lightning put in front of every name.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")

# PyTorch's names as regular expressions, and this project's; layer1 becomes stages.0.
UNIT = r"(?:layer|block)([1-9]\d*)\.(?:layer\.)?(\d+)\."
NAMES = [
    (r"conv1\.(\w+)", "stem.{}"),
    (r"(?:bn1|bn|norm)\.(\w+)", "norm.{}"),
    (r"(?:fc|linear)\.(\w+)", "head.{}"),
    (UNIT + r"conv(\d)\.(\w+)", "stages.{}.{}.conv{}.{}"),
    (UNIT + r"bn(\d)\.(\w+)", "stages.{}.{}.norm{}.{}"),
    (UNIT + r"(?:(?:shortcut|downsample)\.0|convShortcut)\.(\w+)", "stages.{}.{}.shortcut.{}"),
    (UNIT + r"(?:shortcut|downsample)\.1\.(\w+)", "stages.{}.{}.shortcut_norm.{}"),
]


def project_name(name):
    """This project's name of a tensor; None if it has none."""
    for pattern, ours in NAMES:
        if match := re.fullmatch(pattern, name):
            groups = list(match.groups())
            if pattern.startswith(UNIT):
                groups[0] = int(groups[0]) - 1
            return ours.format(*groups)
    return None


def pytorch_name(name):
    """The most usual PyTorch name of one of this project's tensors, for messages."""
    name = re.sub(r"^stages\.(\d+)", lambda match: f"layer{int(match[1]) + 1}", name)
    name = re.sub(r"^norm\.", "bn1.", name).replace("stem.", "conv1.").replace("head.", "fc.")
    name = name.replace(".shortcut.", ".shortcut.0.").replace(".shortcut_norm.", ".shortcut.1.")
    return name.replace(".norm", ".bn")


def listed(values, shown=5):
    values = list(values)
    return ", ".join(map(str, values[:shown])) + (f" and {len(values) - shown} more" if len(values) > shown else "")


class Model:
    """`tensors` by this project's names, `names` their PyTorch names; `unknown` are other tensors' PyTorch names."""

    def __init__(self, tensors):
        for prefix in PREFIXES * 2:
            if all(name.startswith(prefix) for name in tensors):
                tensors = {name[len(prefix) :]: value for name, value in tensors.items()}
        self.tensors, self.names, self.unknown = {}, {}, []
        for name, value in sorted(tensors.items()):
            ours = project_name(name)
            if ours is None:
                self.unknown.append(name)
            elif not re.search(r"norm\d?\.num_batches_tracked$", ours):
                if ours in self.tensors:
                    raise Refused(f"both {self.names[ours]} and {name} could be {pytorch_name(ours)}")
                self.tensors[ours], self.names[ours] = value, name

    def channels(self, name):
        """The first extent of a tensor, its output channels."""
        if name not in self.tensors:
            has = listed(sorted([*self.names.values(), *self.unknown])) or "no tensors"
            raise Refused(f"not a ResNet for CIFAR: there is no {pytorch_name(name)}; it has {has}")
        return (*self.tensors[name].shape, 0)[0]

    def named(self, pattern):
        """The PyTorch name of the first tensor whose name here contains `pattern`; None if there is none."""
        return next((self.names[name] for name in self.names if re.search(pattern, name)), None)


def units_per_stage(model):
    units = {tuple(map(int, re.findall(r"\d+", name)[:2])) for name in model.names if name.startswith("stages.")}
    stages = sorted({stage for stage, _ in units})
    counts = [sum(stage == other for other, _ in units) for stage in stages]
    if stages != [0, 1, 2] or len(set(counts)) != 1:
        raise Refused(f"stages of {listed(counts)} units; networks here have three stages of equal length")
    return counts[0]


def recognise(model, shortcut):
    """The network's configuration without batch norm. `shortcut`: the kind of shortcuts without weights, or None."""
    stem = model.channels("stem.weight")
    model.channels("stages.0.0.conv1.weight")
    if bottleneck := model.named(r"\.conv3\."):
        raise Refused(f"units of three convolutions ({bottleneck}); units here have two")
    if bias := model.named(r"^stem\.bias|\.(conv\d|shortcut)\.bias"):
        raise Refused(f"convolutions with biases ({bias}); here they have none")
    units = units_per_stage(model)
    widths = [model.channels(f"stages.{stage}.0.conv1.weight") for stage in range(3)]
    projection = model.named(r"\.shortcut\.")
    if projection and shortcut:
        raise Refused(f"--shortcut {shortcut}, but its shortcuts have weights ({projection})")
    # In the first unit of a stage, the first batch norm is behind the convolution that changes the channels, or before.
    if model.channels("stages.1.0.norm1.weight") != widths[0]:
        return postact(stem, units, widths, "projection" if projection else shortcut or "subsample_zeropad")
    return preact(stem, units, widths, projection, shortcut)


def check_widths(stem, widths, known, wanted):
    if not known:
        raise Refused(f"convolutions of {listed([stem, *widths])} channels; networks here have {wanted}")


def postact(stem, units, widths, shortcut):
    check_widths(stem, widths, [stem, *widths] == [16, 16, 32, 64], "16, 16, 32, 64")
    return resnet(units, "postact", shortcut)


def preact(stem, units, widths, projection, shortcut):
    if projection and "downsample" in projection:
        raise Refused(
            f"{projection} before a batch norm: code with this name applies it to a unit's input, but projections "
            "here follow the first batch norm and ReLU; if those of this network do too, rename it to shortcut.0"
        )
    if projection:
        known = stem == 16 and widths[0] % 16 == 0 and widths == [widths[0] * factor for factor in (1, 2, 4)]
        check_widths(stem, widths, known, "16, 16k, 32k, 64k")
        return {"family": "wide_resnet", "depth": 6 * units + 4, "widening": widths[0] // 16}
    check_widths(stem, widths, [stem, *widths] == [16, 16, 32, 64], "16, 16, 32, 64")
    if not shortcut:
        raise Refused(
            "a pre-activation network whose shortcuts have no weights: here the first shortcut of the network follows "
            "batch norm and ReLU; if that of this network does too, give their kind with --shortcut"
        )
    return resnet(units, "preact", shortcut)


def resnet(units, block, shortcut):
    return {
        "family": "resnet",
        "depth": 6 * units + 2,
        "block": block,
        "shortcut": shortcut,
        "padding": "symmetric",
    }


def title(config):
    if config["family"] == "wide_resnet":
        return f"WRN-{config['depth']}-{config['widening']}"
    kind = "Plain" if config["shortcut"] == "none" else "ResNet"
    return f"{kind}-{config['depth']} ({config['block']}, shortcut {config['shortcut']})"


def batch_norm(name, channels):
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}


def shapes_of(config, classes):
    """The shape of every tensor of a network by this project's name."""
    wide = config["family"] == "wide_resnet"
    preact = wide or config["block"] == "preact"
    projections = wide or config["shortcut"] == "projection"
    widths = [channels * config.get("widening", 1) for channels in (16, 32, 64)]
    shapes = {"stem.weight": (16, 3, 3, 3), "head.weight": (classes, widths[2]), "head.bias": (classes,)}
    shapes |= batch_norm("norm", widths[2] if preact else 16)
    before = 16
    for stage, channels in enumerate(widths):
        for unit in range(config["depth"] // 6):
            name = f"stages.{stage}.{unit}"
            shapes |= batch_norm(f"{name}.norm1", before if preact else channels)
            shapes |= batch_norm(f"{name}.norm2", channels)
            shapes[f"{name}.conv1.weight"] = (channels, before, 3, 3)
            shapes[f"{name}.conv2.weight"] = (channels, channels, 3, 3)
            if projections and before != channels:
                shapes[f"{name}.shortcut.weight"] = (channels, before, 1, 1)
                if not preact:
                    shapes |= batch_norm(f"{name}.shortcut_norm", channels)
            before = channels
    return shapes


def check_tensors(model, shapes):
    missing = [name for name in shapes if name not in model.tensors]
    reasons = [f"missing: {pytorch_name(name)} {list(shapes[name])}" for name in missing]
    extra = [theirs for name, theirs in model.names.items() if name not in shapes]
    reasons += [f"not part of the network: {name}" for name in [*extra, *model.unknown]]
    for name, value in model.tensors.items():
        if name in shapes and value.shape != shapes[name]:
            reasons.append(f"{model.names[name]} has the shape {list(value.shape)}, not {list(shapes[name])}")
    if reasons:
        raise Refused("\n".join(reasons))
