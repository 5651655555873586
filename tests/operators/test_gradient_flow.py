"""Operators that leave values alone and change what comes back."""

from __future__ import annotations

import numpy as np

from tests.operators.calls import call, gradients, wiring


def test_negate_gradient_turns_the_sign():
    x, dy = np.float32([1, -2]), np.float32([3, 4])
    np.testing.assert_array_equal(call("NegateGradient", x, inplace=True), x)
    np.testing.assert_array_equal(gradients("NegateGradient", [x], [dy])[0], -dy)
    assert wiring("NegateGradient", 1) == ([("Negative", ["GO0"], ["I0_grad"])], ["I0_grad"])


def test_zero_gradient_gives_zeros():
    (dx,) = gradients("ZeroGradient", [np.float32([[1, -2]])], [])
    np.testing.assert_array_equal(dx, np.zeros((1, 2), np.float32))
    assert wiring("ZeroGradient", 1, 0) == ([("ConstantFill", ["I0"], ["I0_grad"])], ["I0_grad"])
