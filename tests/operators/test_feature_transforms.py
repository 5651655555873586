"""Buckets, percentiles and Box-Cox against plain loops."""

from __future__ import annotations

import bisect

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NoGradient, ShapeMismatch
from c2lab.operators.gradients import make_gradient
from tests.operators.calls import call, operator_def, wiring

RANDOM = np.random.default_rng(17)


def test_a_border_belongs_to_the_bucket_below():
    got = call("Bucketize", np.float32([[0.0, 1.0, 1.5], [2.5, 9.0, -1.0]]), boundaries=[0.0, 1.0, 2.5])
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, [[0, 1, 2], [2, 3, 0]])
    with pytest.raises(BadArgument, match="they must rise"):
        call("Bucketize", np.float32([0]), boundaries=[2.0, 1.0])


def test_batch_bucketize():
    features = RANDOM.normal(size=(6, 4)).astype(np.float32)
    borders = [[-0.5, 0.5], [], [0.0, 0.25, 1.0]]
    indices, lengths = np.int32([3, 0, 2]), np.int32([2, 0, 3])
    flat = np.float32([b for each in borders for b in each])
    got = call("BatchBucketize", features, indices, flat, lengths)
    want = [[bisect.bisect_left(borders[j], row[i]) for j, i in enumerate(indices)] for row in features]
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, want)


def test_batch_bucketize_checks_its_lengths_and_indices():
    features, flat = np.zeros((2, 3), np.float32), np.float32([1, 2])
    with pytest.raises(BadValue, match="lengths must add up to 2"):
        call("BatchBucketize", features, np.int32([0]), flat, np.int32([1]))
    with pytest.raises(BadValue, match="indices must be from 0 to 2"):
        call("BatchBucketize", features, np.int32([3]), flat, np.int32([2]))


def test_box_cox():
    data = RANDOM.normal(size=(5, 3)).astype(np.float32)
    power, shift = np.float32([0.0, 0.5, -1.5]), np.float32([1.0, 2.0, 1.5])
    shifted = np.maximum(data.astype(np.float64) + shift, 1e-6)
    want = np.where(power == 0, np.log(shifted), (shifted**power - 1) / np.where(power == 0, 1, power))
    np.testing.assert_allclose(call("BatchBoxCox", data, power, shift), want, rtol=1e-4, atol=1e-5)
    with pytest.raises(ShapeMismatch, match="the others"):
        call("BatchBoxCox", data, power[:2], shift)
    with pytest.raises(NoGradient, match="not implemented"):
        make_gradient(operator_def("BatchBoxCox", 3), ["GO0"])


def test_percentile_interpolates_between_samples():
    pairs = np.float32([[0, 0.1], [2, 0.5], [2, 0.6], [4, 0.9], [10, 0.5]])
    got = call("Percentile", np.float32([[1, 10], [2, 11], [-1, 9], [5, 10], [3, 10]]), pairs, np.int32([4, 1]))
    np.testing.assert_allclose(got, [[0.3, 0.5], [0.5, 1], [0, 0], [1, 0.5], [0.75, 0.5]], rtol=1e-6)
    with pytest.raises(ShapeMismatch, match=r"lengths add up to 4; it must be \(4, 2\)"):
        call("Percentile", np.zeros((2, 2), np.float32), pairs, np.int32([3, 1]))


def test_bisect_percentile_jumps_at_its_samples():
    table = {
        "percentile_raw": [0.0, 1.0, 5.0], "percentile_mapping": [0.1, 0.5, 0.7],
        "percentile_lower": [0.0, 0.4, 0.7], "percentile_upper": [0.2, 0.6, 0.8], "lengths": [2, 1],
    }  # fmt: skip
    got = call("BisectPercentile", np.float32([[0, 5], [0.5, 4], [1, 6], [2, 5]]), **table)
    np.testing.assert_allclose(got, [[0.1, 0.7], [0.3, 0], [0.5, 1], [1, 0.7]], rtol=1e-6)
    with pytest.raises(BadArgument, match="each must have the sum of lengths"):
        call("BisectPercentile", np.float32([[0]]), **{**table, "lengths": [2]})


@pytest.mark.parametrize(("type", "inputs"), [("BatchBucketize", 4), ("Percentile", 3), ("BisectPercentile", 1)])
def test_gradients_stop_here(type, inputs):
    assert wiring(type, inputs) == ([], [None] * inputs)
