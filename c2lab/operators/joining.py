"""Joining and splitting: several blobs side by side in one, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from c2lab.operators.axes import canonical_axis, sizes_as_values
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

Order = Literal["NCHW", "NHWC"]


def _join_axis(axis: int | None, order: str, rank: int) -> int:
    """The axis to join or split along: the channels of ``order`` where none is given."""
    return canonical_axis({"NCHW": 1, "NHWC": 3}[order] if axis is None else axis, rank)


def _joined(blobs: Sequence[Any], axis: int | None, add_axis: bool, order: str) -> tuple[Any, Any]:
    """The blobs side by side, and their sizes along the axis."""
    require_same_type(*blobs)
    first = blobs[0]
    along = _join_axis(axis, order, first.ndim + (1 if add_axis else 0))
    for k, other in enumerate(blobs[1:], 1):
        fits = other.ndim == first.ndim and all(
            a == b or (d == along and not add_axis)
            for d, (a, b) in enumerate(zip(first.shape, other.shape, strict=True))
        )
        require_shape(
            fits,
            f"input 0 is {first.shape} but input {k} is {other.shape}; all inputs must have one shape"
            + ("" if add_axis else f" but for dimension {along}"),
        )
    if add_axis:
        return jnp.stack(blobs, along), np.ones(len(blobs), np.int32)
    return jnp.concatenate(blobs, along), sizes_as_values([blob.shape[along] for blob in blobs], np.int32)


@operator("Concat", outputs="concat_result, split_info", from_shapes="split_info")
def concat(first, *others, axis: int | None = None, add_axis: bool = False, order: Order = "NCHW"):
    """Puts blobs one after the other along a dimension.

    Inputs:
        first: The first blob.
        others: More blobs of its type, and of its shape but for ``axis``.
    Args:
        axis: The dimension along which they are joined; the channels of ``order`` where absent.
        add_axis: Stack along a new dimension; the shapes must then be equal.
        order: NCHW (channels are dimension 1) or NHWC (dimension 3).
    Outputs:
        concat_result: The joined values.
        split_info: int32, the size of each input along the axis.
    Example:
        >>> run("Concat", first=[1.0, 2.0], others=[[3.0]], axis=0)
        concat_result = [1. 2. 3.]
        split_info = [2 1]
    """
    return _joined((first, *others), axis, add_axis, order)


@operator("DepthConcat", outputs="concat_result, split_info", from_shapes="split_info")
def depth_concat(first, *others, axis: int | None = None, add_axis: bool = False, order: Order = "NCHW"):
    """Puts blobs one after the other along their channels: the older name of Concat.

    Inputs:
        first: The first blob.
        others: More blobs of its type, and of its shape but for ``axis``.
    Args:
        axis: The dimension along which they are joined; the channels of ``order`` where absent.
        add_axis: Stack along a new dimension; the shapes must then be equal.
        order: NCHW (channels are dimension 1) or NHWC (dimension 3).
    Outputs:
        concat_result: The joined values.
        split_info: int32, the size of each input along the axis.
    Example:
        >>> run("DepthConcat", first=[[1.0, 2.0]], others=[[[3.0]]])
        concat_result = [[1. 2. 3.]]
        split_info = [2 1]
    """
    return _joined((first, *others), axis, add_axis, order)


def _split_back(g):
    return [g.define("Split", [g.GO(0), g.O(1)], [g.GI(k) for k in range(len(g.op.input))])]


def _split_sizes(size: Any, split: Sequence[int], parts: int, axis: int) -> list[Any]:
    """The sizes of the parts along the axis: as told, or equal."""
    if len(split) == 0:
        require_shape(
            size % parts == 0,
            f"dimension {axis} has size {size}, which {parts} outputs cannot share equally; give split",
        )
        return [size // parts] * parts
    require_shape(
        len(split) == parts and sum(split) == size and min(split) >= 0,
        f"split is {list(split)} for {parts} outputs of a dimension of size {size}; "
        f"it must hold {parts} sizes that sum to {size}",
    )
    return list(split)


def _split_parts(input: Any, sizes: Sequence[Any], axis: int, drop: bool) -> tuple[Any, ...]:
    parts, start = [], 0
    for size in sizes:
        if drop:
            require_shape(size == 1, f"split holds {size}; with add_axis every part must have size 1")
        part = input[(slice(None),) * axis + (slice(start, start + size),)]
        parts.append(part.reshape(*part.shape[:axis], *part.shape[axis + 1 :]) if drop else part)
        start = start + size
    return tuple(parts)


def _parts(
    input: Any, split_sizes: Any, count: int, axis: int | None, drop: bool, split: tuple[int, ...], order: str
) -> tuple[Any, ...]:
    cut = _join_axis(axis, order, input.ndim)
    told = split if split_sizes is None else [int(size) for size in split_sizes.reshape(-1)]
    return _split_parts(input, _split_sizes(input.shape[cut], told, count, cut), cut, drop)


@operator("Split", outputs="output, *more", static="split_sizes")
def split_of(
    input,
    split_sizes=None,
    *,
    num_outputs: int,
    axis: int | None = None,
    add_axis: bool = False,
    split: tuple[int, ...] = (),
    order: Order = "NCHW",
):
    """Cuts a blob into several along a dimension.

    Inputs:
        input: The values to be cut.
        split_sizes: int32, the size of each part, in place of the argument split.
    Args:
        axis: The dimension along which to cut; the channels of ``order`` where absent.
        add_axis: Each part has size one, and loses the dimension.
        split: The size of each part; equal parts where absent.
        order: NCHW (channels are dimension 1) or NHWC (dimension 3).
    Outputs:
        output: The first part.
        more: The other parts, as many as the operator names.
    Example:
        >>> run("Split", input=[1.0, 2.0, 3.0, 4.0], axis=0, split=[3, 1], outputs=2)
        output_0 = [1. 2. 3.]
        output_1 = [4.]
    """
    return _parts(input, split_sizes, num_outputs, axis, add_axis, split, order)


@operator("DepthSplit", outputs="output, *more", static="split_sizes")
def depth_split(
    input,
    split_sizes=None,
    *,
    num_outputs: int,
    axis: int | None = None,
    add_axis: bool = False,
    split: tuple[int, ...] = (),
    order: Order = "NCHW",
):
    """Cuts a blob into several along its channels: the older name of Split.

    Inputs:
        input: The values to be cut.
        split_sizes: int32, the size of each part, in place of the argument split.
    Args:
        axis: The dimension along which to cut; the channels of ``order`` where absent.
        add_axis: Each part has size one, and loses the dimension.
        split: The size of each part; equal parts where absent.
        order: NCHW (channels are dimension 1) or NHWC (dimension 3).
    Outputs:
        output: The first part.
        more: The other parts, as many as the operator names.
    Example:
        >>> run("DepthSplit", input=[[1.0, 2.0, 3.0, 4.0]], outputs=2)
        output_0 = [[1. 2.]]
        output_1 = [[3. 4.]]
    """
    return _parts(input, split_sizes, num_outputs, axis, add_axis, split, order)


def _concat_back(g):
    """One Concat of the output gradients; those that do not exist are left out, as in the original."""
    target = g.GI(0)
    given = [g.GO(k) for k in range(len(g.op.output)) if g.has_GO(k)]
    return [g.define("Concat", given, [target, f"_{target}_dims"])]


@operator("SplitByLengths", outputs="output, *more", static="lengths", types={"lengths": "int32 int64"})
def split_by_lengths(
    input, lengths, *, num_outputs: int, axis: int = 0, use_scaling_lengths: bool = False, order: Order = "NCHW"
):
    """Cuts a blob into as many parts as there are outputs, each as long as its share of the lengths sums to.

    Inputs:
        input: The values to be cut.
        lengths: int32 or int64, an equal number of them for each output.
    Args:
        axis: The dimension along which to cut.
        use_scaling_lengths: The sums only have to be in proportion; they are scaled to the size of the dimension.
        order: Accepted; the axis says where to cut.
    Outputs:
        output: The first part.
        more: The other parts, as many as the operator names.
    Example:
        >>> run("SplitByLengths", input=[1.0, 2.0, 3.0], lengths=[2, 1], outputs=2)
        output_0 = [1. 2.]
        output_1 = [3.]
    """
    cut = canonical_axis(axis, input.ndim)
    size, count = input.shape[cut], lengths.size
    require_shape(
        lengths.ndim == 1 and count % num_outputs == 0,
        f"lengths is {lengths.shape} for {num_outputs} outputs; it must be one-dimensional, and divisible by them",
    )
    sums = lengths.reshape(num_outputs, count // num_outputs).sum(axis=1)
    total = int(sums.sum())
    factor = 1
    if use_scaling_lengths and total:
        require_shape(
            size % total == 0,
            f"lengths sum to {total} and dimension {cut} has size {size}; it must be divisible by the sum",
        )
        factor = size // total
    sizes = [int(part) * factor for part in sums]
    require_shape(
        sum(sizes) == size,
        f"lengths {lengths.tolist()} sum to {total} but dimension {cut} has size {size}; both must be equal",
    )
    return _split_parts(input, sizes, cut, drop=False)


split_by_lengths.gradient_maker(_concat_back)


concat.gradient_maker(_split_back)
depth_concat.gradient_maker(_split_back)
split_of.gradient_maker(_concat_back)
depth_split.gradient_maker(_concat_back)


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
