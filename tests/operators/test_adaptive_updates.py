"""Adaptive updates against formulas written once more, in float64 numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.operators.calls import call
from tests.operators.update_formulas import FTRL, LR, G, M, V, W, check, ftrl, g, m, v, w


def test_rms_prop():
    squares = m + 0.3 * (g**2 - m)
    step = 0.5 * v + 0.1 * g / np.sqrt(squares + 1e-3)
    got = call("RmsProp", G, M, V, np.float32([0.1]), outputs=3, decay=0.7, momentum=0.5, epsilon=1e-3)
    check(got, step, squares, step)


def test_adadelta():
    squared = 0.9 * m + 0.1 * g**2
    step = np.sqrt(v + 1e-3) / np.sqrt(squared + 1e-3) * g
    got = call("Adadelta", W, M, V, G, LR, outputs=3, epsilon=1e-3, decay=0.9)
    check(got, w - 0.1 * step, squared, 0.9 * v + 0.1 * step**2)


def test_ftrl_with_the_rate_as_argument_or_input():
    new, n, z = ftrl(w, m, v, g)
    sums = np.stack([M, V], axis=-1)
    check(call("Ftrl", W, sums, G, outputs=2, **FTRL), new, np.stack([n, z], axis=-1))
    by_input = call("Ftrl", W, sums, G, np.float32([0.05]), outputs=2, **{**FTRL, "alpha": 99.0})
    check(by_input, new, np.stack([n, z], axis=-1))


def test_group_ftrl_zeroes_whole_columns():
    _, n, z = ftrl(w, m, v, g)
    norm = np.sqrt((z**2).sum(axis=0))
    bound = float(np.sort(norm)[1] + np.sort(norm)[2]) / 2  # two columns of four fall
    l1 = bound / np.sqrt(5)
    want = np.where(norm <= bound, 0, z * (bound / norm - 1) / ((0.5 + np.sqrt(n)) / 0.05 + 0.02))
    got = call("GFtrl", W, np.stack([M, V], axis=-1), G, outputs=2, **{**FTRL, "lambda1": float(l1)})
    check(got, want, np.stack([n, z], axis=-1))
    assert (got[0] == 0).all(axis=0).sum() == 2


def test_wngrad():
    divisor = 2.0 + 1e-3
    got = call("Wngrad", W, np.float32([2]), G, LR, outputs=4, epsilon=1e-3)
    check(got, w - 0.1 * g / divisor, [2 + (g**2).sum() / divisor], [-0.1 / divisor], -0.1 * g / divisor)


def test_storm():
    total = 3 + (g**2).sum()
    rate = -0.1 * (0.1 + total) ** (-1 / 3)
    kept = g + (1 - 10 * rate**2) * (m - g)
    got = call("Storm", W, M, np.float32([3]), G, LR, outputs=3)
    check(got, w + rate * kept, kept, [total])


SHAPES = [(3,), (2, 3), (2, 1, 4), (0, 3)]


def drawn(shape, seed, count):
    """A gradient of either sign, and what is never negative."""
    random = np.random.default_rng(seed)
    first = random.normal(size=shape).astype(np.float32)
    return first, *(random.uniform(0.1, 2, shape).astype(np.float32) for _ in range(count))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_sweep_of_the_settings(shape, seed):
    random = np.random.default_rng(seed)
    grad, param, first, second = drawn(shape, seed, 3)
    a, p, f, s = (x.astype(np.float64) for x in (grad, param, first, second))
    decay, momentum = (round(float(x), 2) for x in random.uniform(0.1, 0.95, 2))
    epsilon, rate = float(random.choice([1e-2, 1e-3])), np.float32([random.uniform(-0.5, 0.5)])
    lr = float(rate[0])

    squares = f + (1 - decay) * (a**2 - f)
    step = momentum * s + lr * a / np.sqrt(squares + epsilon)
    settings = {"decay": decay, "momentum": momentum, "epsilon": epsilon}
    check(call("RmsProp", grad, first, second, rate, outputs=3, **settings), step, squares, step)

    squared = decay * f + (1 - decay) * a**2
    step = np.sqrt(s + epsilon) / np.sqrt(squared + epsilon) * a
    got = call("Adadelta", param, first, second, grad, rate, outputs=3, epsilon=epsilon, decay=decay)
    check(got, p + lr * step, squared, decay * s + (1 - decay) * step**2)

    names = dict(zip(("alpha", "beta", "lambda1", "lambda2"), random.uniform(0.05, 1, 4).tolist(), strict=True))
    new, n, z = ftrl(p, f, s, a, *names.values())
    got = call("Ftrl", param, np.stack([first, second], axis=-1), grad, outputs=2, **names)
    check(got, new, np.stack([n, z], axis=-1))

    divisor = 1.5 + epsilon
    got = call("Wngrad", param, np.float32([1.5]), grad, rate, outputs=4, epsilon=epsilon)
    check(got, p + lr * a / divisor, [1.5 + (a**2).sum() / divisor], [lr / divisor], lr / divisor * a)

    total = 2 + (a**2).sum()
    effective = lr * (decay + total) ** (-1 / 3)
    kept = a + (1 - momentum * effective**2) * (f - a)
    got = call("Storm", param, first, np.float32([2]), grad, rate, outputs=3, momentum=momentum, beta=decay)
    check(got, p + effective * kept, kept, [total])
