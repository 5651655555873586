import numpy as np
import pytest

from c2lab.errors import BadValue, NotSupported, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(34)
IDS = np.array([0, 0, 1, 2, 2, 2])
COUNTS = np.float32([2, 1, 3])


def summed(rows):
    return np.stack([rows[k == IDS].sum(axis=0) for k in range(3)])


def shaped(values, rows):
    return values.reshape(-1, *(1,) * (rows.ndim - 1))


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 2)])
@pytest.mark.parametrize("type", [np.float32, np.float64])
def test_sum_mean_and_weighted_sum(shape, kind, type):
    X, w, ids = rng.normal(size=shape).astype(type), rng.normal(size=6).astype(type), IDS.astype(kind)
    dY = rng.normal(size=(3, *shape[1:])).astype(type)
    Y = call("SortedSegmentSum", X, ids)
    assert Y.dtype == type
    np.testing.assert_allclose(Y, summed(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradients("SortedSegmentSum", [X, ids], [dY])[0], dY[IDS])
    np.testing.assert_allclose(call("SortedSegmentMean", X, ids), summed(X) / shaped(COUNTS, X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        gradients("SortedSegmentMean", [X, ids], [dY])[0], (dY / shaped(COUNTS, X))[IDS], rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(
        call("SortedSegmentWeightedSum", X, w, ids), summed(X * shaped(w, X)), rtol=1e-5, atol=1e-6
    )
    got = gradients("SortedSegmentWeightedSum", [X, w, ids], [dY])[0]
    np.testing.assert_allclose(got, dY[IDS] * shaped(w, X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_sparse_ones_pick_rows_first(kind):
    table, w = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    indices = np.array([3, 0, 1, 1, 2, 0], kind)
    rows, ids = table[indices], IDS.astype(np.int32)
    np.testing.assert_allclose(call("SparseSortedSegmentSum", table, indices, ids), summed(rows), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        call("SparseSortedSegmentMean", table, indices, ids), summed(rows) / COUNTS[:, None], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        call("SparseSortedSegmentWeightedSum", table, w, indices, ids), summed(rows * w[:, None]), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(BadValue, match="outside 0 to 4 - 1"):
        call("SparseSortedSegmentSum", table, np.array([4], kind), np.int32([0]))


def test_no_rows():
    assert call("SortedSegmentSum", np.zeros((0, 3), np.float32), np.int32([])).shape == (0, 3)
    assert call("SortedSegmentMean", np.zeros((0, 3), np.float32), np.int32([])).shape == (0, 3)


@pytest.mark.parametrize("ids", [[1, 1, 2], [0, 2, 2], [0, 1, 0]])
def test_numbers_must_be_sorted_without_gaps(ids):
    with pytest.raises(BadValue, match="Indices must be sorted and not have gaps"):
        call("SortedSegmentSum", np.ones(3, np.float32), np.int32(ids))


def test_refusals():
    with pytest.raises(ShapeMismatch, match="one number for each of the 3 rows"):
        call("SortedSegmentSum", np.ones(3, np.float32), np.int32([0]))
    with pytest.raises(BadValue, match="outside 0 to 1 - 1"):
        call("SortedSegmentSumGradient", np.ones(1, np.float32), np.int32([0, 1]))
    with pytest.raises(NotSupported, match="no gradient of its weights"):
        wiring("SortedSegmentWeightedSum", 3, grad_on_weights=True)


def test_gradient_wiring():
    for kind in ("Sum", "Mean"):
        wires = [(f"SortedSegment{kind}Gradient", ["GO0", "I1"], ["I0_grad"])]
        assert wiring(f"SortedSegment{kind}", 2) == (wires, ["I0_grad", None])
        wires = [(f"SortedSegment{kind}Gradient", ["GO0", "I2"], ["I0_grad_values"])]
        assert wiring(f"SparseSortedSegment{kind}", 3) == (wires, [["I1", "I0_grad_values"], None, None])
    wires = [("SortedSegmentWeightedSumGradient", ["I1", "GO0", "I2"], ["I0_grad"])]
    assert wiring("SortedSegmentWeightedSum", 3) == (wires, ["I0_grad", None, None])
    wires = [("SortedSegmentWeightedSumGradient", ["I1", "GO0", "I3"], ["I0_grad_values"])]
    assert wiring("SparseSortedSegmentWeightedSum", 4) == (wires, [["I2", "I0_grad_values"], None, None, None])
