"""The networks of this project in PyTorch: the reference for the golden tensors and the baseline in the benchmark.

Runs under PyTorch 1.13 and later, in float32 or float64, in any memory format. Parameters and buffers have the names of
a checkpoint. He et al. 2016, "Identity Mappings in Deep Residual Networks" (preact), He et al. 2015, "Deep Residual
Learning for Image Recognition" (postact), and Zagoruyko & Komodakis 2016, "Wide Residual Networks".
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

EPSILON = 1e-3
DECAY = 0.99
STAGE_CHANNELS = (16, 32, 64)


def padding_of(size, kernel, stride, padding):
    """The padding (before, after) of an axis of `size` pixels; "same" is TensorFlow's, which may be asymmetric."""
    if padding == "symmetric":
        return (kernel - 1) // 2, (kernel - 1) // 2
    if padding != "same":
        raise ValueError(f"padding is '{padding}'; it can be 'same' or 'symmetric'")
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Convolution(nn.Conv2d):
    """A convolution without bias. The padding depends on the size of the input."""

    def __init__(self, in_channels, out_channels, kernel, stride, padding):
        super().__init__(in_channels, out_channels, kernel, stride=stride, bias=False)
        self.padding_style = padding

    def forward(self, x):
        kernel, stride = self.kernel_size[0], self.stride[0]
        top, bottom = padding_of(x.shape[2], kernel, stride, self.padding_style)
        left, right = padding_of(x.shape[3], kernel, stride, self.padding_style)
        if top == bottom and left == right:
            return F.conv2d(x, self.weight, None, self.stride, (top, left))
        return F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, None, self.stride)


def batch_norm(channels):
    """Batch norm. PyTorch's momentum is the weight of the new batch; its running variance is the unbiased one."""
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=1.0 - DECAY)


def pad_channels(x, out_channels):
    """Pads with zero channels: half of the missing ones before, the rest after."""
    missing = out_channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, missing // 2, missing - missing // 2))


def reshape_without_weights(kind, x, out_channels):
    """The shortcuts without parameters, which halve the image and add channels."""
    if kind == "avgpool_zeropad":
        return pad_channels(F.avg_pool2d(x, 2), out_channels)
    return pad_channels(x[:, :, ::2, ::2], out_channels)


class PreactUnit(nn.Module):
    """p = relu(norm1(x)); y = conv2(relu(norm2(conv1(p)))) + shortcut."""

    def __init__(self, in_channels, out_channels, stride, shortcut, padding, relu, first):
        super().__init__()
        self.kind, self.first = shortcut, first
        self.changes = in_channels != out_channels
        self.norm1 = batch_norm(in_channels)
        self.conv1 = Convolution(in_channels, out_channels, 3, stride, padding)
        self.norm2 = batch_norm(out_channels)
        self.conv2 = Convolution(out_channels, out_channels, 3, 1, padding)
        if shortcut == "projection" and self.changes:
            self.shortcut = Convolution(in_channels, out_channels, 1, stride, padding)
        self.relu = relu

    def forward(self, x):
        p = self.relu(self.norm1(x))
        y = self.conv2(self.relu(self.norm2(self.conv1(p))))
        if self.kind == "none":
            return y
        if not self.changes:
            return y + (p if self.first else x)
        if self.kind == "projection":
            return y + self.shortcut(p)
        return y + reshape_without_weights(self.kind, x, y.shape[1])


class PostactUnit(nn.Module):
    """y = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut)."""

    def __init__(self, in_channels, out_channels, stride, shortcut, padding, relu):
        super().__init__()
        self.kind = shortcut
        self.changes = in_channels != out_channels
        self.conv1 = Convolution(in_channels, out_channels, 3, stride, padding)
        self.norm1 = batch_norm(out_channels)
        self.conv2 = Convolution(out_channels, out_channels, 3, 1, padding)
        self.norm2 = batch_norm(out_channels)
        if shortcut == "projection" and self.changes:
            self.shortcut = Convolution(in_channels, out_channels, 1, stride, padding)
            self.shortcut_norm = batch_norm(out_channels)
        self.relu = relu

    def forward(self, x):
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        if self.kind == "none":
            return self.relu(y)
        if not self.changes:
            return self.relu(y + x)
        if self.kind == "projection":
            return self.relu(y + self.shortcut_norm(self.shortcut(x)))
        return self.relu(y + reshape_without_weights(self.kind, x, y.shape[1]))


class ResNet(nn.Module):
    """ResNet, and Plain (shortcut "none"); `depth` is 6n + 2. The arguments are the configuration keys.

    All ReLUs are the same module `relu`, so that a hook on it sees all of their inputs.
    """

    def __init__(self, depth, block="preact", shortcut="avgpool_zeropad", padding="same", classes=10):
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"depth is {depth}; it must be 6n + 2 with n >= 1")
        if shortcut not in ("avgpool_zeropad", "subsample_zeropad", "projection", "none"):
            raise ValueError(f"shortcut is '{shortcut}'")
        if block not in ("preact", "postact"):
            raise ValueError(f"block is '{block}'; it can be 'preact' or 'postact'")
        self.preact = block == "preact"
        self.relu = nn.ReLU(inplace=True)
        self.stem = Convolution(3, STAGE_CHANNELS[0], 3, 1, padding)
        self.stages = nn.ModuleList()
        in_channels = STAGE_CHANNELS[0]
        for stage, channels in enumerate(STAGE_CHANNELS):
            units = nn.ModuleList()
            for unit in range((depth - 2) // 6):
                stride = 2 if stage > 0 and unit == 0 else 1
                args = (in_channels, channels, stride, shortcut, padding, self.relu)
                first = stage == 0 and unit == 0
                units.append(PreactUnit(*args, first) if self.preact else PostactUnit(*args))
                in_channels = channels
            self.stages.append(units)
        self.norm = batch_norm(in_channels if self.preact else STAGE_CHANNELS[0])
        self.head = nn.Linear(in_channels, classes)
        for parameter in decayed_parameters(self):
            nn.init.xavier_uniform_(parameter)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        x = self.stem(x)
        if not self.preact:
            x = self.relu(self.norm(x))
        for units in self.stages:
            for unit in units:
                x = unit(x)
        if self.preact:
            x = self.relu(self.norm(x))
        return self.head(x.mean((2, 3)))


class WideResNet(nn.Module):
    """Wide ResNet without dropout; `depth` is 6n + 4. The arguments are the configuration keys.

    All ReLUs are the same module `relu`, so that a hook on it sees all of their inputs.
    """

    def __init__(self, depth, widening, classes=10):
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"depth is {depth}; it must be 6n + 4 with n >= 1")
        self.relu = nn.ReLU(inplace=True)
        in_channels = STAGE_CHANNELS[0]
        self.stem = Convolution(3, in_channels, 3, 1, "symmetric")
        self.stages = nn.ModuleList()
        for stage, channels in enumerate(widening * channels for channels in STAGE_CHANNELS):
            units = nn.ModuleList()
            for unit in range((depth - 4) // 6):
                stride = 2 if stage > 0 and unit == 0 else 1
                units.append(
                    PreactUnit(in_channels, channels, stride, "projection", "symmetric", self.relu, first=False)
                )
                in_channels = channels
            self.stages.append(units)
        self.norm = batch_norm(in_channels)
        self.head = nn.Linear(in_channels, classes)
        for parameter in decayed_parameters(self):
            nn.init.xavier_uniform_(parameter)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        x = self.stem(x)
        for units in self.stages:
            for unit in units:
                x = unit(x)
        return self.head(self.relu(self.norm(x)).mean((2, 3)))


FAMILIES = {"resnet": ResNet, "wide_resnet": WideResNet}


def build(family, **arguments):
    """The network described by the "model" object of a configuration."""
    return FAMILIES[family](**arguments)


def decayed_parameters(model):
    """The parameters with weight decay: weights of convolutions and of the linear layer."""
    return [parameter for parameter in model.parameters() if parameter.dim() > 1]


def other_parameters(model):
    """The parameters without weight decay: biases and batch norm parameters."""
    return [parameter for parameter in model.parameters() if parameter.dim() == 1]


def weight_penalty(model, weight_decay):
    """weight_decay * |w|^2 / 2 over the parameters with weight decay."""
    return 0.5 * weight_decay * sum(parameter.pow(2).sum() for parameter in decayed_parameters(model))
