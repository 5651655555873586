"""The nets that are measured, built with c2lab, and what a job is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from c2lab import brew, model_helper, optimizer, workspace
from c2lab.brew_layers.networks.lenet import create_lenet
from c2lab.brew_layers.networks.mlp import create_mlp
from c2lab.brew_layers.networks.resnet import create_resnet50

LEARNING_RATE = 1e-4
CLASSES = {"mlp": 10, "lenet": 10, "resnet50": 1000}
SAMPLE = {"mlp": (784,), "lenet": (1, 28, 28), "resnet50": (3, 224, 224)}


@dataclass(frozen=True)
class Job:
    """One net doing one thing: a training step, or inference, on a batch."""

    net: str
    training: bool
    batch: int

    @property
    def name(self) -> str:
        return f"{self.net} {'training' if self.training else 'inference'}, batch {self.batch}"

    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """The same images and labels for every contestant."""
        random = np.random.default_rng(0)
        images = random.normal(size=(self.batch, *SAMPLE[self.net])).astype(np.float32)
        return images, random.integers(0, CLASSES[self.net], self.batch).astype(np.int32)


JOBS = (
    Job("mlp", training=False, batch=64),
    Job("mlp", training=True, batch=64),
    Job("lenet", training=False, batch=64),
    Job("lenet", training=True, batch=64),
    Job("resnet50", training=False, batch=1),
    Job("resnet50", training=True, batch=8),
)


def build(job: Job) -> model_helper.ModelHelper:
    """The model of a job: reads ``data`` (and ``label``), ends in ``softmax`` or in updated parameters."""
    model = model_helper.ModelHelper(name=f"{job.net}_{'training' if job.training else 'inference'}")
    test = not job.training
    if job.net == "mlp":
        scores = create_mlp(model, "data", 784, 10, is_test=test)
    elif job.net == "lenet":
        scores = create_lenet(model, "data", is_test=test)
    else:
        scores = create_resnet50(model, "data", 3, 1000, is_test=test, no_loss=True, no_bias=True)
    if test:
        model.net.AddExternalOutput(brew.softmax(model, scores, "softmax"))
        return model
    _, loss = model.SoftmaxWithLoss([scores, "label"], ["softmax", "loss"])
    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, base_learning_rate=LEARNING_RATE)
    model.net.AddExternalOutput(loss)
    return model


def create(job: Job) -> Any:
    """Fills the parameters in the current workspace and creates the net; returns its Executable."""
    model = build(job)
    images, labels = job.samples()
    workspace.FeedBlob("data", images)
    workspace.FeedBlob("label", labels)
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net, overwrite=True)
    return workspace.current().nets[model.net.Name()][1]
