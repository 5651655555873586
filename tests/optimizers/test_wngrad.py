"""WNGrad."""

from __future__ import annotations

from c2lab.optimizers.wngrad import WngradOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets
from tests.written_nets import written

LR = "WngradOptimizer_0_lr_cpu"


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: WngradOptimizer(output_effective_lr_and_update=True))
    assert written(init_net)[-1] == "ConstantFill() -> w_moment shape=[1] value=100"
    assert written(net)[1:] == [
        f"LearningRate(optimizer_iteration) -> {LR} base_lr=-1 policy=fixed",
        f"Wngrad(w, w_moment, g, {LR}) -> w, w_moment, g_effective_lr, g_update epsilon=1e-09",
    ]
    assert optimizer.get_auxiliary_parameters().local == ["w_moment"]
    _, _, net = nets(WngradOptimizer, sparse=True)
    assert written(net)[-1] == f"SparseWngrad(w, w_moment, i, g, {LR}) -> w, w_moment epsilon=1e-09"


def test_the_way():
    def steps():
        w, b = W0, 2.0
        for g in GRADIENTS:
            w = w - 0.5 * g / (b + 1e-3)
            b = b + (g**2).sum() / (b + 1e-3)
            yield w

    expect(lambda: WngradOptimizer(0.5, epsilon=1e-3, moment_init=2), steps())
