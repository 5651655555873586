"""Activations against formulas in numpy, and their rules at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, TypeMismatch
from tests.operators.calls import call, check_formula, gradients, wiring


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


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
]  # fmt: skip
NAMES = [f"{type}-{arguments}" for type, arguments, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, formula, slope):
    """On 60 seeded values away from the corners."""
    x = np.random.default_rng(len(type)).uniform(-4, 4, (5, 12)).astype(np.float32)
    x[np.abs(x) < 0.05] += 0.1
    check_formula(type, x, formula, slope, **arguments)


INPLACE = ["Relu", "ReluN", "LeakyRelu", "ThresholdedRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "Tanh"]


@pytest.mark.parametrize("type", INPLACE)
def test_in_place_is_the_same_forward_and_backward(type):
    """The gradient reads the output, so that the input may be overwritten."""
    x = np.float32([-2, -0.5, 0.25, 3])
    dy = np.float32([1, 2, 3, 4])
    np.testing.assert_array_equal(call(type, x, inplace=True), call(type, x))
    np.testing.assert_array_equal(gradients(type, [x], [dy], inplace=True)[0], gradients(type, [x], [dy])[0])


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


@pytest.mark.parametrize("type", ["Relu", "LeakyRelu", "Tanh", "Sigmoid", "Elu"])
def test_nan_stays_nan_and_nothing_overflows(type):
    y = call(type, np.float32([np.nan, 1e4, -1e4]))
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()


@pytest.mark.parametrize("type", ["Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "Selu"])
@pytest.mark.parametrize("dtype", [np.int32, np.float16])
def test_other_types_are_refused(type, dtype):
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
        call(type, np.ones(3, dtype))


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


def test_float_arguments_are_strict():
    with pytest.raises(BadArgument, match="expected field f"):
        call("LeakyRelu", np.ones(2, np.float32), alpha=1)


# What the original's gradient makers emit.
BY_OUTPUT = ["Elu", "HardSigmoid", "LeakyRelu", "Relu", "ReluN", "Selu", "Sigmoid", "Tanh", "ThresholdedRelu"]


@pytest.mark.parametrize("type", BY_OUTPUT)
def test_gradient_wiring(type):
    assert wiring(type, 1) == ([(f"{type}Gradient", ["O0", "GO0"], ["I0_grad"])], ["I0_grad"])


def test_gradient_wiring_of_prelu():
    grads = ["I0_grad", "I1_grad"]
    assert wiring("PRelu", 2) == ([("PReluGradient", ["O0", "GO0", "I0", "I1"], grads)], grads)
