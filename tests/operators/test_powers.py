"""Powers against numpy in double precision, and what their gradients are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import TypeMismatch, UnsafeInplace
from c2lab.operators.gradients import make_gradient
from c2lab.proto.arguments import argument_value
from tests.operators.calls import call, check_formula, gradients, operator_def, wiring

erf = np.vectorize(math.erf)


# type, arguments, where the values are drawn, formula, derivative (None: no gradient).
FORMULAS = [
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
]
NAMES = [f"{type}-{arguments}-{span}" for type, arguments, span, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "span", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, span, formula, slope):
    x = np.random.default_rng(len(type)).uniform(*span, (4, 9)).astype(np.float32)
    check_formula(type, x, formula, slope, **arguments)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_types_stay_what_they_are(dtype):
    assert call("Cube", np.ones(3, dtype)).dtype == dtype
    for type, takes in (("Sqrt", [np.float32, np.float64]), ("Exp", [np.float32])):
        if dtype in takes:
            assert call(type, np.ones(3, dtype)).dtype == dtype
        else:
            with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
                call(type, np.ones(3, dtype))


def test_edges_of_the_domain_give_inf_and_nan():
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(call("Log", np.float32([0, -1])), [-np.inf, np.nan])
        np.testing.assert_array_equal(call("Sqrt", np.float32([-1, 0])), [np.nan, 0])
        np.testing.assert_array_equal(call("Reciprocal", np.float32([0])), [np.inf])
        np.testing.assert_array_equal(call("Rsqrt", np.float32([0])), [np.inf])


@pytest.mark.parametrize("type", ["Cube", "Erf"])
def test_in_place_is_refused_where_the_input_is_needed(type):
    with pytest.raises(UnsafeInplace):
        call(type, np.ones(2, np.float32), inplace=True)


# What the original's gradient makers emit.
WIRES = {
    "Cbrt": [("CbrtGradient", ["GO0", "O0"], ["I0_grad"])],
    "Cube": [("CubeGradient", ["GO0", "I0"], ["I0_grad"])],
    "Erf": [("ErfGradient", ["I0", "GO0"], ["I0_grad"])],
    "Exp": [("Mul", ["O0", "GO0"], ["I0_grad"])],
    "Log": [("Div", ["GO0", "I0"], ["I0_grad"])],
    "Reciprocal": [("ReciprocalGradient", ["O0", "GO0"], ["I0_grad"])],
    "Rsqrt": [("RsqrtGradient", ["GO0", "O0"], ["I0_grad"])],
    "Sqr": [("Scale", ["GO0"], ["GO0"]), ("Mul", ["GO0", "I0"], ["I0_grad"])],
    "Sqrt": [("Scale", ["GO0"], ["I0_grad"]), ("Div", ["I0_grad", "O0"], ["I0_grad"])],
}


@pytest.mark.parametrize("type", WIRES)
def test_gradient_wiring(type):
    assert wiring(type, 1) == (WIRES[type], ["I0_grad"])


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
