import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NoGradient, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, wiring

rng = np.random.default_rng(43)
BOTH = pytest.mark.parametrize("type", [np.int32, np.int64])


@BOTH
@pytest.mark.parametrize("size", [0, 1, 12])
def test_unique(type, size):
    indices = rng.integers(-4, 5, size=size).astype(type)
    values, remapping = call("Unique", indices, outputs=2)
    assert values.dtype == type
    assert remapping.dtype == np.int32
    assert values.tolist() == sorted(set(indices.tolist()))
    np.testing.assert_array_equal(values[remapping], indices)
    np.testing.assert_array_equal(call("Unique", indices), values)


@BOTH
@pytest.mark.parametrize("size", [0, 1, 12])
@pytest.mark.parametrize("missing", [-1, 99])
def test_find_tells_the_last_place(type, size, missing):
    index = rng.integers(0, 8, size=size).astype(type)
    query = rng.integers(-1, 10, size=(3, 4)).astype(type)
    last = {value: place for place, value in enumerate(index.tolist())}
    got = call("Find", index, query, missing_value=missing)
    assert got.dtype == np.int32
    assert got.tolist() == [[last.get(value, missing) for value in row] for row in query.tolist()]


@pytest.mark.parametrize("type", [np.float32, np.float64, np.int32, np.int64, object])
def test_find_duplicate_elements(type):
    numbers = rng.integers(0, 5, size=12)
    data = np.array([b"%d" % n for n in numbers], object) if type is object else numbers.astype(type)
    want = [place for place, n in enumerate(numbers) if n in numbers[:place]]
    got = call("FindDuplicateElements", data)
    assert got.dtype == np.int64
    assert got.tolist() == want


@BOTH
@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("modulo", [1, 100, 2**31 - 1])
def test_index_hash(type, seed, modulo):
    bits = np.iinfo(type).bits
    indices = rng.integers(np.iinfo(type).min, np.iinfo(type).max, size=(3, 4)).astype(type)

    def signed(value, bits):
        return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)

    def hashed(index):
        h = seed * 0xDEADBEEF
        for byte in np.array([index], type).view(np.int8).tolist():
            h = h * 65537 + byte
        return signed(h, bits) % modulo

    got = call("IndexHash", indices, seed=seed, modulo=modulo)
    assert got.dtype == type
    assert got.tolist() == [[hashed(index) for index in row] for row in indices]


@BOTH
def test_remove_data_blocks(type):
    data = rng.normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_array_equal(call("RemoveDataBlocks", data, np.array([3, 0, 3], type)), data[[1, 2, 4]])
    np.testing.assert_array_equal(call("RemoveDataBlocks", data, np.array([], type)), data)


@BOTH
@pytest.mark.parametrize("row", [(), (2,), (2, 3)])
def test_scatter_assign(type, row):
    data, slices = (rng.normal(size=(n, *row)).astype(np.float32) for n in (5, 2))
    want = data.copy()
    want[4], want[1] = slices
    got = call("ScatterAssign", data, np.array([4, 1], type), slices, inplace=True)
    np.testing.assert_array_equal(got, want)


@BOTH
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_scatter(type, axis):
    data = rng.normal(size=(3, 4, 5)).astype(np.float32)
    shape = list(data.shape)
    shape[axis] = 2
    indices = np.argsort(rng.normal(size=data.shape), axis=axis).take([0, 1], axis=axis).astype(type)
    updates = rng.normal(size=shape).astype(np.float32)
    want = data.copy()
    for place in np.ndindex(*shape):
        there = list(place)
        there[axis] = indices[place]
        want[tuple(there)] = updates[place]
    np.testing.assert_array_equal(call("Scatter", data, indices, updates, axis=axis), want)


def test_gradients():
    assert wiring("Find", 2) == ([], [None, None])
    for type, inputs in [("Unique", 1), ("FindDuplicateElements", 1), ("RemoveDataBlocks", 2), ("Scatter", 3)]:
        with pytest.raises(NoGradient):
            wiring(type, inputs)
    with pytest.raises(NoGradient):
        wiring("IndexHash", 1, modulo=2)
    with pytest.raises(NoGradient):
        wiring("ScatterAssign", 3, inplace=True)


def test_refusals():
    row = np.ones((3, 2), np.float32)
    with pytest.raises(ShapeMismatch, match="one-dimensional"):
        call("Unique", np.int32([[1]]))
    with pytest.raises(TypeMismatch):
        call("Find", np.int32([1]), np.int64([1]))
    with pytest.raises(BadArgument, match="modulo is 0; it must be given"):
        call("IndexHash", np.int32([1]))
    with pytest.raises(BadValue, match="there are rows 0 to 3 - 1"):
        call("RemoveDataBlocks", row, np.int32([3]))
    with pytest.raises(BadValue, match="outside 0 to 3 - 1"):
        call("ScatterAssign", row, np.int32([-1]), row[:1], inplace=True)
    with pytest.raises(ShapeMismatch, match="one row of DATA's shape an index"):
        call("ScatterAssign", row, np.int32([1, 2]), row[:1], inplace=True)
    with pytest.raises(BadValue, match="out of DATA bounds"):
        call("Scatter", row, np.int32([[0], [2], [1]]), row[:, :1])
    with pytest.raises(ShapeMismatch, match="sizes but along dimension 1"):
        call("Scatter", row, np.int32([[0]]), row[:1, :1])
