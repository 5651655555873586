"""Clipping, shrinking and counting rows."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument
from tests.operators.calls import call
from tests.operators.update_formulas import CLOSE, G, g, sparse


def test_regularizers():
    np.testing.assert_allclose(
        call("EnsureClipped", G, min=-0.1, max=0.2), np.clip(G, np.float32(-0.1), np.float32(0.2))
    )
    got = sparse("EnsureClipped", {"w": G, "grad": G}, np.int32([1, 1, 4]), order=["w", "indices", "grad"],
                 inplace=["w"], outputs=1, min=0.0)  # fmt: skip
    want = np.array(G)
    want[[1, 4]] = np.maximum(want[[1, 4]], 0)
    np.testing.assert_array_equal(got[0], want)
    for p, shrink in ((2.0, lambda x: x * 0.9), (1.0, lambda x: np.sign(x) * np.maximum(abs(x) - 0.1, 0))):
        got = sparse("SparseLpRegularizer", {"w": G}, np.int32([1, 1]), order=["w", "indices"], inplace=["w"],
                     outputs=1, p=p, reg_lambda=0.1)  # fmt: skip
        want = g.copy()
        want[1] = shrink(shrink(want[1]))
        np.testing.assert_allclose(got[0], want, **CLOSE)
    with pytest.raises(BadArgument, match=r"1\.0 or 2\.0"):
        sparse("SparseLpRegularizer", {"w": G}, np.int32([1]), order=["w", "indices"], inplace=["w"], outputs=1, p=3.0)


def test_row_wise_counter_halves_with_time():
    arrays = {"prev": np.int64([0, 5, 9]), "count": np.float64([1, 8, 2]), "t": np.int64([15])}
    got = sparse("RowWiseCounter", arrays, np.int64([1, 1]), order=["prev", "count", "indices", "t"],
                 inplace=["prev", "count"], outputs=2, counter_halflife=5)  # fmt: skip
    np.testing.assert_array_equal(got[0], [0, 15, 9])
    np.testing.assert_allclose(got[1], [1, 1 + (1 + 8 / 4), 2])


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_sweep_over_rows_and_strengths(kind, shape, seed):
    random = np.random.default_rng(seed)
    param = random.normal(size=shape).astype(np.float32)
    indices = random.integers(0, 5, 6).astype(kind)  # some rows more than once, some never
    strength = float(random.uniform(0, 0.5))
    for p in (1.0, 2.0):
        want = param.astype(np.float64)
        for row in indices:
            less = np.sign(want[row]) * np.maximum(np.abs(want[row]) - strength, 0)
            want[row] = less if p == 1.0 else want[row] * (1 - strength)
        got = sparse("SparseLpRegularizer", {"w": param}, indices, order=["w", "indices"], inplace=["w"], outputs=1,
                     p=p, reg_lambda=strength)  # fmt: skip
        np.testing.assert_allclose(got[0], want, **CLOSE)
    for bounds in ({"min": -0.5}, {"max": 0.25}, {"min": -0.5, "max": 0.25}, {}):
        want = np.clip(param, bounds.get("min", -np.inf), bounds.get("max", np.inf))
        np.testing.assert_array_equal(call("EnsureClipped", param, **bounds), want)

    before, count = random.integers(0, 20, 5), random.uniform(0, 9, 5)
    halflife = int(random.integers(1, 8))
    arrays = {"prev": before, "count": count, "t": np.int64([12])}
    got = sparse("RowWiseCounter", arrays, indices, order=["prev", "count", "indices", "t"],
                 inplace=["prev", "count"], outputs=2, counter_halflife=halflife)  # fmt: skip
    before, count = before.copy(), count.copy()
    for row in indices:
        count[row] = 1 + count[row] * 0.5 ** (max(12 - before[row], 0) / halflife)
        before[row] = max(12, before[row])
    np.testing.assert_array_equal(got[0], before)
    np.testing.assert_allclose(got[1], count)
