import numpy as np
import pytest

from c2lab.data import digits


def test_every_digit_is_there_once():
    pictures = digits.load(seed=3)
    assert [len(part) for part in pictures] == [1437, 1437, 360, 360]
    assert pictures.train_images.shape[1:] == (1, 28, 28)
    labels = np.concatenate([pictures.train_labels, pictures.test_labels])
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_types_and_range():
    pictures = digits.load()
    assert pictures.train_images.dtype == pictures.test_images.dtype == np.float32
    assert pictures.train_labels.dtype == pictures.test_labels.dtype == np.int32
    assert pictures.train_images.min() == 0
    assert pictures.train_images.max() == 1


def test_the_seed_alone_decides_the_split():
    first, again, other = digits.load(seed=0), digits.load(seed=0), digits.load(seed=1)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.test_labels, other.test_labels)
    # A fixed point: this split must not change from release to release.
    np.testing.assert_array_equal(first.test_labels[:10], [7, 9, 4, 7, 0, 2, 6, 1, 3, 1])


def test_training_and_test_pictures_differ():
    pictures = digits.load(size=8)
    train = {image.tobytes() for image in pictures.train_images}
    assert not any(image.tobytes() in train for image in pictures.test_images)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 28, 31])
def test_resize_agrees_with_plain_interpolation(size):
    image = np.random.RandomState(0).rand(1, 8, 8).astype(np.float32)
    position = (np.arange(size) + 0.5) * 8 / size - 0.5
    columns = np.stack([np.interp(position, np.arange(8), row) for row in image[0]])
    expected = np.stack([np.interp(position, np.arange(8), column) for column in columns.T]).T
    np.testing.assert_allclose(digits.resize(image, size)[0], expected, atol=1e-6)


def test_resize_to_the_same_size_changes_nothing():
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 4)[:, :, :3]
    np.testing.assert_array_equal(digits.resize(image, 3), image)


def test_a_picture_has_at_least_one_pixel():
    with pytest.raises(ValueError, match="size is 0"):
        digits.load(size=0)
