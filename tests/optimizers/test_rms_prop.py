"""RMSProp."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.optimizers.rms_prop import RmsPropOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets
from tests.written_nets import written

LR = "RmsPropOptimizer_0_lr_cpu"


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: RmsPropOptimizer(0.5, momentum=0.5))
    assert written(init_net)[-3:] == [
        "ConstantFill(w) -> w_grad_o values=0",
        "ConstantFill(w) -> w_mean_squares values=0",
        "ConstantFill(w) -> w_momentum values=0",
    ]
    assert written(net)[1:] == [
        f"LearningRate(optimizer_iteration) -> {LR} base_lr=0.5 policy=fixed",
        "RmsProp(g, w_mean_squares, w_momentum, ONE_0_0) -> w_grad_o, w_mean_squares, w_momentum "
        "decay=0.9 epsilon=1e-05 momentum=0.5",
        f"MomentumSGDUpdate(w_grad_o, w_momentum, {LR}, w) -> w_grad_o, w_momentum, w",
    ]
    assert optimizer.get_auxiliary_parameters().local == ["w_mean_squares", "w_momentum"]


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_the_way(momentum):
    def steps():
        w, squares, kept = W0, 0, 0
        for g in GRADIENTS:
            squares = squares + 0.1 * (g**2 - squares)
            step = momentum * kept + g / np.sqrt(squares + 1e-5)
            # The second operator leaves the step it took, rate included, in the momentum blob.
            kept = 0.1 * step
            w = w - kept
            yield w

    expect(lambda: RmsPropOptimizer(0.1, momentum=momentum), steps())


def test_what_it_does_not_take():
    with pytest.raises(AssertionError, match="sparse"):
        nets(RmsPropOptimizer, sparse=True)
    with pytest.raises(AssertionError, match="positive"):
        nets(lambda: RmsPropOptimizer(0))
