"""YellowFin."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.optimizers.yellowfin import YellowFinOptimizer
from tests.optimizers.three_steps import GRADIENTS, STEPS, W0, expect, nets
from tests.written_nets import written

KEPT = ["moment", "lr_avg", "mu_avg", "curv_win", "g_avg", "g2_avg", "scalars_memory"]


def test_operators_and_blobs():
    optimizer, init_net, net = nets(YellowFinOptimizer)
    assert written(init_net)[1:8] == [
        "ConstantFill(w) -> w_moment value=0",
        "ConstantFill() -> w_curv_win shape=[20] value=0",
        "ConstantFill(w) -> w_g_avg value=0",
        "ConstantFill(w) -> w_g2_avg value=0",
        "ConstantFill() -> w_lr_avg shape=[1] value=0.1",
        "ConstantFill() -> w_mu_avg shape=[1] value=0",
        "ConstantFill() -> w_scalars_memory shape=[5] value=0",
    ]
    state = ", ".join(["w", *(f"w_{name}" for name in KEPT)])
    assert written(net) == [
        "AtomicIter(iteration_mutex, optimizer_iteration) -> optimizer_iteration",
        f"YellowFin({state}, g, optimizer_iteration) -> {state} "
        "beta=0.999 curv_win_width=20 epsilon=1e-06 zero_debias=1",
    ]
    kept = optimizer.get_auxiliary_parameters()
    assert (kept.local, kept.shared) == ([f"w_{name}" for name in KEPT], ["optimizer_iteration"])


def yellow_steps(beta=0.9, eps=1e-6, width=2, lr=0.1):
    w, m, mu = W0, 0, 0.0
    g_avg = square = norm = dist = low = high = 0
    window = []
    for t, g in zip(STEPS, GRADIENTS, strict=True):
        m = mu * m + lr * g
        w = w - m
        yield w
        debias = 1 / (1 - beta**t)
        g_avg = beta * g_avg + (1 - beta) * g
        n2 = max(eps, (g**2).sum())
        square, norm = beta * square + (1 - beta) * n2, beta * norm + (1 - beta) * np.sqrt(n2)
        window = [*window, np.log(n2)][-width:]
        low, high = beta * low + (1 - beta) * min(window), beta * high + (1 - beta) * max(window)
        hmin, hmax = max(eps, np.exp(debias * low)), max(eps, np.exp(debias * high))
        variance = max(eps, debias * square - ((debias * g_avg) ** 2).sum())
        dist = beta * dist + (1 - beta) * norm / square
        if t > 1:
            p = (debias * dist * hmin) ** 2 / (2 * variance)
            w3 = (-np.sqrt(p**2 + 4 / 27 * p**3) - p) / 2
            u = np.cbrt(w3)
            x = u - p / (3 * u) + 1
            r = np.sqrt(hmax / hmin)
            new_mu = max(x**2, ((r - 1) / (r + 1)) ** 2)
            new_lr = (1 - np.sqrt(new_mu)) ** 2 / hmin
            mu, lr = beta * mu + (1 - beta) * new_mu, beta * lr + (1 - beta) * new_lr


def test_the_way():
    expect(lambda: YellowFinOptimizer(0.1, beta=0.9, curv_win_width=2), yellow_steps())


def test_what_it_does_not_take():
    with pytest.raises(AssertionError, match="sparse"):
        nets(YellowFinOptimizer, sparse=True)
    with pytest.raises(AssertionError, match="positive"):
        nets(lambda: YellowFinOptimizer(0))
