"""Regions and the images they are of."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from c2lab.operators.regions import regions_of


def test_numbers_and_boxes():
    images = np.zeros((3, 1, 4, 4), np.float32)
    number, box = regions_of(images, np.float32([[2, 0, 1, 2, 3], [0, 4, 5, 6, 7]]), 4)
    assert number.tolist() == [2, 0]
    assert np.asarray(box).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    number, box = regions_of(images, np.float32([[0, 1, 2, 3]]), 4)
    assert number.tolist() == [0]


def test_what_is_refused():
    with pytest.raises(ShapeMismatch, match="four dimensions"):
        regions_of(np.zeros((3, 3)), np.zeros((1, 4)), 4)
    with pytest.raises(BadValue, match="found -1"):
        regions_of(np.zeros((3, 1, 4, 4)), np.float32([[-1, 0, 1, 2, 3]]), 4)
