"""Functions of one tensor (elementwise, powers, trigonometry) against numpy in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, TypeMismatch, UnsafeInplace
from c2lab.operators.gradients import make_gradient
from c2lab.proto.arguments import argument_value
from tests.operators.calls import call, gradients, operator_def, wiring

erf = np.vectorize(math.erf)

# type, arguments, where the values are drawn, formula, derivative (None: no gradient).
FORMULAS = [
    ("Abs", {}, (-3, 3), np.abs, np.sign),
    ("Negative", {}, (-3, 3), np.negative, lambda x: -np.ones_like(x)),
    ("Sign", {}, (-3, 3), np.sign, None),
    ("Scale", {"scale": -2.5}, (-3, 3), lambda x: -2.5 * x, lambda x: np.full_like(x, -2.5)),
    ("Scale", {}, (-3, 3), lambda x: x, np.ones_like),
    ("Clip", {"min": -1.0, "max": 1.5}, (-3, 3), lambda x: np.clip(x, -1, 1.5), lambda x: (x > -1) & (x < 1.5)),
    ("Clip", {"max": 0.5}, (-3, 3), lambda x: np.minimum(x, 0.5), lambda x: x < 0.5),
    ("Clip", {}, (-3, 3), lambda x: x, np.ones_like),
    ("Floor", {}, (-3, 3), np.floor, None),
    ("Ceil", {}, (-3, 3), np.ceil, None),
    ("Sqr", {}, (-3, 3), np.square, lambda x: 2 * x),
    ("Cube", {}, (-3, 3), lambda x: x**3, lambda x: 3 * x**2),
    ("Sqrt", {}, (0.1, 4), np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    ("Rsqrt", {}, (0.1, 4), lambda x: x**-0.5, lambda x: -0.5 * x**-1.5),
    ("Cbrt", {}, (0.1, 4), np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2)),
    ("Cbrt", {}, (-4, -0.1), np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2)),
    ("Reciprocal", {}, (0.3, 4), lambda x: 1 / x, lambda x: -1 / x**2),
    ("Exp", {}, (-3, 3), np.exp, np.exp),
    ("Log", {}, (0.1, 4), np.log, lambda x: 1 / x),
    ("Erf", {}, (-2, 2), erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
    ("Pow", {"exponent": 2.5}, (0.1, 3), lambda x: x**2.5, lambda x: 2.5 * x**1.5),
    ("Pow", {"exponent": -1.0}, (0.3, 3), lambda x: 1 / x, lambda x: -1 / x**2),
    ("Sin", {}, (-4, 4), np.sin, np.cos),
    ("Cos", {}, (-4, 4), np.cos, lambda x: -np.sin(x)),
    ("Tan", {}, (-1.3, 1.3), np.tan, lambda x: 1 / np.cos(x) ** 2),
    ("Asin", {}, (-0.9, 0.9), np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)),
    ("Acos", {}, (-0.9, 0.9), np.arccos, lambda x: -1 / np.sqrt(1 - x * x)),
    ("Atan", {}, (-4, 4), np.arctan, lambda x: 1 / (1 + x * x)),
    ("Sinh", {}, (-2, 2), np.sinh, np.cosh),
    ("Cosh", {}, (-2, 2), np.cosh, np.sinh),
]
NAMES = [f"{type}-{arguments}-{span}" for type, arguments, span, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "span", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, span, formula, slope):
    draw = np.random.default_rng(len(type))
    x = draw.uniform(*span, (4, 9)).astype(np.float32)
    dy = draw.normal(size=x.shape).astype(np.float32)
    y = call(type, x, **arguments)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, formula(x.astype(np.float64)), rtol=1e-4, atol=1e-5)
    if slope is not None:
        (dx,) = gradients(type, [x], [dy], **arguments)
        assert dx.dtype == np.float32
        np.testing.assert_allclose(dx, slope(x.astype(np.float64)) * dy, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(), (0, 3), (1,)])
@pytest.mark.parametrize("type", ["Abs", "Exp", "Sqr", "Clip", "Negative"])
def test_any_shape_goes(type, shape):
    x = np.ones(shape, np.float32)
    assert call(type, x).shape == shape
    assert gradients(type, [x], [x])[0].shape == shape


@pytest.mark.parametrize(
    ("type", "dtypes"),
    [
        ("Negative", ["int32", "int64", "float32", "float64"]),
        ("Sign", ["int32", "int64", "float32", "float64"]),
        ("Cube", ["int32", "int64", "float32", "float64"]),
        ("Sqrt", ["float32", "float64"]),
        ("Mod", ["int32", "int64"]),
        ("ReplaceNaN", ["float32", "float64"]),
    ],
)
def test_types_that_are_taken_stay_what_they_are(type, dtypes):
    arguments = {"divisor": 3} if type == "Mod" else {}
    for dtype in ["bool", "int8", "int32", "int64", "float16", "float32", "float64"]:
        if dtype in dtypes:
            assert call(type, np.ones(3, dtype), **arguments).dtype == dtype
        else:
            with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
                call(type, np.ones(3, dtype), **arguments)


def test_edges_of_the_domain_give_inf_and_nan():
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(call("Log", np.float32([0, -1])), [-np.inf, np.nan])
        np.testing.assert_array_equal(call("Sqrt", np.float32([-1, 0])), [np.nan, 0])
        np.testing.assert_array_equal(call("Reciprocal", np.float32([0])), [np.inf])
        np.testing.assert_array_equal(call("Rsqrt", np.float32([0])), [np.inf])
        np.testing.assert_array_equal(call("Asin", np.float32([2])), [np.nan])


def test_gradients_at_corners_are_zero():
    one = np.ones(1, np.float32)
    assert gradients("Abs", [0 * one], [one])[0] == 0
    assert gradients("Clip", [one], [one], min=-1.0, max=1.0)[0] == 0
    assert gradients("Clip", [-one], [one], min=-1.0, max=1.0)[0] == 0


def test_clip_with_crossed_edges_gives_the_lower_one():
    np.testing.assert_array_equal(call("Clip", np.float32([-5, 0, 5]), min=2.0, max=-2.0), [2, 2, 2])


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("divisor", [3, -3, 7, 2**40])
def test_remainder_follows_the_value_or_the_divisor(dtype, divisor):
    x = np.arange(-9, 10).astype(dtype)
    np.testing.assert_array_equal(call("Mod", x, divisor=divisor), np.fmod(x.astype(np.int64), divisor))
    if abs(divisor) < 2**31:
        want = np.mod(x.astype(np.int64), divisor)
        np.testing.assert_array_equal(call("Mod", x, divisor=divisor, sign_follow_divisor=True), want)


def test_division_by_zero_is_told_before_it_happens():
    with pytest.raises(BadArgument, match="divisor is 0; it must be another integer"):
        call("Mod", np.arange(3))


def test_what_is_no_number():
    x = np.float32([1, np.nan, np.inf])
    found = call("IsNaN", x)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [0, 1, 0])
    np.testing.assert_array_equal(call("ReplaceNaN", x, value=2.5), [1, 2.5, np.inf])
    np.testing.assert_array_equal(call("ReplaceNaN", x), [1, 0, np.inf])


def test_several_blobs_are_scaled_at_once():
    a, b = np.float32([1, 2]), np.ones((2, 2), np.float32)
    for got, value in zip(call("ScaleBlobs", a, b, outputs=2, scale=3.0), (a, b), strict=True):
        np.testing.assert_array_equal(got, 3 * value)


@pytest.mark.parametrize("type", ["Floor", "Ceil"])
def test_rounding_has_no_gradient_yet(type):
    with pytest.raises(NoGradient, match="should have a gradient but is not implemented yet"):
        wiring(type, 1)


@pytest.mark.parametrize("type", ["Sign", "ReplaceNaN"])
def test_gradient_refused(type):
    with pytest.raises(NoGradient, match=f"One should not call gradient for operator {type}"):
        wiring(type, 1)


@pytest.mark.parametrize("type", ["Abs", "Sin", "Cube", "Erf", "Sign"])
def test_in_place_is_refused_where_the_input_is_needed(type):
    with pytest.raises(UnsafeInplace):
        call(type, np.ones(2, np.float32), inplace=True)


# What the original's gradient makers emit.
WIRES = {
    **{type: ["I0", "GO0"] for type in ("Abs", "Acos", "Asin", "Atan", "Cos", "Erf", "Sin", "Tan")},
    **{type: ["GO0", "I0"] for type in ("Cosh", "Cube", "Sinh")},
    **{type: ["GO0", "O0"] for type in ("Cbrt", "Rsqrt")},
    **{type: ["O0", "GO0"] for type in ("Clip", "Reciprocal")},
}


@pytest.mark.parametrize("type", WIRES)
def test_gradient_wiring(type):
    assert wiring(type, 1) == ([(f"{type}Gradient", WIRES[type], ["I0_grad"])], ["I0_grad"])


OTHER_WIRES = {
    "Exp": [("Mul", ["O0", "GO0"], ["I0_grad"])],
    "Log": [("Div", ["GO0", "I0"], ["I0_grad"])],
    "Negative": [("Negative", ["GO0"], ["I0_grad"])],
    "Scale": [("Scale", ["GO0"], ["I0_grad"])],
    "Sqr": [("Scale", ["GO0"], ["GO0"]), ("Mul", ["GO0", "I0"], ["I0_grad"])],
    "Sqrt": [("Scale", ["GO0"], ["I0_grad"]), ("Div", ["I0_grad", "O0"], ["I0_grad"])],
}


@pytest.mark.parametrize("type", OTHER_WIRES)
def test_gradients_made_of_other_operators(type):
    assert wiring(type, 1) == (OTHER_WIRES[type], ["I0_grad"])


def test_gradient_wiring_of_power():
    ops, grads = wiring("Pow", 2)
    assert grads == ["I0_grad", "I1_grad"]
    assert ops == [
        ("ConstantFill", ["I1"], ["I1_grad"]),
        ("Sub", ["I1", "I1_grad"], ["I1_grad"]),
        ("Pow", ["I0", "I1_grad"], ["I0_grad"]),
        ("Mul", ["I0_grad", "GO0"], ["I0_grad"]),
        ("Mul", ["I0_grad", "I1"], ["I0_grad"]),
        ("Log", ["I0"], ["I1_grad_autogen_pre_red"]),
        ("Mul", ["I1_grad_autogen_pre_red", "O0"], ["I1_grad_autogen_pre_red"]),
        ("Mul", ["I1_grad_autogen_pre_red", "GO0"], ["I1_grad"]),
    ]
    assert wiring("Pow", 1, exponent=3.0) == (
        [
            ("Pow", ["I0"], ["I0_grad"]),
            ("Mul", ["I0_grad", "GO0"], ["I0_grad"]),
            ("Scale", ["I0_grad"], ["I0_grad"]),
        ],
        ["I0_grad"],
    )


def test_arguments_of_composed_gradients():
    (scale, _) = make_gradient(operator_def("Sqrt", 1), ["g"]).ops
    assert {a.name: argument_value(a) for a in scale.arg} == {"scale": 0.5}
    power, _, scale = make_gradient(operator_def("Pow", 1, exponent=3.0), ["g"]).ops
    assert {a.name: argument_value(a) for a in power.arg} == {"exponent": 2.0}
    assert {a.name: argument_value(a) for a in scale.arg} == {"scale": 3.0}
    assert all(op.is_gradient_op for op in (power, scale))


def test_power_in_place_finds_its_input_again():
    x = np.float32([1, 2, 3])
    (dx,) = gradients("Pow", [x], [np.ones(3, np.float32)], inplace=True, exponent=2.0)
    np.testing.assert_allclose(dx, 2 * x, rtol=1e-5)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_power_with_a_tensor_of_exponents(axis):
    draw = np.random.default_rng(0)
    x = draw.uniform(0.5, 2, (3, 4, 3)).astype(np.float32)
    e = draw.uniform(0.5, 2, (4, 3) if axis is None else (3, 4) if axis == 0 else (4,)).astype(np.float32)
    along = e.reshape((1, 4, 3) if axis is None else (3, 4, 1) if axis == 0 else (1, 4, 1)).astype(np.float64)
    arguments = {"broadcast": 1} if axis is None else {"broadcast": 1, "axis": axis}
    np.testing.assert_allclose(call("Pow", x, e, **arguments), x**along, rtol=1e-4)
    dy = draw.normal(size=x.shape).astype(np.float32)
    dx, de = gradients("Pow", [x, e], [dy], **arguments)
    np.testing.assert_allclose(dx, dy * along * x ** (along - 1), rtol=1e-4, atol=1e-5)
    want = dy * x**along * np.log(x)
    reduced = want.sum(0) if axis is None else want.sum(2) if axis == 0 else want.sum((0, 2))
    np.testing.assert_allclose(de, reduced, rtol=1e-4, atol=1e-5)
