"""Comparisons and logic: answers, broadcasting, types, and that they have no gradient."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import NoGradient, TypeMismatch, UnsafeInplace
from tests.operators.calls import call, wiring

COMPARISONS = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
LOGIC = {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}
BITS = {"BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor}
EVERY = {**COMPARISONS, **LOGIC, **BITS}


def values(seed, shape, dtype):
    return np.random.default_rng(seed).integers(0, 2 if dtype is np.bool_ else 5, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("type", COMPARISONS)
def test_comparisons(type, dtype):
    a, b = values(1, (3, 4), dtype), values(2, (4,), dtype)
    c = call(type, a, b)
    assert c.dtype == np.bool_
    np.testing.assert_array_equal(c, COMPARISONS[type](a, b))


@pytest.mark.parametrize("type", LOGIC)
def test_logic(type):
    a, b = np.array([[True], [False]]), np.array([True, False])
    np.testing.assert_array_equal(call(type, a, b), LOGIC[type](a, b))
    np.testing.assert_array_equal(call(type, b, b, inplace=True), LOGIC[type](b, b))


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.int64])
@pytest.mark.parametrize("type", BITS)
def test_bits(type, dtype):
    a, b = values(3, (2, 5), dtype), values(4, (5,), dtype)
    c = call(type, a, b)
    assert c.dtype == dtype
    np.testing.assert_array_equal(c, BITS[type](a, b))


@pytest.mark.parametrize("type", EVERY)
def test_older_broadcasting_rule(type):
    dtype = np.bool_ if type in LOGIC else np.int32
    a, b = values(5, (2, 3, 4), dtype), values(6, (3,), dtype)
    np.testing.assert_array_equal(call(type, a, b, broadcast=1, axis=1), EVERY[type](a, b[:, None]))


def test_not():
    np.testing.assert_array_equal(call("Not", np.array([[True, False]])), [[False, True]])


@pytest.mark.parametrize(
    ("type", "dtype"),
    [("And", np.int32), ("Xor", np.float32), ("Not", np.int32), ("BitwiseOr", np.float32), ("EQ", np.int8)],
)
def test_types_that_are_refused(type, dtype):
    inputs = [np.ones(2, dtype)] * (1 if type == "Not" else 2)
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor"):
        call(type, *inputs)


def test_types_are_not_mixed():
    with pytest.raises(TypeMismatch, match="caller expects elements to be long, while tensor contains int"):
        call("LT", np.int64([1]), np.int32([1]))


def test_nan_equals_nothing():
    nan = np.float32([np.nan])
    assert not call("EQ", nan, nan)[0]
    assert call("NE", nan, nan)[0]


@pytest.mark.parametrize("type", COMPARISONS)
def test_in_place_is_refused_since_the_type_changes(type):
    with pytest.raises(UnsafeInplace):
        call(type, np.ones(2, np.float32), np.ones(2, np.float32), inplace=True)


@pytest.mark.parametrize("type", [*EVERY, "Not"])
def test_gradient_refused(type):
    with pytest.raises(NoGradient, match=f"One should not call gradient for operator {type}"):
        wiring(type, 1 if type == "Not" else 2)
