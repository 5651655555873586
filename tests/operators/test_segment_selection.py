import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(47)


@pytest.mark.parametrize("lengths", [[], [0], [4], [3, 0, 1, 5]], ids=str)
@pytest.mark.parametrize("k", [1, 3])
def test_lengths_top_k(lengths, k):
    lengths = np.int32(lengths)
    data = rng.integers(0, 4, size=lengths.sum()).astype(np.float32)
    values, places = np.zeros((lengths.size, k), np.float32), np.full((lengths.size, k), -1)
    dvalues = rng.normal(size=(lengths.size, k)).astype(np.float32)
    ddata = np.zeros_like(data)
    for s, start in enumerate(np.cumsum(lengths) - lengths):
        best = sorted(range(lengths[s]), key=lambda place, start=start: -data[start + place])[:k]
        places[s, : len(best)] = best
        values[s, : len(best)] = data[start + np.int64(best)]
        ddata[start + np.int64(best)] = dvalues[s, : len(best)]
    got = call("LengthsTopK", data, lengths, outputs=2, k=k)
    np.testing.assert_array_equal(got[0], values)
    np.testing.assert_array_equal(got[1], places)
    assert got[1].dtype == np.int32
    np.testing.assert_array_equal(gradients("LengthsTopK", [data, lengths], [dvalues, None], k=k)[0], ddata)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 2, 4)])
def test_flexible_top_k(shape):
    X = rng.integers(0, 6, size=shape).astype(np.float32)
    rows = X.reshape(-1, shape[-1])
    K = rng.integers(1, shape[-1] + 1, size=len(rows))
    best = [
        sorted(range(shape[-1]), key=lambda place, row=row: -row[place])[:k] for row, k in zip(rows, K, strict=True)
    ]
    values, indices = call("FlexibleTopK", X, K, outputs=2)
    np.testing.assert_array_equal(indices, np.concatenate(best))
    np.testing.assert_array_equal(values, np.concatenate([row[b] for row, b in zip(rows, best, strict=True)]))
    assert indices.dtype == np.int64
    dvalues = rng.normal(size=values.shape).astype(np.float32)
    dX = np.zeros_like(rows)
    dX[np.repeat(np.arange(len(rows)), K), np.concatenate(best)] = dvalues
    np.testing.assert_array_equal(gradients("FlexibleTopK", [X, K], [dvalues, None])[0], dX.reshape(shape))


def test_gradient_wiring():
    assert wiring("LengthsTopK", 2, 2, k=1) == (
        [("LengthsTopKGradient", ["I1", "O1", "GO0"], ["I0_grad"])],
        ["I0_grad", None],
    )
    assert wiring("FlexibleTopK", 2, 2) == (
        [("FlexibleTopKGradient", ["I0", "I1", "GO0", "O1"], ["I0_grad"])],
        ["I0_grad", None],
    )


def test_refusals():
    X = np.ones((2, 3), np.float32)
    with pytest.raises(BadArgument, match="k is -1; it must be given"):
        call("LengthsTopK", X[0], np.int32([3]), outputs=2)
    with pytest.raises(BadValue, match="must be 3"):
        call("LengthsTopK", X[0], np.int32([2]), outputs=2, k=1)
    with pytest.raises(ShapeMismatch, match="one-dimensional"):
        call("LengthsTopK", X, np.int32([2]), outputs=2, k=1)
    with pytest.raises(ShapeMismatch, match=r"both must be \(1, 2\)"):
        call("LengthsTopKGradient", np.int32([3]), np.int32([[0]]), np.float32([[1]]), k=2)
    for K in ([0, 1], [1, 4]):
        with pytest.raises(BadValue, match="every number must be from 1 to 3"):
            call("FlexibleTopK", X, np.int64(K), outputs=2)
    with pytest.raises(ShapeMismatch, match="one number for each of 2 rows"):
        call("FlexibleTopK", X, np.int64([1]), outputs=2)
    with pytest.raises(ShapeMismatch, match="equally long"):
        call("FlexibleTopKGradient", X, np.int64([1, 1]), np.float32([1]), np.int64([0, 0]))
