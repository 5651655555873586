"""Rounding to half precision, and back."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import TypeMismatch
from tests.operators.calls import call, gradients

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


def test_there_and_back():
    half = call("FloatToHalf", X)
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, X.astype(np.float16))
    back = call("HalfToFloat", half)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, half.astype(np.float32))


def test_values_that_are_too_large():
    large = np.array([1e6, -1e6, 65504], np.float32)
    np.testing.assert_array_equal(call("FloatToHalf", large), np.array([np.inf, -np.inf, 65504], np.float16))
    np.testing.assert_array_equal(call("FloatToHalf", large, clip=True), np.array([65504, -65504, 65504], np.float16))


def test_gradients_go_the_other_way():
    (gradient,) = gradients("FloatToHalf", [X], [X.astype(np.float16)])
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, X.astype(np.float16).astype(np.float32))
    (gradient,) = gradients("HalfToFloat", [X.astype(np.float16)], [X])
    assert gradient.dtype == np.float16


def test_other_types_are_refused():
    with pytest.raises(TypeMismatch, match="float32"):
        call("FloatToHalf", X.astype(np.float64))
    with pytest.raises(TypeMismatch, match="float16"):
        call("HalfToFloat", X)


def test_fills():
    got = call("Float16ConstantFill", value=1.5, shape=[2, 3])
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, np.full((2, 3), 1.5))
    got = call("Float16UniformFill", shape=[4000], min=-1.0, max=3.0)
    assert got.dtype == np.float16
    assert got.min() >= -1
    assert got.max() <= 3
    np.testing.assert_allclose([got.mean(dtype=np.float64), got.std(dtype=np.float64)], [1, 4 / 12**0.5], atol=0.1)
