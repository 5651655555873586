import jax.export
import numpy as np
import pytest

from c2lab.errors import ShapeMismatch
from c2lab.operators.axes import canonical_axis, product, sizes_as_values


@pytest.mark.parametrize(("axis", "rank", "want"), [(0, 3, 0), (2, 3, 2), (-1, 3, 2), (-3, 3, 0), (-1, 1, 0)])
def test_negative_axes_count_from_the_back(axis, rank, want):
    assert canonical_axis(axis, rank) == want


@pytest.mark.parametrize(("axis", "rank"), [(3, 3), (-4, 3), (0, 0)])
def test_an_axis_that_does_not_exist_is_an_error(axis, rank):
    with pytest.raises(ShapeMismatch, match=f"axis is {axis} but the input has {rank} dimensions"):
        canonical_axis(axis, rank)


def test_a_cut_may_stand_after_the_last_dimension():
    assert canonical_axis(3, 3, end=True) == 3


def test_products_and_values_of_sizes():
    assert product(()) == 1
    assert product((2, 3, 0)) == 0
    (batch,) = jax.export.symbolic_shape("N")
    assert str(product((2, batch, 3))) == "6*N"
    values = sizes_as_values((2, 3), np.int32)
    assert isinstance(values, np.ndarray)
    assert (values.tolist(), values.dtype) == ([2, 3], np.int32)
    assert sizes_as_values((), np.int64).shape == (0,)
