"""Batches of pictures: shuffled, and moved about a little so that a net learns the digit and not the place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def shuffled(
    images: np.ndarray, labels: np.ndarray, size: int, random: np.random.RandomState, shift: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One pass over the pictures in random order, in whole batches (the rest waits for the next pass).

    Args:
        images: (N, C, H, W).
        labels: (N,).
        size: Pictures in a batch.
        random: Decides order and shifts.
        shift: Each picture moves by up to so many pixels, up or down and left or right.
    """
    order = random.permutation(len(images))
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        batch = images[chosen]
        yield (shifted(batch, random.randint(-shift, shift + 1, (size, 2))) if shift else batch), labels[chosen]


def shifted(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Each picture moved down and right by its offsets; what comes in at the edge is black.

    Example:
        >>> shifted(np.array([[[[1, 2], [3, 4]]]]), np.array([[1, 0]]))[0, 0]
        array([[0, 0],
               [1, 2]])
    """
    height, width = images.shape[2:]
    margin = int(np.abs(offsets).max(initial=0))
    padded = np.pad(images, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    result = np.empty_like(images)
    for index, (down, right) in enumerate(offsets):
        top, left = margin - down, margin - right
        result[index] = padded[index, :, top : top + height, left : left + width]
    return result


def padded_pieces(images: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """All pictures in pieces of one size, the last filled up with black, each with how many are real.

    One size is one compiled program.
    """
    for start in range(0, len(images), size):
        piece = images[start : start + size]
        real = len(piece)
        if real < size:
            piece = np.concatenate([piece, np.zeros((size - real, *images.shape[1:]), images.dtype)])
        yield piece, real
