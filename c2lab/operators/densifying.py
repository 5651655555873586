"""Densifying: indices and values as a dense blob."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import in_64_bits, require_sum, require_vector, segment_of_rows

INDICES = {"indices": "int32 int64"}


def _unknown_rows(op: Any) -> bool:
    return len(op.input) < 3 and not any(a.name == "output_first_dim" and a.i > 0 for a in op.arg)


@operator("SparseToDense", outputs="output", host_when=_unknown_rows, types=INDICES)
@in_64_bits
def sparse_to_dense(indices, values, data_to_infer_dim=None, *, output_first_dim: int = 0):
    """Adds each row of values to the row of the output that its index names.

    Inputs:
        indices: int32 or int64 (K,); an index may stand more than once.
        values: (K, ...).
        data_to_infer_dim: (N, ...), only its first size is used.
    Args:
        output_first_dim: N. Without it and without data_to_infer_dim it is the largest index and 1.
    Outputs:
        output: (N, ...), zero where no index points.
    Example:
        >>> run("SparseToDense", indices=[0, 2, 0], values=[1.0, 5.0, 2.0], output_first_dim=4)
        output = [3. 0. 5. 0.]
    """
    require_vector("indices", indices)
    require_shape(
        values.ndim >= 1 and values.shape[0] == indices.shape[0],
        f"indices is {tuple(indices.shape)} and values {tuple(values.shape)}; there must be one row an index",
    )
    if output_first_dim > 0:
        rows: Any = output_first_dim
    elif data_to_infer_dim is not None:
        require_shape(data_to_infer_dim.ndim >= 1, "data_to_infer_dim is one number; it must have rows")
        rows = data_to_infer_dim.shape[0]
    else:
        rows = int(np.max(indices)) + 1 if indices.size else 0
    require(
        (indices >= 0) & (indices < rows),
        f"indices holds a number outside 0 to {rows} - 1, the rows of output",
        indices,
    )
    return jnp.zeros((rows, *values.shape[1:]), values.dtype).at[indices].add(values, mode="drop")


@sparse_to_dense.gradient_maker
def _(g):
    return [g.define("Gather", [g.GO(0), g.I(0)], [g.GI(1)])]


def _row_of(indices: Any, lengths: Any) -> tuple[Any, Any]:
    require_vector("indices", indices)
    if lengths is None:
        return jnp.zeros(indices.shape, jnp.int32), 1
    require_vector("lengths", lengths)
    require_sum(lengths, indices.shape[0], "indices")
    return segment_of_rows(lengths, indices.shape[0]), lengths.shape[0]


def _places(indices: Any, row: Any, rows: Any, mask: tuple[int, ...]) -> tuple[Any, Any]:
    """Where each index goes in the output laid flat (past its end: nowhere), and the last index of each place or -1."""
    if not mask:
        raise BadArgument("mask is empty; it must name the indices that become columns")
    if len(set(mask)) != len(mask):
        raise BadArgument(f"mask is {list(mask)}; no index may stand in it twice")
    order = np.argsort(np.array(mask, np.int64), kind="stable")
    known = jnp.asarray(np.array(mask, np.int64)[order])
    wide = jnp.asarray(indices).astype(jnp.int64)
    near = jnp.minimum(jnp.searchsorted(known, wide), len(mask) - 1)
    column = jnp.asarray(order, jnp.int32)[near]
    slots = rows * len(mask)
    slot = jnp.where(known[near] == wide, row * len(mask) + column, slots)
    last = jnp.full((slots,), -1, jnp.int32)
    return slot, last.at[slot].max(jnp.arange(indices.shape[0], dtype=jnp.int32), mode="drop")


@host_operator("SparseToDenseMask", outputs="output, presence_mask?", types={**INDICES, "lengths": "int32"})
@in_64_bits
def sparse_to_dense_mask(
    indices,
    values,
    default_value,
    lengths=None,
    *,
    mask: tuple[int, ...],
    return_presence_mask: bool = False,
    max_skipped_indices: int = 50,
    num_outputs: int,
):
    """Rows of values for the indices that a mask names, in its order.

    Where an index stands more than once in a row, its last value counts. Indices that the mask
    does not name are left out.

    Inputs:
        indices: int32 or int64 (K,).
        values: (K, ...), numbers or text.
        default_value: (...), what stands where an index is absent.
        lengths: int32 (N,), how many indices each row has; without it there is one row, and no dimension for it.
    Args:
        mask: The indices that become columns.
        return_presence_mask: Whether presence_mask is made; there must be an output for it.
        max_skipped_indices: As many negative indices are an error.
    Outputs:
        output: (N, length of mask, ...), in the type of values.
        presence_mask: bool (N, length of mask), where there is a value.
    Example:
        >>> run("SparseToDenseMask", indices=[7, 5], values=[1.0, 2.0], default_value=-1.0, mask=[5, 6, 7], outputs=1)
        output = [ 2. -1.  1.]
    """
    if return_presence_mask != (num_outputs > 1):
        raise BadArgument("return_presence_mask must be set where, and only where, there is a second output")
    row, rows = _row_of(indices, lengths)
    require_shape(
        values.ndim >= 1 and values.shape[0] == indices.shape[0],
        f"indices is {tuple(indices.shape)} and values {tuple(values.shape)}; there must be one row an index",
    )
    inner = values.shape[1:]
    require_shape(
        product(default_value.shape) == product(inner) and default_value.ndim <= max(len(inner), 1),
        f"default_value is {tuple(default_value.shape)}; it must be {tuple(inner)}, one row of values",
    )
    require(
        np.sum(indices < 0) < max_skipped_indices,
        f"Too many sparse indices skipped: {max_skipped_indices} or more are negative",
    )
    _, last = map(np.asarray, _places(indices, row, rows, mask))
    present = last >= 0
    output = np.empty((last.size, *inner), values.dtype)
    output[:] = default_value.reshape(inner)
    output[present] = values[last[present]]
    outer = (len(mask),) if lengths is None else (rows, len(mask))
    return output.reshape(*outer, *inner), present.reshape(outer)


@sparse_to_dense_mask.gradient(
    "indices, doutput, lengths -> dvalues", kind="pure", types={**INDICES, "lengths": "int32"}
)
def _(indices, doutput, lengths=None, *, mask: tuple[int, ...]):
    """To each value that counts the gradient of the place that it went to."""
    row, rows = _row_of(indices, lengths)
    slot, last = _places(indices, row, rows, mask)
    outer = (len(mask),) if lengths is None else (rows, len(mask))
    require_shape(
        tuple(doutput.shape[: len(outer)]) == tuple(outer),
        f"the gradient is {tuple(doutput.shape)}; it must start with {tuple(outer)}",
    )
    inner = doutput.shape[len(outer) :]
    if isinstance(rows, int) and rows == 0:
        return jnp.zeros((indices.shape[0], *inner), doutput.dtype)
    flat = doutput.reshape(rows * len(mask), *inner)
    counts = jnp.take(last, slot, mode="fill", fill_value=-1) == jnp.arange(indices.shape[0], dtype=jnp.int32)
    taken = jnp.take(flat, slot, axis=0, mode="clip")
    return jnp.where(counts.reshape(-1, *(1,) * len(inner)), taken, jnp.zeros_like(taken))
