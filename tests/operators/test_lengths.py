import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NoGradient, ShapeMismatch, TypeMismatch
from c2lab.operators.lengths import in_64_bits, segment_of_rows
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(31)
SWEEP = [np.int32([]), np.int32([0]), np.int32([3]), *(rng.integers(0, 5, size=6).astype(np.int32) for _ in range(4))]


@pytest.mark.parametrize("lengths", SWEEP, ids=str)
def test_lengths_told_in_other_ways(lengths):
    starts = np.cumsum(lengths) - lengths
    ids = np.concatenate([np.full(n, k, np.int32) for k, n in enumerate(lengths)] + [np.int32([])])
    for type, want in [
        ("LengthsToSegmentIds", ids),
        ("LengthsToRanges", np.stack([starts, lengths], axis=1).astype(np.int32)),
        ("LengthsToOffsets", starts.astype(np.int32)),
        ("LengthsRangeFill", np.concatenate([np.arange(n) for n in lengths] + [[]]).astype(np.int32)),
    ]:
        got = call(type, lengths)
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(call("LengthsToOffsets", lengths, include_last_offset=True), [*starts, lengths.sum()])
    np.testing.assert_array_equal(segment_of_rows(lengths, int(lengths.sum())), ids)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("type", [np.int32, np.int64])
def test_weights(power, type):
    got = call("LengthsToWeights", np.array([2, 0, 4], type), power=power)
    np.testing.assert_allclose(got, [2**-power] * 2 + [4**-power] * 4, rtol=1e-6, atol=1e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("as_input", [False, True])
def test_split_is_as_equal_as_can_be(n, as_input):
    lengths = np.int32([9, 4, 0, 5])
    got = call("LengthsSplit", lengths, np.int32([n])) if as_input else call("LengthsSplit", lengths, n_split=n)
    want = [len(part) for length in lengths for part in np.array_split(np.arange(length), n)]
    np.testing.assert_array_equal(got, want)


def test_split_needs_a_number():
    with pytest.raises(BadArgument, match="n_split is 0"):
        call("LengthsSplit", np.int32([4]))
    with pytest.raises(NoGradient, match="not implemented yet"):
        wiring("LengthsSplit", 1, n_split=2)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 2)])
def test_tile(shape):
    X, lengths = rng.normal(size=shape).astype(np.float32), np.int32([2, 0, 3])
    Y = call("LengthsTile", X, lengths)
    np.testing.assert_array_equal(Y, np.repeat(X, lengths, axis=0))
    dX = gradients("LengthsTile", [X, lengths], [Y])[0]
    np.testing.assert_allclose(dX, X * lengths.reshape(-1, *(1,) * (X.ndim - 1)), rtol=1e-6, atol=1e-6)
    with pytest.raises(ShapeMismatch, match="one length a row"):
        call("LengthsTile", X, np.int32([1, 1]))


@pytest.mark.parametrize("type", [np.int32, np.int64])
def test_gather(type):
    items, lengths = np.arange(10, dtype=np.float64).reshape(5, 2), np.int32([2, 0, 1, 2])
    got = call("LengthsGather", items, lengths, np.array([3, 1, 0, 3], type))
    np.testing.assert_array_equal(got, items[[3, 4, 0, 1, 3, 4]])
    assert call("LengthsGather", items, lengths, np.array([], type)).shape == (0, 2)
    with pytest.raises(BadValue, match="segments 0 to 4 - 1"):
        call("LengthsGather", items, lengths, np.array([4], type))


@pytest.mark.parametrize("type", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_pad(type, shape):
    lengths = np.int32([2, 0, 3])
    X = rng.integers(1, 9, size=(5, *shape)).astype(type)
    want = np.full((3, 4, *shape), -1, type)
    want[0, :2], want[2, :3] = X[:2], X[2:]
    got = call("LengthsPad", X, lengths, target_length=4)
    assert got.dtype == type
    np.testing.assert_array_equal(got, want.reshape(12, *shape))


def test_refusals():
    with pytest.raises(BadValue, match="more than target_length"):
        call("LengthsPad", np.ones(3, np.float32), np.int32([3]), target_length=2)
    with pytest.raises(BadArgument, match="target_length"):
        call("LengthsPad", np.ones(3, np.float32), np.int32([3]))
    with pytest.raises(BadValue, match="must be 4, the number of rows"):
        call("LengthsPad", np.ones(4, np.float32), np.int32([3]), target_length=5)
    with pytest.raises(BadValue, match="0 or more"):
        call("LengthsToSegmentIds", np.int32([2, -1]))
    with pytest.raises(ShapeMismatch, match="one-dimensional"):
        call("LengthsToRanges", np.int32([[2]]))
    with pytest.raises(TypeMismatch, match="int64"):
        call("LengthsRangeFill", np.int64([2]))


def test_64_bits_where_nobody_else_has_said_it():
    from jax import numpy as jnp

    assert in_64_bits(lambda: jnp.zeros(2, jnp.int64))().dtype == np.int64


def test_gradient_wiring():
    assert wiring("LengthsTile", 2) == ([("LengthsSum", ["GO0", "I1"], ["I0_grad"])], ["I0_grad", None])
    assert wiring("LengthsPad", 2, target_length=1) == ([], [None, None])
    with pytest.raises(NoGradient):
        wiring("LengthsGather", 3)
