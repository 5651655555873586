"""Segments given by lengths: the sum, mean, maximum or weighted sum of the rows of each."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator
from c2lab.operators.lengths import require_no_negative, require_sum, require_vector, segment_of_rows

LENGTHS = {"LENGTHS": "int32"}


def columns(weights, rows):
    """One weight a row, shaped to multiply ``rows``."""
    return jnp.reshape(weights, (*weights.shape, *(1,) * (rows.ndim - weights.ndim))).astype(rows.dtype)


def require_rows(name, value):
    """Demands at least one dimension."""
    require_shape(value.ndim >= 1, f"{name} is one number; it must have rows")


def require_weights(weights, rows, name="DATA"):
    """Demands one weight a row."""
    require_shape(
        weights.ndim == 1 and weights.shape[0] == rows,
        f"SCALARS is {tuple(weights.shape)}; it must hold one weight for each of the {rows} rows of {name}",
    )


def sum_of_segments(rows, segment, count):
    """The sum of the rows of each segment; rows of no segment are left out."""
    return jax.ops.segment_sum(rows, segment, num_segments=count)


def spread(per_segment, segment):
    """To each row what its segment has; zero where it has none."""
    if per_segment.shape[0] == 0:
        return jnp.zeros((*segment.shape, *per_segment.shape[1:]), per_segment.dtype)
    return jnp.take(per_segment, segment, axis=0, mode="fill", fill_value=0)


def largest_of_segments(rows, segment, lengths):
    """The largest row of each segment, element by element; zero where a segment is empty."""
    largest = jax.ops.segment_max(rows, segment, num_segments=lengths.shape[0])
    return jnp.where(columns(lengths, rows) > 0, largest, jnp.zeros_like(largest))


def divided_by_lengths(per_segment, lengths):
    """Each segment's value by its length; an empty one stays as it is."""
    return per_segment / columns(jnp.maximum(lengths, 1), per_segment)


def _segments(DATA, LENGTHS):
    require_rows("DATA", DATA)
    require_sum(LENGTHS, DATA.shape[0])
    return segment_of_rows(LENGTHS, DATA.shape[0])


def require_segments(gradient, LENGTHS):
    """Demands one row of the gradient for each segment."""
    require_vector("LENGTHS", LENGTHS)
    require_shape(
        gradient.ndim >= 1 and gradient.shape[0] == LENGTHS.shape[0],
        f"the gradient is {tuple(gradient.shape)} and LENGTHS is {tuple(LENGTHS.shape)}; "
        "there must be one row a segment",
    )


@operator("LengthsSum", outputs="OUTPUT", types=LENGTHS)
def lengths_sum(DATA, LENGTHS):
    """The sum of the rows of each segment.

    Inputs:
        DATA: (N, ...), the rows of all segments one after the other.
        LENGTHS: int32 (S,), how many rows each segment has; they add up to N.
    Outputs:
        OUTPUT: (S, ...); zero for an empty segment.
    Example:
        >>> run("LengthsSum", DATA=[1.0, 2.0, 3.0], LENGTHS=[2, 0, 1])
        OUTPUT = [3. 0. 3.]
    """
    return sum_of_segments(DATA, _segments(DATA, LENGTHS), LENGTHS.shape[0])


@lengths_sum.gradient("dOUTPUT, LENGTHS, DATA -> dDATA", type="LengthsIndicesInGradientSumGradient", types=LENGTHS)
def _(dOUTPUT, LENGTHS, DATA):
    """Each row gets the gradient of its segment."""
    require_segments(dOUTPUT, LENGTHS)
    return spread(dOUTPUT, _segments(DATA, LENGTHS))


def repeated(dOUTPUT, LENGTHS):
    """Each segment's gradient as often as it has rows, on the host."""
    require_no_negative(LENGTHS)
    require_segments(dOUTPUT, LENGTHS)
    return np.repeat(dOUTPUT, LENGTHS, axis=0)


def repeated_mean(dOUTPUT, LENGTHS):
    """Each segment's gradient by its length, as often as it has rows, on the host."""
    shape = (-1,) + (1,) * (dOUTPUT.ndim - 1)
    return repeated(dOUTPUT / np.maximum(LENGTHS, 1).astype(dOUTPUT.dtype).reshape(shape), LENGTHS)


@lengths_sum.gradient("dOUTPUT, LENGTHS -> dDATA", kind="host", types=LENGTHS)
def _(dOUTPUT, LENGTHS):
    """Each row gets the gradient of its segment."""
    return repeated(dOUTPUT, LENGTHS)


@operator("LengthsMean", outputs="OUTPUT", types=LENGTHS)
def lengths_mean(DATA, LENGTHS):
    """The mean of the rows of each segment.

    Inputs:
        DATA: (N, ...), the rows of all segments one after the other.
        LENGTHS: int32 (S,), how many rows each segment has; they add up to N.
    Outputs:
        OUTPUT: (S, ...); zero for an empty segment.
    Example:
        >>> run("LengthsMean", DATA=[1.0, 2.0, 3.0], LENGTHS=[2, 0, 1])
        OUTPUT = [1.5 0.  3. ]
    """
    return divided_by_lengths(sum_of_segments(DATA, _segments(DATA, LENGTHS), LENGTHS.shape[0]), LENGTHS)


@lengths_mean.gradient("dOUTPUT, LENGTHS, DATA -> dDATA", type="LengthsIndicesInGradientMeanGradient", types=LENGTHS)
def _(dOUTPUT, LENGTHS, DATA):
    """Each row gets its share of the gradient of its segment."""
    require_segments(dOUTPUT, LENGTHS)
    return spread(divided_by_lengths(dOUTPUT, LENGTHS), _segments(DATA, LENGTHS))


@lengths_mean.gradient("dOUTPUT, LENGTHS -> dDATA", kind="host", types=LENGTHS)
def _(dOUTPUT, LENGTHS):
    """Each row gets its share of the gradient of its segment."""
    return repeated_mean(dOUTPUT, LENGTHS)


@operator("LengthsMax", outputs="OUTPUT", types=LENGTHS)
def lengths_max(DATA, LENGTHS):
    """The largest of the rows of each segment, element by element.

    Inputs:
        DATA: (N, ...), the rows of all segments one after the other.
        LENGTHS: int32 (S,), how many rows each segment has; they add up to N.
    Outputs:
        OUTPUT: (S, ...); zero for an empty segment.
    Example:
        >>> run("LengthsMax", DATA=[1.0, 2.0, -3.0], LENGTHS=[2, 0, 1])
        OUTPUT = [ 2.  0. -3.]
    """
    return largest_of_segments(DATA, _segments(DATA, LENGTHS), LENGTHS)


@lengths_max.gradient(
    "OUTPUT, dOUTPUT, LENGTHS, DATA -> dDATA",
    type="LengthsMaxWithMainInputAndForwardOutputGradient",
    types=LENGTHS,
)
def _(OUTPUT, dOUTPUT, LENGTHS, DATA):
    """Every row that is as large as the largest gets the gradient."""
    require_segments(dOUTPUT, LENGTHS)
    segment = _segments(DATA, LENGTHS)
    return jnp.where(DATA == spread(OUTPUT, segment), spread(dOUTPUT, segment), jnp.zeros_like(DATA))


@operator("LengthsWeightedSum", outputs="OUTPUT", types=LENGTHS)
def lengths_weighted_sum(DATA, SCALARS, LENGTHS, *, grad_on_weights: bool = False):
    """The weighted sum of the rows of each segment.

    Inputs:
        DATA: (N, ...), the rows of all segments one after the other.
        SCALARS: (N,), a weight for each row.
        LENGTHS: int32 (S,), how many rows each segment has; they add up to N.
    Args:
        grad_on_weights: Whether the weights get a gradient too.
    Outputs:
        OUTPUT: (S, ...); zero for an empty segment.
    Example:
        >>> run("LengthsWeightedSum", DATA=[1.0, 2.0, 3.0], SCALARS=[0.5, 0.25, 2.0], LENGTHS=[2, 1])
        OUTPUT = [1. 6.]
    """
    require_same_type(DATA, SCALARS)
    segment = _segments(DATA, LENGTHS)
    require_weights(SCALARS, DATA.shape[0])
    return sum_of_segments(DATA * columns(SCALARS, DATA), segment, LENGTHS.shape[0])


@lengths_weighted_sum.gradient_maker
def _(g):
    if not g.argument("grad_on_weights", 0):
        return [g.define("LengthsWeightedSumGradient", [g.I(1), g.GO(0), g.I(2)], [g.GI(0)])]
    sources = [g.I(1), g.GO(0), g.I(2), g.I(0)]
    return [g.define("LengthsWeightedSumWithMainInputGradient", sources, [g.GI(0), g.GI(1)])]


@lengths_weighted_sum.gradient("SCALARS, dOUTPUT, LENGTHS -> dDATA", types=LENGTHS)
def _(SCALARS, dOUTPUT, LENGTHS):
    """Each row gets the gradient of its segment by its weight."""
    require_segments(dOUTPUT, LENGTHS)
    require_vector("SCALARS", SCALARS)
    require_sum(LENGTHS, SCALARS.shape[0], "SCALARS")
    rows = spread(dOUTPUT, segment_of_rows(LENGTHS, SCALARS.shape[0]))
    return rows * columns(SCALARS, rows)


@lengths_weighted_sum.gradient(
    "SCALARS, dOUTPUT, LENGTHS, DATA -> dDATA, dSCALARS", type="LengthsWeightedSumWithMainInputGradient", types=LENGTHS
)
def _(SCALARS, dOUTPUT, LENGTHS, DATA):
    """Each row gets the gradient of its segment by its weight, and each weight that by its row."""
    require_segments(dOUTPUT, LENGTHS)
    rows = spread(dOUTPUT, _segments(DATA, LENGTHS))
    return rows * columns(SCALARS, rows), (rows * DATA).reshape(SCALARS.shape[0], -1).sum(axis=1)
