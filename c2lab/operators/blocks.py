"""Blocks: space folded into the batch and back, and blobs laid side by side in memory."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"


def _require_block(X: Any, block_size: int, pad: int) -> None:
    if block_size < 1 or pad < 0:
        raise BadArgument(f"block_size is {block_size} and pad is {pad}; they must be at least 1 and 0")
    require_shape(X.ndim == 4, f"X is {X.shape}; it must be (N, C, H, W)")


@operator("SpaceToBatch", types={"X": FLOATS})
def space_to_batch(X, *, pad: int = 0, block_size: int = 2, order: Literal["NCHW"] = "NCHW"):
    """Deals the pixels of an image out to ``block_size ** 2`` smaller images.

    ``Y[(i * b + j) * N + n, c, h, w] = X[n, c, h * b + i - pad, w * b + j - pad]`` with block size b.

    Inputs:
        X: (N, C, H, W); H and W plus twice pad divisible by block_size.
    Args:
        pad: Zeros added on each side first.
        block_size: How many small images in each direction.
        order: Only NCHW.
    Outputs:
        Y: (N * b * b, C, (H + 2 * pad) / b, (W + 2 * pad) / b).
    Example:
        >>> run("SpaceToBatch", X=[[[[1.0, 2.0]]]], block_size=1)
        Y = [[[[1. 2.]]]]
    """
    _require_block(X, block_size, pad)
    N, C, H, W = X.shape
    b = block_size
    require_shape(
        (H + 2 * pad) % b == 0 and (W + 2 * pad) % b == 0,
        f"X is {X.shape} with pad {pad}; H + 2 * pad and W + 2 * pad must be divisible by block_size, which is {b}",
    )
    padded = jnp.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    h, w = padded.shape[2] // b, padded.shape[3] // b
    parted = padded.reshape(N, C, h, b, w, b)
    return parted.transpose(3, 5, 0, 1, 2, 4).reshape(b * b * N, C, h, w)


@operator("BatchToSpace", types={"X": FLOATS})
def batch_to_space(X, *, pad: int = 0, block_size: int = 2, order: Literal["NCHW"] = "NCHW"):
    """Puts ``block_size ** 2`` small images together to one: the reverse of SpaceToBatch.

    Inputs:
        X: (N * b * b, C, h, w) with block size b.
    Args:
        pad: Pixels cut off on each side afterwards.
        block_size: How many small images in each direction.
        order: Only NCHW.
    Outputs:
        Y: (N, C, h * b - 2 * pad, w * b - 2 * pad).
    Example:
        >>> run("BatchToSpace", X=[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]])
        Y = [[[[1. 2.] [3. 4.]]]]
    """
    _require_block(X, block_size, pad)
    B, C, h, w = X.shape
    b = block_size
    require_shape(
        B % (b * b) == 0 and h * b >= 2 * pad and w * b >= 2 * pad,
        f"X is {X.shape} with pad {pad}; its batch must be divisible by block_size ** 2, which is {b * b}, "
        "and the image must be larger than what is cut off",
    )
    whole = X.reshape(b, b, B // (b * b), C, h, w).transpose(2, 3, 4, 0, 5, 1).reshape(B // (b * b), C, h * b, w * b)
    return whole[:, :, pad : h * b - pad, pad : w * b - pad]


@space_to_batch.gradient_maker
def _(g):
    return [g.define("BatchToSpace", [g.GO(0)], [g.GI(0)])]


@batch_to_space.gradient_maker
def _(g):
    return [g.define("SpaceToBatch", [g.GO(0)], [g.GI(0)])]


@operator("UnsafeCoalesce", outputs="*Y", inplace=[(k, k) for k in range(64)])
def unsafe_coalesce(*X, num_outputs: int):
    """Blobs unchanged, and all their values one after the other in a last blob.

    The original moves the blobs into that memory, so that writing one shows in the other; here values are never
    shared, and the last blob is a copy.

    Inputs:
        X: Blobs of one type.
    Outputs:
        Y: The blobs, and the joined values.
    Example:
        >>> run("UnsafeCoalesce", X=[[1.0, 2.0], [3.0]], outputs=3)
        Y_0 = [1. 2.]
        Y_1 = [3.]
        Y_2 = [1. 2. 3.]
    """
    require_shape(
        num_outputs == len(X) + 1 and len(X) > 0,
        f"UnsafeCoalesce has {len(X)} inputs and {num_outputs} outputs; it must have one output more than inputs",
    )
    require_same_type(*X)
    return (*X, jnp.concatenate([x.reshape(-1) for x in X]))
