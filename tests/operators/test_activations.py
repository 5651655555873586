"""Activations and gates against formulas in numpy, and their rules at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadArgument, TypeMismatch, UnsafeInplace
from tests.operators.calls import call, gradients, wiring

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
    ("Relu", {}, lambda x: np.maximum(x, 0), lambda x: x > 0),
    ("ReluN", {}, lambda x: np.clip(x, 0, 6), lambda x: (x > 0) & (x < 6)),
    ("ReluN", {"n": 1.5}, lambda x: np.clip(x, 0, 1.5), lambda x: (x > 0) & (x < 1.5)),
    ("LeakyRelu", {}, lambda x: np.where(x >= 0, x, 0.01 * x), lambda x: np.where(x >= 0, 1, 0.01)),
    ("LeakyRelu", {"alpha": 0.25}, lambda x: np.where(x >= 0, x, x / 4), lambda x: np.where(x >= 0, 1, 0.25)),
    ("ThresholdedRelu", {}, lambda x: np.where(x > 1, x, 0), lambda x: x > 1),
    ("ThresholdedRelu", {"alpha": 0.5}, lambda x: np.where(x > 0.5, x, 0), lambda x: x > 0.5),
    ("Elu", {}, lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    ("Elu", {"alpha": 0.5}, lambda x: np.where(x > 0, x, np.expm1(x) / 2), lambda x: np.where(x > 0, 1, np.exp(x) / 2)),
    (
        "Selu", {},
        lambda x: 1.0507 * np.where(x > 0, x, 1.67326 * np.expm1(x)),
        lambda x: 1.0507 * np.where(x > 0, 1, 1.67326 * np.exp(x)),
    ),
    (
        "Selu", {"alpha": 1.5, "scale": 2.0},
        lambda x: np.where(x > 0, 2 * x, 3 * np.expm1(x)),
        lambda x: np.where(x > 0, 2, 3 * np.exp(x)),
    ),
    ("Sigmoid", {}, sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    ("HardSigmoid", {}, lambda x: np.clip(0.2 * x + 0.5, 0, 1), lambda x: 0.2 * (np.abs(x) < 2.5)),
    (
        "HardSigmoid", {"alpha": 1.0, "beta": 0.0},
        lambda x: np.clip(x, 0, 1),
        lambda x: (x > 0) & (x < 1),
    ),
    ("Tanh", {}, np.tanh, lambda x: 1 / np.cosh(x) ** 2),
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
    draw = np.random.default_rng(len(type))
    x = draw.uniform(-4, 4, (5, 12)).astype(np.float32)
    x[np.abs(x) < 0.05] += 0.1
    dy = draw.normal(size=x.shape).astype(np.float32)
    y = call(type, x, **arguments)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, formula(x.astype(np.float64)), rtol=1e-4, atol=1e-5)
    (dx,) = gradients(type, [x], [dy], **arguments)
    np.testing.assert_allclose(dx, slope(x.astype(np.float64)) * dy, rtol=1e-4, atol=1e-5)


INPLACE = ["Relu", "ReluN", "LeakyRelu", "ThresholdedRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "Tanh", "Softplus"]


@pytest.mark.parametrize("type", INPLACE)
def test_in_place_is_the_same_forward_and_backward(type):
    """The gradient reads the output, so that the input may be overwritten."""
    x = np.float32([-2, -0.5, 0.25, 3])
    dy = np.float32([1, 2, 3, 4])
    np.testing.assert_array_equal(call(type, x, inplace=True), call(type, x))
    np.testing.assert_array_equal(gradients(type, [x], [dy], inplace=True)[0], gradients(type, [x], [dy])[0])


@pytest.mark.parametrize("type", ["Gelu", "Swish", "Mish", "Glu"])
def test_in_place_is_refused_where_the_input_is_needed(type):
    with pytest.raises(UnsafeInplace, match=f"{type} may not write output 0 over its input 0"):
        call(type, np.ones(2, np.float32), inplace=True)


@pytest.mark.parametrize(
    ("type", "arguments", "x", "slope"),
    [
        ("Relu", {}, 0.0, 0.0),
        ("ReluN", {"n": 1.0}, 1.0, 0.0),
        ("LeakyRelu", {"alpha": 0.5}, 0.0, 1.0),
        # With slope 0 the output tells nothing of the input's sign: it counts as the positive side.
        ("LeakyRelu", {"alpha": 0.0}, -1.0, 1.0),
        ("ThresholdedRelu", {"alpha": 0.5}, 0.5, 0.0),
        ("HardSigmoid", {}, 2.5, 0.0),
        ("HardSigmoid", {}, -2.5, 0.0),
    ],
)
def test_gradient_at_the_corner(type, arguments, x, slope):
    (dx,) = gradients(type, [np.float32([x])], [np.float32([3])], **arguments)
    assert dx[0] == pytest.approx(3 * slope)


@pytest.mark.parametrize("type", ["Relu", "LeakyRelu", "Tanh", "Sigmoid", "Elu", "Softplus", "Swish"])
def test_nan_stays_nan_and_nothing_overflows(type):
    y = call(type, np.float32([np.nan, 1e4, -1e4]))
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()


@pytest.mark.parametrize("type", ["Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "Selu", "Gelu", "Swish"])
@pytest.mark.parametrize("dtype", [np.int32, np.float16])
def test_other_types_are_refused(type, dtype):
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
        call(type, np.ones(3, dtype))


def test_mish_also_takes_doubles():
    assert call("Mish", np.ones(3)).dtype == np.float64


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", [1, 3])
def test_prelu_slope_for_all_or_for_each_channel(order, channels):
    draw = np.random.default_rng(channels)
    x = draw.normal(size=(2, 3, 4, 3)).astype(np.float32)
    slope = draw.uniform(0.1, 0.9, channels).astype(np.float32)
    dy = draw.normal(size=x.shape).astype(np.float32)
    along = slope.reshape((1, -1, 1, 1) if order == "NCHW" else (1, 1, 1, -1))
    np.testing.assert_allclose(call("PRelu", x, slope, order=order), np.where(x > 0, x, along * x), rtol=1e-5)
    dx, dslope = gradients("PRelu", [x, slope], [dy], order=order)
    np.testing.assert_allclose(dx, np.where(x > 0, dy, along * dy), rtol=1e-5)
    low = np.where(x > 0, 0, dy * x)
    want = low.sum() if channels == 1 else low.sum((0, 2, 3) if order == "NCHW" else (0, 1, 2))
    np.testing.assert_allclose(dslope, np.reshape(want, slope.shape), rtol=1e-4, atol=1e-5)


def test_prelu_says_what_slope_should_be():
    with pytest.raises(RuntimeError, match=r"Slope is \(2,\) but X is \(4, 3\) in NCHW; Slope must be \(1,\) or one"):
        call("PRelu", np.ones((4, 3), np.float32), np.ones(2, np.float32))


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


def test_float_arguments_are_strict():
    with pytest.raises(BadArgument, match="expected field f"):
        call("LeakyRelu", np.ones(2, np.float32), alpha=1)


# What the original's gradient makers emit.
BY_OUTPUT = [
    "Elu",
    "HardSigmoid",
    "LeakyRelu",
    "Relu",
    "ReluN",
    "Selu",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "ThresholdedRelu",
]
WIRES = {
    **{type: ["O0", "GO0"] for type in BY_OUTPUT},
    "Gelu": ["GO0", "I0"],
    "Logit": ["I0", "GO0"],
    "Mish": ["I0", "O0", "GO0"],
    "Softsign": ["I0", "GO0"],
    "Swish": ["I0", "O0", "GO0"],
}


@pytest.mark.parametrize("type", WIRES)
def test_gradient_wiring(type):
    assert wiring(type, 1) == ([(f"{type}Gradient", WIRES[type], ["I0_grad"])], ["I0_grad"])


def test_gradient_wiring_of_prelu_and_glu():
    grads = ["I0_grad", "I1_grad"]
    assert wiring("PRelu", 2) == ([("PReluGradient", ["O0", "GO0", "I0", "I1"], grads)], grads)
    assert wiring("Glu", 1) == ([], [None])
