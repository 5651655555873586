"""Images: other sizes, other layouts, margins."""

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.windows import Order, layout, spelled

FLOAT = {"X": "float32"}


def _transpose(linear: Any, like: Any, flow: Any) -> Any:
    """What flows back through a linear function to an argument of the shape of ``like``."""
    (back,) = jax.linear_transpose(linear, jax.ShapeDtypeStruct(like.shape, like.dtype))(flow)
    return back


# --- other sizes ---------------------------------------------------------------------------------


def _scaled(sizes: tuple[int, ...], scales: tuple[Any, ...]) -> tuple[int, ...]:
    """Output sizes, rounded down in single precision."""
    scaled = tuple(int(np.float32(size) * np.float32(scale)) for size, scale in zip(sizes, scales, strict=True))
    require_shape(min(scaled) > 0, f"sizes {sizes} times {scales} leave nothing; give larger scales")
    return scaled


def _scales(scales: Any, height: float, width: float) -> tuple[float, float]:
    """The scales from the blob, where there is one, else from the arguments."""
    if scales is None:
        return height, width
    require_shape(tuple(np.shape(scales)) == (2,), f"scales is {np.shape(scales)}; it must be (2,): height, width")
    return float(scales[0]), float(scales[1])


def _resize_nearest(X: Any, scales: tuple[float, ...], order: str) -> Any:
    for axis, scale in zip(layout(order, X.ndim)[2:], scales, strict=True):
        size = X.shape[axis]
        (made,) = _scaled((size,), (scale,))
        source = np.minimum((np.arange(made, dtype=np.float32) / np.float32(scale)).astype(np.int64), size - 1)
        times = made // size
        if times * size == made and (source == np.repeat(np.arange(size), times)).all():
            X = jnp.repeat(X, times, axis=axis) if times > 1 else X
        else:
            X = jnp.take(X, source, axis=axis, mode="clip")
    return X


@operator("ResizeNearest", static="scales", types=FLOAT)
def resize_nearest(X, scales=None, *, width_scale: float = 1.0, height_scale: float = 1.0, order: Order = "NCHW"):
    """Images of another size, each pixel taken from the nearest one up and to the left.

    ``Y[n, c, y, x] = X[n, c, floor(y / height_scale), floor(x / width_scale)]``

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
        scales: ``(2,)``: the scales of height and width; they replace the arguments.
    Args:
        width_scale: Factor of the width; the new width is rounded down.
        height_scale: Factor of the height; the new height is rounded down.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with the new height and width.
    Example:
        >>> run("ResizeNearest", X=[[[[1.0, 2.0]]]], width_scale=2.0)
        Y = [[[[1. 1. 2. 2.]]]]
    """
    require_shape(X.ndim == 4, f"X is {X.shape}; it must have four dimensions")
    return _resize_nearest(X, _scales(scales, height_scale, width_scale), order)


@resize_nearest.gradient("dY, X, scales -> dX", static="scales")
def _(dY, X, scales=None, *, width_scale: float = 1.0, height_scale: float = 1.0, order: Order = "NCHW"):
    """Each pixel gathers the gradients of its copies."""
    factors = _scales(scales, height_scale, width_scale)
    return _transpose(lambda Z: _resize_nearest(Z, factors, order), X, dY)


@operator("ResizeNearest3D", types=FLOAT)
def resize_nearest_3d(
    X,
    *,
    temporal_scale: float = 1.0,
    width_scale: float = 1.0,
    height_scale: float = 1.0,
    order: Order = "NCHW",
):
    """Films of another size, each pixel taken from the nearest one before it.

    ``Y[n, c, t, y, x] = X[n, c, floor(t / temporal_scale), floor(y / height_scale), floor(x / width_scale)]``

    Inputs:
        X: ``(N, C, T, H, W)``, or ``(N, T, H, W, C)`` with order NHWC.
    Args:
        temporal_scale: Factor of the number of pictures; the new number is rounded down.
        width_scale: Factor of the width; the new width is rounded down.
        height_scale: Factor of the height; the new height is rounded down.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with the new sizes.
    Example:
        >>> run("ResizeNearest3D", X=[[[[[1.0, 2.0]]]]], width_scale=2.0)
        Y = [[[[[1. 1. 2. 2.]]]]]
    """
    require_shape(X.ndim == 5, f"X is {X.shape}; it must have five dimensions")
    return _resize_nearest(X, (temporal_scale, height_scale, width_scale), order)


@resize_nearest_3d.gradient("dY, X -> dX")
def _(
    dY,
    X,
    *,
    temporal_scale: float = 1.0,
    width_scale: float = 1.0,
    height_scale: float = 1.0,
    order: Order = "NCHW",
):
    """Each pixel gathers the gradients of its copies."""
    scales = (temporal_scale, height_scale, width_scale)
    return _transpose(lambda Z: _resize_nearest(Z, scales, order), X, dY)


def _upsample_bilinear(X: Any, scales: tuple[float, float]) -> Any:
    require_shape(X.ndim == 4, f"X is {X.shape}; it must be (N, C, H, W)")
    for axis, made in zip((2, 3), _scaled(X.shape[2:], scales), strict=True):
        size = X.shape[axis]
        # The corners of both images lie upon each other.
        step = np.float32(size - 1) / np.float32(made - 1) if made > 1 else np.float32(0)
        at = np.arange(made, dtype=np.float32) * step
        low = np.minimum(at.astype(np.int64), size - 1)
        weight = (at - low.astype(np.float32)).astype(X.dtype).reshape([-1 if i == axis else 1 for i in range(4)])
        high = np.minimum(low + 1, size - 1)
        X = jnp.take(X, low, axis=axis, mode="clip") * (1 - weight) + jnp.take(X, high, axis=axis, mode="clip") * weight
    return X


@operator("UpsampleBilinear", static="scales", types=FLOAT)
def upsample_bilinear(X, scales=None, *, width_scale: float = 1.0, height_scale: float = 1.0):
    """Images of another size, each pixel mixed from its four neighbours.

    Pixel ``y`` of the output lies at ``y * (H - 1) / (H' - 1)`` of the input, so that the corners stay corners.

    Inputs:
        X: ``(N, C, H, W)``.
        scales: ``(2,)``: the scales of height and width; they replace the arguments.
    Args:
        width_scale: Factor of the width; the new width is rounded down.
        height_scale: Factor of the height; the new height is rounded down.
    Outputs:
        Y: X with the new height and width.
    Example:
        >>> run("UpsampleBilinear", X=[[[[1.0, 4.0]]]], width_scale=2.0)
        Y = [[[[1. 2. 3. 4.]]]]
    """
    return _upsample_bilinear(X, _scales(scales, height_scale, width_scale))


@upsample_bilinear.gradient("dY, X, scales -> dX", static="scales")
def _(dY, X, scales=None, *, width_scale: float = 1.0, height_scale: float = 1.0):
    """Each pixel gathers the gradients of what was mixed from it."""
    factors = _scales(scales, height_scale, width_scale)
    return _transpose(lambda Z: _upsample_bilinear(Z, factors), X, dY)


# --- other layouts -------------------------------------------------------------------------------


@operator("NCHW2NHWC", outputs="output", types={"data": "float32"})
def nchw_to_nhwc(data):
    """Moves the channels to the end.

    Inputs:
        data: ``(N, C, ...)``.
    Outputs:
        output: ``(N, ..., C)``.
    Example:
        >>> run("NCHW2NHWC", data=[[[1.0], [3.0]]])
        output = [[[1. 3.]]]
    """
    require_shape(data.ndim >= 3, f"data is {data.shape}; it must have at least three dimensions")
    return jnp.moveaxis(data, 1, -1)


@operator("NHWC2NCHW", outputs="output", types={"data": "float32"})
def nhwc_to_nchw(data):
    """Moves the channels from the end to the second place.

    Inputs:
        data: ``(N, ..., C)``.
    Outputs:
        output: ``(N, C, ...)``.
    Example:
        >>> run("NHWC2NCHW", data=[[[1.0], [3.0]]])
        output = [[[1. 3.]]]
    """
    require_shape(data.ndim >= 3, f"data is {data.shape}; it must have at least three dimensions")
    return jnp.moveaxis(data, -1, 1)


@nchw_to_nhwc.gradient_maker
def _(g):
    return [g.define("NHWC2NCHW", [g.GO(0)], [g.GI(0)])]


@nhwc_to_nchw.gradient_maker
def _(g):
    return [g.define("NCHW2NHWC", [g.GO(0)], [g.GI(0)])]


# --- margins -------------------------------------------------------------------------------------

Mode = Literal["constant", "reflect", "edge"]


def _margins(X: Any, order: str, pads: tuple[int, ...]) -> list[tuple[int, int]]:
    """Padding for each dimension of a four-dimensional X."""
    require_shape(X.ndim == 4, f"X is {X.shape}; it must have four dimensions")
    top, left, bottom, right = pads or (0, 0, 0, 0)
    margins = [(0, 0)] * 4
    for axis, pad in zip(layout(order, 4)[2:], ((top, bottom), (left, right)), strict=True):
        margins[axis] = pad
    return margins


def _pad_image(X: Any, margins: list[tuple[int, int]], mode: str, value: float) -> Any:
    if mode == "constant":
        return jnp.pad(X, margins, constant_values=jnp.asarray(value, X.dtype))
    if mode == "reflect":
        require_shape(
            all(max(pad) < size or not any(pad) for pad, size in zip(margins, X.shape, strict=True)),
            f"X is {X.shape} and its margins {margins}; a reflected margin must be smaller than the image",
        )
    return jnp.pad(X, margins, mode=mode)


@operator("PadImage", types=FLOAT)
def pad_image(
    X,
    *,
    mode: Mode = "constant",
    value: float = 0.0,
    pad: int | None = None,
    pad_t: int | None = None,
    pad_l: int | None = None,
    pad_b: int | None = None,
    pad_r: int | None = None,
    pads: tuple[int, ...] = (),
    order: Order = "NCHW",
):
    """Images with a margin: of one value, of the mirrored image, or of its repeated border.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
    Args:
        mode: What the margin shows: ``constant``, ``reflect`` (the border itself is not doubled) or ``edge``.
        value: The margin's value in mode ``constant``.
        pad: Width of the margin on every side.
        pad_t: Width on top (with pad_l, pad_b, pad_r).
        pad_l: Width on the left.
        pad_b: Width below.
        pad_r: Width on the right.
        pads: Widths: top, left, bottom, right.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with its height and width enlarged by the margins.
    Example:
        >>> run("PadImage", X=[[[[1.0, 2.0, 3.0]]]], pad_t=0, pad_l=2, pad_b=0, pad_r=1, mode="reflect")
        Y = [[[[3. 2. 1. 2. 3. 2.]]]]
    """
    widths = spelled("pad", pads, pad, (pad_t, pad_l, pad_b, pad_r), "tlbr")
    return _pad_image(X, _margins(X, order, widths), mode, value)


@pad_image.gradient("dY -> dX")
def _(
    dY,
    *,
    mode: Mode = "constant",
    pad: int | None = None,
    pad_t: int | None = None,
    pad_l: int | None = None,
    pad_b: int | None = None,
    pad_r: int | None = None,
    pads: tuple[int, ...] = (),
    order: Order = "NCHW",
):
    """Each pixel gathers the gradients of itself and of its images in the margin."""
    margins = _margins(dY, order, spelled("pad", pads, pad, (pad_t, pad_l, pad_b, pad_r), "tlbr"))
    shape = tuple(size - low - high for size, (low, high) in zip(dY.shape, margins, strict=True))
    like = jax.ShapeDtypeStruct(shape, dY.dtype)
    return _transpose(lambda Z: _pad_image(Z, margins, mode, 0), like, dY)
