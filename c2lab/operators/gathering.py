"""Gathering: parts of a blob by position or by index."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import SchemaError
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import operator

INDICES = "int32 int64"


def _bounds(sizes: tuple[Any, ...], starts: Any, ends: Any) -> list[tuple[Any, Any]]:
    """The first and the past-the-last index of each dimension."""
    require_shape(
        len(starts) == len(ends) and len(starts) <= len(sizes),
        f"starts is {list(starts)} and ends is {list(ends)} for X {sizes}; "
        "both must be equally long, and no longer than X has dimensions",
    )
    bounds: list[tuple[Any, Any]] = []
    for axis, size in enumerate(sizes):
        if axis >= len(starts) or size == 0:
            bounds.append((0, size))
            continue
        start, end = (int(v) if v >= 0 else size + 1 + int(v) for v in (starts[axis], ends[axis]))
        if isinstance(size, int):
            start, end = min(start, size), min(end, size)
        require_shape(
            0 <= start <= end,
            f"dimension {axis} of X {sizes} is to be cut from {start} to {end}; the end must not be before the start",
        )
        bounds.append((start, end))
    if 0 not in sizes:
        cut = [axis for axis, (start, end) in enumerate(bounds) if start != 0 or end != sizes[axis]]
        require_shape(
            len(cut) <= 1,
            f"Currently only possible to slice in 1 dimension, but starts {list(starts)} and ends {list(ends)} "
            f"cut dimensions {cut} of X {sizes}; use one Slice for each",
        )
    return bounds


def _told(argument: tuple[int, ...] | None, value: Any, name: str) -> list[int]:
    if value is not None:
        require_shape(value.ndim == 1, f"{name} is {value.shape}; it must be one-dimensional")
        return [int(v) for v in value]
    if argument is None:
        raise SchemaError(f"Slice is told no {name}; give the argument {name}, or both as inputs")
    return list(argument)


@operator("Slice", static="starts_input, ends_input")
def slice_of(
    X,
    starts_input=None,
    ends_input=None,
    *,
    starts: tuple[int, ...] | None = None,
    ends: tuple[int, ...] | None = None,
):
    """A range of one dimension.

    Inputs:
        X: Values of any shape.
        starts_input: int32 or int64, in place of the argument starts.
        ends_input: int32 or int64, in place of the argument ends.
    Args:
        starts: The first index of each dimension; a negative one counts from ``size + 1``.
        ends: The index after the last of each dimension; -1 is the end. Dimensions left out stay whole.
    Outputs:
        Y: The range; only one dimension may be cut.
    Example:
        >>> run("Slice", X=[1.0, 2.0, 3.0, 4.0], starts=[1], ends=[-2])
        Y = [2. 3.]
    """
    bounds = _bounds(X.shape, _told(starts, starts_input, "starts"), _told(ends, ends_input, "ends"))
    return X[tuple(slice(start, end) for start, end in bounds)]


@slice_of.gradient("X, starts_input, ends_input, dY -> dX", static="starts_input, ends_input")
def _(
    X,
    starts_input,
    ends_input,
    dY,
    *,
    starts: tuple[int, ...] | None = None,
    ends: tuple[int, ...] | None = None,
):
    """The gradient of the range, zero around it."""
    bounds = _bounds(X.shape, _told(starts, starts_input, "starts"), _told(ends, ends_input, "ends"))
    around = [(start, size - end) for (start, end), size in zip(bounds, X.shape, strict=True)]
    return jnp.pad(dY, around)


def _checked_indices(indices: Any, size: Any, wrap: bool = True) -> Any:
    """Indices from 0 to size - 1; negative ones count from the end."""
    low = -size if wrap else 0
    require(
        (indices >= low) & (indices < size),
        f"INDICES element is out of DATA bounds: INDICES holds an index outside {low} to {size} - 1",
        indices,
    )
    return jnp.where(indices < 0, indices + size, indices)


def _gather(DATA: Any, INDICES: Any, axis: int, match_outer: bool) -> Any:
    axis = canonical_axis(axis, DATA.ndim)
    if DATA.shape[axis] == 0:
        return DATA  # an empty batch passes through, whatever the indices, as in the original
    places = _checked_indices(INDICES, DATA.shape[axis])
    if not match_outer:
        return jnp.take(DATA, places, axis=axis, mode="clip")
    require_shape(
        tuple(INDICES.shape[:axis]) == tuple(DATA.shape[:axis]),
        f"DATA is {DATA.shape} and INDICES is {INDICES.shape}; with match_outer the first {axis} sizes must be equal",
    )
    inner = INDICES.shape[axis:]
    flat = places.reshape(*INDICES.shape[:axis], product(inner))
    flat = flat.reshape(flat.shape + (1,) * (DATA.ndim - axis - 1))
    taken = jnp.take_along_axis(DATA, flat, axis=axis, mode="clip")
    return taken.reshape(*DATA.shape[:axis], *inner, *DATA.shape[axis + 1 :])


@operator("Gather", outputs="OUTPUT", types={"INDICES": INDICES})
def gather(DATA, INDICES, *, axis: int = 0, match_outer: bool = False, dense_gradient: bool = False):
    """The entries of DATA at the given indices.

    Inputs:
        DATA: At least ``axis + 1`` dimensions.
        INDICES: int32 or int64 of any shape; negative indices count from the end.
    Args:
        axis: The dimension of DATA that is indexed.
        match_outer: The dimensions before axis are the same in both, and each row has indices of its own.
        dense_gradient: Whether the gradient of DATA (along dimension 0) is dense rather than sparse.
    Outputs:
        OUTPUT: DATA with dimension ``axis`` replaced by the shape of INDICES.
    Example:
        >>> run("Gather", DATA=[10.0, 20.0, 30.0], INDICES=[2, 0])
        OUTPUT = [30. 10.]
    """
    return _gather(DATA, INDICES, axis, match_outer)


@gather.gradient_maker
def _(g):
    if g.argument("axis", 0) != 0:
        return [g.define("BatchGatherGradient", [g.I(0), g.I(1), g.GO(0)], [g.GI(0)])]
    if g.argument("dense_gradient", 0):
        return [g.define("SparseToDense", [g.I(1), g.GO(0), g.I(0)], [g.GI(0)], copy_arguments=False)]
    g.set_sparse(0, g.I(1), g.GO(0))
    return []


@operator("BatchGather", outputs="OUTPUT", types={"INDICES": INDICES})
def batch_gather(DATA, INDICES, *, match_outer: bool = False):
    """The entries of every row of DATA at the given indices: Gather along dimension 1.

    Inputs:
        DATA: (N, D, ...).
        INDICES: int32 or int64 of any shape, the same for every row.
    Args:
        match_outer: Each row has indices of its own: INDICES is (N, ...).
    Outputs:
        OUTPUT: (N, shape of INDICES, ...).
    Example:
        >>> run("BatchGather", DATA=[[10.0, 20.0, 30.0]], INDICES=[2, 0])
        OUTPUT = [[30. 10.]]
    """
    return _gather(DATA, INDICES, 1, match_outer)


@batch_gather.gradient("DATA, INDICES, dOUTPUT -> dDATA", types={"INDICES": INDICES})
def _(DATA, INDICES, dOUTPUT, *, axis: int = 1, match_outer: bool = False):
    """Adds each gradient to the entry that it was taken from."""
    _, pullback = jax.vjp(lambda data: _gather(data, INDICES, axis, match_outer), DATA)
    return pullback(dOUTPUT)


@operator(
    "OneHot",
    outputs="one_hots",
    gradient="none",
    static="index_size_tensor",
    types={"indices": "int64", "index_size_tensor": "int64"},
)
def one_hot(indices, index_size_tensor):
    """A row for each index, zero but for a one at the index.

    Inputs:
        indices: int64 (N), from 0 to below the size.
        index_size_tensor: int64, one value: the length of a row.
    Outputs:
        one_hots: float32 (N, size).
    Example:
        >>> run("OneHot", indices=[1], index_size_tensor=[3])
        one_hots = [[0. 1. 0.]]
    """
    require_shape(
        indices.ndim == 1 and index_size_tensor.size == 1,
        f"indices is {indices.shape} and index_size_tensor is {index_size_tensor.shape}; "
        "indices must be one-dimensional and index_size_tensor one value",
    )
    size = int(index_size_tensor.reshape(-1)[0])
    require(
        (indices >= 0) & (indices < size), f"indices holds an index outside 0 to {size} - 1, the size of a row", indices
    )
    return (indices[:, None] == jnp.arange(size)).astype(jnp.float32)


@operator("BatchOneHot", outputs="output", gradient="none", static="lengths", types={"lengths": "int32"})
def batch_one_hot(data, lengths, values):
    """One-hot columns for every column of a matrix, each with values of its own.

    Column d of data is compared with its ``lengths[d]`` values, which stand one after the other in values.

    Inputs:
        data: (N, D).
        lengths: int32 (D), how many values each column has.
        values: (sum of lengths), in the type of data.
    Outputs:
        output: (N, sum of lengths), one where data has the value, in the type of data.
    Example:
        >>> run("BatchOneHot", data=[[5, 7]], lengths=[2, 1], values=[5, 6, 7])
        output = [[1 0 1]]
    """
    require_same_type(data, values)
    require_shape(
        data.ndim == 2 and lengths.shape == (data.shape[1],) and values.shape == (int(lengths.sum()),),
        f"data is {data.shape}, lengths {lengths.tolist()} and values {values.shape}; data must be (N, D), "
        "lengths (D), and values must hold the sum of lengths",
    )
    column = np.repeat(np.arange(lengths.size), lengths)
    return (data[:, column] == values).astype(data.dtype)


@operator(
    "CopyRowsToTensor", outputs="output_tensor", inplace="input_tensor => output_tensor", types={"indices": INDICES}
)
def copy_rows_to_tensor(input_tensor, indices, row):
    """Writes one row over the rows at the given indices.

    Inputs:
        input_tensor: (N, D).
        indices: int32 or int64, which rows are overwritten.
        row: (D), in the type of input_tensor.
    Outputs:
        output_tensor: input_tensor with these rows, in place.
    Example:
        >>> run("CopyRowsToTensor", input_tensor=[[1.0], [2.0]], indices=[1], row=[5.0])
        input_tensor = [[1.] [5.]]
    """
    require_same_type(input_tensor, row)
    require_shape(
        input_tensor.ndim == 2 and row.shape == (input_tensor.shape[1],),
        f"input_tensor is {input_tensor.shape} and row is {row.shape}; they must be (N, D) and (D)",
    )
    places = _checked_indices(indices, input_tensor.shape[0], wrap=False)
    return input_tensor.at[places.reshape(-1)].set(row, mode="drop")


@copy_rows_to_tensor.gradient("doutput_tensor -> dinput_tensor", inplace="doutput_tensor -> dinput_tensor")
def _(doutput_tensor):
    """The gradient as it is: the rows were overwritten, yet the original passes the whole gradient on."""
    return doutput_tensor
