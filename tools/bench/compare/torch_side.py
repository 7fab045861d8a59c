"""PyTorch's side of a comparison: the same network, batch and update, on a CPU or a GPU, in several ways.

All of a step's data stays on the device: uint8 records in [height, width, channel] order, the mean picture, the order
of the samples. A step gathers a batch, subtracts the mean, crops, flips, and updates every weight.
"""

import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Way:
    """How a user of PyTorch may run the step."""

    channels_last: bool = True
    bf16: bool = True  # autocast
    compile_mode: str = ""
    graph: bool = False  # the whole step, update included, in one CUDA graph


WAYS = {
    "eager": Way(channels_last=False, bf16=False),
    "channels-last": Way(bf16=False),
    "bf16": Way(),
    "compile": Way(compile_mode="max-autotune"),
    "compile-graph": Way(compile_mode="max-autotune-no-cudagraphs", graph=True),
    "graph": Way(graph=True),
}

# Updates before a step is captured: they fill the optimizer's state and settle cuDNN's choices.
EAGER_STEPS = 11


def reference_model():
    path = ROOT / "tests" / "golden" / "reference_model.py"
    spec = importlib.util.spec_from_file_location("reference_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BatchLoss(nn.Module):
    """The mean cross-entropy of the batch that starts at a position of the order."""

    def __init__(self, net, records, order, batch, way, pad=4):
        super().__init__()
        self.net = net
        self.batch, self.way, self.pad = batch, way, pad
        images, labels, mean = records
        # Buffers, not attributes: torch.compile takes their addresses as fixed and copies none of them.
        self.register_buffer("images", images)
        self.register_buffer("labels", labels)
        self.register_buffer("mean", mean)
        self.register_buffer("order", order)
        device = images.device
        # Of square images.
        self.register_buffer("pixel", torch.arange(images.shape[1], device=device))
        self.register_buffer("row", torch.arange(batch, device=device))

    def augmented_batch(self, position):
        """[batch, channels, height, width]: zeros around after mean subtraction, random crop, random flip."""
        pad, device = self.pad, self.images.device
        index = self.order[(position + self.row) % len(self.order)].long()
        pictures = F.pad(self.images[index].float() - self.mean, (0, 0, pad, pad, pad, pad))
        top, left = torch.randint(0, 2 * pad + 1, (2, self.batch, 1), device=device)
        flip = torch.randint(0, 2, (self.batch, 1), dtype=torch.bool, device=device)
        rows = top + self.pixel
        columns = left + torch.where(flip, len(self.pixel) - 1 - self.pixel, self.pixel)
        pictures = pictures[self.row[:, None, None], rows[:, :, None], columns[:, None, :]]
        layout = torch.channels_last if self.way.channels_last else torch.contiguous_format
        return pictures.permute(0, 3, 1, 2).contiguous(memory_format=layout), self.labels[index]

    def forward(self, position):
        images, labels = self.augmented_batch(position)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.way.bf16):
            return F.cross_entropy(self.net(images).float(), labels)


class TorchSide:
    """A network with its data and optimizer: does steps, evaluates, says how long it took."""

    def __init__(self, model, records, order, batch, way, device, weight_decay=2e-4, momentum=0.9):
        if way.graph and device != "cuda":
            raise ValueError("a CUDA graph needs a GPU")
        self.way, self.device, self.batch = way, device, batch
        torch.backends.cudnn.benchmark = True
        reference = reference_model()
        layout = torch.channels_last if way.channels_last else torch.contiguous_format
        net = reference.ResNet(
            model["depth"],
            model.get("block", "preact"),
            model.get("shortcut", "avgpool_zeropad"),
            model.get("padding", "same"),
        )
        self.net = net.to(device=device, memory_format=layout)
        self.groups = [
            {"params": reference.decayed_parameters(self.net), "weight_decay": weight_decay},
            {"params": reference.other_parameters(self.net), "weight_decay": 0.0},
        ]
        self.momentum = momentum
        records = tuple(tensor.to(device) for tensor in records)
        self.loss = BatchLoss(self.net, records, order.to(device), batch, way)
        self.batch_loss = torch.compile(self.loss, mode=way.compile_mode) if way.compile_mode else self.loss
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        self.loss_sum = torch.zeros((), device=device)
        self.stream = torch.cuda.Stream() if way.graph else None
        self.choose_optimizer()

    def use_optimizer(self, **options):
        """Starts again with an optimizer without momenta."""
        groups = [dict(group) for group in self.groups]
        self.optimizer = torch.optim.SGD(groups, lr=0.01, momentum=self.momentum, **options)
        self.graph, self.eager_steps = None, 0

    def choose_optimizer(self, steps=40):
        """On a GPU torch.optim.SGD has a fused and a multi-tensor update: takes the faster of them for this step."""
        self.optimizer_name = "for-loop SGD"
        if self.device != "cuda":
            self.use_optimizer()
            return
        weights = {name: value.clone() for name, value in self.net.state_dict().items()}
        seconds = {}
        for option in ("fused", "foreach"):
            self.use_optimizer(**{option: True})
            self.set_rate(0.0)
            self.train(EAGER_STEPS + 1)
            seconds[option] = self.timed(lambda: self.train(steps))
        fastest = min(seconds, key=seconds.get)
        self.optimizer_name = f"{fastest} SGD"
        self.net.load_state_dict(weights)
        self.use_optimizer(**{fastest: True})
        self.position.zero_()
        self.loss_sum.zero_()

    def set_rate(self, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.graph = None  # The rate is part of what was captured.

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.batch_loss(self.position)
        loss.backward()
        self.optimizer.step()
        self.loss_sum += loss.detach()
        self.position += self.batch

    def train(self, steps):
        """Queues updates. With a graph the first ones run as they are, then one is captured and replayed."""
        self.net.train()
        if not self.way.graph:
            for _ in range(steps):
                self.step()
            return
        eager = min(steps, max(0, EAGER_STEPS - self.eager_steps))
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(eager):
                self.step()
        torch.cuda.current_stream().wait_stream(self.stream)
        self.eager_steps += eager
        if steps > eager and self.graph is None:
            self.optimizer.zero_grad(set_to_none=True)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.step()
        for _ in range(steps - eager):
            self.graph.replay()

    def take_loss(self, steps):
        """The mean loss over the `steps` updates since the last call."""
        mean = self.loss_sum.item() / steps
        self.loss_sum.zero_()
        return mean

    def evaluate(self, images, labels, batch):
        """(mean cross-entropy, accuracy) by the running statistics."""
        self.net.eval()
        loss, correct = 0.0, 0
        layout = torch.channels_last if self.way.channels_last else torch.contiguous_format
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                pictures = (images[start : start + batch].float() - self.loss.mean).permute(0, 3, 1, 2)
                expected = labels[start : start + batch]
                with torch.autocast(self.device, torch.bfloat16, enabled=self.way.bf16):
                    logits = self.net(pictures.contiguous(memory_format=layout)).float()
                loss += F.cross_entropy(logits, expected, reduction="sum").item()
                correct += (logits.argmax(1) == expected).sum().item()
        return loss / len(images), correct / len(images)

    def synchronize(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def timed(self, work):
        """Seconds until all that `work` queues is done."""
        self.synchronize()
        start = time.perf_counter()
        work()
        self.synchronize()
        return time.perf_counter() - start
