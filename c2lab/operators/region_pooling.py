"""Largest values over regions, regions at several scales, and rows put into another order."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from c2lab.errors import NotSupported
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator
from c2lab.operators.regions import regions_of
from c2lab.operators.windows import Order


@operator("RoIPool", outputs="Y, argmaxes?", types={"X": "float32", "rois": "float32"})
def roi_pool(
    X,
    rois,
    *,
    is_test: bool = False,
    order: Order = "NCHW",
    pooled_h: int = 1,
    pooled_w: int = 1,
    spatial_scale: float = 1.0,
    num_outputs: int = 2,
):
    """The largest value of an image in each cell of a grid laid over each region, cells cut at whole pixels.

    Girshick, Fast R-CNN, 2015.

    Inputs:
        X: ``(N, C, H, W)``.
        rois: ``(R, 5)``: the image's number and the corners ``x1, y1, x2, y2``, both of which belong to the region.
    Args:
        is_test: Whether argmaxes may be left out.
        order: NCHW.
        pooled_h: Rows of the grid.
        pooled_w: Columns of the grid.
        spatial_scale: Pixels of X for each unit of the corners.
    Outputs:
        Y: ``(R, C, pooled_h, pooled_w)``; 0 where a cell holds no pixel.
        argmaxes: int32, the same shape: which pixel, counted through the image, was the largest (-1: none).
    Example:
        >>> run("RoIPool", X=[[[[1.0, 2.0], [3.0, 4.0]]]], rois=[[0.0, 0.0, 0.0, 1.0, 1.0]], outputs=2)
        Y = [[[[4.]]]]
        argmaxes = [[[[3]]]]
    """
    if order != "NCHW":
        raise NotSupported("RoIPool knows the order NCHW only; turn X with NHWC2NCHW")
    number, corners = regions_of(X, rois, 4)
    height, width = X.shape[2:]
    corners = _rounded(corners * jnp.float32(spatial_scale)).astype(jnp.int32)

    def cells(first: Any, last: Any, count: int, size: int) -> Any:
        """Which pixels each cell holds: ``(count, size)``."""
        # Divided, not multiplied by a reciprocal: a cell's edge may fall on a pixel.
        side = jnp.maximum(last - first + 1, 1).astype(jnp.float32) / lax.optimization_barrier(jnp.float32(count))
        cell = jnp.arange(count, dtype=jnp.float32)
        start = jnp.clip(jnp.floor(cell * side).astype(jnp.int32) + first, 0, size)
        stop = jnp.clip(jnp.ceil((cell + 1) * side).astype(jnp.int32) + first, 0, size)
        pixel = jnp.arange(size, dtype=jnp.int32)
        return (pixel >= start[:, None]) & (pixel < stop[:, None])

    def pooled(region: Any) -> Any:
        image, (x1, y1, x2, y2) = region
        rows, columns = cells(y1, y2, pooled_h, height), cells(x1, x2, pooled_w, width)
        # The largest along each row first, then of the rows: the first among equals, as one reads.
        seen = jnp.where(columns[:, None, None], X[image][None], -jnp.inf)  # (pooled_w, C, H, W)
        best, place = jnp.max(seen, axis=-1), jnp.argmax(seen, axis=-1).astype(jnp.int32)
        across = jnp.where(rows[:, None, None], best[None], -jnp.inf)  # (pooled_h, pooled_w, C, H)
        row = jnp.argmax(across, axis=-1)
        value = jnp.max(across, axis=-1)
        column = jnp.take_along_axis(jnp.broadcast_to(place[None], across.shape), row[..., None], axis=-1)[..., 0]
        some = (rows.any(axis=1)[:, None] & columns.any(axis=1))[..., None]
        value = jnp.where(some, value, 0)
        at = jnp.where(some, row.astype(jnp.int32) * width + column, -1)
        return jnp.moveaxis(value, -1, 0).astype(X.dtype), jnp.moveaxis(at, -1, 0).astype(jnp.int32)

    shape = (X.shape[1], pooled_h, pooled_w)
    if rois.shape[0] == 0:
        return jnp.zeros((0, *shape), X.dtype), jnp.zeros((0, *shape), jnp.int32)
    return lax.map(pooled, (number, corners))


@roi_pool.gradient("X, rois, argmaxes, dY -> dX", types={"X": "float32"})
def _(
    X,
    rois,
    argmaxes,
    dY,
    *,
    is_test: bool = False,
    order: Order = "NCHW",
    pooled_h: int = 1,
    pooled_w: int = 1,
    spatial_scale: float = 1.0,
):
    """Each cell's gradient goes to the pixel that was the largest in it."""
    if order != "NCHW":
        raise NotSupported("RoIPoolGradient knows the order NCHW only")
    number, _corners = regions_of(X, rois, 4)
    flat = jnp.zeros((X.shape[0], X.shape[1], X.shape[2] * X.shape[3]), X.dtype)
    channel = jnp.arange(X.shape[1], dtype=jnp.int32)[None, :, None, None]
    flow = jnp.where(argmaxes >= 0, dY, 0)
    back = flat.at[number[:, None, None, None], channel, jnp.maximum(argmaxes, 0)].add(flow)
    return back.reshape(X.shape)


@operator("BatchPermutation", types={"X": "float32", "indices": "int32"})
def batch_permutation(X, indices):
    """Rows in another order: ``Y[i] = X[indices[i]]``.

    Inputs:
        X: ``(N, ...)``.
        indices: int32 ``(N,)``: each number from 0 to N - 1 once.
    Outputs:
        Y: Shaped as X.
    Example:
        >>> run("BatchPermutation", X=[[1.0], [2.0]], indices=[1, 0])
        Y = [[2.]
         [1.]]
    """
    _require_permutation(X, indices)
    return X[indices]


@batch_permutation.gradient("indices, dY -> dX", types={"dY": "float32", "indices": "int32"})
def _(indices, dY):
    """Rows go back to where they came from."""
    _require_permutation(dY, indices)
    return jnp.zeros_like(dY).at[indices].set(dY)


@operator("RMACRegions", outputs="regions", gradient="refused")
def rmac_regions(X, *, scales: int = 3, overlap: float = 0.4):
    """Square regions at several scales that cover an image evenly, for RoIPool.

    At scale l squares of side ``floor(2 * min(H, W) / (l + 1))`` stand l times along the shorter side, and as many
    times along the longer one as lets neighbours overlap by about ``overlap``.  Tolias et al., Particular object
    retrieval with integral max-pooling, 2016.

    Inputs:
        X: ``(N, C, H, W)``, of which only the shape counts.
    Args:
        scales: How many scales.
        overlap: The part of a square's area that neighbours share along the longer side.
    Outputs:
        regions: ``(N * squares, 5)``: the image's number and the corners x1, y1, x2, y2, both inside.
    Example:
        >>> run("RMACRegions", X=[[[[0.0, 0.0], [0.0, 0.0]]]], scales=1)
        regions = [[0. 0. 0. 1. 1.]]
    """
    require_shape(X.ndim == 4, f"X is {X.shape}; it must have four dimensions")
    count, _, height, width = X.shape
    short, long = min(height, width), max(height, width)
    more = 0
    if short < long:
        shared = [abs((short - (long - short) / steps) / short - overlap) for steps in range(1, 7)]
        more = int(np.argmin(shared)) + 1
    squares = []
    for scale in range(1, scales + 1):
        side = 2 * short // (scale + 1)
        along = [
            [math.floor(place * (size - side) / (times - 1)) if times > 1 else 0 for place in range(times)]
            for size, times in ((width, scale + more * (width > height)), (height, scale + more * (height > width)))
        ]
        squares += [(x, y, x + side - 1, y + side - 1) for x in along[0] for y in along[1]]
    table = np.array(squares, np.float32).reshape(-1, 4)
    number = jnp.repeat(jnp.arange(count, dtype=jnp.float32), len(table))[:, None]
    return jnp.concatenate([number, jnp.tile(jnp.asarray(table), (count, 1))], axis=1)


def _rounded(values: Any) -> Any:
    """To the nearest whole number, halves away from 0."""
    return jnp.trunc(values + jnp.copysign(jnp.float32(0.5), values))


def _require_permutation(X: Any, indices: Any) -> None:
    require_shape(
        indices.ndim == 1 and X.ndim >= 1 and X.shape[0] == indices.shape[0],
        f"X is {X.shape} and indices {indices.shape}; indices must have a number for each row of X",
    )
    rows = X.shape[0]
    require(
        (indices >= 0) & (indices < rows), f"indices holds a number outside 0 to {rows} - 1, the rows of X", indices
    )
