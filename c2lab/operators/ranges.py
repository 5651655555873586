"""Ranges: segments told by numbers or by start and length, and what is gathered from them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, BadValue, SchemaError
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import in_64_bits, require_vector
from c2lab.operators.packing import places

IDS = {"segment_ids": "int32 int64"}


def _only_ids(op: Any) -> bool:
    return len(op.input) == 1


def _lengths(segment_ids: Any, data: Any) -> Any:
    require_shape(
        segment_ids.ndim == 1 or (segment_ids.ndim == 2 and 1 in segment_ids.shape),
        f"segment_ids is {tuple(segment_ids.shape)}; it must be a vector",
    )
    ids = segment_ids.reshape(-1)
    require((ids[1:] >= ids[:-1]) & (ids[1:] >= 0) & (ids[:1] >= 0), "Segment ids must be sorted, and not negative")
    if data is None:
        count: Any = int(ids[-1]) + 1 if ids.size else 0
    else:
        require_shape(data.ndim >= 1, "data is one number; it must have rows")
        count = data.shape[0]
        require(ids < count, f"segment_ids holds a number outside 0 to {count} - 1, the rows of data", ids)
    return jnp.zeros((count,), jnp.int32).at[ids].add(1, mode="drop")


@operator("SegmentIdsToLengths", outputs="lengths", gradient="refused", host_when=_only_ids, types=IDS)
@in_64_bits
def segment_ids_to_lengths(segment_ids, data=None):
    """How many rows each segment has, from the sorted numbers of the segments of all rows.

    Inputs:
        segment_ids: int32 or int64 (N,), sorted; a number that is left out is an empty segment.
        data: Only its first size is used, as the number of segments; the last number and 1 where left out.
    Outputs:
        lengths: int32 (number of segments,).
    Example:
        >>> run("SegmentIdsToLengths", segment_ids=[0, 0, 2])
        lengths = [2 0 1]
    """
    return _lengths(segment_ids, data)


@operator("SegmentIdsToRanges", outputs="lengths", gradient="refused", host_when=_only_ids, types=IDS)
@in_64_bits
def segment_ids_to_ranges(segment_ids, data=None):
    """Where each segment begins and how many rows it has, from the sorted numbers of the segments of all rows.

    Inputs:
        segment_ids: int32 or int64 (N,), sorted; a number that is left out is an empty segment.
        data: Only its first size is used, as the number of segments; the last number and 1 where left out.
    Outputs:
        lengths: int32 (number of segments, 2): start and length.
    Example:
        >>> run("SegmentIdsToRanges", segment_ids=[0, 0, 2])
        lengths = [[0 2]
                   [2 0]
                   [2 1]]
    """
    lengths = _lengths(segment_ids, data)
    return jnp.stack([(jnp.cumsum(lengths) - lengths).astype(jnp.int32), lengths], axis=1)


@host_operator("GatherRanges", outputs="OUTPUT, LENGTHS", output_counts=(2,), types={"RANGES": "int32 int64"})
def gather_ranges(DATA, RANGES):
    """The values in several ranges of each example, one after the other.

    Inputs:
        DATA: (N,).
        RANGES: int32 or int64 (examples, ranges, 2): start and length of each.
    Outputs:
        OUTPUT: The values of all ranges.
        LENGTHS: int32 (examples,), how many values each example got.
    Example:
        >>> run("GatherRanges", DATA=[1.0, 2.0, 3.0, 4.0], RANGES=[[[0, 1], [2, 2]], [[1, 1], [0, 0]]])
        OUTPUT = [1. 3. 4. 2.]
        LENGTHS = [3 1]
    """
    _require_ranges(DATA, RANGES)
    flat = RANGES.reshape(-1, 2)
    parts = [DATA[start : start + length] for start, length in flat]
    return np.concatenate([DATA[:0], *parts]), RANGES[..., 1].sum(axis=1).astype(np.int32)


@gather_ranges.shapes
def _(DATA, RANGES):
    return None, ((RANGES.shape[0],), "int32")  # how many values the ranges hold, the run tells


def _require_ranges(DATA: np.ndarray, RANGES: np.ndarray) -> None:
    require_vector("DATA", DATA)
    require_shape(
        RANGES.ndim == 3 and RANGES.shape[2] == 2,
        f"RANGES is {RANGES.shape}; it must be (examples, ranges, 2): start and length",
    )
    start, length = RANGES[..., 0].astype(np.int64), RANGES[..., 1].astype(np.int64)
    require(
        np.all((length == 0) | ((start >= 0) & (length > 0) & (start + length <= DATA.size))),
        f"RANGES holds a range outside of DATA, which has {DATA.size} values",
    )


@host_operator(
    "GatherRangesToDense", outputs="*OUTPUT", gradient="none", types={"RANGES": "int32 int64", "KEY": "int64"}
)
def gather_ranges_to_dense(
    DATA,
    RANGES,
    KEY=None,
    *,
    lengths: tuple[int, ...],
    min_observation: int = 10000,
    max_mismatched_ratio: float = 0.01,
    max_empty_ratio: float = 1.0,
    num_outputs: int,
    state,
):
    """The values in several ranges of each example, a blob for each range.

    An empty range, or one of another length than expected, becomes a row of zeros; too many of them are an error.

    Inputs:
        DATA: (N,).
        RANGES: int32 or int64 (examples, ranges, 2): start and length of each.
        KEY: int64 (N,); where given, the values of each range are sorted by their keys.
    Args:
        lengths: The length that each range is expected to have.
        min_observation: How many examples must have been seen before too many zeros are an error.
        max_mismatched_ratio: The part of the ranges that may have another length; 1 allows all.
        max_empty_ratio: The part of the ranges that may be empty; 1 allows all.
    Outputs:
        OUTPUT: (examples, lengths[0]), the values of the first range of each example; then those of the second.
    Example:
        >>> ranges = np.int32([[[0, 1], [2, 2]], [[1, 1], [0, 0]]])
        >>> run("GatherRangesToDense", DATA=[1.0, 2.0, 3.0, 4.0], RANGES=ranges, lengths=[1, 2], outputs=2)
        OUTPUT_0 = [[1.]
                    [2.]]
        OUTPUT_1 = [[3. 4.]
                    [0. 0.]]
    """
    if not lengths or min(lengths) < 1 or len(lengths) != num_outputs:
        raise SchemaError(f"lengths is {list(lengths)}; it must hold a number above 0 for each of {num_outputs} blobs")
    if not 0 <= max_mismatched_ratio <= 1 or not 0 <= max_empty_ratio <= 1:
        raise BadArgument(f"the ratios are {max_mismatched_ratio} and {max_empty_ratio}; they must be from 0 to 1")
    _require_ranges(DATA, RANGES)
    require_shape(
        RANGES.shape[1] == len(lengths), f"RANGES is {RANGES.shape}; there must be {len(lengths)} ranges an example"
    )
    if KEY is not None:
        require_shape(KEY.shape == DATA.shape, f"KEY is {KEY.shape} and DATA {DATA.shape}; they must be equally long")
    results = []
    for number, length in enumerate(lengths):
        rows = np.zeros((RANGES.shape[0], length), DATA.dtype)
        for row, (start, given) in zip(rows, RANGES[:, number], strict=True):
            if given == length:
                part = slice(start, start + length)
                order = np.argsort(KEY[part], kind="stable") if KEY is not None else slice(None)
                row[:] = DATA[part][order]
        results.append(rows)
    _count(state, RANGES[..., 1], np.array(lengths), min_observation, max_mismatched_ratio, max_empty_ratio)
    return tuple(results)


def _count(state: dict, given: np.ndarray, want: np.ndarray, enough: int, mismatched: float, empty: float) -> None:
    """Counts the ranges that became zeros over all runs, and raises where there are too many."""
    seen = state["seen"] = state.get("seen", 0) + given.shape[0]
    none = state["empty"] = state.get("empty", 0) + (given == 0).sum(axis=0)
    other = state["other"] = state.get("other", 0) + ((given != 0) & (given != want)).sum(axis=0)
    if seen < enough:
        return
    for word, counts, ratio in (("of another length than expected", other, mismatched), ("empty", none, empty)):
        if ratio < 1 and np.any(counts > seen * ratio):
            worst = int(np.argmax(counts))
            raise BadValue(
                f"range {worst} is {word} in {counts[worst]} of {seen} examples; "
                f"no more than {ratio:g} of them may be, else check lengths and RANGES"
            )


@operator(
    "SegmentOneHot",
    outputs="one_hots",
    gradient="none",
    static="index_size_tensor",
    types={"lengths": "int32", "indices": "int64", "index_size_tensor": "int64"},
)
def segment_one_hot(lengths, indices, index_size_tensor):
    """A row for each segment, zero but for ones at all indices of the segment.

    Inputs:
        lengths: int32 (S,), how many indices each segment has.
        indices: int64 (sum of lengths,), from 0 to below the size.
        index_size_tensor: int64, one value: the length of a row.
    Outputs:
        one_hots: float32 (S, size).
    Example:
        >>> run("SegmentOneHot", lengths=[2, 1], indices=np.int64([0, 2, 1]), index_size_tensor=np.int64([3]))
        one_hots = [[1. 0. 1.]
                    [0. 1. 0.]]
    """
    row = places(lengths, indices)
    require_shape(np.size(index_size_tensor) == 1, "index_size_tensor must be one value, the length of a row")
    size = int(np.reshape(index_size_tensor, -1)[0])
    require(
        (indices >= 0) & (indices < size), f"indices holds an index outside 0 to {size} - 1, the size of a row", indices
    )
    return jnp.zeros((lengths.shape[0], size), jnp.float32).at[row, indices].set(1, mode="drop")


@operator(
    "BatchBucketOneHot",
    outputs="output",
    static="lengths",
    types={"data": "float32", "lengths": "int32", "boundaries": "float32"},
)
def batch_bucket_one_hot(data, lengths, boundaries):
    """One-hot columns for every column of a matrix: the bucket that its value falls into.

    Column d has ``lengths[d]`` boundaries, sorted, and one bucket more: the first for values up to the
    first boundary, the last for values above the last.

    Inputs:
        data: float32 (N, D).
        lengths: int32 (D,), how many boundaries each column has.
        boundaries: float32 (sum of lengths,), those of the first column, of the second, and so on.
    Outputs:
        output: float32 (N, sum of lengths + D).
    Example:
        >>> run("BatchBucketOneHot", data=[[2.0, 3.0]], lengths=[2, 1], boundaries=[0.5, 2.5, 1.0])
        output = [[0. 1. 0. 0. 1.]]
    """
    require_same_type(data, boundaries)
    require_shape(
        data.ndim == 2 and lengths.shape == (data.shape[1],) and boundaries.shape == (int(lengths.sum()),),
        f"data is {tuple(data.shape)}, lengths {lengths.tolist()} and boundaries {tuple(boundaries.shape)}; "
        "data must be (N, D), lengths (D), and boundaries must hold the sum of lengths",
    )
    require(np.all(lengths > 0), f"lengths is {lengths.tolist()}; every column needs a boundary")
    blocks, start = [], 0
    for column, count in enumerate(lengths.tolist()):
        edges = boundaries[start : start + count]
        require(edges[1:] >= edges[:-1], f"the boundaries of column {column} must be sorted")
        bucket = jnp.searchsorted(edges, data[:, column], side="left")
        blocks.append(bucket[:, None] == jnp.arange(count + 1))
        start += count
    if not blocks:
        return jnp.zeros((data.shape[0], 0), data.dtype)
    return jnp.concatenate(blocks, axis=1).astype(data.dtype)


@batch_bucket_one_hot.shapes
def _(data, lengths, boundaries):
    rows, columns = data.shape
    return (((rows, boundaries.shape[0] + columns), data.dtype),)
