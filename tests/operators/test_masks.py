import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, SchemaError, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(42)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_boolean_mask(shape):
    data, mask = rng.normal(size=(6, *shape)).astype(np.float32), rng.random(6) < 0.5
    kept, where = call("BooleanMask", data, mask, outputs=2)
    np.testing.assert_array_equal(kept, data[mask])
    np.testing.assert_array_equal(where, np.flatnonzero(mask))
    assert where.dtype == np.int64
    slope = rng.normal(size=kept.shape).astype(np.float32)
    want = np.zeros_like(data)
    want[mask] = slope
    np.testing.assert_array_equal(gradients("BooleanMask", [data, mask], [slope])[0], want)


@pytest.mark.parametrize("type", [np.int32, np.int64])
def test_lengths_after_a_mask(type):
    lengths, mask = type([2, 0, 3]), np.array([True, False, True, True, False])
    got = call("BooleanMaskLengths", lengths, mask)
    np.testing.assert_array_equal(got, [part.sum() for part in np.split(mask, [2, 2])])
    assert got.dtype == type


def test_unmask_puts_the_rows_together_again():
    first, second = np.array([True, False, True, False, False]), np.array([True, True, False, False, True])
    third = np.ones(5, bool)
    want = rng.normal(size=(5, 2)).astype(np.float32)
    got = call("BooleanUnmask", first, want[[0, 2]], second, want[[1, 4]], third, want[[3]])
    np.testing.assert_array_equal(got, want)


def overwritten(x, fill, condition):
    """One place at a time."""
    y = x.copy()
    for row, column in np.ndindex(*x.shape):
        if condition(row, column):
            y[row, column] = fill
    return y


LENGTHS = np.int32([0, 2, 5, 1])
MODES = {
    "sequence": lambda row, column: column >= LENGTHS[row],
    "window": lambda row, column: abs(column - LENGTHS[row]) > 1,
    "upper": lambda row, column: column > row,
    "lower": lambda row, column: column < row,
    "upperdiag": lambda row, column: column >= row,
    "lowerdiag": lambda row, column: column <= row,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("type", [np.float32, np.float64])
def test_sequence_mask(mode, type):
    x, slope = rng.normal(size=(2, 4, 5)).astype(type)
    inputs = [x, LENGTHS] if mode in ("sequence", "window") else [x]
    got = call("SequenceMask", *inputs, mode=mode, radius=1)
    np.testing.assert_array_equal(got, overwritten(x, -np.inf, MODES[mode]))
    got = call("SequenceMask", *inputs, mode=mode, radius=1, fill_val=7.0)
    np.testing.assert_array_equal(got, overwritten(x, 7, MODES[mode]))
    dx = gradients("SequenceMask", inputs, [slope], mode=mode, radius=1, fill_val=7.0)[0]
    np.testing.assert_array_equal(dx, overwritten(slope, 0, MODES[mode]))


def test_batch_and_repeated_dimensions():
    x = rng.normal(size=(3, 4, 5)).astype(np.float32)
    got = call("SequenceMask", x, mode="upper", axis=2, batch=0, fill_val=0.0)
    np.testing.assert_array_equal(got, np.tril(x))
    got = call("SequenceMask", x, np.int32([4, 0, 2]), mode="sequence", axis=1, repeat_from_axis=2, fill_val=0.0)
    np.testing.assert_array_equal(got, x * (np.arange(4) < np.array([[4], [0], [2]]))[..., None])


def test_refusals():
    data, mask = np.float32([1, 2]), np.array([True, False])
    with pytest.raises(ShapeMismatch, match="one mask value a row"):
        call("BooleanMask", data[:1], mask)
    with pytest.raises(BadValue, match="must be true for 2 rows"):
        call("BooleanMaskGradient", mask, data)
    with pytest.raises(BadValue, match="at least one must be true everywhere"):
        call("BooleanUnmask", mask, data[:1])
    with pytest.raises(BadValue, match="must fill 2 places"):
        call("BooleanUnmask", mask, data)
    with pytest.raises(SchemaError, match="pairs of a mask and its rows"):
        call("BooleanUnmask", mask, data[:1], mask)
    with pytest.raises(ShapeMismatch, match=r"sequence_lengths of shape \(2,\)"):
        call("SequenceMask", np.ones((2, 2), np.float32), mode="sequence")
    with pytest.raises(BadArgument, match="batch must come before axis"):
        call("SequenceMask", np.ones((2, 2), np.float32), mode="upper", batch=1)


def test_gradient_wiring():
    assert wiring("BooleanMask", 2) == ([("BooleanMaskGradient", ["I1", "GO0"], ["I0_grad"])], ["I0_grad", None])
    step = ("SequenceMask", ["GO0", "I1"], ["I0_grad"])
    assert wiring("SequenceMask", 2, mode="sequence") == ([step], ["I0_grad", None])
    assert wiring("BooleanMaskLengths", 2) == wiring("BooleanUnmask", 2) == ([], [None, None])
    assert wiring("SequenceMask", 1, mode="upper") == ([("SequenceMask", ["GO0"], ["I0_grad"])], ["I0_grad"])
