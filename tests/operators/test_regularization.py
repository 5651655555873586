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
