"""What rescales and tunes steps, against formulas written once more in float64 numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.operators.calls import call
from tests.operators.update_formulas import CLOSE, LR, RNG, G, M, W, g, lr, m, w, yellow_fin


def test_yellow_fin_over_five_steps():
    start = [W, np.zeros_like(W), np.float32([0.1]), np.float32([0.2]), np.zeros(3), np.zeros_like(W),
             np.zeros_like(W), np.zeros(5)]  # fmt: skip
    ours = [np.asarray(value, np.float32) for value in start]
    theirs = [np.asarray(value, np.float64) for value in start]
    for t in range(1, 6):
        slope = RNG.normal(size=W.shape).astype(np.float32)
        ours = call("YellowFin", *ours, slope, np.int64([t]), outputs=8, beta=0.9, curv_win_width=3)
        theirs = yellow_fin(theirs, slope.astype(np.float64), t)
        for number, (value, want) in enumerate(zip(ours, theirs, strict=True)):
            np.testing.assert_allclose(value, want, rtol=1e-3, atol=1e-4, err_msg=f"step {t}, output {number}")


def test_lars_clamps_and_rests_without_a_slope():
    ratio = np.sqrt((g**2).sum()) / np.sqrt((w**2).sum())
    one = np.float32([1])
    got = call("Lars", W, G, np.float32([0.01]), np.float32([0.1]), one, offset=0.5, lr_min=0.02)
    np.testing.assert_allclose(got, [0.1 / (ratio + 0.01 + 0.5)], **CLOSE)
    assert call("Lars", W, G, one, np.float32([99]), one)[0] == 1
    assert call("Lars", W, G, one, np.float32([0]), one, lr_min=0.25)[0] == 0.25


def test_learning_rate_adaption():
    cosine = (g * m).sum() / np.sqrt((g**2).sum() * (m**2).sum())
    np.testing.assert_allclose(call("LearningRateAdaption", LR, G, M, lr_alpha=0.5), lr * (1 - 0.5 * cosine), **CLOSE)
    plain = call("LearningRateAdaption", LR, G, M, lr_alpha=0.5, normalized_lr_adaption=False)
    np.testing.assert_allclose(plain, lr - 0.5 * (g * m).sum(), **CLOSE)


@pytest.mark.parametrize(("value", "factor"), [(0.5, 1), (2.0, 1), (4.0, 0.5)])
def test_clip_by_scaling(value, factor):
    np.testing.assert_allclose(call("ClipTensorByScaling", W, np.float32(value), threshold=2.0), factor * w, **CLOSE)
    doubled = call("ClipTensorByScaling", W, np.float32(value), np.float32([2]), threshold=1.0)
    np.testing.assert_allclose(doubled, factor * w, **CLOSE)


@pytest.mark.parametrize(("iteration", "scaled"), [(8, False), (9, True), (10, False), (29, False)])
def test_weight_scale(iteration, scaled):
    got = call("WeightScale", W, np.int64([iteration]), stepsize=10, upper_bound_iter=25, scale=0.5)
    np.testing.assert_allclose(got, w * (0.5 if scaled else 1), **CLOSE)
