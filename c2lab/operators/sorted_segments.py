"""Sorted segments: the sum, mean or weighted sum of the rows with the same number, where the numbers stand sorted.

The number of segments is the last number and 1, so only the values tell it: the forward operators
run on the host, their gradients do not.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import NotSupported
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator
from c2lab.operators.segment_reductions import columns, divided_by_lengths, require_rows, require_weights, spread

IDS = {"SEGMENT_IDS": "int32 int64"}
SPARSE_IDS = {"INDICES": "int32 int64", **IDS}


def require_ids(SEGMENT_IDS: Any, rows: Any) -> None:
    """Demands one number a row."""
    require_shape(
        SEGMENT_IDS.ndim == 1 and SEGMENT_IDS.shape[0] == rows,
        f"SEGMENT_IDS is {tuple(SEGMENT_IDS.shape)}; it must hold one number for each of the {rows} rows",
    )


def starts_of_ids(ids: np.ndarray, rows: int) -> np.ndarray:
    """Where each segment starts, after the demand that the numbers are 0, 1, ... without gaps."""
    require_ids(ids, rows)
    if not ids.size:
        return np.zeros(0, np.int64)
    steps = np.diff(ids)
    require(
        ids[0] == 0 and np.all((steps == 0) | (steps == 1)),
        "Indices must be sorted and not have gaps: SEGMENT_IDS must start at 0 and grow by 0 or 1 from row to row",
    )
    return np.flatnonzero(np.concatenate([[True], steps == 1]))


def lengths_of_ids(ids: Any, count: Any) -> Any:
    """How many rows each segment has."""
    return jnp.zeros((count,), jnp.int32).at[ids].add(1, mode="drop")


def picked_on_host(DATA: np.ndarray, INDICES: np.ndarray) -> np.ndarray:
    """The rows at the given indices."""
    require_rows("DATA", DATA)
    require_shape(INDICES.ndim == 1, f"INDICES is {INDICES.shape}; it must be one-dimensional")
    require(
        (INDICES >= 0) & (INDICES < DATA.shape[0]),
        f"INDICES element is out of DATA bounds: INDICES holds an index outside 0 to {DATA.shape[0]} - 1",
        INDICES,
    )
    return DATA[INDICES]


def _sums(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
    require_rows("DATA", rows)
    starts = starts_of_ids(ids, rows.shape[0])
    return np.add.reduceat(rows, starts, axis=0) if starts.size else rows[:0]


def _means(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
    sums = _sums(rows, ids)
    lengths = np.bincount(ids, minlength=sums.shape[0]).astype(rows.dtype)
    return sums / lengths.reshape(-1, *(1,) * (rows.ndim - 1))


def weighted_on_host(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each row by its weight."""
    require_rows("DATA", rows)
    require_same_type(rows, weights)
    require_weights(weights, rows.shape[0], "the segments")
    return rows * weights.reshape(-1, *(1,) * (rows.ndim - 1))


def refuse_gradient_of_weights(g: Any) -> None:
    """The original has no gradient of the weights either.

    Raises:
        NotSupported: Where one is asked for.
    """
    if g.argument("grad_on_weights", 0):
        raise NotSupported(
            f"{g.op.type} has no gradient of its weights; leave grad_on_weights out, or use LengthsWeightedSum"
        )


def require_rows_of_gradient(gradient: Any) -> None:
    """Demands that the gradient has rows, one a segment."""
    require_rows("the gradient", gradient)


def in_reach(SEGMENT_IDS: Any, segments: Any) -> None:
    """Demands numbers of segments that the gradient has."""
    require_shape(SEGMENT_IDS.ndim == 1, f"SEGMENT_IDS is {tuple(SEGMENT_IDS.shape)}; it must be one-dimensional")
    require(
        (SEGMENT_IDS >= 0) & (SEGMENT_IDS < segments),
        f"SEGMENT_IDS holds a number outside 0 to {segments} - 1, the segments that the gradient has",
        SEGMENT_IDS,
    )


def sum_gradient(dOUTPUT: Any, SEGMENT_IDS: Any) -> Any:
    """To each row the gradient of its segment."""
    require_rows_of_gradient(dOUTPUT)
    in_reach(SEGMENT_IDS, dOUTPUT.shape[0])
    return spread(dOUTPUT, SEGMENT_IDS)


def mean_gradient(dOUTPUT: Any, SEGMENT_IDS: Any) -> Any:
    """To each row its share of the gradient of its segment."""
    require_rows_of_gradient(dOUTPUT)
    in_reach(SEGMENT_IDS, dOUTPUT.shape[0])
    return spread(divided_by_lengths(dOUTPUT, lengths_of_ids(SEGMENT_IDS, dOUTPUT.shape[0])), SEGMENT_IDS)


def weighted_gradient(SCALARS: Any, dOUTPUT: Any, SEGMENT_IDS: Any) -> Any:
    """To each row the gradient of its segment by its weight."""
    rows = sum_gradient(dOUTPUT, SEGMENT_IDS)
    require_weights(SCALARS, SEGMENT_IDS.shape[0], "the segments")
    return rows * columns(SCALARS, rows)


@host_operator("SortedSegmentSum", outputs="OUTPUT", types=IDS)
def sorted_segment_sum(DATA, SEGMENT_IDS):
    """The sum of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentSum", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [3. 3.]
    """
    return _sums(DATA, SEGMENT_IDS)


@sorted_segment_sum.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment."""
    return sum_gradient(dOUTPUT, SEGMENT_IDS)


@host_operator("SortedSegmentMean", outputs="OUTPUT", types=IDS)
def sorted_segment_mean(DATA, SEGMENT_IDS):
    """The mean of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentMean", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [1.5 3. ]
    """
    return _means(DATA, SEGMENT_IDS)


@sorted_segment_mean.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each row gets its share of the gradient of its segment."""
    return mean_gradient(dOUTPUT, SEGMENT_IDS)


@host_operator("SortedSegmentWeightedSum", outputs="OUTPUT", types=IDS)
def sorted_segment_weighted_sum(DATA, SCALARS, SEGMENT_IDS, *, grad_on_weights: bool = False):
    """The weighted sum of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SCALARS: (N,), a weight for each row.
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Args:
        grad_on_weights: Must be false where a gradient is asked for: the weights have none.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentWeightedSum", DATA=[1.0, 2.0, 3.0], SCALARS=[0.5, 2.0, 1.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [4.5 3. ]
    """
    return _sums(weighted_on_host(DATA, SCALARS), SEGMENT_IDS)


@sorted_segment_weighted_sum.gradient_maker
def _(g):
    refuse_gradient_of_weights(g)
    return [g.define("SortedSegmentWeightedSumGradient", [g.I(1), g.GO(0), g.I(2)], [g.GI(0)])]


@sorted_segment_weighted_sum.gradient("SCALARS, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(SCALARS, dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment by its weight."""
    return weighted_gradient(SCALARS, dOUTPUT, SEGMENT_IDS)


@host_operator("SparseSortedSegmentSum", outputs="OUTPUT", types=SPARSE_IDS)
def sparse_sorted_segment_sum(DATA, INDICES, SEGMENT_IDS):
    """The sum of the picked rows of each segment: Gather, then SortedSegmentSum.

    Inputs:
        DATA: (M, ...), a table of rows.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SparseSortedSegmentSum", DATA=[1.0, 10.0, 100.0], INDICES=[2, 0, 1], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [101.  10.]
    """
    return _sums(picked_on_host(DATA, INDICES), SEGMENT_IDS)


@sparse_sorted_segment_sum.gradient_maker
def _(g):
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define("SortedSegmentSumGradient", [g.GO(0), g.I(2)], [f"{g.I(0)}_grad_values"])]


@sparse_sorted_segment_sum.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each picked row gets the gradient of its segment."""
    return sum_gradient(dOUTPUT, SEGMENT_IDS)


@host_operator("SparseSortedSegmentMean", outputs="OUTPUT", types=SPARSE_IDS)
def sparse_sorted_segment_mean(DATA, INDICES, SEGMENT_IDS):
    """The mean of the picked rows of each segment: Gather, then SortedSegmentMean.

    Inputs:
        DATA: (M, ...), a table of rows.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SparseSortedSegmentMean", DATA=[1.0, 10.0, 101.0], INDICES=[2, 0, 1], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [51. 10.]
    """
    return _means(picked_on_host(DATA, INDICES), SEGMENT_IDS)


@sparse_sorted_segment_mean.gradient_maker
def _(g):
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define("SortedSegmentMeanGradient", [g.GO(0), g.I(2)], [f"{g.I(0)}_grad_values"])]


@sparse_sorted_segment_mean.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each picked row gets its share of the gradient of its segment."""
    return mean_gradient(dOUTPUT, SEGMENT_IDS)


@host_operator("SparseSortedSegmentWeightedSum", outputs="OUTPUT", types=SPARSE_IDS)
def sparse_sorted_segment_weighted_sum(DATA, SCALARS, INDICES, SEGMENT_IDS, *, grad_on_weights: bool = False):
    """The weighted sum of the picked rows of each segment: Gather, then SortedSegmentWeightedSum.

    Inputs:
        DATA: (M, ...), a table of rows.
        SCALARS: (N,), a weight for each index.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Args:
        grad_on_weights: Must be false where a gradient is asked for: the weights have none.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> table, weights = np.float32([1.0, 10.0]), np.float32([0.5, 2.0])
        >>> run("SparseSortedSegmentWeightedSum", DATA=table, SCALARS=weights, INDICES=[1, 0], SEGMENT_IDS=[0, 0])
        OUTPUT = [7.]
    """
    return _sums(weighted_on_host(picked_on_host(DATA, INDICES), SCALARS), SEGMENT_IDS)


@sparse_sorted_segment_weighted_sum.gradient_maker
def _(g):
    refuse_gradient_of_weights(g)
    g.set_sparse(0, g.I(2), f"{g.I(0)}_grad_values")
    return [g.define("SortedSegmentWeightedSumGradient", [g.I(1), g.GO(0), g.I(3)], [f"{g.I(0)}_grad_values"])]


@sparse_sorted_segment_weighted_sum.gradient("SCALARS, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(SCALARS, dOUTPUT, SEGMENT_IDS):
    """Each picked row gets the gradient of its segment by its weight."""
    return weighted_gradient(SCALARS, dOUTPUT, SEGMENT_IDS)
