"""Sparse Adam and its kin against the same update, one row after another."""

from __future__ import annotations

import numpy as np
import pytest

from tests.operators.update_formulas import (
    FTRL,
    INDICES,
    ITER,
    LR,
    M,
    V,
    W,
    check,
    ftrl,
    m,
    one_by_one,
    slices_for,
    sparse,
    v,
    w,
)


@pytest.mark.parametrize("indices", INDICES)
@pytest.mark.parametrize(("rectified", "iteration"), [(0, 3), (1, 0), (1, 50)])
def test_sparse_adam(indices, rectified, iteration):
    slopes, b1, b2, t = slices_for(indices), 0.8, 0.95, iteration + 1
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * t * b2**t / (1 - b2**t)

    def step(weights, first, second, slope):
        first = b1 * first + (1 - b1) * slope
        second = b2 * second + (1 - b2) * slope**2
        change = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + 1e-3)
        if rectified and length >= 5:
            change = change * np.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
        elif rectified:
            change = first / (1 - b1**t)
        return weights - 0.1 * change, first, second, change

    state, change = one_by_one(indices, [w, m, v], slopes, step)
    got = sparse(
        "SparseAdam",
        {"w": W, "m": M, "v": V, "grad": slopes, "lr": LR, "t": np.int64([iteration])},
        indices,
        order=["w", "m", "v", "indices", "grad", "lr", "t"],
        inplace=["w", "m", "v"],
        outputs=4,
        beta1=b1,
        beta2=b2,
        epsilon=1e-3,
        enableRAdam=bool(rectified),
    )
    check(got, *state, change)


@pytest.mark.parametrize("indices", INDICES)
def test_row_wise_sparse_adam(indices):
    slopes, b1, b2, t = slices_for(indices), 0.8, 0.95, 4

    def step(weights, first, second, slope):
        first = b1 * first + (1 - b1) * slope
        second = b2 * second + (1 - b2) * (slope**2).mean()
        change = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + 1e-3)
        return weights - 0.1 * change, first, second, change

    state, _ = one_by_one(indices, [w, m, v[:, 0]], slopes, step)
    got = sparse(
        "RowWiseSparseAdam",
        {"w": W, "m": M, "v": V[:, 0], "grad": slopes, "lr": LR, "t": ITER},
        indices,
        order=["w", "m", "v", "indices", "grad", "lr", "t"],
        inplace=["w", "m", "v"],
        outputs=3,
        beta1=b1,
        beta2=b2,
        epsilon=1e-3,
    )
    check(got, *state)


@pytest.mark.parametrize("indices", INDICES)
def test_sparse_kin_of_the_dense_updates(indices):
    slopes = slices_for(indices)

    def delta(weights, squared, change, slope):
        squared = 0.9 * squared + 0.1 * slope**2
        step = np.sqrt(change + 1e-3) / np.sqrt(squared + 1e-3) * slope
        return weights - 0.1 * step, squared, 0.9 * change + 0.1 * step**2, 0

    arrays = {"w": W, "m": M, "v": V, "grad": slopes, "lr": LR, "s": np.float32([3])}
    got = sparse("SparseAdadelta", arrays, indices, order=["w", "m", "v", "indices", "grad", "lr"],
                 inplace=["w", "m", "v"], outputs=3, epsilon=1e-3, decay=0.9)  # fmt: skip
    check(got, *one_by_one(indices, [w, m, v], slopes, delta)[0])

    sums = np.stack([M, V], axis=-1)

    def proximal(weights, held, slope):
        new, n, z = ftrl(weights, held[:, 0], held[:, 1], slope)
        return new, np.stack([n, z], axis=-1), 0

    got = sparse("SparseFtrl", {**arrays, "nz": sums}, indices, order=["w", "nz", "indices", "grad"],
                 inplace=["w", "nz"], outputs=2, **FTRL)  # fmt: skip
    check(got, *one_by_one(indices, [w, sums], slopes, proximal)[0])

    squares = (slopes.astype(np.float64) ** 2).sum()
    divisor = 3 + 1e-5
    got = sparse("SparseWngrad", arrays, indices, order=["w", "s", "indices", "grad", "lr"], inplace=["w", "s"],
                 outputs=2)  # fmt: skip
    (weights,), _ = one_by_one(indices, [w], slopes, lambda x, slope: (x - 0.1 * slope / divisor, 0))
    check(got, weights, [3 + squares / divisor])

    rate = -0.1 * (0.1 + 3 + squares) ** (-1 / 3)

    def momentum(weights, kept, slope):
        kept = slope + (1 - 10 * rate**2) * (kept - slope)
        return weights + rate * kept, kept, 0

    got = sparse("SparseStorm", arrays, indices, order=["w", "m", "s", "grad", "indices", "lr"],
                 inplace=["w", "m", "s"], outputs=3)  # fmt: skip
    check(got, *one_by_one(indices, [w, m], slopes, momentum)[0], [3 + squares])
