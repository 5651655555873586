import numpy as np
import pytest

from c2lab.errors import BadValue, NotSupported, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(35)
IDS = np.array([3, 0, 3, 1, 0, 3])


def shaped(values, rows):
    return values.reshape(-1, *(1,) * (rows.ndim - 1))


def summed(rows, count):
    result = np.zeros((count, *rows.shape[1:]), rows.dtype)
    np.add.at(result, IDS, rows)
    return result


@pytest.mark.parametrize("segments", [None, 4, 6])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("type", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_sum_mean_and_weighted_sum(shape, type, kind, segments):
    arguments = {} if segments is None else {"num_segments": segments}
    count = segments or 4
    X, w, ids = rng.normal(size=shape).astype(type), rng.normal(size=6).astype(type), IDS.astype(kind)
    dY = rng.normal(size=(count, *shape[1:])).astype(type)
    sizes = shaped(np.maximum(np.bincount(IDS, minlength=count), 1).astype(type), X)
    Y = call("UnsortedSegmentSum", X, ids, **arguments)
    assert Y.dtype == type
    np.testing.assert_allclose(Y, summed(X, count), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradients("UnsortedSegmentSum", [X, ids], [dY], **arguments)[0], dY[IDS])
    np.testing.assert_allclose(
        call("UnsortedSegmentMean", X, ids, **arguments), summed(X, count) / sizes, rtol=1e-5, atol=1e-6
    )
    got = gradients("UnsortedSegmentMean", [X, ids], [dY], **arguments)[0]
    np.testing.assert_allclose(got, (dY / sizes)[IDS], rtol=1e-5, atol=1e-6)
    want = summed(X * shaped(w, X), count)
    np.testing.assert_allclose(call("UnsortedSegmentWeightedSum", X, w, ids, **arguments), want, rtol=1e-5, atol=1e-6)
    got = gradients("UnsortedSegmentWeightedSum", [X, w, ids], [dY], **arguments)[0]
    np.testing.assert_allclose(got, dY[IDS] * shaped(w, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arguments", [{}, {"num_segments": 5}])
def test_sparse_ones_pick_rows_first(arguments):
    count = arguments.get("num_segments", 4)
    table, w = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    indices, ids = np.int64([3, 0, 1, 1, 2, 0]), IDS.astype(np.int32)
    rows = table[indices]
    sizes = np.maximum(np.bincount(IDS, minlength=count), 1)[:, None]
    for got, want in [
        (call("SparseUnsortedSegmentSum", table, indices, ids, **arguments), summed(rows, count)),
        (call("SparseUnsortedSegmentMean", table, indices, ids, **arguments), summed(rows, count) / sizes),
        (
            call("SparseUnsortedSegmentWeightedSum", table, w, indices, ids, **arguments),
            summed(rows * w[:, None], count),
        ),
    ]:
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_refusals():
    X = np.ones(2, np.float32)
    with pytest.raises(BadValue, match="Segment id out of range"):
        call("UnsortedSegmentSum", X, np.int32([0, 3]), num_segments=3)
    with pytest.raises(BadValue, match="negative"):
        call("UnsortedSegmentSum", X, np.int32([0, -1]))
    with pytest.raises(ShapeMismatch, match="one number for each of the 2 rows"):
        call("UnsortedSegmentMean", X, np.int32([0]))
    with pytest.raises(NotSupported, match="no gradient of its weights"):
        wiring("UnsortedSegmentWeightedSum", 3, grad_on_weights=True)


def test_gradient_wiring():
    for kind in ("Sum", "Mean"):
        wires = [(f"UnsortedSegment{kind}Gradient", ["GO0", "I1"], ["I0_grad"])]
        assert wiring(f"UnsortedSegment{kind}", 2) == (wires, ["I0_grad", None])
        wires = [(f"UnsortedSegment{kind}Gradient", ["GO0", "I2"], ["I0_grad_values"])]
        assert wiring(f"SparseUnsortedSegment{kind}", 3) == (wires, [["I1", "I0_grad_values"], None, None])
    wires = [("UnsortedSegmentWeightedSumGradient", ["I1", "GO0", "I2"], ["I0_grad"])]
    assert wiring("UnsortedSegmentWeightedSum", 3) == (wires, ["I0_grad", None, None])
    wires = [("UnsortedSegmentWeightedSumGradient", ["I1", "GO0", "I3"], ["I0_grad_values"])]
    assert wiring("SparseUnsortedSegmentWeightedSum", 4) == (wires, [["I2", "I0_grad_values"], None, None, None])
