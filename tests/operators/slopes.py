"""Gradients by finite differences of an independent formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def slope(
    formula: Callable[..., Any], inputs: Sequence[Any], which: int, output_gradient: Any, step: float = 1e-5
) -> np.ndarray:
    """The gradient of ``sum(formula(*inputs) * output_gradient)`` by input ``which``, in float64."""
    values = [np.asarray(x, np.float64) if np.asarray(x).dtype.kind == "f" else np.asarray(x) for x in inputs]
    moved = values[which].copy()
    values[which] = moved
    result = np.zeros(moved.shape)
    for place in np.ndindex(*moved.shape):
        kept = moved[place]
        moved[place] = kept + step
        above = np.sum(formula(*values) * output_gradient)
        moved[place] = kept - step
        below = np.sum(formula(*values) * output_gradient)
        moved[place] = kept
        result[place] = (above - below) / (2 * step)
    return result
