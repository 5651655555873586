"""Draws from either generator are of the same distribution and type."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from c2lab.operators.draws import integers, normal, uniform

GENERATORS = [np.random.default_rng(0), jax.random.key(0)]
COUNT = 100_000


@pytest.mark.parametrize("rng", GENERATORS, ids=["numpy", "jax"])
def test_distributions(rng):
    with jax.enable_x64(True):
        n, u, i = normal(rng, (COUNT,)), uniform(rng, (COUNT,), -2.0, 4.0), integers(rng, (COUNT,), -1, 1)
    assert n.dtype == u.dtype == np.float32
    assert i.dtype == np.int32
    assert float(np.mean(n)) == pytest.approx(0, abs=0.02)
    assert float(np.std(n)) == pytest.approx(1, abs=0.02)
    assert float(np.mean(u)) == pytest.approx(1, abs=0.03)
    assert np.min(u) >= -2
    assert np.max(u) <= 4
    assert sorted(set(np.asarray(i).tolist())) == [-1, 0, 1]
    assert float(np.mean(i)) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("rng", GENERATORS, ids=["numpy", "jax"])
def test_the_largest_int_can_be_drawn(rng):
    with jax.enable_x64(True):
        assert set(np.asarray(integers(rng, (8,), 2**31 - 1, 2**31 - 1)).tolist()) == {2**31 - 1}
