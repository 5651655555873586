"""Adagrad."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from c2lab.errors import NotSupported
from c2lab.optimizers.adagrad import AdagradOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets, way
from tests.written_nets import written

LR = "AdagradOptimizer_0_lr_cpu"


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: AdagradOptimizer(0.5))
    assert written(init_net)[-1] == "ConstantFill(w) -> w_squared_sum value=0"
    assert written(net)[1:] == [
        f"LearningRate(optimizer_iteration) -> {LR} base_lr=-0.5 policy=fixed",
        f"Adagrad(w, w_squared_sum, g, {LR}) -> w, w_squared_sum decay=1 epsilon=0.0001",
    ]
    assert optimizer.get_auxiliary_parameters().local == ["w_squared_sum"]


def test_further_outputs():
    _, _, net = nets(lambda: AdagradOptimizer(0.5, output_effective_lr=True))
    assert list(net.Proto().op[-1].output) == ["w", "w_squared_sum", "g_effective_lr"]
    _, _, net = nets(lambda: AdagradOptimizer(0.5, output_effective_lr_and_update=True))
    assert list(net.Proto().op[-1].output) == ["w", "w_squared_sum", "g_effective_lr", "g_update"]


def test_sparse_gradients():
    _, _, net = nets(lambda: AdagradOptimizer(0.5, weight_decay=0.25), sparse=True)
    assert written(net)[-1] == f"SparseAdagrad(w, w_squared_sum, i, g, {LR}) -> w, w_squared_sum " + (
        "epsilon=0.0001 weight_decay=0.25"
    )
    _, init_net, net = nets(lambda: AdagradOptimizer(0.5, rowWise=True), sparse=True)
    assert written(init_net)[-1] == "ConstantFill() -> w_avg_squared_sum shape=[2] value=0"
    assert written(net)[-1] == f"RowWiseSparseAdagrad(w, w_avg_squared_sum, i, g, {LR}) -> w, w_avg_squared_sum " + (
        "epsilon=0.0001"
    )
    with pytest.raises(AssertionError, match="rowWise"):
        nets(lambda: AdagradOptimizer(0.5, rowWise=True))
    with pytest.raises(AssertionError, match="must be set to 1"):
        nets(lambda: AdagradOptimizer(0.5, decay=0.5), sparse=True)


def test_rows_are_counted():
    optimizer, init_net, net = nets(lambda: AdagradOptimizer(0.5, counter_halflife=10), sparse=True)
    assert written(init_net)[-2:] == [
        "ConstantFill() -> w_update_counter dtype=13 shape=[2] value=0",
        "ConstantFill() -> w_prev_update_iter dtype=10 shape=[2] value=0",
    ]
    assert written(net)[-1] == (
        "RowWiseCounter(w_prev_update_iter, w_update_counter, i, optimizer_iteration) -> "
        "w_prev_update_iter, w_update_counter counter_halflife=10"
    )
    assert optimizer.get_auxiliary_parameters().local[1:] == ["w_update_counter", "w_prev_update_iter"]


def test_weights_are_scaled_every_few_steps():
    scale = SimpleNamespace(stepsize=2, upper_bound_iter=100, scale=0.5, to_aux=True)
    _, _, net = nets(lambda: AdagradOptimizer(0.5, weight_scale=scale))
    assert written(net)[-2:] == [
        f"WeightScale({blob}, optimizer_iteration) -> {blob} scale=0.5 stepsize=2 upper_bound_iter=100"
        for blob in ("w", "w_squared_sum")
    ]


def test_the_way():
    def steps():
        w, h = W0, 0
        for g in GRADIENTS:
            g = g + 0.25 * w
            h = 0.9 * h + g**2
            w = w - 0.5 * g / (np.sqrt(h) + 1e-4)
            yield w

    expect(lambda: AdagradOptimizer(0.5, decay=0.9, weight_decay=0.25), steps())


def test_the_way_of_rows():
    w, h = W0.copy(), np.zeros(2)
    expected = []
    for g in GRADIENTS:
        h += (g**2).mean(1)
        w = w - 0.5 * g / (np.sqrt(h) + 1e-4)[:, None]
        expected.append(w)
    seen = way(lambda: AdagradOptimizer(0.5, rowWise=True), np.array([0, 1], np.int32))
    np.testing.assert_allclose(seen, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("options", ["pruning_options", "swa_options", "ema_options"])
def test_what_was_never_released_is_refused(options):
    with pytest.raises(NotSupported, match=options):
        AdagradOptimizer(**{options: {"prune_ratios": [0.5]}})


def test_lars_does_not_decay():
    with pytest.raises(AssertionError, match="LARS"):
        nets(lambda: AdagradOptimizer(0.5, lars=0.5, weight_decay=0.1))
