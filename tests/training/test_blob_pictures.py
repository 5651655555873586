import numpy as np
import pytest

from c2lab.training.blob_pictures import grid, histogram


def test_histograms_leave_out_what_is_no_number():
    counts, low, high, _ = histogram(np.float32([1, 2, 2, 3, np.nan, np.inf]))
    assert (counts.sum(), low, high) == (4, 1, 3)
    assert counts[len(counts) // 2] == 2
    assert histogram(np.full(4, 7.0))[0].sum() == 4
    assert histogram(np.full(4, np.nan))[0].sum() == 0


def test_large_blobs_are_sampled():
    assert histogram(np.arange(1_000_000))[0].sum() <= 200_000


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((20, 1, 5, 5), [20, 5, 5, 1]),
        ((20, 3, 5, 5), [20, 5, 5, 3]),
        ((4, 20, 5, 5), [64, 5, 5, 1]),
        ((2, 3, 200, 100), [2, 50, 50, 3]),
        ((10, 500), [1, 10, 63, 1]),
        ((10,), []),
        ((1, 10), []),
        ((0, 1, 5, 5), []),
    ],
)
def test_pictures_fit(shape, expected):
    content, found = grid(np.random.RandomState(0).rand(*shape))
    assert found == expected
    assert len(content) == (np.prod(expected) if expected else 0)


def test_each_picture_has_its_own_shades():
    content, _ = grid(np.float32([[[[0, 1], [1, 2]]], [[[5, 5], [5, 5]]]]))
    assert list(content) == [0, 127, 127, 255, 127, 127, 127, 127]
