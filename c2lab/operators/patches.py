"""Patches: images cut into windows or blocks, and put together again."""

from __future__ import annotations

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp

from c2lab.errors import BadArgument, NotSupported
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.windows import Order, Window, layout, padded, spatial_sizes, spelled, views, window

FLOAT = {"X": "float32"}


def _columns(X: Any, window: Window, order: str) -> Any:
    require_shape(X.ndim == 4, f"X is {X.shape}; it must have four dimensions")
    if window.global_pooling:
        raise NotSupported("global_pooling has no meaning for Im2Col and Col2Im; give a kernel")
    place = window.over(spatial_sizes(X, order))
    channel = layout(order, 4)[1]
    # Beside the channels: after them in NCHW (C, kernel), before them in NHWC (kernel, C).
    patches = jnp.stack(views(padded(X, place, order, 0), place, order), axis=2 if order == "NCHW" else 3)
    shape = [X.shape[0], *place.output]
    shape.insert(channel, X.shape[channel] * math.prod(place.kernel))
    return patches.reshape(shape)


@operator("Im2Col", fold=window, types=FLOAT)
def im2col(X, *, window: Window, order: Order = "NCHW"):
    """Every patch that a window sees, laid out along the channels.

    A convolution is then one matrix product.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
    Args:
        kernel: Size of the window along both axes; kernel, stride, dilation and pad have the spellings of Conv.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: ``(N, C * kernel_h * kernel_w, H', W')``, or ``(N, H', W', kernel_h * kernel_w * C)`` with order NHWC.
    Example:
        >>> run("Im2Col", X=[[[[1.0], [2.0], [3.0]]]], kernel_h=1, kernel_w=3, order="NHWC")
        Y = [[[[1. 2. 3.]]]]
    """
    return _columns(X, window, order)


@im2col.gradient_maker
def _(g):
    return [g.define("Col2Im", [g.GO(0), g.I(0)], [g.GI(0)])]


@operator("Col2Im", fold=window, types=FLOAT)
def col2im(X, Z, *, window: Window, order: Order = "NCHW"):
    """Adds patches up where they were taken from: the gradient of Im2Col.

    Inputs:
        X: Patches, as Im2Col gives them.
        Z: An image; only its shape counts.
    Args:
        kernel: Size of the window along both axes; kernel, stride, dilation and pad have the spellings of Conv.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: Same shape as Z.
    Example:
        >>> run("Col2Im", X=[[[[1.0, 2.0]], [[3.0, 4.0]]]], Z=[[[[0.0, 0.0, 0.0]]]], kernel_h=1, kernel_w=2)
        Y = [[[[1. 5. 4.]]]]
    """
    want = jax.eval_shape(lambda image: _columns(image, window, order), Z)
    require_shape(
        tuple(X.shape) == tuple(want.shape), f"X is {X.shape} but the image {Z.shape} has patches of {want.shape}"
    )
    (Y,) = jax.linear_transpose(lambda image: _columns(image, window, order), jax.ShapeDtypeStruct(Z.shape, X.dtype))(X)
    return Y


@col2im.gradient_maker
def _(g):
    return [g.define("Im2Col", [g.GO(0)], [g.GI(0)])]


# --- blocks --------------------------------------------------------------------------------------


def _block_margins(block_size: int, pad: int | None, sides: tuple[int | None, ...]) -> tuple[int, ...]:
    if block_size < 1:
        raise BadArgument(f"block_size is {block_size}; it must be at least 1")
    return spelled("pad", (), pad, sides, "tlbr") or (0, 0, 0, 0)


@operator("SpaceToBatch", types=FLOAT)
def space_to_batch(
    X,
    *,
    block_size: int = 2,
    pad: int | None = None,
    pad_t: int | None = None,
    pad_l: int | None = None,
    pad_b: int | None = None,
    pad_r: int | None = None,
    order: Literal["NCHW"] = "NCHW",
):
    """Cuts images into blocks and makes a picture of all pixels with the same place in their block.

    ``Y[(i * block_size + j) * N + n, c, y, x] = X[n, c, y * block_size + i - pad_t, x * block_size + j - pad_l]``,
    zero outside of X.

    Inputs:
        X: ``(N, C, H, W)``.
    Args:
        block_size: Height and width of a block.
        pad: Margin on every side of the images.
        pad_t: Margin on top (with pad_l, pad_b, pad_r).
        pad_l: Margin on the left.
        pad_b: Margin below.
        pad_r: Margin on the right.
        order: NCHW; the other layout is not supported.
    Outputs:
        Y: ``(N * block_size ** 2, C, (H + pads) / block_size, (W + pads) / block_size)``.
    Example:
        >>> run("SpaceToBatch", X=[[[[7.0]]]], block_size=1)
        Y = [[[[7.]]]]
    """
    top, left, bottom, right = _block_margins(block_size, pad, (pad_t, pad_l, pad_b, pad_r))
    require_shape(X.ndim == 4, f"X is {X.shape}; it must be (N, C, H, W)")
    X = jnp.pad(X, ((0, 0), (0, 0), (top, bottom), (left, right)))
    count, channels, height, width = X.shape
    require_shape(
        height % block_size == 0 and width % block_size == 0,
        f"the image with its margins is {height} x {width}; both must be multiples of block_size {block_size}",
    )
    blocks = X.reshape(count, channels, height // block_size, block_size, width // block_size, block_size)
    return blocks.transpose(3, 5, 0, 1, 2, 4).reshape(
        block_size * block_size * count, channels, height // block_size, width // block_size
    )


@space_to_batch.gradient_maker
def _(g):
    return [g.define("BatchToSpace", [g.GO(0)], [g.GI(0)])]


@operator("BatchToSpace", types=FLOAT)
def batch_to_space(
    X,
    *,
    block_size: int = 2,
    pad: int | None = None,
    pad_t: int | None = None,
    pad_l: int | None = None,
    pad_b: int | None = None,
    pad_r: int | None = None,
    order: Literal["NCHW"] = "NCHW",
):
    """Puts images together from one picture for each place in a block: undoes SpaceToBatch.

    ``Y[n, c, y * block_size + i - pad_t, x * block_size + j - pad_l] = X[(i * block_size + j) * N + n, c, y, x]``

    Inputs:
        X: ``(N * block_size ** 2, C, H, W)``.
    Args:
        block_size: Height and width of a block.
        pad: Margin on every side of the images.
        pad_t: Margin on top (with pad_l, pad_b, pad_r).
        pad_l: Margin on the left.
        pad_b: Margin below.
        pad_r: Margin on the right.
        order: NCHW; the other layout is not supported.
    Outputs:
        Y: ``(N, C, H * block_size - pads, W * block_size - pads)``.
    Example:
        >>> run("BatchToSpace", X=[[[[7.0]]]], block_size=1)
        Y = [[[[7.]]]]
    """
    top, left, bottom, right = _block_margins(block_size, pad, (pad_t, pad_l, pad_b, pad_r))
    require_shape(
        X.ndim == 4 and X.shape[0] % (block_size * block_size) == 0,
        f"X is {X.shape}; it must be (N * {block_size * block_size}, C, H, W)",
    )
    count, channels, height, width = X.shape[0] // (block_size * block_size), *X.shape[1:]
    blocks = X.reshape(block_size, block_size, count, channels, height, width).transpose(2, 3, 4, 0, 5, 1)
    image = blocks.reshape(count, channels, height * block_size, width * block_size)
    return image[:, :, top : image.shape[2] - bottom, left : image.shape[3] - right]


@batch_to_space.gradient_maker
def _(g):
    return [g.define("SpaceToBatch", [g.GO(0)], [g.GI(0)])]
