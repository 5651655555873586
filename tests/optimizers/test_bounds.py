"""Bounds that hold after each update."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.optimizers import bounds
from tests.optimizers.regularized import W, after_update, penalty


def test_a_range():
    np.testing.assert_array_equal(
        after_update(bounds.BoundedGradientProjection(lb=-1, ub=0.75)), np.clip(W, -1, np.float32(0.75))
    )
    np.testing.assert_array_equal(after_update(bounds.BoundedGradientProjection(ub=0)), np.minimum(W, 0))
    open_range = bounds.BoundedGradientProjection(lb=0, ub=1, left_open=True, right_open=True, epsilon=0.25)
    np.testing.assert_array_equal(after_update(open_range), np.clip(W, 0.25, 0.75))


def test_a_range_for_the_rows_of_a_sparse_gradient():
    expected = W.copy()
    expected[1] = np.clip(W[1], -1, 1)
    np.testing.assert_array_equal(after_update(bounds.BoundedGradientProjection(lb=-1, ub=1), rows=[1]), expected)


def test_ranges_that_are_empty():
    with pytest.raises(AssertionError, match="nothing is between"):
        bounds.BoundedGradientProjection(lb=1, ub=0)
    with pytest.raises(AssertionError, match="invalid eps"):
        bounds.BoundedGradientProjection(epsilon=-1)


def test_a_barrier_keeps_values_positive():
    w = np.array([[0.5, 2.0], [1.0, 4.0]], np.float32)
    name, value = penalty(bounds.LogBarrier(0.5, "inv", {"gamma": 1.0, "power": 1.0}), w)
    assert name == "w_log_barrier"
    # The counter is at 1: the discount is 1 / (1 + 1).
    np.testing.assert_allclose(value, -0.5 / 2 * np.log(w).sum(), rtol=1e-5)
    assert (after_update(bounds.LogBarrier(0.5)) > 0).all()
    with pytest.raises(AssertionError, match="greater than 0"):
        bounds.LogBarrier(0)


@pytest.mark.parametrize(
    ("regularizer", "length"), [(bounds.MaxNorm(2.0), np.minimum), (bounds.ConstantNorm(2.0), lambda a, b: b)]
)
def test_lengths_of_rows(regularizer, length):
    norms = np.linalg.norm(W, axis=1)
    seen = after_update(regularizer, rows=[0, 1])
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), length(norms, 2.0), rtol=1e-5)
    np.testing.assert_array_equal(after_update(regularizer, rows=[1])[0], W[0])
    with pytest.raises(NotImplementedError, match="not supported for dense"):
        after_update(regularizer)


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (bounds.SparseL1Norm(0.5), np.sign(W) * np.maximum(np.abs(W) - 0.5, 0)),
        (bounds.SparseL2Norm(0.5), W * (1 - 0.5)),
    ],
)
def test_rows_shrink(regularizer, expected):
    np.testing.assert_allclose(after_update(regularizer, rows=[0, 1]), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(NotImplementedError, match="not supported for dense"):
        after_update(regularizer)


def test_arguments_that_make_no_sense():
    with pytest.raises(AssertionError, match="p = 1"):
        bounds.SparseLpNorm(3.0, 1.0)
    with pytest.raises(AssertionError, match="greater than 0"):
        bounds.SparseL1Norm(0.0)
    with pytest.raises(AssertionError, match="bigger than 0"):
        after_update(bounds.MaxNorm(-1.0), rows=[0])
