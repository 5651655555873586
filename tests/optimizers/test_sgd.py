"""SGD: operators, blobs, and its way compared with the formula."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.optimizers.sgd import SgdOptimizer
from tests.optimizers.three_steps import GRADIENTS, STEPS, W0, expect, nets, way
from tests.written_nets import written

COUNTER = [
    "ConstantFill() -> optimizer_iteration dtype=10 shape=[1] value=0",
    "CreateMutex() -> iteration_mutex",
]


def test_without_momentum_the_rate_is_negative_and_added():
    optimizer, init_net, net = nets(lambda: SgdOptimizer(0.5))
    assert written(init_net)[1:] == [*COUNTER, "ConstantFill() -> ONE_0_0 shape=[1] value=1"]
    assert written(net) == [
        "AtomicIter(iteration_mutex, optimizer_iteration) -> optimizer_iteration",
        "LearningRate(optimizer_iteration) -> SgdOptimizer_0_lr_cpu base_lr=-0.5 policy=fixed",
        "WeightedSum(w, ONE_0_0, g, SgdOptimizer_0_lr_cpu) -> w",
    ]
    kept = optimizer.get_auxiliary_parameters()
    assert (kept.local, kept.shared) == ([], ["ONE_0_0"])


def test_with_momentum_the_rate_is_positive_and_subtracted():
    optimizer, init_net, net = nets(lambda: SgdOptimizer(0.5, momentum=0.9))
    assert written(init_net)[-1] == "ConstantFill(w) -> w_momentum value=0"
    assert written(net)[1:] == [
        "LearningRate(optimizer_iteration) -> SgdOptimizer_0_lr_cpu base_lr=0.5 policy=fixed",
        "MomentumSGDUpdate(g, w_momentum, SgdOptimizer_0_lr_cpu, w) -> g, w_momentum, w momentum=0.9 nesterov=1",
    ]
    assert optimizer.get_auxiliary_parameters().local == ["w_momentum"]


def test_sparse_gradients_touch_rows():
    _, _, net = nets(lambda: SgdOptimizer(0.5), sparse=True)
    assert written(net)[-1] == "ScatterWeightedSum(w, ONE_0_0, i, g, SgdOptimizer_0_lr_cpu) -> w"
    _, _, net = nets(lambda: SgdOptimizer(0.5, momentum=0.5, nesterov=False), sparse=True)
    assert written(net)[-1] == (
        "SparseMomentumSGDUpdate(g, w_momentum, SgdOptimizer_0_lr_cpu, w, i) -> g, w_momentum, w "
        "momentum=0.5 nesterov=0"
    )


def test_layer_wise_rates():
    _, init_net, net = nets(lambda: SgdOptimizer(0.5, lars=0.25))
    assert written(init_net)[1:4] == [
        "ConstantFill() -> weight_decay shape=[1] value=0",
        "ConstantFill() -> trust shape=[1] value=1",
        "ConstantFill() -> lr_max shape=[1] value=3.40282e+38",
    ]
    assert written(net) == [
        "Lars(w, g, weight_decay, trust, lr_max) -> SgdOptimizer_0_w_lars_cpu lr_min=0 offset=0.25",
        "AtomicIter(iteration_mutex, optimizer_iteration) -> optimizer_iteration",
        "LearningRate(optimizer_iteration) -> SgdOptimizer_0_lr_cpu base_lr=-0.5 policy=fixed",
        "Mul(SgdOptimizer_0_lr_cpu, SgdOptimizer_0_w_lars_cpu) -> SgdOptimizer_0_local_scaled_lr_cpu",
        "WeightedSum(w, ONE_0_0, g, SgdOptimizer_0_local_scaled_lr_cpu) -> w",
    ]
    with pytest.raises(AssertionError, match="nonnegative"):
        nets(lambda: SgdOptimizer(0.5, lars=-1))


def test_the_way_without_momentum():
    def steps():
        w = W0
        for t, g in zip(STEPS, GRADIENTS, strict=True):
            w = w - 0.5 * 0.1 ** (t // 2) * g
            yield w

    expect(lambda: SgdOptimizer(0.5, policy="step", stepsize=2, gamma=0.1), steps())


@pytest.mark.parametrize("nesterov", [True, False])
def test_the_way_with_momentum(nesterov):
    def steps():
        w, m = W0, 0
        for t, g in zip(STEPS, GRADIENTS, strict=True):
            last, m = m, 0.9 * m + 0.5 * 0.8**t * g
            w = w - (1.9 * m - 0.9 * last if nesterov else m)
            yield w

    expect(lambda: SgdOptimizer(0.5, momentum=0.9, nesterov=nesterov, policy="exp", gamma=0.8), steps())


def test_the_way_of_layer_wise_rates():
    def steps():
        w = W0
        for g in GRADIENTS:
            w = w - 0.5 * g / (np.linalg.norm(g) / np.linalg.norm(w) + 0.25)
            yield w

    expect(lambda: SgdOptimizer(0.5, lars=0.25), steps())


def test_rows_that_appear_twice_add_up():
    expected = W0.copy()
    expected[1] -= 0.5 * sum(g.sum(0) for g in GRADIENTS)
    end = way(lambda: SgdOptimizer(0.5), np.array([1, 1], np.int32))[-1]
    np.testing.assert_allclose(end, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rows_that_appear_twice_are_joined_where_wanted(momentum, monkeypatch):
    def join(net, grad, aggregator):
        assert aggregator == "mean"
        return core.GradientSlice(*(blob + "_joined" for blob in grad))

    monkeypatch.setattr(core.Net, "DeduplicateGradientSlices", join)
    _, _, net = nets(lambda: SgdOptimizer(0.5, momentum=momentum, sparse_dedup_aggregator="mean"), sparse=True)
    assert {"i_joined", "g_joined"} < set(net.Proto().op[-1].input)


def test_no_rate_no_update():
    assert written(nets(lambda: SgdOptimizer(0))[2]) == []
    with pytest.raises(AssertionError, match="positive base learning rate, got -1"):
        nets(lambda: SgdOptimizer(-1))


def test_the_rate_is_scaled():
    optimizer = SgdOptimizer(0.5)
    optimizer.scale_learning_rate(0.5)
    assert optimizer.base_learning_rate == 0.25
    assert core.IsOperator("WeightedSum")
