"""Quantized shapes: eight-bit numbers moved about; what they mean stays."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import Operator, operator
from c2lab.operators.gathering import slice_of
from c2lab.operators.images import resize_nearest
from c2lab.operators.joining import concat
from c2lab.operators.quantized_arithmetic import require_nhwc, require_quantized, same_meaning
from c2lab.operators.shapes import channel_shuffle, flatten, reshape, transpose
from c2lab.operators.windows import Order


def _moved(plain: Operator, X: Any, *others: Any, Y_scale: float | None, Y_zero_point: int | None, **arguments: Any):
    """What the operator on plain tensors makes of the numbers, with their old meaning."""
    require_quantized(X=X)
    same_meaning(X, Y_scale, Y_zero_point)
    return X.with_data(plain.function(X.data, *others, **arguments))


@operator("Int8Flatten", outputs="output")
def int8_flatten(input, *, axis: int = 1, Y_scale: float | None = None, Y_zero_point: int | None = None):
    """A quantized tensor as a matrix: the dimensions up to ``axis``, and those from it on.

    Inputs:
        input: Quantized.
    Args:
        axis: The first dimension of the columns.
        Y_scale: The scale of the input, where given.
        Y_zero_point: The zero point of the input, where given.
    Outputs:
        output: Quantized as the input is, two-dimensional.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Flatten", input=QuantizedTensor(np.uint8([[[1], [2]]]), 0.5, 8))
        output = [[1 2]] (scale 0.5, zero point 8)
    """
    return _moved(flatten, input, axis=axis, Y_scale=Y_scale, Y_zero_point=Y_zero_point)


@operator(
    "Int8Reshape",
    outputs="reshaped, old_shape",
    inplace="data -> reshaped",
    static="new_shape",
    from_shapes="old_shape",
)
def int8_reshape(
    data,
    new_shape=None,
    *,
    shape: tuple[int, ...] | None = None,
    Y_scale: float | None = None,
    Y_zero_point: int | None = None,
):
    """The same quantized numbers, in the same order, under other dimensions.

    Inputs:
        data: Quantized.
        new_shape: int32 or int64, the shape as an input, in place of the argument.
    Args:
        shape: The new shape. 0 copies the size of data at that place; one -1 takes what is left over.
        Y_scale: The scale of data, where given.
        Y_zero_point: The zero point of data, where given.
    Outputs:
        reshaped: Quantized as data is.
        old_shape: The shape of data, int64 (or the type of new_shape).
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Reshape", data=QuantizedTensor(np.uint8([1, 2]), 0.5, 8), shape=[-1, 1])
        reshaped = [[1] [2]] (scale 0.5, zero point 8)
        old_shape = [2]
    """
    require_quantized(data=data)
    same_meaning(data, Y_scale, Y_zero_point)
    reshaped, old_shape = reshape.function(data.data, new_shape, shape=shape)
    return data.with_data(reshaped), old_shape


@operator("Int8Transpose")
def int8_transpose(X, *, axes: tuple[int, ...] = (), Y_scale: float | None = None, Y_zero_point: int | None = None):
    """The dimensions of a quantized tensor in another order.

    Inputs:
        X: Quantized.
    Args:
        axes: Which dimension of X comes where; all reversed where left out.
        Y_scale: The scale of X, where given.
        Y_zero_point: The zero point of X, where given.
    Outputs:
        Y: Quantized as X is.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Transpose", X=QuantizedTensor(np.uint8([[1, 2]]), 0.5, 8))
        Y = [[1] [2]] (scale 0.5, zero point 8)
    """
    return _moved(transpose, X, axes=axes, Y_scale=Y_scale, Y_zero_point=Y_zero_point)


@operator("Int8Slice", outputs="output", static="starts_input, ends_input")
def int8_slice(
    data,
    starts_input=None,
    ends_input=None,
    *,
    starts: tuple[int, ...] | None = None,
    ends: tuple[int, ...] | None = None,
    dim: int | None = None,
    start_idx: int = 0,
    end_idx: int = -1,
    Y_scale: float | None = None,
    Y_zero_point: int | None = None,
):
    """A range of one dimension of a quantized tensor.

    Inputs:
        data: Quantized.
        starts_input: int32 or int64, in place of the argument starts.
        ends_input: int32 or int64, in place of the argument ends.
    Args:
        starts: The first index of each dimension; a negative one counts from ``size + 1``.
        ends: The index after the last of each dimension; -1 is the end.
        dim: The one dimension to cut, in place of starts and ends.
        start_idx: With dim: the first index.
        end_idx: With dim: the index after the last; -1 is the end.
        Y_scale: The scale of data, where given.
        Y_zero_point: The zero point of data, where given.
    Outputs:
        output: Quantized as data is.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Slice", data=QuantizedTensor(np.uint8([1, 2, 3]), 0.5, 8), starts=[1], ends=[-1])
        output = [2 3] (scale 0.5, zero point 8)
    """
    require_quantized(data=data)
    if dim is not None:
        require_shape(0 <= dim < data.ndim, f"dim is {dim}, but data is {data.shape}; it must be 0 to {data.ndim - 1}")
        starts = (*(0,) * dim, start_idx, *(0,) * (data.ndim - dim - 1))
        ends = (*(-1,) * dim, end_idx, *(-1,) * (data.ndim - dim - 1))
    return _moved(
        slice_of, data, starts_input, ends_input, starts=starts, ends=ends, Y_scale=Y_scale, Y_zero_point=Y_zero_point
    )


@operator("Int8Concat", outputs="concat_result, split_info?", from_shapes="split_info")
def int8_concat(
    first,
    *others: Any,
    axis: int | None = None,
    add_axis: bool = False,
    order: Order = "NHWC",
    Y_scale: float | None = None,
    Y_zero_point: int | None = None,
):
    """Puts quantized tensors one after the other along a dimension.

    Inputs:
        first: The first one, quantized.
        others: More of its scale and zero point, and of its shape but for ``axis``.
    Args:
        axis: The dimension along which they are joined; the channels of ``order`` where absent.
        add_axis: Stack along a new dimension; the shapes must then be equal.
        order: NHWC (channels are dimension 3) or NCHW (dimension 1).
        Y_scale: The scale of the inputs, where given.
        Y_zero_point: The zero point of the inputs, where given.
    Outputs:
        concat_result: Quantized as the inputs are.
        split_info: int32, the size of each input along the axis.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([1, 2]), 0.5, 8)
        >>> run("Int8Concat", first=x, others=[x], axis=0)
        concat_result = [1 2 1 2] (scale 0.5, zero point 8)
    """
    for k, part in enumerate((first, *others)):
        require_quantized(**{f"input {k}": part})
        if part.quantization != first.quantization:
            raise BadArgument(
                f"input {k} has scale {part.scale:g} and zero point {part.zero_point}, but the first input "
                f"{first.scale:g} and {first.zero_point}; all must be equal: quantize them alike"
            )
    same_meaning(first, Y_scale, Y_zero_point)
    parts = [part.data for part in (first, *others)]
    joined, sizes = concat.function(*parts, axis=axis, add_axis=add_axis, order=order)
    return first.with_data(joined), sizes


@operator("Int8ChannelShuffle")
def int8_channel_shuffle(
    X, *, group: int = 1, order: Order = "NCHW", Y_scale: float | None = None, Y_zero_point: int | None = None
):
    """Interleaves the channels of ``group`` groups of a quantized tensor.

    Channel ``g * K + k`` of X becomes channel ``k * group + g`` of Y, with K channels a group.

    Inputs:
        X: Quantized, (N, H, W, C); C divisible by group.
    Args:
        group: The number of groups.
        order: NHWC; there is no other one.
        Y_scale: The scale of X, where given.
        Y_zero_point: The zero point of X, where given.
    Outputs:
        Y: Quantized as X is, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[1, 2, 3, 4]]]]), 0.5, 8)
        >>> run("Int8ChannelShuffle", X=x, group=2, order="NHWC")
        Y = [[[[1 3 2 4]]]] (scale 0.5, zero point 8)
    """
    require_nhwc(order)
    return _moved(channel_shuffle, X, group=group, order=order, Y_scale=Y_scale, Y_zero_point=Y_zero_point)


@operator("Int8ResizeNearest")
def int8_resize_nearest(
    X,
    *,
    width_scale: float = 1.0,
    height_scale: float = 1.0,
    output_size: tuple[int, ...] = (),
    order: Order = "NHWC",
    Y_scale: float | None = None,
    Y_zero_point: int | None = None,
):
    """Quantized images of another size, each pixel taken from the nearest one up and to the left.

    ``Y[n, y, x, c] = X[n, floor(y / height_scale), floor(x / width_scale), c]``

    Inputs:
        X: Quantized, ``(N, H, W, C)``.
    Args:
        width_scale: Factor of the width; the new width is rounded down.
        height_scale: Factor of the height; the new height is rounded down.
        output_size: The new height and width, in place of the factors.
        order: NHWC; there is no other one.
        Y_scale: The scale of X, where given.
        Y_zero_point: The zero point of X, where given.
    Outputs:
        Y: Quantized as X is, with the new height and width.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8ResizeNearest", X=QuantizedTensor(np.uint8([[[[1], [2]]]]), 0.5, 8), width_scale=2.0)
        Y = [[[[1] [1] [2] [2]]]] (scale 0.5, zero point 8)
    """
    require_nhwc(order)
    require_quantized(X=X)
    require_shape(X.ndim == 4, f"X is {X.shape}; it must be (N, H, W, C)")
    if output_size:
        if len(output_size) != 2 or min(output_size) < 1:
            raise BadArgument(f"output_size is {output_size}; it must be two numbers above 0: height and width")
        same_meaning(X, Y_scale, Y_zero_point)
        moved = X.data
        for axis, size in zip((1, 2), output_size, strict=True):
            factor = np.float32(size) / np.float32(X.shape[axis])
            source = np.minimum((np.arange(size, dtype=np.float32) / factor).astype(np.int64), X.shape[axis] - 1)
            moved = jnp.take(moved, source, axis=axis, mode="clip")
        return X.with_data(moved)
    return _moved(
        resize_nearest,
        X,
        width_scale=width_scale,
        height_scale=height_scale,
        order=order,
        Y_scale=Y_scale,
        Y_zero_point=Y_zero_point,
    )
