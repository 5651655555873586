"""Small models and data that tests of runs share."""

from __future__ import annotations

import functools

import numpy as np

from c2lab import brew, model_helper
from c2lab.data import digits


@functools.cache
def pictures():
    """The digits, 8x8, as rows of 64."""
    found = digits.load(size=8)
    return (
        (found.train_images.reshape(-1, 64), found.train_labels),
        (found.test_images.reshape(-1, 64), found.test_labels),
    )


def classifier(name: str = "small", *, dropout: float | None = None) -> model_helper.ModelHelper:
    """Two layers and a softmax over rows of 64; no loss, no gradients."""
    model = model_helper.ModelHelper(name)
    hidden = brew.fc(model, "data", "hidden", dim_in=64, dim_out=16)
    brew.relu(model, hidden, hidden)
    if dropout is not None:
        hidden = brew.dropout(model, hidden, "dropped", ratio=dropout, is_test=0)
    brew.softmax(model, brew.fc(model, hidden, "scores", dim_in=16, dim_out=10), "softmax")
    return model


def line(name: str = "line") -> model_helper.ModelHelper:
    """y = w x, with a squared loss: what it does can be computed by hand."""
    model = model_helper.ModelHelper(name)
    model.param_init_net.ConstantFill([], "w", shape=[1, 1], value=2.0)
    model.param_init_net.ConstantFill([], "b", shape=[1], value=0.0)
    model.AddParameter(model.param_init_net.GetBlobRef("w"))
    model.net.FC(["x", "w", "b"], "y")
    model.net.SquaredL2Distance(["y", "t"], "distance")
    model.net.AveragedLoss("distance", "loss")
    return model


def constant(rows: int = 4) -> dict[str, np.ndarray]:
    """x = 1 and t = 0 for every sample: the gradient of w is w."""
    return {"x": np.ones((rows, 1), np.float32), "t": np.zeros((rows, 1), np.float32)}
