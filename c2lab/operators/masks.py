"""Masks: keeping, dropping and overwriting what a condition, a length or a triangle says."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, SchemaError
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import require_sum, require_vector, segment_of_rows
from c2lab.operators.segment_reductions import require_rows

MASK = {"mask": "bool"}


@host_operator("BooleanMask", outputs="masked_data, masked_indices?", types=MASK)
def boolean_mask(data, mask):
    """The rows where the mask is true.

    Inputs:
        data: (N, ...).
        mask: bool (N,).
    Outputs:
        masked_data: (number of true values, ...).
        masked_indices: int64, where the mask is true.
    Example:
        >>> run("BooleanMask", data=[1.0, 2.0, 3.0], mask=[True, False, True], outputs=2)
        masked_data = [1. 3.]
        masked_indices = [0 2]
    """
    require_shape(
        mask.ndim == 1 and data.ndim >= 1 and data.shape[0] == mask.shape[0],
        f"data is {data.shape} and mask is {mask.shape}; there must be one mask value a row",
    )
    return data[mask], np.flatnonzero(mask).astype(np.int64)


@boolean_mask.gradient("mask, dmasked_data -> ddata", kind="pure", types=MASK)
def _(mask, dmasked_data):
    """Puts the gradient back where the mask is true, zero elsewhere."""
    require_vector("mask", mask)
    require_rows("the gradient", dmasked_data)
    count = dmasked_data.shape[0]
    require(jnp.sum(mask) == count, f"mask must be true for {count} rows, as many as the gradient has")
    (place,) = jnp.nonzero(mask, size=count, fill_value=mask.shape[0])
    zero = jnp.zeros((mask.shape[0], *dmasked_data.shape[1:]), dmasked_data.dtype)
    return zero.at[place].set(dmasked_data, mode="drop")


@operator(
    "BooleanMaskLengths", outputs="masked_lengths", gradient="none", types={"lengths": "int32 int64", "mask": "bool"}
)
def boolean_mask_lengths(lengths, mask):
    """The lengths of segments after BooleanMask took rows out of them.

    Inputs:
        lengths: int32 or int64 (S,).
        mask: bool (sum of lengths,).
    Outputs:
        masked_lengths: (S,), how often the mask is true in each segment, in the type of lengths.
    Example:
        >>> run("BooleanMaskLengths", lengths=[2, 0, 1], mask=[True, False, True])
        masked_lengths = [1 0 1]
    """
    require_vector("mask", mask)
    require_sum(lengths, mask.shape[0], "mask")
    segment = segment_of_rows(lengths, mask.shape[0])
    return jnp.zeros_like(lengths).at[segment].add(mask.astype(lengths.dtype), mode="drop")


@operator("BooleanUnmask", outputs="unmasked_data", gradient="none")
def boolean_unmask(mask, data, *more: Any):
    """Puts rows from several sources together again, as several masks say.

    Where more than one mask is true, the first one is followed, and the others bring no row for this place.

    Inputs:
        mask: bool (N,), where the rows of data go.
        data: (number of places that the mask fills, ...).
        more: The next mask, its rows, and so on.
    Outputs:
        unmasked_data: (N, ...).
    Example:
        >>> first, second = np.array([True, False, True]), np.array([False, True, False])
        >>> run("BooleanUnmask", mask=first, data=[1.0, 3.0], more=(second, np.float32([2])))
        unmasked_data = [1. 2. 3.]
    """
    if len(more) % 2:
        raise SchemaError(f"BooleanUnmask takes pairs of a mask and its rows, but there are {len(more) + 2} inputs")
    masks, sources = (mask, *more[::2]), (data, *more[1::2])
    require_same_type(*sources)
    for mask, rows in zip(masks, sources, strict=True):
        require_shape(
            str(mask.dtype) == "bool" and mask.ndim == 1 and mask.shape == masks[0].shape,
            f"a mask is {mask.dtype} {tuple(mask.shape)}; all must be bool {tuple(masks[0].shape)}",
        )
        require_shape(
            rows.ndim >= 1 and rows.shape[1:] == sources[0].shape[1:], "the rows of all sources must have one shape"
        )
    result = jnp.zeros((masks[0].shape[0], *sources[0].shape[1:]), sources[0].dtype)
    filled = jnp.zeros(masks[0].shape, bool)
    for mask, rows in zip(masks, sources, strict=True):
        fills = mask & ~filled
        count = rows.shape[0]
        require(jnp.sum(fills) == count, f"a mask must fill {count} places, as many as its source has rows")
        (place,) = jnp.nonzero(fills, size=count, fill_value=mask.shape[0])
        result = result.at[place].set(rows, mode="drop")
        filled = filled | mask
    require(filled, "all masks are false at some place; at least one must be true everywhere")
    return result


Mode = Literal["sequence", "window", "upper", "lower", "upperdiag", "lowerdiag"]


def _masked(mode: str, row: Any, column: Any, told: Any, radius: int) -> Any:
    """Where values are overwritten."""
    match mode:
        case "sequence":
            return column >= told
        case "window":
            return jnp.abs(column - told) > radius
        case "upper":
            return column > row
        case "lower":
            return column < row
        case "upperdiag":
            return column >= row
        case _:
            return column <= row


@operator("SequenceMask", outputs="masked_tensor", types={"input": "float32 float64", "sequence_lengths": "int32"})
def sequence_mask(
    input,
    sequence_lengths=None,
    *,
    mode: Mode,
    axis: int = 1,
    grad: bool = False,
    radius: int = 10,
    batch: int | None = None,
    repeat_from_axis: int | None = None,
    fill_val: float = -float("inf"),
):
    """Overwrites what lies beyond a sequence's length, outside a window, or in a triangle of a matrix.

    The dimensions before axis are laid flat into rows, those from axis on into columns.

    Inputs:
        input: Values of any shape, float32 or float64.
        sequence_lengths: int32, one a row: the length of each (``sequence``), or the middle of its window (``window``).
    Args:
        mode: What is overwritten: ``sequence``: columns from the length on; ``window``: columns further than
            radius from the middle; ``upper`` and ``lower``: above and below the diagonal; ``upperdiag`` and
            ``lowerdiag``: with the diagonal.
        axis: The first dimension that belongs to the columns.
        grad: Whether zero is written instead of fill_val, as the gradient needs it.
        radius: How far a window reaches to either side.
        batch: The last dimension that belongs to the batch: the rows are those between it and axis.
        repeat_from_axis: The dimensions from this one on are masked together (``sequence`` only).
        fill_val: What is written.
    Outputs:
        masked_tensor: Same shape and type.
    Example:
        >>> run("SequenceMask", input=[[1.0, 2.0], [3.0, 4.0]], sequence_lengths=[1, 2], mode="sequence", fill_val=0.0)
        masked_tensor = [[1. 0.]
                         [3. 4.]]
    """
    axis = canonical_axis(axis, input.ndim)
    sizes = input.shape
    first = 0
    if batch is not None:
        first = canonical_axis(batch, input.ndim) + 1
        if first > axis:
            raise BadArgument(f"batch is dimension {first - 1} and axis {axis}; batch must come before axis")
    last = len(sizes)
    if repeat_from_axis is not None and mode == "sequence":
        last = canonical_axis(repeat_from_axis, input.ndim)
        if last <= axis:
            raise BadArgument(f"repeat_from_axis is {last} and axis {axis}; it must come after axis")
    rows, width = product(sizes[first:axis]), product(sizes[axis:last])
    told = None
    if mode in ("sequence", "window"):
        require_shape(
            sequence_lengths is not None and sequence_lengths.ndim == 1 and sequence_lengths.shape[0] == rows,
            f"mode {mode} needs sequence_lengths of shape ({rows},), one for each row; it is "
            f"{None if sequence_lengths is None else tuple(sequence_lengths.shape)}",
        )
        told = sequence_lengths[:, None]
    row = jnp.arange(rows, dtype=jnp.int32)[:, None]
    column = jnp.arange(width, dtype=jnp.int32)[None, :]
    masked = jnp.broadcast_to(_masked(mode, row, column, told, radius), (rows, width))
    masked = masked.reshape(*sizes[first:axis], *sizes[axis:last], *(1,) * (len(sizes) - last))
    return jnp.where(masked, jnp.asarray(0 if grad else fill_val, input.dtype), input)


@sequence_mask.gradient_maker
def _(g):
    sources = [g.GO(0), *(g.I(k) for k in range(1, len(g.op.input)))]
    return [g.define("SequenceMask", sources, [g.GI(0)], grad=True)]
