"""Packing: segments of different lengths as one padded block, and back."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import in_64_bits, require_sum, require_vector, segment_of_rows, starts_of
from c2lab.operators.segment_reductions import require_rows

LENGTHS = {"lengths": "int32 int64"}


def _unknown_length(op: Any) -> bool:
    return not any(argument.name == "max_length" and argument.i != -1 for argument in op.arg)


@operator("PackSegments", outputs="packed_tensor, presence_mask?", host_when=_unknown_length, types=LENGTHS)
@in_64_bits
def pack_segments(
    lengths,
    tensor,
    *,
    max_length: int = -1,
    pad_minf: bool = False,
    return_presence_mask: bool = False,
    num_outputs: int,
):
    """Gives every segment a row of its own, padded to the length of the longest.

    Inputs:
        lengths: int32 or int64 (S,), how many rows each segment has.
        tensor: (sum of lengths, ...), the rows of all segments one after the other.
    Args:
        max_length: The length that all are padded or cut to; that of the longest where left out.
        pad_minf: Whether the padding is minus infinity instead of zero (float only).
        return_presence_mask: Whether presence_mask is made; there must be an output for it.
    Outputs:
        packed_tensor: (S, max_length, ...).
        presence_mask: bool (S, max_length), false where there is padding.
    Example:
        >>> run("PackSegments", lengths=[2, 1], tensor=[1.0, 2.0, 3.0], max_length=2, outputs=1)
        packed_tensor = [[1. 2.]
                         [3. 0.]]
    """
    if return_presence_mask and num_outputs < 2:
        raise BadArgument("return_presence_mask is set, but there is no second output to return it in")
    require_rows("tensor", tensor)
    require_vector("lengths", lengths)
    require_sum(lengths, tensor.shape[0], "tensor")
    if max_length == -1:
        max_length = int(np.max(lengths)) if lengths.size else 0
    elif max_length < 0:
        raise BadArgument(f"max_length is {max_length}; it must be -1, which is the longest, or more")
    if tensor.dtype == object:
        return _packed_text(lengths, tensor, max_length)
    if pad_minf and not jnp.issubdtype(tensor.dtype, jnp.floating):
        raise BadArgument(f"tensor is {tensor.dtype}, which has no minus infinity; leave pad_minf out")
    pad = jnp.asarray(-jnp.inf if pad_minf else 0, tensor.dtype)
    present = jnp.arange(max_length, dtype=jnp.int32)[None, :] < lengths[:, None]
    if tensor.shape[0] == 0:
        return jnp.full((lengths.shape[0], max_length, *tensor.shape[1:]), pad, tensor.dtype), present
    place = starts_of(lengths)[:, None] + jnp.arange(max_length, dtype=jnp.int32)[None, :]
    packed = jnp.take(jnp.asarray(tensor), place, axis=0, mode="clip")
    held = present.reshape(*present.shape, *(1,) * (tensor.ndim - 1))
    return jnp.where(held, packed, pad), present


def _packed_text(lengths: np.ndarray, tensor: np.ndarray, max_length: int) -> tuple[np.ndarray, np.ndarray]:
    packed = np.full((lengths.size, max_length, *tensor.shape[1:]), b"", object)
    start = 0
    for k, length in enumerate(lengths):
        kept = min(length, max_length)
        packed[k, :kept] = tensor[start : start + kept]
        start += length
    return packed, np.arange(max_length) < lengths[:, None]


@pack_segments.gradient_maker
def _(g):
    return [g.define("UnpackSegments", [g.I(0), g.GO(0)], [g.GI(1)])]


@host_operator("UnpackSegments", outputs="packed_tensor", types=LENGTHS)
def unpack_segments(lengths, tensor, *, max_length: int = -1):
    """The rows of all segments one after the other, without the padding that PackSegments added.

    Inputs:
        lengths: int32 or int64 (S,), how many rows each segment has.
        tensor: (S, longest length, ...).
    Args:
        max_length: The length that all were padded or cut to; it must be the second size of tensor.
    Outputs:
        packed_tensor: (sum of lengths, ...); longer segments count as max_length where it is given.
    Example:
        >>> run("UnpackSegments", lengths=[2, 1], tensor=[[1.0, 2.0], [3.0, 0.0]])
        packed_tensor = [1. 2. 3.]
    """
    require_vector("lengths", lengths)
    require_shape(
        tensor.ndim >= 2 and tensor.shape[0] == lengths.size,
        f"tensor is {tensor.shape} and lengths {lengths.shape}; tensor must be ({lengths.size}, longest length, ...)",
    )
    width = tensor.shape[1]
    require_shape(
        max_length in (-1, width), f"max_length is {max_length}, but the segments of tensor are padded to {width}"
    )
    require(np.all(lengths >= 0), f"lengths is {lengths.tolist()}; every length must be 0 or more")
    kept = lengths if max_length == -1 else np.minimum(lengths, max_length)
    require(np.all(kept <= width), f"lengths is {lengths.tolist()}, but tensor is {tensor.shape}: {width} a segment")
    return tensor[np.arange(width) < kept[:, None]]


@unpack_segments.gradient_maker
def _(g):
    return [g.define("PackSegments", [g.I(0), g.GO(0)], [g.GI(1)])]


def places(lengths: Any, indices: Any) -> Any:
    """The row of each index."""
    require_vector("lengths", lengths)
    require_vector("indices", indices)
    require_sum(lengths, indices.shape[0], "indices")
    return segment_of_rows(lengths, indices.shape[0])


BATCH = {"lengths": "int32 int64", "indices": "int32 int64"}


@operator("BatchDenseToSparse", outputs="values", types=BATCH)
def batch_dense_to_sparse(lengths, indices, dense):
    """The elements of each row at the indices of this row, one row's after the other.

    Inputs:
        lengths: int32 or int64 (N,), how many indices each row has.
        indices: int32 or int64 (sum of lengths,), which columns.
        dense: (N, D).
    Outputs:
        values: (sum of lengths,).
    Example:
        >>> run("BatchDenseToSparse", lengths=[2, 1], indices=[0, 2, 1], dense=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        values = [1. 3. 5.]
    """
    row = places(lengths, indices)
    require_shape(
        dense.ndim == 2 and dense.shape[0] == lengths.shape[0],
        f"dense is {tuple(dense.shape)} and lengths {tuple(lengths.shape)}; there must be one length a row",
    )
    require(
        (indices >= 0) & (indices < dense.shape[1]),
        f"indices holds a column outside 0 to {dense.shape[1]} - 1",
        indices,
    )
    if product(dense.shape) == 0:
        return jnp.zeros(indices.shape, dense.dtype)
    return dense.at[row, indices].get(mode="clip")


@batch_dense_to_sparse.gradient_maker
def _(g):
    return [g.define("BatchSparseToDense", [g.I(0), g.I(1), g.GO(0), g.I(2)], [g.GI(2)])]


@operator("BatchSparseToDense", outputs="dense", types=BATCH)
def batch_sparse_to_dense(
    lengths, indices, values, output_shape_inference=None, *, dense_last_dim: int = -1, default_value: float = 0.0
):
    """Rows with the given values at the given indices.

    Inputs:
        lengths: int32 or int64 (N,), how many values each row has.
        indices: int32 or int64 (sum of lengths,), which columns.
        values: (sum of lengths,).
        output_shape_inference: (N, D), only its shape is used.
    Args:
        dense_last_dim: D, where there is no output_shape_inference.
        default_value: What stands where there is no value.
    Outputs:
        dense: (N, D), in the type of values.
    Example:
        >>> run("BatchSparseToDense", lengths=[2, 1], indices=[0, 2, 1], values=[1.0, 3.0, 5.0], dense_last_dim=3)
        dense = [[1. 0. 3.]
                 [0. 5. 0.]]
    """
    row = places(lengths, indices)
    require_shape(
        values.shape == indices.shape,
        f"values is {tuple(values.shape)} and indices {tuple(indices.shape)}; there must be one value an index",
    )
    size = dense_last_dim
    if output_shape_inference is not None:
        size = output_shape_inference.shape[-1] if output_shape_inference.ndim else 0
        require_shape(
            output_shape_inference.ndim == 2 and dense_last_dim in (-1, size),
            f"output_shape_inference is {tuple(output_shape_inference.shape)} and dense_last_dim {dense_last_dim}; "
            "they must be (N, D) and D",
        )
    elif size < 1:
        raise BadArgument("the number of columns is not known; give dense_last_dim, or output_shape_inference")
    require((indices >= 0) & (indices < size), f"indices holds a column outside 0 to {size} - 1", indices)
    dense = jnp.full((lengths.shape[0], size), default_value, values.dtype)
    return dense.at[row, indices].set(values, mode="drop")


@batch_sparse_to_dense.gradient_maker
def _(g):
    return [g.define("BatchDenseToSparse", [g.I(0), g.I(1), g.GO(0)], [g.GI(2)])]
