"""Functions of one tensor against numpy in double precision, their types and edges."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, TypeMismatch, UnsafeInplace
from tests.operators.calls import call, check_formula, gradients, wiring

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
]
NAMES = [f"{type}-{arguments}-{span}" for type, arguments, span, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "span", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, span, formula, slope):
    x = np.random.default_rng(len(type)).uniform(*span, (4, 9)).astype(np.float32)
    check_formula(type, x, formula, slope, **arguments)


@pytest.mark.parametrize("shape", [(), (0, 3), (1,)])
@pytest.mark.parametrize("type", ["Abs", "Scale", "Clip", "Negative"])
def test_any_shape_goes(type, shape):
    x = np.ones(shape, np.float32)
    assert call(type, x).shape == shape
    assert gradients(type, [x], [x])[0].shape == shape


@pytest.mark.parametrize(
    ("type", "dtypes"),
    [
        ("Negative", ["int32", "int64", "float32", "float64"]),
        ("Sign", ["int32", "int64", "float32", "float64"]),
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


@pytest.mark.parametrize("type", ["Abs", "Sign"])
def test_in_place_is_refused_where_the_input_is_needed(type):
    with pytest.raises(UnsafeInplace):
        call(type, np.ones(2, np.float32), inplace=True)


def test_gradient_wiring():
    """What the original's gradient makers emit."""
    assert wiring("Abs", 1) == ([("AbsGradient", ["I0", "GO0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("Clip", 1) == ([("ClipGradient", ["O0", "GO0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("Negative", 1) == ([("Negative", ["GO0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("Scale", 1) == ([("Scale", ["GO0"], ["I0_grad"])], ["I0_grad"])
    for type in ("ScaleBlobs", "Mod", "IsNaN"):
        assert wiring(type, 1) == ([], [None])
