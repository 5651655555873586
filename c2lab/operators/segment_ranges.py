"""Segment ranges: reductions of sorted segments that need all rows of a segment at once."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import host_operator
from c2lab.operators.segment_reductions import divided_by_lengths, require_rows, spread
from c2lab.operators.sorted_segments import IDS, in_reach, lengths_of_ids, starts_of_ids


def _reduced(rows: np.ndarray, ids: np.ndarray, reduction: np.ufunc) -> np.ndarray:
    require_rows("DATA", rows)
    starts = starts_of_ids(ids, rows.shape[0])
    return reduction.reduceat(rows, starts, axis=0) if starts.size else rows[:0]


def _lengths(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
    return np.bincount(ids).astype(rows.dtype).reshape(-1, *(1,) * (rows.ndim - 1))


def _log_sum_exp(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
    largest = _reduced(rows, ids, np.maximum)
    return largest + np.log(_reduced(np.exp(rows - largest[ids]), ids, np.add))


def _checked(DATA: Any, OUTPUT: Any, dOUTPUT: Any, SEGMENT_IDS: Any) -> None:
    require_rows("DATA", DATA)
    require_shape(
        tuple(OUTPUT.shape) == tuple(dOUTPUT.shape)
        and OUTPUT.ndim == DATA.ndim
        and OUTPUT.shape[1:] == DATA.shape[1:]
        and SEGMENT_IDS.shape == DATA.shape[:1],
        f"DATA is {tuple(DATA.shape)}, OUTPUT {tuple(OUTPUT.shape)}, its gradient {tuple(dOUTPUT.shape)} and "
        f"SEGMENT_IDS {tuple(SEGMENT_IDS.shape)}; there must be one number a row and rows of one shape",
    )
    in_reach(SEGMENT_IDS, OUTPUT.shape[0])


@host_operator("SortedSegmentRangeSum", outputs="OUTPUT", types=IDS)
def sorted_segment_range_sum(DATA, SEGMENT_IDS):
    """The sum of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentRangeSum", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [3. 3.]
    """
    return _reduced(DATA, SEGMENT_IDS, np.add)


@sorted_segment_range_sum.gradient("DATA, OUTPUT, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment."""
    _checked(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS)
    return spread(dOUTPUT, SEGMENT_IDS)


@host_operator("SortedSegmentRangeMean", outputs="OUTPUT", types=IDS)
def sorted_segment_range_mean(DATA, SEGMENT_IDS):
    """The mean of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentRangeMean", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [1.5 3. ]
    """
    return _reduced(DATA, SEGMENT_IDS, np.add) / _lengths(DATA, SEGMENT_IDS)


@sorted_segment_range_mean.gradient("DATA, OUTPUT, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS):
    """Each row gets its share of the gradient of its segment."""
    _checked(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS)
    return spread(divided_by_lengths(dOUTPUT, lengths_of_ids(SEGMENT_IDS, dOUTPUT.shape[0])), SEGMENT_IDS)


@host_operator("SortedSegmentRangeMax", outputs="OUTPUT", types=IDS)
def sorted_segment_range_max(DATA, SEGMENT_IDS):
    """The largest of the rows of each segment, element by element.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentRangeMax", DATA=[1.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [2. 3.]
    """
    return _reduced(DATA, SEGMENT_IDS, np.maximum)


@sorted_segment_range_max.gradient("DATA, OUTPUT, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS):
    """Every row that is as large as the largest gets the gradient."""
    _checked(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS)
    return jnp.where(DATA == spread(OUTPUT, SEGMENT_IDS), spread(dOUTPUT, SEGMENT_IDS), jnp.zeros_like(DATA))


@host_operator("SortedSegmentRangeLogSumExp", outputs="OUTPUT", types=IDS)
def sorted_segment_range_log_sum_exp(DATA, SEGMENT_IDS):
    """The logarithm of the sum of the exponentials of the rows of each segment, a smooth maximum.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentRangeLogSumExp", DATA=[0.0, 0.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [0.6931472 3.       ]
    """
    return _log_sum_exp(DATA, SEGMENT_IDS)


@sorted_segment_range_log_sum_exp.gradient("DATA, OUTPUT, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment by its softmax in it."""
    _checked(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS)
    return spread(dOUTPUT, SEGMENT_IDS) * jnp.exp(DATA - spread(OUTPUT, SEGMENT_IDS))


@host_operator("SortedSegmentRangeLogMeanExp", outputs="OUTPUT", types=IDS)
def sorted_segment_range_log_mean_exp(DATA, SEGMENT_IDS):
    """The logarithm of the mean of the exponentials of the rows of each segment.

    Inputs:
        DATA: (N, ...).
        SEGMENT_IDS: int32 or int64 (N,): 0, ..., 0, 1, ..., 1, 2, ... without gaps.
    Outputs:
        OUTPUT: (last number + 1, ...).
    Example:
        >>> run("SortedSegmentRangeLogMeanExp", DATA=[2.0, 2.0, 3.0], SEGMENT_IDS=[0, 0, 1])
        OUTPUT = [2. 3.]
    """
    return _log_sum_exp(DATA, SEGMENT_IDS) - np.log(_lengths(DATA, SEGMENT_IDS))


@sorted_segment_range_log_mean_exp.gradient("DATA, OUTPUT, dOUTPUT, SEGMENT_IDS -> dDATA", kind="pure", types=IDS)
def _(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS):
    """Each row gets the gradient of its segment by its softmax in it."""
    _checked(DATA, OUTPUT, dOUTPUT, SEGMENT_IDS)
    shares = divided_by_lengths(dOUTPUT, lengths_of_ids(SEGMENT_IDS, dOUTPUT.shape[0]))
    return spread(shares, SEGMENT_IDS) * jnp.exp(DATA - spread(OUTPUT, SEGMENT_IDS))
