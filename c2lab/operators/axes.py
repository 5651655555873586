"""Axes and sizes: how operators count the dimensions of a shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require_shape


def canonical_axis(axis: int, rank: int, *, end: bool = False) -> int:
    """``axis`` counted from the front; negative ones count from the back.

    Args:
        axis: As given to the operator.
        rank: How many dimensions there are.
        end: Whether ``rank`` itself is allowed: a cut after the last dimension.

    Raises:
        ShapeMismatch: There is no such axis.

    Example:
        >>> canonical_axis(-1, 3)
        2
    """
    high = rank if end else rank - 1
    require_shape(
        -rank <= axis <= high,
        f"axis is {axis} but the input has {rank} dimensions; axis must be between {-rank} and {high}",
    )
    return axis + rank if axis < 0 else axis


def product(sizes: Sequence[Any]) -> Any:
    """The product of sizes, which may be symbolic.

    Example:
        >>> product((2, 3))
        6
    """
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def sizes_as_values(sizes: Sequence[Any], dtype: Any) -> Any:
    """Sizes as a 1-D array: a numpy constant where they are known, so that they may decide later shapes.

    Example:
        >>> sizes_as_values((2, 3), np.int64)
        array([2, 3])
    """
    if all(isinstance(size, (int, np.integer)) for size in sizes):
        return np.asarray(sizes, dtype).reshape(len(sizes))
    return jnp.stack([jnp.asarray(size, dtype) for size in sizes])
