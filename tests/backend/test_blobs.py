"""What blobs hold."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from c2lab.backend.blobs import UNINITIALISED, to_device


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint16", "bool"])
def test_arrays_keep_their_type_on_the_device(dtype):
    moved = to_device(np.ones(2, dtype))
    assert isinstance(moved, jax.Array)
    assert moved.dtype == dtype


def test_a_blob_does_not_see_later_changes_of_the_array():
    array = np.zeros(3, np.float32)
    moved = to_device(array)
    array[:] = 1
    assert np.asarray(moved).tolist() == [0, 0, 0]


def test_text_and_objects_stay_as_they_are():
    text = np.array([b"a"], object)
    assert to_device(text) is text
    assert to_device(UNINITIALISED) is UNINITIALISED
    assert repr(UNINITIALISED) == "uninitialised"
