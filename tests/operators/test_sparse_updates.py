"""Sparse updates against the same update, one row after another."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue, NotSupported, ShapeMismatch, TypeMismatch, UnsafeInplace
from tests.operators.calls import call
from tests.operators.update_formulas import CLOSE, INDICES, LR, M, W, check, m, one_by_one, slices_for, sparse, w


@pytest.mark.parametrize("indices", INDICES)
def test_scatter_weighted_sum(indices):
    first, second = slices_for(indices), slices_for(indices)
    want = w.copy()
    for row in indices:
        want[row] *= 0.5
    for row, a, b in zip(indices, first, second, strict=True):
        want[row] += 2.0 * a - b
    got = call(
        "ScatterWeightedSum", W, np.float32([0.5]), indices, first, np.float32([2]), second, np.float32([-1]),
        inplace=True,
    )  # fmt: skip
    np.testing.assert_allclose(got, want, **CLOSE)


@pytest.mark.parametrize("indices", INDICES)
@pytest.mark.parametrize("nesterov", [0, 1])
def test_sparse_momentum(indices, nesterov):
    slopes = slices_for(indices)

    def step(moment, weights, slope):
        new = 0.9 * moment + 0.1 * slope
        change = 1.9 * new - 0.9 * moment if nesterov else new
        return new, weights - change, change

    (moment, weights), change = one_by_one(indices, [m, w], slopes, step)
    got = sparse(
        "SparseMomentumSGDUpdate",
        {"grad": slopes, "m": M, "lr": np.float32([0.1]), "w": W},
        indices,
        order=["grad", "m", "lr", "w", "indices"],
        inplace=["grad", "m", "w"],
        outputs=3,
        momentum=0.9,
        nesterov=nesterov,
    )
    check(got, change, moment, weights)


@pytest.mark.parametrize("indices", INDICES)
def test_sparse_adagrad(indices):
    slopes = slices_for(indices)

    def step(weights, total, slope):
        slope = slope + 0.1 * weights
        total = total + slope**2
        return weights - 0.1 * slope / (np.sqrt(total) + 1e-3), total, 0

    arrays = {"w": W, "h": M, "grad": slopes, "lr": LR}
    order, inplace = ["w", "h", "indices", "grad", "lr"], ["w", "h"]
    got = sparse("SparseAdagrad", arrays, indices, order=order, inplace=inplace, outputs=2, epsilon=1e-3,
                 weight_decay=0.1)  # fmt: skip
    check(got, *one_by_one(indices, [w, m], slopes, step)[0])
    with pytest.raises(NotSupported, match="decay"):
        sparse("SparseAdagrad", arrays, indices, order=order, inplace=inplace, outputs=2, decay=0.5)

    def row_wise(weights, total, slope):
        total = total + (slope**2).mean()
        return weights - 0.1 * slope / (np.sqrt(total) + 1e-3), total, 0

    got = sparse("RowWiseSparseAdagrad", {**arrays, "h": M[:, 0]}, indices, order=order, inplace=inplace, outputs=2,
                 epsilon=1e-3)  # fmt: skip
    check(got, *one_by_one(indices, [w, m[:, 0]], slopes, row_wise)[0])


def test_sparse_updates_of_no_rows_change_nothing():
    got = sparse(
        "SparseAdagrad",
        {"w": W, "h": M, "grad": np.zeros((0, 4), np.float32), "lr": LR},
        np.zeros((0,), np.int32),
        order=["w", "h", "indices", "grad", "lr"],
        inplace=["w", "h"],
        outputs=2,
    )
    check(got, W, M)


def test_sparse_updates_refuse_what_does_not_fit():
    arrays = {"w": W, "h": M, "grad": slices_for([0]), "lr": LR}
    order = ["w", "h", "indices", "grad", "lr"]
    with pytest.raises(BadValue, match="has 5 rows"):
        sparse("SparseAdagrad", arrays, np.int32([5]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(ShapeMismatch, match="2 rows"):
        sparse("SparseAdagrad", arrays, np.int32([1, 2]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(TypeMismatch):
        sparse("SparseAdagrad", arrays, np.float32([1]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(UnsafeInplace):
        sparse("SparseAdagrad", arrays, np.int32([1]), order=order, inplace=["a", "b"], outputs=2)
