"""Blobs as something to look at: how their values are spread, and pictures of filters and activations."""

from __future__ import annotations

import math

import numpy as np

_BINS = 48
_MOST = 64  # pictures in a grid
_LARGEST = 64  # pixels of a picture's side
_SAMPLE = 100_000  # values that a histogram looks at


def histogram(values: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Counts in equal bins from the least to the greatest finite value, these two, and the norm.

    Example:
        >>> counts, low, high, norm = histogram(np.float32([0, 3, 4]))
        >>> int(counts.sum()), low, high, norm
        (3, 0.0, 4.0, 5.0)
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    norm = float(np.linalg.norm(flat))
    flat = flat[:: max(1, flat.size // _SAMPLE)]
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return np.zeros(_BINS, np.int64), 0.0, 0.0, norm
    low, high = float(flat.min()), float(flat.max())
    counts, _ = np.histogram(flat, _BINS, (low, high) if high > low else (low - 0.5, high + 0.5))
    return counts, low, high, norm


def grid(values: np.ndarray) -> tuple[bytes, list[int]]:
    """Pictures as bytes, and (number, height, width, channels); nothing where the blob has no pictures.

    Of (N, C, H, W) with one or three channels each sample is a picture, else each channel of each sample
    is; a matrix is one picture.

    Example:
        >>> grid(np.arange(8.0).reshape(2, 1, 2, 2))[1]
        [2, 2, 2, 1]
        >>> grid(np.zeros((5, 7, 3, 3)))[1]
        [35, 3, 3, 1]
        >>> grid(np.zeros(3))
        (b'', [])
    """
    values = np.asarray(values, np.float32)
    if values.ndim == 2 and min(values.shape) > 1:
        values = values[np.newaxis, np.newaxis]
    if values.ndim != 4 or min(values.shape[2:]) < 2 or 0 in values.shape:
        return b"", []
    if values.shape[1] not in (1, 3):
        values = values[: math.ceil(_MOST / values.shape[1])].reshape(-1, 1, *values.shape[2:])
    values = values[:_MOST]
    high, wide = (max(1, -(-size // _LARGEST)) for size in values.shape[2:])
    pictures = np.nan_to_num(values[:, :, ::high, ::wide], posinf=0.0, neginf=0.0)
    low = pictures.min(axis=(1, 2, 3), keepdims=True)
    span = pictures.max(axis=(1, 2, 3), keepdims=True) - low
    shades = np.where(span > 0, (pictures - low) / np.where(span > 0, span, 1), 0.5) * 255
    shades = np.ascontiguousarray(shades.astype(np.uint8).transpose(0, 2, 3, 1))
    return shades.tobytes(), [int(size) for size in shades.shape]
