"""One parameter that is given three gradients, to compare its way with a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from c2lab import core, workspace
from c2lab.optimizers.base import Optimizer, reset_optimizer_instance_count
from c2lab.parameters.info import ParameterInfo

W0 = np.linspace(-1, 1, 6).reshape(2, 3)
GRADIENTS = [np.random.default_rng(seed).normal(size=(2, 3)) for seed in range(3)]
# The counter goes up before it is read.
STEPS = (1, 2, 3)


def nets(make: Callable[[], Optimizer], sparse: bool = False) -> tuple[Optimizer, core.Net, core.Net]:
    """The optimizer, and the nets that fill and update the parameter ``w`` with the gradient ``g``."""
    reset_optimizer_instance_count()
    init_net, net = core.Net("steps_init"), core.Net("steps")
    w = init_net.GivenTensorFill([], "w", shape=list(W0.shape), values=W0.ravel())
    grad = core.GradientSlice(indices="i", values="g") if sparse else "g"
    optimizer = make()
    optimizer(net, init_net, ParameterInfo(None, w, shape=list(W0.shape), grad=_references(grad)))
    return optimizer, init_net, net


def _references(grad: Any) -> Any:
    if isinstance(grad, core.GradientSlice):
        return core.GradientSlice(*map(core.BlobReference, grad))
    return core.BlobReference(grad)


def way(make: Callable[[], Optimizer], indices: np.ndarray | None = None) -> np.ndarray:
    """The parameter after each of the three gradients."""
    _, init_net, net = nets(make, sparse=indices is not None)
    if indices is not None:
        workspace.FeedBlob("i", indices)
    workspace.FeedBlob("g", GRADIENTS[0].astype(np.float32))
    workspace.RunNetOnce(init_net)
    workspace.CreateNet(net)
    seen = []
    for gradient in GRADIENTS:
        workspace.FeedBlob("g", gradient.astype(np.float32)[: None if indices is None else len(indices)])
        workspace.RunNet(net.Name())
        seen.append(workspace.FetchBlob("w"))
    return np.stack(seen)


def expect(make: Callable[[], Optimizer], steps: Iterator[np.ndarray]) -> None:
    """Compares with what a formula yields for each gradient, in float64."""
    np.testing.assert_allclose(way(make), np.stack(list(steps)), rtol=2e-5, atol=2e-6)
