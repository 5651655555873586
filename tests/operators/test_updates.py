"""Dense updates against formulas written once more, in float64 numpy."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.update_formulas import CLOSE, ITER, LR, G, M, V, W, adam, check, g, m, w


def test_weighted_sum_and_its_gradient():
    got = call("WeightedSum", W, np.float32([2]), G, np.float32(-3))
    np.testing.assert_allclose(got, 2 * w - 3 * g, **CLOSE)
    dense = gradients("WeightedSum", [W, np.float32([2]), G, np.float32([-3])], [M])
    assert dense[1] is None
    np.testing.assert_allclose(dense[2], -3 * m, **CLOSE)
    full = gradients("WeightedSum", [W, np.float32([2]), G, np.float32([-3])], [M], grad_on_w=True)
    np.testing.assert_allclose(full[3], [(m * g).sum()], **CLOSE)
    assert wiring("WeightedSum", 2)[0] == [("WeightedSumGradient", ["GO0", "I0", "I1"], ["I0_grad"])]
    with pytest.raises(ShapeMismatch):
        call("WeightedSum", W, np.float32([1]), G[:3], np.float32([1]))
    with pytest.raises(TypeMismatch):
        call("WeightedSum", W, np.float32([1]), g, np.float32([1]))


@pytest.mark.parametrize("nesterov", [0, 1])
def test_momentum(nesterov):
    rate = np.float32([0.1])
    new = 0.9 * m + 0.1 * g
    step = 1.9 * new - 0.9 * m if nesterov else new
    options = {"momentum": 0.9, "nesterov": nesterov}
    check(call("MomentumSGD", G, M, rate, outputs=2, **options), step, new)
    check(call("MomentumSGDUpdate", G, M, rate, W, outputs=3, **options), step, new, w - step)


def test_adagrad():
    full = g + 0.1 * w
    total = 0.5 * m + full**2
    rate = -0.1 / (np.sqrt(total) + 1e-3)
    got = call("Adagrad", W, M, G, LR, outputs=4, epsilon=1e-3, decay=0.5, weight_decay=0.1)
    check(got, w + rate * full, total, rate, rate * full)


def test_adam():
    got = call("Adam", W, M, V, G, LR, ITER, outputs=4, beta1=0.8, beta2=0.95, epsilon=1e-3)
    check(got, *adam())
