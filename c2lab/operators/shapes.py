"""Shapes: the same values under other dimensions, and shapes as values."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, SchemaError
from c2lab.operators.axes import canonical_axis, product, sizes_as_values
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator


def _resolved_shape(sizes: tuple[Any, ...], wanted: tuple[int, ...]) -> tuple[Any, ...]:
    """``wanted`` with 0 replaced by the size at that place and -1 by what is left over."""
    if product(sizes) == 0 and wanted.count(-1) <= 1 and min(wanted, default=0) >= -1:
        # Nothing is copied or shared out of nothing: 0 stays 0, and -1 is 0.
        empty = tuple(0 if size == -1 else size for size in wanted)
        require_shape(product(empty) == 0, f"X is {sizes}, without values, but new shape {wanted} holds some")
        return empty
    resolved: list[Any] = []
    for position, size in enumerate(wanted):
        require_shape(size >= -1, f"new shape {wanted} holds {size}; sizes must be positive, 0 (as in X) or -1 (infer)")
        resolved.append(sizes[position] if size == 0 and position < len(sizes) else size)
    total, unknown = product(sizes), [k for k, size in enumerate(wanted) if size == -1]
    require_shape(len(unknown) <= 1, f"new shape {wanted} has more than one -1; only one size can be inferred")
    if unknown:
        known = product(resolved[: unknown[0]]) * product(resolved[unknown[0] + 1 :])
        require_shape(
            known != 0 and total % known == 0,
            f"X is {sizes}, {total} values, which new shape {wanted} cannot hold; "
            f"the size to infer must be a whole number: {total} / {known}",
        )
        resolved[unknown[0]] = total // known
    require_shape(
        product(resolved) == total,
        f"X is {sizes}, {total} values, but new shape {wanted} holds {product(resolved)}; both must be the same number",
    )
    return tuple(resolved)


@operator(
    "Reshape",
    outputs="reshaped, old_shape",
    inplace="data -> reshaped",
    static="new_shape",
    from_shapes="old_shape",
)
def reshape(data, new_shape=None, *, shape: tuple[int, ...] | None = None):
    """The same values, in the same order, under other dimensions.

    Inputs:
        data: Values of any shape.
        new_shape: int32 or int64, the shape as an input, in place of the argument.
    Args:
        shape: The new shape. 0 copies the size of data at that place; one -1 takes what is left over.
    Outputs:
        reshaped: The values under the new shape.
        old_shape: The shape of data, int64 (or the type of new_shape).
    Example:
        >>> run("Reshape", data=[1.0, 2.0, 3.0, 4.0], shape=[2, -1])
        reshaped = [[1. 2.] [3. 4.]]
        old_shape = [4]
    """
    dtype: Any = np.int64
    if new_shape is not None:
        require_shape(
            new_shape.ndim == 1 and new_shape.dtype in (np.int32, np.int64),
            f"new_shape is {new_shape.dtype}{new_shape.shape}; it must be int32 or int64 and one-dimensional",
        )
        wanted, dtype = tuple(int(size) for size in new_shape), new_shape.dtype
    elif shape is None:
        raise SchemaError("Reshape is told no shape; give the argument shape, or a second input")
    else:
        wanted = shape
    return data.reshape(_resolved_shape(data.shape, wanted)), sizes_as_values(data.shape, dtype)


@reshape.gradient_maker
def _(g):
    target = g.GI(0)
    return [g.define("Reshape", [g.GO(0), g.O(1)], [target, f"_{target}_dims"], copy_arguments=False)]


@operator("ResizeLike", outputs="output", gradient="refused")
def resize_like(data, shape_tensor):
    """The values of data under the shape of another blob with as many values.

    Inputs:
        data: Values.
        shape_tensor: Only its shape is used.
    Outputs:
        output: The values of data, shaped like shape_tensor.
    Example:
        >>> run("ResizeLike", data=[1.0, 2.0], shape_tensor=[[0.0], [0.0]])
        output = [[1.] [2.]]
    """
    require_shape(
        product(data.shape) == product(shape_tensor.shape),
        f"data is {data.shape} and shape_tensor is {shape_tensor.shape}; both must hold the same number of values",
    )
    return data.reshape(shape_tensor.shape)


def _resize_back(g):
    return [g.define("ResizeLike", [g.GO(0), g.I(0)], [g.GI(0)])]


@operator("Flatten")
def flatten(X, *, axis: int = 1):
    """A matrix: what stands before ``axis`` becomes rows, the rest columns.

    Inputs:
        X: At least ``axis`` dimensions.
    Args:
        axis: Where the columns begin; 0 makes one row.
    Outputs:
        Y: Two-dimensional, the values of X.
    Example:
        >>> run("Flatten", X=[[[1.0, 2.0], [3.0, 4.0]]])
        Y = [[1. 2. 3. 4.]]
    """
    cut = canonical_axis(axis, X.ndim, end=True)
    return X.reshape(product(X.shape[:cut]), product(X.shape[cut:]))


flatten.gradient_maker(_resize_back)


@operator("FlattenToVec", outputs="output")
def flatten_to_vec(input):
    """All values in one dimension.

    Inputs:
        input: At least one dimension.
    Outputs:
        output: One-dimensional.
    Example:
        >>> run("FlattenToVec", input=[[1.0, 2.0], [3.0, 4.0]])
        output = [1. 2. 3. 4.]
    """
    require_shape(input.ndim >= 1, "input has no dimensions; FlattenToVec needs at least one")
    return input.reshape(product(input.shape))


flatten_to_vec.gradient_maker(_resize_back)


def _sorted_dims(dims: tuple[int, ...]) -> list[int]:
    if not dims or min(dims) < 0:
        raise BadArgument(f"dims is {list(dims)}; it must hold at least one dimension, none of them negative")
    return sorted(set(dims))


@operator("ExpandDims", outputs="expanded", inplace="data -> expanded")
def expand_dims(data, *, dims: tuple[int, ...]):
    """Inserts dimensions of size one.

    Inputs:
        data: Values of any shape.
    Args:
        dims: Where the new dimensions stand in the result.
    Outputs:
        expanded: The values of data with the dimensions inserted.
    Example:
        >>> run("ExpandDims", data=[1.0, 2.0], dims=[0])
        expanded = [[1. 2.]]
    """
    sizes = list(data.shape)
    for dim in _sorted_dims(dims):
        require_shape(
            dim <= len(sizes),
            f"dims is {list(dims)}, but data is {data.shape}; dimension {dim} would leave a gap",
        )
        sizes.insert(dim, 1)
    return data.reshape(sizes)


@expand_dims.gradient_maker
def _(g):
    return [g.define("Squeeze", [g.GO(0)], [g.GI(0)])]


@operator("Squeeze", outputs="squeezed", inplace="data -> squeezed")
def squeeze(data, *, dims: tuple[int, ...]):
    """Takes out dimensions of size one.

    Inputs:
        data: Values whose dimensions ``dims`` have size one.
    Args:
        dims: The dimensions to take out.
    Outputs:
        squeezed: The values of data without these dimensions.
    Example:
        >>> run("Squeeze", data=[[1.0, 2.0]], dims=[0])
        squeezed = [1. 2.]
    """
    taken = _sorted_dims(dims)
    for dim in taken:
        require_shape(
            dim < data.ndim and data.shape[dim] == 1,
            f"data is {data.shape} and dims is {list(dims)}; dimension {dim} must exist and have size 1",
        )
    return data.reshape([size for position, size in enumerate(data.shape) if position not in taken])


@squeeze.gradient_maker
def _(g):
    return [g.define("ExpandDims", [g.GO(0)], [g.GI(0)])]


@operator("PrependDim", outputs="reshaped", inplace="data -> reshaped")
def prepend_dim(data, *, dim_size: int):
    """Splits the first dimension in two, of which the first has ``dim_size``.

    Inputs:
        data: Its first dimension must be divisible by dim_size.
    Args:
        dim_size: The size of the new first dimension.
    Outputs:
        reshaped: (dim_size, N / dim_size, ...).
    Example:
        >>> run("PrependDim", data=[1.0, 2.0, 3.0, 4.0], dim_size=2)
        reshaped = [[1. 2.] [3. 4.]]
    """
    require_shape(
        data.ndim >= 1 and dim_size > 0 and data.shape[0] % dim_size == 0,
        f"data is {data.shape} and dim_size is {dim_size}; the first dimension must be divisible by dim_size",
    )
    return data.reshape(dim_size, data.shape[0] // dim_size, *data.shape[1:])


@prepend_dim.gradient_maker
def _(g):
    return [g.define("MergeDim", [g.GO(0)], [g.GI(0)])]


@operator("MergeDim", outputs="reshaped", inplace="data -> reshaped")
def merge_dim(data):
    """Merges the first two dimensions into one.

    Inputs:
        data: At least two dimensions.
    Outputs:
        reshaped: (A * B, ...) where data is (A, B, ...).
    Example:
        >>> run("MergeDim", data=[[1.0, 2.0], [3.0, 4.0]])
        reshaped = [1. 2. 3. 4.]
    """
    require_shape(data.ndim >= 2, f"data is {data.shape}; MergeDim needs at least two dimensions")
    return data.reshape(data.shape[0] * data.shape[1], *data.shape[2:])


@operator("Shape", outputs="shape", gradient="refused", from_shapes="shape")
def shape_of(X, *, axes: tuple[int, ...] = ()):
    """The shape of a blob as a blob.

    Inputs:
        X: Values of any shape.
    Args:
        axes: Which sizes, in which order; all where empty.
    Outputs:
        shape: int64, one-dimensional.
    Example:
        >>> run("Shape", X=[[1.0, 2.0, 3.0]])
        shape = [1 3]
    """
    if not axes:
        return sizes_as_values(X.shape, np.int64)
    for axis in axes:
        require_shape(0 <= axis < X.ndim, f"axes is {list(axes)} but X is {X.shape}; each must be 0 to {X.ndim - 1}")
    return sizes_as_values([X.shape[axis] for axis in axes], np.int64)


@operator("Size", outputs="size", gradient="none", from_shapes="size")
def size_of(X):
    """The number of values in a blob.

    Inputs:
        X: Values of any shape.
    Outputs:
        size: int64, no dimensions.
    Example:
        >>> run("Size", X=[[1.0, 2.0, 3.0]])
        size = 3
    """
    return sizes_as_values([product(X.shape)], np.int64).reshape(())


@operator("LengthsToShape", gradient="refused", static="X", types={"X": "int32"})
def lengths_to_shape(X):
    """The shape (how many, how long) of segments that all have one length.

    Inputs:
        X: int32, one-dimensional, all values equal.
    Outputs:
        Y: int32 (2): the number of segments and their length.
    Example:
        >>> run("LengthsToShape", X=[3, 3])
        Y = [2 3]
    """
    require_shape(
        X.ndim == 1 and X.size > 0 and bool((X == X[0]).all()),
        f"X is {X.tolist()}; it must be one-dimensional with one and the same length everywhere",
    )
    return np.asarray([X.size, X[0]], np.int32)


@operator("Transpose")
def transpose(X, *, axes: tuple[int, ...] = ()):
    """Permutes the dimensions.

    Inputs:
        X: Values of any shape.
    Args:
        axes: For each dimension of Y, the dimension of X; reversed where empty.
    Outputs:
        Y: The values of X with the dimensions in the new order.
    Example:
        >>> run("Transpose", X=[[1.0, 2.0], [3.0, 4.0]])
        Y = [[1. 3.] [2. 4.]]
    """
    order = axes or tuple(reversed(range(X.ndim)))
    if sorted(order) != list(range(X.ndim)):
        raise BadArgument(f"axes is {list(axes)} but X is {X.shape}; it must name each of 0 to {X.ndim - 1} once")
    return X.transpose(order)


@transpose.gradient_maker
def _(g):
    axes = [int(axis) for axis in g.argument("axes", [])]
    if not axes:
        return [g.define("Transpose", [g.GO(0)], [g.GI(0)])]
    back = [axes.index(position) if position in axes else 0 for position in range(len(axes))]
    return [g.define("Transpose", [g.GO(0)], [g.GI(0)], axes=back)]


def _channel_axis(X: Any, order: str) -> int:
    require_shape(X.ndim >= 2, f"X is {X.shape}; it must have a batch and a channel dimension")
    return 1 if order == "NCHW" else X.ndim - 1


def _shuffled(X: Any, group: int, order: str, back: bool) -> Any:
    axis = _channel_axis(X, order)
    channels = X.shape[axis]
    require_shape(
        group > 0 and channels % group == 0,
        f"X is {X.shape} with {channels} channels; they must be divisible by group, which is {group}",
    )
    split = (channels // group, group) if back else (group, channels // group)
    parted = X.reshape(*X.shape[:axis], *split, *X.shape[axis + 1 :])
    return jnp.swapaxes(parted, axis, axis + 1).reshape(X.shape)


@operator("ChannelShuffle", types={"X": "float32 float64"})
def channel_shuffle(X, *, group: int = 1, order: Literal["NCHW", "NHWC"] = "NCHW"):
    """Interleaves the channels of ``group`` groups, so that a grouped convolution sees all of them.

    Channel ``g * K + k`` of X becomes channel ``k * group + g`` of Y, with K channels a group.

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C); C divisible by group.
    Args:
        group: The number of groups.
        order: Where the channels stand.
    Outputs:
        Y: Same shape as X.
    Example:
        >>> run("ChannelShuffle", X=[[1.0, 2.0, 3.0, 4.0]], group=2)
        Y = [[1. 3. 2. 4.]]
    Source:
        Zhang et al., "ShuffleNet", 2017.
    """
    return _shuffled(X, group, order, back=False)


@channel_shuffle.gradient("dY -> dX")
def _(dY, *, group: int = 1, order: Literal["NCHW", "NHWC"] = "NCHW"):
    """Puts the channels of the gradient back in their places."""
    return _shuffled(dY, group, order, back=True)
