"""Unsorted segments: the sum, mean or weighted sum of the rows with the same number, in any order.

Where num_segments says how many segments there are, they are compiled like everything else;
where only the values tell it, they run on the host.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab.operators.checks import require, require_same_type
from c2lab.operators.definition import operator
from c2lab.operators.lengths import in_64_bits
from c2lab.operators.segment_reductions import (
    columns,
    divided_by_lengths,
    require_rows,
    require_weights,
    sum_of_segments,
)
from c2lab.operators.sorted_segments import (
    IDS,
    SPARSE_IDS,
    lengths_of_ids,
    mean_gradient,
    refuse_gradient_of_weights,
    require_ids,
    sum_gradient,
    weighted_gradient,
)
from c2lab.operators.sparse_lengths import picked


def _unknown_count(op: Any) -> bool:
    return not any(argument.name == "num_segments" and argument.i != -1 for argument in op.arg)


def _sums(rows: Any, ids: Any, num_segments: int) -> Any:
    require_rows("DATA", rows)
    require_ids(ids, rows.shape[0])
    require(ids >= 0, "SEGMENT_IDS holds a negative number; segments are numbered from 0", ids)
    if num_segments == -1:
        ids = np.asarray(ids)
        num_segments = int(ids.max()) + 1 if ids.size else 0
    else:
        require(
            ids < num_segments, f"Segment id out of range: SEGMENT_IDS must be below num_segments ({num_segments})", ids
        )
    return sum_of_segments(rows, ids, num_segments)


def _means(rows: Any, ids: Any, num_segments: int) -> Any:
    sums = _sums(rows, ids, num_segments)
    return divided_by_lengths(sums, lengths_of_ids(ids, sums.shape[0]))


def _weighted(rows: Any, weights: Any) -> Any:
    require_rows("DATA", rows)
    require_same_type(rows, weights)
    require_weights(weights, rows.shape[0], "the segments")
    return rows * columns(weights, rows)


@operator("UnsortedSegmentSum", outputs="OUTPUT", host_when=_unknown_count, types=IDS)
@in_64_bits
def unsorted_segment_sum(DATA, SEGMENT_IDS, *, num_segments: int = -1):
    """The sum of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each row.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> run("UnsortedSegmentSum", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[2, 0, 2])
        OUTPUT = [2. 0. 4.]
    """
    return _sums(DATA, SEGMENT_IDS, num_segments)


@unsorted_segment_sum.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment."""
    return sum_gradient(dOUTPUT, SEGMENT_IDS)


@operator("UnsortedSegmentMean", outputs="OUTPUT", host_when=_unknown_count, types=IDS)
@in_64_bits
def unsorted_segment_mean(DATA, SEGMENT_IDS, *, num_segments: int = -1):
    """The mean of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each row.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> run("UnsortedSegmentMean", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[2, 0, 2])
        OUTPUT = [2. 0. 2.]
    """
    return _means(DATA, SEGMENT_IDS, num_segments)


@unsorted_segment_mean.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each row gets its share of the gradient of its segment."""
    return mean_gradient(dOUTPUT, SEGMENT_IDS)


@operator("UnsortedSegmentWeightedSum", outputs="OUTPUT", host_when=_unknown_count, types=IDS)
@in_64_bits
def unsorted_segment_weighted_sum(DATA, SCALARS, SEGMENT_IDS, *, num_segments: int = -1, grad_on_weights: bool = False):
    """The weighted sum of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SCALARS: (N,), a weight for each row.
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each row.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
        grad_on_weights: Must be false where a gradient is asked for: the weights have none.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> run("UnsortedSegmentWeightedSum", DATA=[1.0, 2.0, 3.0], SCALARS=[2.0, 1.0, 1.0], SEGMENT_IDS=[2, 0, 2])
        OUTPUT = [2. 0. 5.]
    """
    return _sums(_weighted(DATA, SCALARS), SEGMENT_IDS, num_segments)


@unsorted_segment_weighted_sum.gradient_maker
def _(g):
    refuse_gradient_of_weights(g)
    return [g.define("UnsortedSegmentWeightedSumGradient", [g.I(1), g.GO(0), g.I(2)], [g.GI(0)])]


@unsorted_segment_weighted_sum.gradient("SCALARS, dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(SCALARS, dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment by its weight."""
    return weighted_gradient(SCALARS, dOUTPUT, SEGMENT_IDS)


@operator("SparseUnsortedSegmentSum", outputs="OUTPUT", host_when=_unknown_count, types=SPARSE_IDS)
@in_64_bits
def sparse_unsorted_segment_sum(DATA, INDICES, SEGMENT_IDS, *, num_segments: int = -1):
    """The sum of the picked rows of each segment: Gather, then UnsortedSegmentSum.

    Inputs:
        DATA: (M, ...), a table of rows.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each index.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> run("SparseUnsortedSegmentSum", DATA=[1.0, 10.0, 100.0], INDICES=[2, 0, 1], SEGMENT_IDS=[1, 0, 1])
        OUTPUT = [  1. 110.]
    """
    return _sums(picked(DATA, INDICES), SEGMENT_IDS, num_segments)


@sparse_unsorted_segment_sum.gradient_maker
def _(g):
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define("UnsortedSegmentSumGradient", [g.GO(0), g.I(2)], [f"{g.I(0)}_grad_values"])]


@sparse_unsorted_segment_sum.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each picked row gets the gradient of its segment."""
    return sum_gradient(dOUTPUT, SEGMENT_IDS)


@operator("SparseUnsortedSegmentMean", outputs="OUTPUT", host_when=_unknown_count, types=SPARSE_IDS)
@in_64_bits
def sparse_unsorted_segment_mean(DATA, INDICES, SEGMENT_IDS, *, num_segments: int = -1):
    """The mean of the picked rows of each segment: Gather, then UnsortedSegmentMean.

    Inputs:
        DATA: (M, ...), a table of rows.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each index.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> run("SparseUnsortedSegmentMean", DATA=[1.0, 10.0, 100.0], INDICES=[2, 0, 1], SEGMENT_IDS=[1, 0, 1])
        OUTPUT = [ 1. 55.]
    """
    return _means(picked(DATA, INDICES), SEGMENT_IDS, num_segments)


@sparse_unsorted_segment_mean.gradient_maker
def _(g):
    g.set_sparse(0, g.I(1), f"{g.I(0)}_grad_values")
    return [g.define("UnsortedSegmentMeanGradient", [g.GO(0), g.I(2)], [f"{g.I(0)}_grad_values"])]


@sparse_unsorted_segment_mean.gradient("dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(dOUTPUT, SEGMENT_IDS):
    """Each picked row gets its share of the gradient of its segment."""
    return mean_gradient(dOUTPUT, SEGMENT_IDS)


@operator("SparseUnsortedSegmentWeightedSum", outputs="OUTPUT", host_when=_unknown_count, types=SPARSE_IDS)
@in_64_bits
def sparse_unsorted_segment_weighted_sum(
    DATA, SCALARS, INDICES, SEGMENT_IDS, *, num_segments: int = -1, grad_on_weights: bool = False
):
    """The weighted sum of the picked rows of each segment: Gather, then UnsortedSegmentWeightedSum.

    Inputs:
        DATA: (M, ...), a table of rows.
        SCALARS: (N,), a weight for each index.
        INDICES: int32 or int64 (N,), which rows.
        SEGMENT_IDS: int32 or int64 (N,), the number of its segment for each index.
    Args:
        num_segments: How many segments there are; the largest number and 1 where left out.
        grad_on_weights: Must be false where a gradient is asked for: the weights have none.
    Outputs:
        OUTPUT: (num_segments, ...); zero for an empty segment.
    Example:
        >>> table, weights = np.float32([1.0, 10.0]), np.float32([0.5, 2.0])
        >>> run("SparseUnsortedSegmentWeightedSum", DATA=table, SCALARS=weights, INDICES=[1, 0], SEGMENT_IDS=[1, 1])
        OUTPUT = [0. 7.]
    """
    return _sums(_weighted(picked(DATA, INDICES), SCALARS), SEGMENT_IDS, num_segments)


@sparse_unsorted_segment_weighted_sum.gradient_maker
def _(g):
    refuse_gradient_of_weights(g)
    g.set_sparse(0, g.I(2), f"{g.I(0)}_grad_values")
    return [g.define("UnsortedSegmentWeightedSumGradient", [g.I(1), g.GO(0), g.I(3)], [f"{g.I(0)}_grad_values"])]


@sparse_unsorted_segment_weighted_sum.gradient("SCALARS, dOUTPUT, SEGMENT_IDS -> dDATA", types=IDS)
def _(SCALARS, dOUTPUT, SEGMENT_IDS):
    """Each picked row gets the gradient of its segment by its weight."""
    return weighted_gradient(SCALARS, dOUTPUT, SEGMENT_IDS)
