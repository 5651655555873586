"""Tiling: the same values several times over."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator


def _tile_plan(tiles: Any, axis: Any, tiles_input: Any, axis_input: Any, rank: int) -> tuple[int, int]:
    """How often, and along which dimension: inputs win over arguments."""
    count = int(tiles_input.reshape(-1)[0]) if tiles_input is not None else tiles
    along = int(axis_input.reshape(-1)[0]) if axis_input is not None else axis
    if count < 0:
        raise BadArgument(f"tiles is {count}; it must not be negative")
    return count, canonical_axis(along, rank)


@operator("Tile", static="tiles_input, axis_input")
def tile(X, tiles_input=None, axis_input=None, *, tiles: int = 1, axis: int = 0):
    """Repeats a blob along a dimension, copy after copy.

    Inputs:
        X: At least one dimension.
        tiles_input: int32, one value, in place of the argument tiles.
        axis_input: int32, one value, in place of the argument axis.
    Args:
        tiles: How many copies.
        axis: The dimension along which they stand.
    Outputs:
        Y: X with the size of the dimension times tiles.
    Example:
        >>> run("Tile", X=[1.0, 2.0], tiles=2)
        Y = [1. 2. 1. 2.]
    """
    count, along = _tile_plan(tiles, axis, tiles_input, axis_input, X.ndim)
    return jnp.concatenate([X] * count, along) if count else X[(slice(None),) * along + (slice(0, 0),)]


@tile.gradient("dY, tiles_input, axis_input -> dX", static="tiles_input, axis_input")
def _(dY, tiles_input=None, axis_input=None, *, tiles: int = 1, axis: int = 0):
    """The sum of the gradients of all copies."""
    count, along = _tile_plan(tiles, axis, tiles_input, axis_input, dY.ndim)
    require_shape(
        count > 0 and dY.shape[along] % count == 0,
        f"dY is {dY.shape}; dimension {along} must be divisible by tiles, which is {count}",
    )
    parted = dY.reshape(*dY.shape[:along], count, dY.shape[along] // count, *dY.shape[along + 1 :])
    return jnp.sum(parted, axis=along)


@operator("NumpyTile", outputs="tiled_data", static="repeats", types={"repeats": "int32 int64"})
def numpy_tile(data, repeats):
    """Repeats a blob along every dimension, like numpy.tile.

    Inputs:
        data: Values of any shape.
        repeats: int32 or int64, a number of copies for each dimension of data.
    Outputs:
        tiled_data: data with each size times its number of copies.
    Example:
        >>> run("NumpyTile", data=[1.0, 2.0], repeats=[2])
        tiled_data = [1. 2. 1. 2.]
    """
    require_shape(
        repeats.shape == (data.ndim,),
        f"data is {data.shape} and repeats is {repeats.shape}; repeats must hold one number for each dimension",
    )
    return jnp.tile(data, [int(count) for count in repeats])


def _expanded_shape(sizes: tuple[Any, ...], wanted: Any) -> tuple[Any, ...]:
    """Two shapes, aligned at the end; a size of one gives way to the other."""
    told = [int(size) for size in wanted]
    rank = max(len(sizes), len(told))
    own, other = [1] * (rank - len(sizes)) + list(sizes), [1] * (rank - len(told)) + told
    # -1 keeps the size that is there.
    other = [a if b == -1 else b for a, b in zip(own, other, strict=True)]
    for a, b in zip(own, other, strict=True):
        require_shape(
            a == b or a == 1 or b == 1,
            f"X is {sizes} and shape is {told}; sizes must be equal, or one of them 1, counted from the end",
        )
    return tuple(b if a == 1 else a for a, b in zip(own, other, strict=True))


@operator("Expand", static="shape", types={"X": "int32 int64 float32 float64", "shape": "int32 int64"})
def expand(X, shape):
    """Repeats dimensions of size one up to a shape, as numpy broadcasts.

    Inputs:
        X: Values of any shape.
        shape: int32 or int64; a size of 1 or -1 keeps that of X.
    Outputs:
        Y: X broadcast against the shape.
    Example:
        >>> run("Expand", X=[[1.0], [2.0]], shape=[1, 2])
        Y = [[1. 1.] [2. 2.]]
    """
    require_shape(shape.ndim == 1, f"shape is {shape.shape}; it must be one-dimensional")
    return jnp.broadcast_to(X, _expanded_shape(X.shape, shape))


@expand.gradient("dY, X -> dX")
def _(dY, X):
    """The sum of the gradients of all copies."""
    _, pullback = jax.vjp(lambda x: jnp.broadcast_to(x, dY.shape), X)
    return pullback(dY)
