import numpy as np
import pytest

from c2lab.errors import BadValue, SchemaError, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(14)


def values(*shape):
    return rng.normal(size=shape).astype(np.float32)


SLICES = [
    ([0, 1, 0], [-1, 3, -1], np.s_[:, 1:3]),
    ([1], [2], np.s_[1:2]),
    ([0, 0, -2], [-1, -1, -1], np.s_[:, :, 4:]),  # -2 of size 5 is 5 - 2 + 1
    ([0, 0, 1], [-1, -1, -2], np.s_[:, :, 1:4]),
    ([0, 0, 0], [-1, -1, -1], np.s_[:]),
    ([0, 2], [-1, 99], np.s_[:, 2:]),
    ([0, 2, 0], [3, 2, 5], np.s_[:, 2:2]),
]


@pytest.mark.parametrize(("starts", "ends", "part"), SLICES)
@pytest.mark.parametrize("as_input", [None, np.int32, np.int64])
def test_slice(starts, ends, part, as_input):
    X = values(3, 4, 5)
    inputs = [X] if as_input is None else [X, np.array(starts, as_input), np.array(ends, as_input)]
    arguments = {"starts": starts, "ends": ends} if as_input is None else {}
    Y = call("Slice", *inputs, **arguments)
    np.testing.assert_array_equal(Y, X[part])
    want = np.zeros_like(X)
    want[part] = Y
    np.testing.assert_array_equal(gradients("Slice", inputs, [Y], **arguments)[0], want)


def test_slice_cuts_only_one_dimension():
    with pytest.raises(ShapeMismatch, match="Currently only possible to slice in 1 dimension"):
        call("Slice", values(3, 4), starts=[1, 1], ends=[2, 2])
    with pytest.raises(ShapeMismatch, match="the end must not be before the start"):
        call("Slice", values(3, 4), starts=[2], ends=[1])
    with pytest.raises(ShapeMismatch, match="equally long"):
        call("Slice", values(3, 4), starts=[0, 0], ends=[1])
    with pytest.raises(SchemaError, match="told no starts"):
        call("Slice", values(3, 4))


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_gather(shape, axis, index_type):
    DATA = values(3, 4, 5)
    INDICES = rng.integers(-3, 3, size=shape).astype(index_type)
    np.testing.assert_array_equal(call("Gather", DATA, INDICES, axis=axis), np.take(DATA, INDICES, axis=axis))


def test_gather_with_indices_of_their_own_for_each_row():
    DATA, INDICES = values(3, 4, 5), rng.integers(0, 4, size=(3, 2, 2)).astype(np.int32)
    got = call("Gather", DATA, INDICES, axis=1, match_outer=1)
    np.testing.assert_array_equal(got, np.stack([DATA[n][INDICES[n]] for n in range(3)]))
    np.testing.assert_array_equal(call("BatchGather", DATA, INDICES, match_outer=1), got)
    with pytest.raises(ShapeMismatch, match="with match_outer the first 1 sizes must be equal"):
        call("Gather", DATA, INDICES[:2], axis=1, match_outer=1)


@pytest.mark.parametrize("type", ["int32", "float64", "bool"])
def test_gather_keeps_the_type(type):
    assert call("Gather", np.ones((3, 2), type), np.int32([1])).dtype == type


@pytest.mark.parametrize("index", [-4, 3])
def test_gather_refuses_indices_out_of_bounds(index):
    with pytest.raises(BadValue, match="INDICES element is out of DATA bounds"):
        call("Gather", values(3, 2), np.int32([0, index]))
    with pytest.raises(TypeMismatch, match="INDICES is float32"):
        call("Gather", values(3, 2), np.float32([0]))


def test_an_empty_batch_passes_through_gather():
    assert call("Gather", np.zeros((0, 2), np.float32), np.int32([1, 2])).shape == (0, 2)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_gradient_of_gather_along_other_dimensions_is_dense(axis):
    DATA, INDICES = values(2, 3, 4), np.int32([0, 2, 0])
    dY = rng.normal(size=np.take(DATA, INDICES, axis=axis).shape).astype(np.float32)
    want = np.zeros_like(DATA)
    for k, index in enumerate(INDICES):
        place = [slice(None)] * 3
        place[axis] = index
        want[tuple(place)] += np.take(dY, k, axis=axis)
    np.testing.assert_allclose(gradients("Gather", [DATA, INDICES], [dY], axis=axis)[0], want, rtol=1e-6)


def test_one_hot():
    got = call("OneHot", np.int64([1, 0, 3]), np.int64(4))
    np.testing.assert_array_equal(got, np.eye(4, dtype=np.float32)[[1, 0, 3]])
    assert got.dtype == np.float32
    with pytest.raises(BadValue, match="outside 0 to 2 - 1"):
        call("OneHot", np.int64([2]), np.int64([2]))


def test_batch_one_hot():
    data = np.int32([[5, 7], [6, 8], [0, 7]])
    got = call("BatchOneHot", data, np.int32([2, 1]), np.int32([5, 6, 7]))
    np.testing.assert_array_equal(got, [[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    assert got.dtype == np.int32
    with pytest.raises(ShapeMismatch, match="values must hold the sum of lengths"):
        call("BatchOneHot", data, np.int32([2, 2]), np.int32([5, 6, 7]))


def test_copy_rows_to_tensor():
    X = values(4, 2)
    got = call("CopyRowsToTensor", X, np.int64([2, 0]), np.float32([8, 9]), inplace=True)
    want = X.copy()
    want[[2, 0]] = [8, 9]
    np.testing.assert_array_equal(got, want)
    with pytest.raises(BadValue, match="outside 0 to 4 - 1"):
        call("CopyRowsToTensor", X, np.int64([4]), np.float32([8, 9]), inplace=True)
    (dX, *none) = gradients("CopyRowsToTensor", [X, np.int64([2, 0]), np.float32([8, 9])], [want], inplace=True)
    assert none == [None, None]
    np.testing.assert_array_equal(dX, want)
    np.testing.assert_array_equal(call("CopyRowsToTensorGradient", X, inplace=True), X)


def test_gradient_wiring():
    assert wiring("Slice", 1)[0] == [("SliceGradient", ["I0", "GO0"], ["I0_grad"])]
    assert wiring("Slice", 3) == (
        [("SliceGradient", ["I0", "I1", "I2", "GO0"], ["I0_grad"])],
        ["I0_grad", None, None],
    )
    copied = [("CopyRowsToTensorGradient", ["GO0"], ["I0_grad"])]
    assert wiring("CopyRowsToTensor", 3) == (copied, ["I0_grad", None, None])
    assert wiring("Gather", 2) == ([], [["I1", "GO0"], None])
    dense = [("SparseToDense", ["I1", "GO0", "I0"], ["I0_grad"])]
    assert wiring("Gather", 2, dense_gradient=1) == (dense, ["I0_grad", None])
    assert wiring("BatchGather", 2) == (
        [("BatchGatherGradient", ["I0", "I1", "GO0"], ["I0_grad"])],
        ["I0_grad", None],
    )
    assert wiring("OneHot", 2) == wiring("BatchOneHot", 2) == ([], [None, None])
