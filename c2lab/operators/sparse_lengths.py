"""Sparse segments: sums of rows of a table, picked by index and cut by lengths (embedding bags)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator
from c2lab.operators.lengths import require_sum, require_vector, segment_of_rows, starts_of
from c2lab.operators.row_quantization import restored
from c2lab.operators.segment_reductions import (
    columns,
    divided_by_lengths,
    repeated,
    repeated_mean,
    require_rows,
    require_segments,
    require_weights,
    spread,
    sum_of_segments,
)

INDICES = {"INDICES": "int32 int64", "LENGTHS": "int32"}
TABLE = {"DATA": "float32 float16", **INDICES}


def picked(DATA, INDICES):
    """The rows at the given indices, in float32 where they are stored in half precision."""
    require_vector("INDICES", INDICES)
    require_rows("DATA", DATA)
    require(
        (INDICES >= 0) & (INDICES < DATA.shape[0]),
        f"INDICES element is out of DATA bounds: INDICES holds an index outside 0 to {DATA.shape[0]} - 1",
        INDICES,
    )
    if DATA.shape[0] == 0:
        rows = jnp.zeros((*INDICES.shape, *DATA.shape[1:]), DATA.dtype)
    else:
        rows = jnp.take(DATA, INDICES, axis=0, mode="clip")
    return rows.astype(jnp.float32) if rows.dtype == jnp.float16 else rows


def segments_of(INDICES, LENGTHS):
    """The segment of each index."""
    require_vector("INDICES", INDICES)
    require_sum(LENGTHS, INDICES.shape[0], "INDICES")
    return segment_of_rows(LENGTHS, INDICES.shape[0])


def _sum(DATA, INDICES, LENGTHS, weights=None):
    segment, rows = segments_of(INDICES, LENGTHS), picked(DATA, INDICES)
    if weights is not None:
        rows = rows * columns(weights, rows)
    return sum_of_segments(rows, segment, LENGTHS.shape[0])


@operator("SparseLengthsSum", outputs="OUTPUT", types=TABLE)
def sparse_lengths_sum(DATA, INDICES, LENGTHS):
    """The sum of the picked rows of each segment: Gather, then LengthsSum.

    Inputs:
        DATA: (M, ...), a table of float32 or float16 rows.
        INDICES: int32 or int64 (N,), which rows, of all segments one after the other.
        LENGTHS: int32 (S,), how many indices each segment has; they add up to N.
    Outputs:
        OUTPUT: float32 (S, ...); zero for an empty segment.
    Example:
        >>> run("SparseLengthsSum", DATA=[1.0, 10.0, 100.0], INDICES=np.int64([2, 0, 1]), LENGTHS=[2, 1])
        OUTPUT = [101.  10.]
    """
    return _sum(DATA, INDICES, LENGTHS)


@sparse_lengths_sum.gradient_maker
def _(g):
    kernel = "SparseLengthsIndicesInGradientSumGradient"
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define(kernel, [g.GO(0), g.I(2), g.I(1)], [f"{g.I(0)}_grad_values"])]


@sparse_lengths_sum.gradient(
    "dOUTPUT, LENGTHS, INDICES -> dDATA", type="SparseLengthsIndicesInGradientSumGradient", types=INDICES
)
def _(dOUTPUT, LENGTHS, INDICES):
    """Each picked row gets the gradient of its segment."""
    require_segments(dOUTPUT, LENGTHS)
    return spread(dOUTPUT, segments_of(INDICES, LENGTHS))


@sparse_lengths_sum.gradient("dOUTPUT, LENGTHS -> dDATA", kind="host", types={"LENGTHS": "int32"})
def _(dOUTPUT, LENGTHS):
    """Each picked row gets the gradient of its segment."""
    return repeated(dOUTPUT, LENGTHS)


@operator("SparseLengthsMean", outputs="OUTPUT", types=TABLE)
def sparse_lengths_mean(DATA, INDICES, LENGTHS):
    """The mean of the picked rows of each segment: Gather, then LengthsMean.

    Inputs:
        DATA: (M, ...), a table of float32 or float16 rows.
        INDICES: int32 or int64 (N,), which rows, of all segments one after the other.
        LENGTHS: int32 (S,), how many indices each segment has; they add up to N.
    Outputs:
        OUTPUT: float32 (S, ...); zero for an empty segment.
    Example:
        >>> run("SparseLengthsMean", DATA=[1.0, 10.0, 101.0], INDICES=np.int64([2, 0, 1]), LENGTHS=[2, 1])
        OUTPUT = [51. 10.]
    """
    return divided_by_lengths(_sum(DATA, INDICES, LENGTHS), LENGTHS)


@sparse_lengths_mean.gradient_maker
def _(g):
    kernel = "SparseLengthsIndicesInGradientMeanGradient"
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define(kernel, [g.GO(0), g.I(2), g.I(1)], [f"{g.I(0)}_grad_values"])]


@sparse_lengths_mean.gradient(
    "dOUTPUT, LENGTHS, INDICES -> dDATA", type="SparseLengthsIndicesInGradientMeanGradient", types=INDICES
)
def _(dOUTPUT, LENGTHS, INDICES):
    """Each picked row gets its share of the gradient of its segment."""
    require_segments(dOUTPUT, LENGTHS)
    return spread(divided_by_lengths(dOUTPUT, LENGTHS), segments_of(INDICES, LENGTHS))


@sparse_lengths_mean.gradient("dOUTPUT, LENGTHS -> dDATA", kind="host", types={"LENGTHS": "int32"})
def _(dOUTPUT, LENGTHS):
    """Each picked row gets its share of the gradient of its segment."""
    return repeated_mean(dOUTPUT, LENGTHS)


@operator("SparseLengthsWeightedSum", outputs="OUTPUT", types={**TABLE, "SCALARS": "float32"})
def sparse_lengths_weighted_sum(DATA, SCALARS, INDICES, LENGTHS, *, grad_on_weights: bool = False):
    """The weighted sum of the picked rows of each segment: Gather, then LengthsWeightedSum.

    Inputs:
        DATA: (M, ...), a table of float32 or float16 rows.
        SCALARS: float32 (N,), a weight for each index.
        INDICES: int32 or int64 (N,), which rows, of all segments one after the other.
        LENGTHS: int32 (S,), how many indices each segment has; they add up to N.
    Args:
        grad_on_weights: Whether the weights get a gradient too.
    Outputs:
        OUTPUT: float32 (S, ...); zero for an empty segment.
    Example:
        >>> run("SparseLengthsWeightedSum", DATA=[1.0, 10.0], SCALARS=[0.5, 2.0], INDICES=[1, 0], LENGTHS=[2])
        OUTPUT = [7.]
    """
    require_weights(SCALARS, INDICES.shape[0], "INDICES")
    return _sum(DATA, INDICES, LENGTHS, SCALARS)


@sparse_lengths_weighted_sum.gradient_maker
def _(g):
    kernel, values = "SparseLengthsIndicesInGradientWeightedSum", f"{g.I(0)}_grad_values"
    g.set_sparse(0, g.I(2), values)
    if not g.argument("grad_on_weights", 0):
        return [g.define(f"{kernel}Gradient", [g.I(1), g.GO(0), g.I(3), g.I(2)], [values])]
    sources = [g.I(1), g.GO(0), g.I(3), g.I(0), g.I(2)]
    return [g.define(f"{kernel}WithMainInputGradient", sources, [values, g.GI(1)])]


@sparse_lengths_weighted_sum.gradient(
    "SCALARS, dOUTPUT, LENGTHS, INDICES -> dDATA",
    type="SparseLengthsIndicesInGradientWeightedSumGradient",
    types=INDICES,
)
def _(SCALARS, dOUTPUT, LENGTHS, INDICES):
    """Each picked row gets the gradient of its segment by its weight."""
    require_segments(dOUTPUT, LENGTHS)
    require_weights(SCALARS, INDICES.shape[0], "INDICES")
    rows = spread(dOUTPUT, segments_of(INDICES, LENGTHS))
    return rows * columns(SCALARS, rows)


@sparse_lengths_weighted_sum.gradient(
    "SCALARS, dOUTPUT, LENGTHS, DATA, INDICES -> dDATA, dSCALARS",
    type="SparseLengthsIndicesInGradientWeightedSumWithMainInputGradient",
    types=TABLE,
)
def _(SCALARS, dOUTPUT, LENGTHS, DATA, INDICES):
    """Each picked row gets the gradient of its segment by its weight, and each weight that by its row."""
    require_segments(dOUTPUT, LENGTHS)
    require_weights(SCALARS, INDICES.shape[0], "INDICES")
    rows = spread(dOUTPUT, segments_of(INDICES, LENGTHS))
    by_row = (rows * picked(DATA, INDICES)).reshape(SCALARS.shape[0], int(np.prod(DATA.shape[1:])))
    return rows * columns(SCALARS, rows), by_row.sum(axis=1)


@sparse_lengths_weighted_sum.gradient("SCALARS, dOUTPUT, LENGTHS -> dDATA", types={"LENGTHS": "int32"})
def _(SCALARS, dOUTPUT, LENGTHS):
    """Each picked row gets the gradient of its segment by its weight."""
    require_segments(dOUTPUT, LENGTHS)
    rows = spread(dOUTPUT, segments_of(SCALARS, LENGTHS))
    return rows * columns(SCALARS, rows)


@operator(
    "SparseLengthsPositionalWeightedSum",
    outputs="output",
    types={**TABLE, "WEIGHT": "float32"},
)
def sparse_lengths_positional_weighted_sum(DATA, WEIGHT, INDICES, LENGTHS):
    """The weighted sum of the picked rows of each segment, where the weight belongs to the position in the segment.

    Inputs:
        DATA: (M, ...), a table of float32 or float16 rows.
        WEIGHT: float32, a weight for each position; at least as many as the longest segment has rows.
        INDICES: int32 or int64 (N,), which rows, of all segments one after the other.
        LENGTHS: int32 (S,), how many indices each segment has; they add up to N.
    Outputs:
        output: float32 (S, ...); zero for an empty segment.
    Example:
        >>> table, weight = np.float32([1.0, 10.0]), np.float32([1.0, 2.0])
        >>> run("SparseLengthsPositionalWeightedSum", DATA=table, WEIGHT=weight, INDICES=[1, 0, 1], LENGTHS=[2, 1])
        output = [12. 10.]
    """
    require_vector("WEIGHT", WEIGHT)
    segment = segments_of(INDICES, LENGTHS)
    require(
        LENGTHS <= WEIGHT.shape[0], f"a segment is longer than WEIGHT, which has {WEIGHT.shape[0]} positions", LENGTHS
    )
    if LENGTHS.shape[0] == 0 or WEIGHT.shape[0] == 0:
        return jnp.zeros((LENGTHS.shape[0], *DATA.shape[1:]), jnp.float32)
    position = jnp.arange(INDICES.shape[0], dtype=jnp.int32) - jnp.take(starts_of(LENGTHS), segment, mode="clip")
    rows = picked(DATA, INDICES)
    rows = rows * columns(jnp.take(WEIGHT, position, mode="clip"), rows)
    return sum_of_segments(rows, segment, LENGTHS.shape[0])


@operator(
    "SparseLengthsSumFused8BitRowwise",
    outputs="output",
    gradient="none",
    types={"DATA": "uint8", **INDICES},
)
def sparse_lengths_sum_fused_8bit_rowwise(DATA, INDICES, LENGTHS):
    """SparseLengthsSum of a table that FloatToFused8BitRowwiseQuantized made.

    Inputs:
        DATA: uint8 (M, D + 8), rows with their scale and bias at the end.
        INDICES: int32 or int64 (N,), which rows, of all segments one after the other.
        LENGTHS: int32 (S,), how many indices each segment has; they add up to N.
    Outputs:
        output: float32 (S, D); zero for an empty segment.
    Example:
        >>> table = run("FloatToFused8BitRowwiseQuantized", input=[[0.0, 255.0], [10.0, 10.0]])["output"]
        >>> run("SparseLengthsSumFused8BitRowwise", DATA=table, INDICES=[0, 1], LENGTHS=[2])
        output = [[ 10. 265.]]
    """

    segment = segments_of(INDICES, LENGTHS)
    require_shape(DATA.ndim == 2, f"DATA is {tuple(DATA.shape)}; it must be (M, D + 8)")
    require(
        (INDICES >= 0) & (INDICES < DATA.shape[0]),
        f"INDICES element is out of DATA bounds: INDICES holds an index outside 0 to {DATA.shape[0]} - 1",
        INDICES,
    )
    if DATA.shape[0] == 0:
        return jnp.zeros((LENGTHS.shape[0], DATA.shape[1] - 8), jnp.float32)
    rows = restored(jnp.take(DATA, INDICES, axis=0, mode="clip"))
    return sum_of_segments(rows, segment, LENGTHS.shape[0])
