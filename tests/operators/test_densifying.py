import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(41)


def added(indices, values, rows):
    """One row at a time."""
    dense = np.zeros((rows, *values.shape[1:]), values.dtype)
    for index, value in zip(indices, values, strict=True):
        dense[index] += value
    return dense


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_dense_adds_up_equal_indices(type, shape):
    indices, values = type([4, 0, 4, 2]), rng.normal(size=(4, *shape)).astype(np.float32)
    np.testing.assert_allclose(call("SparseToDense", indices, values), added(indices, values, 5), rtol=1e-6)
    wide = added(indices, values, 7)
    np.testing.assert_allclose(call("SparseToDense", indices, values, output_first_dim=7), wide, rtol=1e-6)
    np.testing.assert_allclose(call("SparseToDense", indices, values, np.zeros((7, 9), np.float32)), wide, rtol=1e-6)
    slope = rng.normal(size=wide.shape).astype(np.float32)
    none, dvalues = gradients("SparseToDense", [indices, values], [slope], output_first_dim=7)
    assert none is None
    np.testing.assert_array_equal(dvalues, slope[indices])


def test_nothing_is_dense_too():
    assert call("SparseToDense", np.int32([]), np.zeros((0, 2), np.float32)).shape == (0, 2)


def covered(indices, values, default, lengths, mask):
    """One index at a time; of equal ones in a row the last stays."""
    output = np.broadcast_to(default, (len(lengths), len(mask), *values.shape[1:])).copy()
    present = np.zeros((len(lengths), len(mask)), bool)
    holder = np.full((len(lengths), len(mask)), -1)
    for k, row in enumerate(np.repeat(np.arange(len(lengths)), lengths)):
        if indices[k] in mask:
            place = row, mask.index(indices[k])
            output[place], present[place], holder[place] = values[k], True, k
    return output, present, holder


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_mask_names_the_columns(type, shape):
    mask, lengths = [9, 2, 5], np.int32([4, 0, 3])
    indices, values = type([2, 7, 2, 9, 5, -1, 9]), rng.normal(size=(7, *shape)).astype(np.float32)
    default = rng.normal(size=shape).astype(np.float32)
    inputs = [indices, values, default, lengths]
    want, want_present, holder = covered(indices, values, default, lengths, mask)
    output, present = call("SparseToDenseMask", *inputs, outputs=2, mask=mask, return_presence_mask=True)
    np.testing.assert_array_equal(output, want)
    np.testing.assert_array_equal(present, want_present)
    assert present.dtype == bool

    slope = rng.normal(size=want.shape).astype(np.float32)
    want_slope = np.zeros_like(values)
    want_slope[holder[want_present]] = slope[want_present]
    got = gradients("SparseToDenseMask", inputs, [slope], mask=mask)
    np.testing.assert_array_equal(got[1], want_slope)
    assert [dx is None for dx in got] == [True, False, True, True]


def test_mask_without_lengths_is_one_row():
    indices, values, default = np.int64([5, 1]), np.float32([3, 4]), np.float32(-1)
    np.testing.assert_array_equal(call("SparseToDenseMask", indices, values, default, mask=[1, 2, 5]), [4, -1, 3])
    slope = np.float32([10, 20, 30])
    np.testing.assert_array_equal(
        gradients("SparseToDenseMask", [indices, values, default], [slope], mask=[1, 2, 5])[1], [30, 10]
    )


def test_refusals():
    values = np.float32([1, 2])
    with pytest.raises(BadValue, match="outside 0 to 2 - 1, the rows of output"):
        call("SparseToDense", np.int32([0, 2]), values, output_first_dim=2)
    with pytest.raises(ShapeMismatch, match="one row an index"):
        call("SparseToDense", np.int32([0]), values)
    with pytest.raises(BadValue, match="Too many sparse indices skipped: 2"):
        call("SparseToDenseMask", np.int32([-1, -1]), values, np.float32(0), mask=[1], max_skipped_indices=2)
    with pytest.raises(BadArgument, match="twice"):
        call("SparseToDenseMask", np.int32([0, 1]), values, np.float32(0), mask=[1, 1])
    with pytest.raises(BadArgument, match="second output"):
        call("SparseToDenseMask", np.int32([0, 1]), values, np.float32(0), mask=[1], return_presence_mask=True)


def test_gradient_wiring():
    assert wiring("SparseToDense", 3) == ([("Gather", ["GO0", "I0"], ["I1_grad"])], [None, "I1_grad", None])
    for inputs, told in [(3, []), (4, ["I3"])]:
        step = ("SparseToDenseMaskGradient", ["I0", "GO0", *told], ["I1_grad"])
        assert wiring("SparseToDenseMask", inputs, mask=[1]) == ([step], [None, "I1_grad", *[None] * (inputs - 2)])
