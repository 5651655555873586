"""STORM."""

from __future__ import annotations

from c2lab.optimizers.storm import StormOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets
from tests.written_nets import written

LR = "StormOptimizer_0_lr_cpu"
STATE = "w, w_moment, w_grad_sq_sum"


def test_operators_and_blobs():
    optimizer, init_net, net = nets(StormOptimizer)
    assert written(init_net)[-2:] == [
        "ConstantFill(w) -> w_moment value=0",
        "ConstantFill() -> w_grad_sq_sum shape=[1] value=0.01",
    ]
    assert written(net)[1:] == [
        f"LearningRate(optimizer_iteration) -> {LR} base_lr=-0.1 policy=fixed",
        f"Storm({STATE}, g, {LR}) -> {STATE} beta=0.1 momentum=10",
    ]
    assert optimizer.get_auxiliary_parameters().local == ["w_moment", "w_grad_sq_sum"]
    _, _, net = nets(StormOptimizer, sparse=True)
    assert written(net)[-1] == f"SparseStorm({STATE}, g, i, {LR}) -> {STATE} beta=0.1 momentum=10"


def test_the_way():
    def steps():
        w, m, s = W0, 0, 0.01
        for g in GRADIENTS:
            s = s + (g**2).sum()
            rate = -0.5 * (0.1 + s) ** (-1 / 3)
            m = g + (1 - 2 * rate**2) * (m - g)
            w = w + rate * m
            yield w

    expect(lambda: StormOptimizer(0.5, momentum=2), steps())


def test_the_rate_is_scaled():
    optimizer = StormOptimizer(0.5)
    optimizer.scale_learning_rate(0.5)
    assert optimizer.lr == 0.25
