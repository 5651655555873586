"""Adadelta."""

from __future__ import annotations

import numpy as np

from c2lab.optimizers.adadelta import AdadeltaOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets, way
from tests.written_nets import written

LR = "AdadeltaOptimizer_0_lr_cpu"
STATE = "w, w_squared_moment, w_squared_moment_update"


def adadelta_steps():
    w, h, d = W0, 0, 0
    for g in GRADIENTS:
        h = 0.95 * h + 0.05 * g**2
        step = np.sqrt(d + 1e-4) / np.sqrt(h + 1e-4) * g
        d = 0.95 * d + 0.05 * step**2
        w = w - 2 * step
        yield w


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: AdadeltaOptimizer(2.0))
    assert written(init_net)[-2:] == [
        "ConstantFill(w) -> w_squared_moment value=0",
        "ConstantFill(w) -> w_squared_moment_update value=0",
    ]
    assert written(net)[1:] == [
        f"LearningRate(optimizer_iteration) -> {LR} base_lr=-2 policy=fixed",
        f"Adadelta({STATE}, g, {LR}) -> {STATE} decay=0.95 epsilon=0.0001",
    ]
    assert optimizer.get_auxiliary_parameters().local == STATE.split(", ")[1:]
    _, _, net = nets(lambda: AdadeltaOptimizer(2.0), sparse=True)
    assert written(net)[-1] == f"SparseAdadelta({STATE}, i, g, {LR}) -> {STATE} decay=0.95 epsilon=0.0001"


def test_the_way():
    expect(lambda: AdadeltaOptimizer(2.0), adadelta_steps())


def test_the_way_of_rows():
    seen = way(lambda: AdadeltaOptimizer(2.0), np.array([0, 1], np.int32))
    np.testing.assert_allclose(seen, list(adadelta_steps()), rtol=2e-5, atol=2e-6)
