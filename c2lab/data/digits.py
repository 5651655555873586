"""The 1,797 handwritten digits that travel with the package: no download, no account."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from c2lab.data.sample_set import DigitSet

_FILE = Path(__file__).with_name("digits.npz")
_WHITE = 16  # the brightest pixel of the 8x8 pictures
_TRAIN_SHARE = 0.8


def load(seed: int = 0, size: int = 28) -> DigitSet:
    """The digits, split into 1,437 to train on and 360 to test on.

    Args:
        seed: Decides who is held out; one seed is one split, on every machine.
        size: Height and width of the pictures (8 leaves them as they were recorded).

    Raises:
        ValueError: ``size`` is not a positive whole number.

    Example:
        >>> digits = load()
        >>> digits.test_images.shape, digits.test_images.dtype, digits.test_labels.dtype
        ((360, 1, 28, 28), dtype('float32'), dtype('int32'))
    """
    if size < 1:
        raise ValueError(f"size is {size}; pictures are at least 1 pixel wide")
    with np.load(_FILE) as archive:
        images, labels = archive["images"], archive["labels"].astype(np.int32)
    # RandomState's stream is frozen by numpy, so the split outlives numpy versions.
    order = np.random.RandomState(seed).permutation(len(images))
    images = resize(images.astype(np.float32) / _WHITE, size)[order, np.newaxis]
    labels = labels[order]
    split = int(len(images) * _TRAIN_SHARE)
    return DigitSet(images[:split], labels[:split], images[split:], labels[split:])


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Pictures (N, H, W) at another size, by bilinear interpolation between pixel centres.

    Example:
        >>> resize(np.array([[[0.0, 1.0]]], np.float32), 4)[0, 0]
        array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    for axis in (1, 2):
        images = _resize_axis(images, size, axis)
    return images


def _resize_axis(images: np.ndarray, size: int, axis: int) -> np.ndarray:
    length = images.shape[axis]
    # Pixels are squares: the centre of target pixel i lies at (i + 1/2) / size of the width.
    position = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    low = np.minimum(position.astype(int), max(length - 2, 0))
    high = np.minimum(low + 1, length - 1)
    shape = [1] * images.ndim
    shape[axis] = size
    weight = (position - low).astype(images.dtype).reshape(shape)
    return np.take(images, low, axis) * (1 - weight) + np.take(images, high, axis) * weight
