"""The value of a regularizer for a given parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab import core, workspace
from c2lab.optimizers.regularization import RegularizationBy, Regularizer

W = np.array([[0.5, -2.0, 0.0, 1.0], [1.5, 0.25, 0.0, -3.0]], np.float32)


def penalty(regularizer: Regularizer, w: np.ndarray = W) -> tuple[str, float]:
    """The name of the penalty's blob, and its value."""
    net, init_net = core.Net("penalty"), core.Net("penalty_init")
    output = regularizer(net, init_net, core.BlobReference("w"), by=RegularizationBy.ON_LOSS)
    workspace.FeedBlob("w", w)
    workspace.RunNetOnce(init_net)
    workspace.RunNetOnce(net)
    return str(output), float(np.squeeze(workspace.FetchBlob(output)))


def after_update(regularizer: Regularizer, rows: list[int] | None = None, w: np.ndarray = W) -> np.ndarray:
    """The parameter once it was put back into bounds; ``rows`` are those that a sparse gradient touched."""
    net, init_net = core.Net("bounds"), core.Net("bounds_init")
    grad: Any = core.BlobReference("g")
    if rows is not None:
        grad = core.GradientSlice(core.BlobReference("i"), core.BlobReference("g"))
        workspace.FeedBlob("i", np.array(rows, np.int64))
        workspace.FeedBlob("g", np.zeros((len(rows), w.shape[1]), np.float32))
    regularizer(net, init_net, core.BlobReference("w"), grad, by=RegularizationBy.AFTER_OPTIMIZER)
    workspace.FeedBlob("w", w)
    workspace.RunNetOnce(net)
    return workspace.FetchBlob("w")
