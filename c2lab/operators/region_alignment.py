"""Means over regions, read between the pixels: RoIAlign, upright and at an angle."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from c2lab.operators.definition import operator
from c2lab.operators.regions import regions_of
from c2lab.operators.windows import Order

FLOAT = {"X": "float32", "RoIs": "float32"}


@operator("RoIAlign", types=FLOAT)
def roi_align(
    X,
    RoIs,
    *,
    spatial_scale: float = 1.0,
    pooled_h: int = 1,
    pooled_w: int = 1,
    sampling_ratio: int = -1,
    order: Order = "NCHW",
    aligned: bool = False,
):
    """The mean of an image over each cell of a grid laid over each region, read between the pixels.

    Every cell is the mean of ``sampling_ratio x sampling_ratio`` points, each interpolated from the four pixels
    around it; points more than a pixel outside count as 0.  He et al., Mask R-CNN, 2017.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
        RoIs: ``(R, 5)``: the image's number and the corners ``x1, y1, x2, y2``; or ``(R, 4)`` for one image.
    Args:
        spatial_scale: Pixels of X for each unit of the corners.
        pooled_h: Rows of the grid.
        pooled_w: Columns of the grid.
        sampling_ratio: Points along each side of a cell; at 0 or below one a pixel: ``ceil(side / cells)``.
        order: Where the channels stand: NCHW or NHWC.
        aligned: Whether pixels are read at their centres (corners half a pixel less); regions then may be
            smaller than a pixel.
    Outputs:
        Y: ``(R, C, pooled_h, pooled_w)``, or ``(R, pooled_h, pooled_w, C)``.
    Example:
        >>> run("RoIAlign", X=[[[[1.0, 2.0], [3.0, 4.0]]]], RoIs=[[0.0, 0.0, 0.0, 1.0, 1.0]], sampling_ratio=1)
        Y = [[[[2.5]]]]
    """
    images = _channels_first(X, order)
    number, corners = regions_of(images, RoIs, 4)
    weights = _grid_weights(corners, images.shape[2:], (pooled_h, pooled_w), spatial_scale, sampling_ratio, aligned)

    def pooled(region: Any) -> Any:
        image, rows, columns = region
        return jnp.einsum("ph,chw,qw->cpq", rows, images[image], columns, precision="highest")

    return _channels_as(_for_each(pooled, (number, *weights), (images.shape[1], pooled_h, pooled_w), X.dtype), order)


@roi_align.gradient("X, RoIs, dY -> dX")
def _(
    X,
    RoIs,
    dY,
    *,
    spatial_scale: float = 1.0,
    pooled_h: int = 1,
    pooled_w: int = 1,
    sampling_ratio: int = -1,
    order: Order = "NCHW",
    aligned: bool = False,
):
    """Each cell's gradient, spread over the pixels it was read from."""
    images = _channels_first(X, order)
    number, corners = regions_of(images, RoIs, 4)
    weights = _grid_weights(corners, images.shape[2:], (pooled_h, pooled_w), spatial_scale, sampling_ratio, aligned)

    def add(total: Any, region: Any) -> tuple[Any, None]:
        image, rows, columns, flow = region
        back = jnp.einsum("ph,cpq,qw->chw", rows, flow, columns, precision="highest")
        return total.at[image].add(back), None

    flow = _channels_first(dY, order)
    return _channels_as(lax.scan(add, jnp.zeros_like(images), (number, *weights, flow))[0], order)


@operator("RoIAlignRotated", types=FLOAT)
def roi_align_rotated(
    X,
    RoIs,
    *,
    spatial_scale: float = 1.0,
    pooled_h: int = 1,
    pooled_w: int = 1,
    sampling_ratio: int = -1,
    order: Order = "NCHW",
    aligned: bool = False,
):
    """RoIAlign over boxes that stand at an angle.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
        RoIs: ``(R, 6)``: the image's number, the centre x and y, width, height, and the angle in degrees,
            counter-clockwise; or ``(R, 5)`` for one image.
    Args:
        spatial_scale: Pixels of X for each unit of centre and size.
        pooled_h: Rows of the grid.
        pooled_w: Columns of the grid.
        sampling_ratio: Points along each side of a cell; at 0 or below one a pixel: ``ceil(side / cells)``.
        order: Where the channels stand: NCHW or NHWC.
        aligned: Whether pixels are read at their centres.
    Outputs:
        Y: ``(R, C, pooled_h, pooled_w)``, or ``(R, pooled_h, pooled_w, C)``.
    Example:
        >>> run("RoIAlignRotated", X=[[[[1.0, 2.0], [3.0, 4.0]]]], RoIs=[[0.0, 0.5, 0.5, 1.0, 1.0, 90.0]],
        ...     pooled_w=2, sampling_ratio=1)
        Y = [[[[3. 2.]]]]
    """
    images = _channels_first(X, order)
    number, boxes = regions_of(images, RoIs, 5)
    points, spread, grid = _rotated(boxes, (pooled_h, pooled_w), spatial_scale, sampling_ratio, aligned)

    def pooled(region: Any) -> Any:
        image, box, counts = region
        flat = images[image].reshape(images.shape[1], -1)

        def one(sample: Any, total: Any) -> Any:
            at, weight = spread(points(box, counts, sample), images.shape[2:])
            return total + jnp.sum(flat[:, at] * weight, axis=1)

        zero = jnp.zeros((images.shape[1], pooled_h, pooled_w), X.dtype)
        samples = counts[0] * counts[1]
        return lax.fori_loop(0, samples, one, zero) / jnp.maximum(samples, 1).astype(X.dtype)

    return _channels_as(_for_each(pooled, (number, boxes, grid), (images.shape[1], pooled_h, pooled_w), X.dtype), order)


@roi_align_rotated.gradient("X, RoIs, dY -> dX")
def _(
    X,
    RoIs,
    dY,
    *,
    spatial_scale: float = 1.0,
    pooled_h: int = 1,
    pooled_w: int = 1,
    sampling_ratio: int = -1,
    order: Order = "NCHW",
    aligned: bool = False,
):
    """Each cell's gradient, spread over the pixels it was read from."""
    images = _channels_first(X, order)
    number, boxes = regions_of(images, RoIs, 5)
    points, spread, grid = _rotated(boxes, (pooled_h, pooled_w), spatial_scale, sampling_ratio, aligned)

    def add(total: Any, region: Any) -> tuple[Any, None]:
        image, box, counts, flow = region
        samples = counts[0] * counts[1]
        flow = flow / jnp.maximum(samples, 1).astype(flow.dtype)

        def one(sample: Any, total: Any) -> Any:
            at, weight = spread(points(box, counts, sample), images.shape[2:])
            return total.at[image, :, at].add(jnp.moveaxis(flow[:, None] * weight, 0, -1))

        return lax.fori_loop(0, samples, one, total), None

    flat = jnp.zeros((*images.shape[:2], math.prod(images.shape[2:])), X.dtype)
    total = lax.scan(add, flat, (number, boxes, grid, _channels_first(dY, order)))[0]
    return _channels_as(total.reshape(images.shape), order)


def _channels_first(X: Any, order: str) -> Any:
    return X if order == "NCHW" else jnp.moveaxis(X, -1, 1)


def _channels_as(Y: Any, order: str) -> Any:
    return Y if order == "NCHW" else jnp.moveaxis(Y, 1, -1)


def _for_each(pooled: Any, regions: Any, shape: tuple[Any, ...], dtype: Any) -> Any:
    """One region after the other: all images gathered for all regions would take too much memory."""
    return lax.map(pooled, regions) if regions[0].shape[0] != 0 else jnp.zeros((0, *shape), dtype)


def _sides(low: Any, high: Any, aligned: bool) -> Any:
    return high - low if aligned else jnp.maximum(high - low, 1)


def _samples(side: Any, cells: int, ratio: int) -> Any:
    """How many points are read along one side of a cell."""
    if ratio > 0:
        return jnp.full(side.shape, ratio, jnp.int32)
    return jnp.ceil(side / cells).astype(jnp.int32)


def _interpolated(at: Any, size: int) -> tuple[Any, Any, Any, Any]:
    """The two pixels around each place along one axis, and their weights."""
    inside = (at >= -1) & (at <= size)
    at = jnp.maximum(at, 0)
    low = jnp.minimum(at.astype(jnp.int32), size - 1)
    part = jnp.where(low >= size - 1, 0, at - low.astype(at.dtype))
    high = jnp.minimum(low + 1, size - 1)
    return low, high, jnp.where(inside, 1 - part, 0), jnp.where(inside, part, 0)


def _grid_weights(
    corners: Any, sizes: tuple[int, int], cells: tuple[int, int], scale: float, ratio: int, aligned: bool
) -> tuple[Any, Any]:
    """How much each pixel counts in each cell, along y ``(R, pooled_h, H)`` and along x ``(R, pooled_w, W)``.

    Interpolation is the product of one along each axis, so that a cell is ``rows @ image @ columns``.
    """
    corners = corners * jnp.float32(scale) - (jnp.float32(0.5) if aligned else jnp.float32(0))
    weights = []
    region = jnp.arange(corners.shape[0])[:, None]
    for axis, (size, count) in enumerate(zip(sizes, cells, strict=True)):
        low, high = corners[:, 1 - axis], corners[:, 3 - axis]
        side = _sides(low, high, aligned) / count
        samples = _samples(_sides(low, high, aligned), count, ratio)
        cell = jnp.arange(count, dtype=jnp.float32)

        def one(
            sample: Any, total: Any, low=low, side=side, samples=samples, size=size, region=region, cell=cell
        ) -> Any:
            within = (sample.astype(jnp.float32) + jnp.float32(0.5)) / jnp.maximum(samples, 1).astype(jnp.float32)
            at = low[:, None] + (cell + within[:, None]) * side[:, None]
            before, after, near, far = _interpolated(at, size)
            counts = (sample < samples)[:, None]
            number = jnp.arange(len(cell))[None]
            total = total.at[region, number, before].add(jnp.where(counts, near, 0))
            return total.at[region, number, after].add(jnp.where(counts, far, 0))

        zero = jnp.zeros((corners.shape[0], count, size), jnp.float32)
        most = jnp.max(samples, initial=0)
        weights.append(lax.fori_loop(0, most, one, zero) / jnp.maximum(samples, 1)[:, None, None].astype(jnp.float32))
    return weights[0], weights[1]


def _rotated(boxes: Any, cells: tuple[int, int], scale: float, ratio: int, aligned: bool) -> Any:
    """Where points lie, what they read, and how many there are along y and x of each region."""
    zero = jnp.zeros_like(boxes[:, 0])
    scaled = boxes[:, 2:4] * jnp.float32(scale)
    width, height = _sides(zero, scaled[:, 0], aligned), _sides(zero, scaled[:, 1], aligned)
    grid = jnp.stack([_samples(height, cells[0], ratio), _samples(width, cells[1], ratio)], axis=1)

    def points(box: Any, counts: Any, sample: Any) -> tuple[Any, Any]:
        scaled = box[:4] * jnp.float32(scale)
        centre = scaled[:2] - (jnp.float32(0.5) if aligned else jnp.float32(0))
        angle = box[4] * jnp.float32(math.pi / 180)
        places = []
        for axis, (number, count) in enumerate(
            zip((sample // jnp.maximum(counts[1], 1), sample % jnp.maximum(counts[1], 1)), cells, strict=True)
        ):
            side = _sides(jnp.float32(0), scaled[3 - axis], aligned)
            cell = jnp.arange(count, dtype=jnp.float32)
            within = (number.astype(jnp.float32) + jnp.float32(0.5)) / jnp.maximum(counts[axis], 1).astype(jnp.float32)
            places.append(-side / 2 + (cell + within) * side / count)
        y, x = places[0][:, None], places[1][None, :]
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        return y * cosine - x * sine + centre[1], x * cosine + y * sine + centre[0]

    def spread(place: tuple[Any, Any], sizes: tuple[int, int]) -> tuple[Any, Any]:
        """The four pixels around each point, and their weights: ``(4, pooled_h, pooled_w)``."""
        (top, bottom, above, below), (left, right, before, after) = (
            _interpolated(at, size) for at, size in zip(place, sizes, strict=True)
        )
        at = jnp.stack([y * sizes[1] + x for y in (top, bottom) for x in (left, right)])
        return at, jnp.stack([v * w for v in (above, below) for w in (before, after)])

    return points, spread, grid
