"""The fixed-point pieces, each against exact fractions."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from c2lab.operators.quantized_arithmetic import averaged, scaled_down, shifted, significand, step_table, to_uint8
from tests.operators.quantized_reference import away_from_zero, exact, fixed_point


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def test_significand_is_the_number():
    for factor in np.random.default_rng(0).uniform(1e-9, 300, 200).astype(np.float32):
        m, e = significand(factor)
        assert 2**23 <= m < 2**24
        assert Fraction(m) * Fraction(2) ** e == exact(factor)


def test_shift_rounds_halves_away_from_zero():
    numbers = np.concatenate([np.arange(-40, 41), np.random.default_rng(1).integers(-(2**40), 2**40, 200)])
    for shift in (0, 1, 3, 20):
        got = shifted(jnp.asarray(numbers), shift)
        assert got.tolist() == [away_from_zero(Fraction(int(n), 2**shift)) for n in numbers]


def test_factors_below_one():
    rng = np.random.default_rng(2)
    totals = np.concatenate([np.arange(-20, 21), rng.integers(-(2**31), 2**31, 200)])
    for factor in (*np.float32(2.0) ** -rng.integers(1, 32, 8), *rng.uniform(1e-9, 1, 20).astype(np.float32)):
        assert scaled_down(jnp.asarray(totals), factor).tolist() == [fixed_point(int(t), factor) for t in totals]


def test_averages():
    rng = np.random.default_rng(3)
    totals = np.concatenate([np.arange(-20, 21), rng.integers(-(2**22), 2**22, 200)])
    for factor in (np.float32(0.5), np.float32(2.0), *rng.uniform(1e-6, 200, 20).astype(np.float32)):
        want = [away_from_zero(int(t) * exact(factor)) for t in totals]
        assert averaged(jnp.asarray(totals), factor).tolist() == want


def test_ends():
    assert to_uint8(jnp.asarray([-300, -3, 4, 300]), 100).tolist() == [0, 97, 104, 255]
    assert to_uint8(jnp.asarray([-300, -3, 4, 300]), 100, relu=True).tolist() == [100, 100, 104, 255]
    assert step_table(np.float32([-999, -0.5, 0.5, 1.5, 999]), 10).tolist() == [0, 10, 10, 12, 255]
