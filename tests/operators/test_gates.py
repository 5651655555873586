"""Gates against formulas in numpy, and their rules at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import TypeMismatch, UnsafeInplace
from tests.operators.calls import call, check_formula, gradients, wiring

erf = np.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def bell(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def softplus(x):
    return np.log1p(np.exp(x))


def normal(x):
    return (1 + erf(x / math.sqrt(2))) / 2


def fast_normal(x):
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def fast_gelu_slope(x, step=1e-5):
    return ((x + step) * fast_normal(x + step) - (x - step) * fast_normal(x - step)) / (2 * step)


def mish_slope(x):
    return np.tanh(softplus(x)) + x * sigmoid(x) / np.cosh(softplus(x)) ** 2


# type, arguments, formula, derivative: float64 in, float64 out.
FORMULAS = [
    ("Softplus", {}, softplus, sigmoid),
    ("Softsign", {}, lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2),
    ("Gelu", {}, lambda x: x * normal(x), lambda x: normal(x) + x * bell(x)),
    ("Gelu", {"fast_gelu": True}, lambda x: x * fast_normal(x), fast_gelu_slope),
    ("Swish", {}, lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    ("Mish", {}, lambda x: x * np.tanh(softplus(x)), mish_slope),
]  # fmt: skip
NAMES = [f"{type}-{arguments}" for type, arguments, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, formula, slope):
    """On 60 seeded values away from the corners."""
    x = np.random.default_rng(len(type)).uniform(-4, 4, (5, 12)).astype(np.float32)
    x[np.abs(x) < 0.05] += 0.1
    check_formula(type, x, formula, slope, **arguments)


def test_softplus_in_place_is_the_same_forward_and_backward():
    x, dy = np.float32([-2, 0.25, 3]), np.float32([1, 2, 3])
    np.testing.assert_array_equal(call("Softplus", x, inplace=True), call("Softplus", x))
    np.testing.assert_array_equal(gradients("Softplus", [x], [dy], inplace=True), gradients("Softplus", [x], [dy]))


@pytest.mark.parametrize("type", ["Gelu", "Swish", "Mish", "Glu"])
def test_in_place_is_refused_where_the_input_is_needed(type):
    with pytest.raises(UnsafeInplace, match=f"{type} may not write output 0 over its input 0"):
        call(type, np.ones(2, np.float32), inplace=True)


@pytest.mark.parametrize("type", ["Softplus", "Swish", "Softsign"])
def test_nan_stays_nan_and_nothing_overflows(type):
    y = call(type, np.float32([np.nan, 1e4, -1e4]))
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()


@pytest.mark.parametrize("type", ["Gelu", "Swish", "Softplus"])
@pytest.mark.parametrize("dtype", [np.int32, np.float16])
def test_other_types_are_refused(type, dtype):
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
        call(type, np.ones(3, dtype))


def test_mish_also_takes_doubles():
    assert call("Mish", np.ones(3)).dtype == np.float64


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_glu_halves_a_dimension(dim):
    x = np.random.default_rng(3).normal(size=(4, 6)).astype(np.float32)
    a, b = np.split(x, 2, dim)
    np.testing.assert_allclose(call("Glu", x, dim=dim), a * sigmoid(b), rtol=1e-5)


def test_glu_needs_an_even_size():
    with pytest.raises(RuntimeError, match=r"X is \(3,\); its size along dimension 0 must be even"):
        call("Glu", np.ones(3, np.float32))


def test_logit_clamps_and_its_gradient_is_zero_outside():
    x = np.float32([0.0, 0.1, 0.5, 0.875, 1.0])
    clamped = np.clip(x, 0.125, 0.875)
    np.testing.assert_allclose(call("Logit", x, eps=0.125), np.log(clamped / (1 - clamped)), rtol=1e-5)
    (dx,) = gradients("Logit", [x], [np.ones(5, np.float32)], eps=0.125)
    np.testing.assert_allclose(dx, [0, 0, 4, 1 / (0.875 * 0.125), 0], rtol=1e-5)


# What the original's gradient makers emit.
WIRES = {
    "Gelu": ["GO0", "I0"],
    "Logit": ["I0", "GO0"],
    "Mish": ["I0", "O0", "GO0"],
    "Softplus": ["O0", "GO0"],
    "Softsign": ["I0", "GO0"],
    "Swish": ["I0", "O0", "GO0"],
}


@pytest.mark.parametrize("type", WIRES)
def test_gradient_wiring(type):
    assert wiring(type, 1) == ([(f"{type}Gradient", WIRES[type], ["I0_grad"])], ["I0_grad"])


def test_glu_has_no_gradient():
    assert wiring("Glu", 1) == ([], [None])
