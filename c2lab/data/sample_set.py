"""What every set of labelled pictures gives: images and labels to train on, and others to test on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class DigitSet(NamedTuple):
    """Pictures of digits, NCHW in 0 to 1, with their labels.

    Attributes:
        train_images: float32, (N, 1, H, W).
        train_labels: int32, (N,).
        test_images: float32, (M, 1, H, W).
        test_labels: int32, (M,).
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
