"""Adam."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.optimizers.adam import AdamOptimizer
from tests.optimizers.three_steps import GRADIENTS, STEPS, W0, expect, nets, way
from tests.written_nets import written

ARGUMENTS = "beta1=0.9 beta2=0.999 epsilon=1e-08"


def adam_steps():
    w, m, v = W0, 0, 0
    # The operator counts from the counter on, which is 1 at the first step.
    for t, g in zip((s + 1 for s in STEPS), GRADIENTS, strict=True):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
        yield w


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: AdamOptimizer(0.1))
    assert written(init_net)[-2:] == [
        "ConstantFill(w) -> w_first_moment value=0",
        "ConstantFill(w) -> w_second_moment value=0",
    ]
    assert written(net)[1:] == [
        "LearningRate(optimizer_iteration) -> AdamOptimizer_0_lr_cpu base_lr=-0.1 policy=fixed",
        "Adam(w, w_first_moment, w_second_moment, g, AdamOptimizer_0_lr_cpu, optimizer_iteration) -> "
        f"w, w_first_moment, w_second_moment {ARGUMENTS}",
    ]
    kept = optimizer.get_auxiliary_parameters()
    assert (kept.local, kept.shared) == (["w_first_moment", "w_second_moment"], ["optimizer_iteration"])


def test_sparse_gradients():
    _, _, net = nets(lambda: AdamOptimizer(0.1, enableRAdam=True), sparse=True)
    assert written(net)[-1] == (
        "SparseAdam(w, w_first_moment, w_second_moment, i, g, AdamOptimizer_0_lr_cpu, optimizer_iteration) -> "
        "w, w_first_moment, w_second_moment beta1=0.9 beta2=0.999 enableRAdam=1 epsilon=1e-08"
    )
    _, init_net, net = nets(lambda: AdamOptimizer(0.1, rowWise=True), sparse=True)
    assert written(init_net)[-1] == "ConstantFill() -> w_avg_second_moment shape=[2] value=0"
    assert written(net)[-1].startswith("RowWiseSparseAdam(w, w_first_moment, w_avg_second_moment, i, g, ")
    with pytest.raises(AssertionError, match="rowWise"):
        nets(lambda: AdamOptimizer(0.1, rowWise=True))
    with pytest.raises(AssertionError, match="RAdam"):
        nets(lambda: AdamOptimizer(0.1, rowWise=True, enableRAdam=True), sparse=True)


def test_the_rate_may_adapt():
    _, _, net = nets(lambda: AdamOptimizer(0.1, use_lr_adaption=True))
    assert written(net)[-1] == (
        "LearningRateAdaption(AdamOptimizer_0_lr_cpu, g, w_effective_grad) -> AdamOptimizer_0_lr_cpu "
        "lr_alpha=0.01 normalized_lr_adaption=1"
    )
    assert net.Proto().op[-2].output[3] == "w_effective_grad"


def test_the_way():
    expect(lambda: AdamOptimizer(0.1), adam_steps())


def test_the_way_of_rows():
    end = way(lambda: AdamOptimizer(0.1), np.array([0, 1], np.int64))
    np.testing.assert_allclose(end, np.stack(list(adam_steps())), rtol=2e-5, atol=2e-6)


def test_no_rate_no_update():
    assert written(nets(lambda: AdamOptimizer(0))[2]) == []
