"""The nets that are measured, in PyTorch, where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from benchmarks.hand_written import STAGES
from benchmarks.nets import LEARNING_RATE, Job


def installed() -> bool:
    """Whether PyTorch can be imported."""
    return find_spec("torch") is not None


def runner(job: Job) -> Callable[[], None]:
    """One step or one inference of a job."""
    import torch

    net = {"mlp": _mlp, "lenet": _lenet, "resnet50": _resnet50}[job.net]()
    images, labels = (torch.from_numpy(values) for values in job.samples())
    if not job.training:
        net.eval()

        def infer() -> None:
            with torch.inference_mode():
                torch.softmax(net(images), 1)

        return infer

    labels = labels.long()
    rule = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)

    def step() -> None:
        rule.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        rule.step()

    return step


def _mlp() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def _lenet() -> Any:
    from torch import nn

    convolutions = [nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*convolutions, nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def _resnet50() -> Any:
    from torch import nn

    def convolved(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[Any]:
        return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]

    class Block(nn.Module):
        def __init__(self, inputs: int, inner: int, stride: int) -> None:
            super().__init__()
            inside = [*convolved(inputs, inner, 1), nn.ReLU(), *convolved(inner, inner, 3, stride), nn.ReLU()]
            self.body = nn.Sequential(*inside, *convolved(inner, 4 * inner, 1))
            widens = inputs != 4 * inner
            self.short = nn.Sequential(*convolved(inputs, 4 * inner, 1, stride)) if widens else nn.Identity()

        def forward(self, x: Any) -> Any:
            return (self.body(x) + self.short(x)).relu()

    layers = [*convolved(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for blocks, inner, stride in STAGES:
        for block in range(blocks):
            layers.append(Block(inputs, inner, stride if block == 0 else 1))
            inputs = 4 * inner
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))
