"""The rule of broadcast=1 and the way back, on shapes alone."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch, TypeMismatch
from c2lab.operators.broadcasting import Placement, fold_back, lay, placed

OLD = Placement(numpy=False)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "placement", "laid"),
    [
        ((2, 3, 4), (4,), OLD, (4,)),
        ((2, 3, 4), (3, 4), OLD, (3, 4)),
        ((2, 3, 4), (2,), Placement(numpy=False, axis=0), (2, 1, 1)),
        ((2, 3, 4), (3,), Placement(numpy=False, axis=-2), (3, 1)),
        ((2, 3, 4), (2, 3), Placement(numpy=False, axis=0), (2, 3, 1)),
        ((2, 3, 4), (1, 3, 1), OLD, (1, 3, 1)),
        ((2, 3, 4), (1, 1), OLD, (1,)),
        ((), (), OLD, ()),
        ((2, 1), (1, 2), Placement(), (1, 2)),
    ],
)
def test_b_is_laid_along_a(shape_a, shape_b, placement, laid):
    a, b = np.zeros(shape_a, np.float32), np.zeros(shape_b, np.float32)
    assert lay(a, b, placement)[1].shape == laid


def test_what_does_not_fit():
    a = np.zeros((2, 3), np.float32)
    for b, placement in ((np.zeros(2), OLD), (np.zeros(4), Placement()), (np.zeros((1, 2, 3)), OLD)):
        with pytest.raises(ShapeMismatch, match=r"A is \(2, 3\) but B is"):
            lay(a, b.astype(np.float32), placement)
    with pytest.raises(TypeMismatch):
        lay(a, np.zeros(3), OLD)


@pytest.mark.parametrize(
    ("axis", "letter", "order", "found"), [(-1, "", "NCHW", None), (2, "", "NCHW", 2), (-1, "C", "NHWC", 3)]
)
def test_placement_from_the_arguments(axis, letter, order, found):
    assert placed(axis, letter, order) == Placement(numpy=False, axis=found)


@pytest.mark.parametrize("letter", ["X", "NC"])
def test_letters_that_are_no_dimension(letter):
    with pytest.raises(BadArgument, match="it must be one letter of the order NCHW"):
        placed(-1, letter, "NCHW")


@pytest.mark.parametrize("shape", [(3, 4), (4,), (1, 4), (3, 1), (1,), ()])
def test_the_way_back_sums_what_was_stretched(shape):
    gradient = np.arange(12, dtype=np.float32).reshape(3, 4)
    like = np.zeros(shape, np.float32)
    back = np.asarray(fold_back(gradient, like, like))
    assert back.shape == shape
    assert back.sum() == gradient.sum()
    np.testing.assert_array_equal(np.broadcast_to(back, (3, 4))[0, 0], gradient.sum(_stretched(shape)).ravel()[0])


def _stretched(shape):
    padded = (1,) * (2 - len(shape)) + shape
    return tuple(axis for axis in range(2) if padded[axis] == 1)
