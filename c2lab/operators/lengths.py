"""Lengths: how many rows each segment has, told in other ways.

A batch of sequences is one blob with all rows one after the other, and the lengths that cut it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator

LENGTHS = {"lengths": "int32"}


def in_64_bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a function of JAX arrays keep 64 bits where it runs on the host: nobody else has said it there."""

    @wraps(function)
    def wide(*values: Any, **arguments: Any) -> Any:
        with jax.enable_x64(True):
            return function(*values, **arguments)

    return wide


def require_vector(name: str, value: Any) -> None:
    """Demands one dimension."""
    require_shape(value.ndim == 1, f"{name} is {tuple(value.shape)}; it must be one-dimensional")


def require_sum(lengths: Any, rows: Any, name: str = "DATA") -> None:
    """Demands lengths that are not negative and add up to ``rows``."""
    require_vector("LENGTHS", lengths)
    require(lengths >= 0, "LENGTHS holds a negative number; every length must be 0 or more", lengths)
    require(lengths.sum() == rows, f"sum(LENGTHS) must be {rows}, the number of rows of {name}")


def segment_of_rows(lengths: Any, rows: Any) -> Any:
    """The segment that each of ``rows`` rows belongs to; rows beyond the sum of lengths get the number after the last.

    Example:
        >>> import numpy as np
        >>> segment_of_rows(np.int32([2, 0, 1]), 3).tolist()
        [0, 0, 2]
    """
    ends = jnp.cumsum(jnp.asarray(lengths))
    return jnp.cumsum(jnp.zeros((rows,), jnp.int32).at[ends].add(1, mode="drop"), dtype=jnp.int32)


def starts_of(lengths: Any) -> Any:
    """Where each segment begins."""
    return (jnp.cumsum(lengths) - lengths).astype(jnp.int32)


def require_no_negative(lengths: np.ndarray) -> None:
    """Demands a vector of numbers from 0 on, on the host."""
    require_vector("lengths", lengths)
    require(np.all(lengths >= 0), f"lengths is {lengths.tolist()}; every length must be 0 or more")


@host_operator("LengthsToSegmentIds", outputs="segment_ids", gradient="refused", types=LENGTHS)
def lengths_to_segment_ids(lengths):
    """The number of its segment for every row.

    Inputs:
        lengths: int32 (S,).
    Outputs:
        segment_ids: int32 (sum of lengths,).
    Example:
        >>> run("LengthsToSegmentIds", lengths=[2, 0, 1])
        segment_ids = [0 0 2]
    """
    require_no_negative(lengths)
    return np.repeat(np.arange(lengths.size, dtype=np.int32), lengths)


@operator("LengthsToRanges", outputs="ranges", types=LENGTHS)
def lengths_to_ranges(lengths):
    """The first row of every segment, and its length.

    Inputs:
        lengths: int32 (S,).
    Outputs:
        ranges: int32 (S, 2): where each segment begins, and how long it is.
    Example:
        >>> run("LengthsToRanges", lengths=[2, 0, 1])
        ranges = [[0 2]
                  [2 0]
                  [2 1]]
    """
    require_vector("lengths", lengths)
    return jnp.stack([starts_of(lengths), lengths], axis=1)


@operator("LengthsToOffsets", outputs="offsets", types=LENGTHS)
def lengths_to_offsets(lengths, *, include_last_offset: bool = False):
    """The first row of every segment.

    Inputs:
        lengths: int32 (S,).
    Args:
        include_last_offset: Whether the sum of all lengths stands at the end.
    Outputs:
        offsets: int32 (S,), or (S + 1,) with the last offset.
    Example:
        >>> run("LengthsToOffsets", lengths=[2, 0, 1], include_last_offset=True)
        offsets = [0 2 2 3]
    """
    require_vector("lengths", lengths)
    starts = starts_of(lengths)
    if not include_last_offset:
        return starts
    return jnp.concatenate([starts, lengths.sum(keepdims=True).astype(jnp.int32)])


@host_operator("LengthsToWeights", outputs="weights", types={"lengths": "int32 int64"})
def lengths_to_weights(lengths, *, power: float = 0.5):
    """A weight for every row that gets smaller with the length L of its segment: ``1 / L ** power``.

    Inputs:
        lengths: int32 or int64 (S,).
    Args:
        power: The exponent; 1 gives the weights of a mean, 0 those of a sum.
    Outputs:
        weights: float32 (sum of lengths,).
    Example:
        >>> run("LengthsToWeights", lengths=[4, 0, 1])
        weights = [0.5 0.5 0.5 0.5 1. ]
    """
    require_no_negative(lengths)
    with np.errstate(divide="ignore"):
        return np.repeat((1 / np.power(lengths.astype(np.float64), power)).astype(np.float32), lengths)


@host_operator("LengthsRangeFill", outputs="range_sequence", gradient="none", types=LENGTHS)
def lengths_range_fill(lengths):
    """The position of every row in its segment.

    Inputs:
        lengths: int32 (S,).
    Outputs:
        range_sequence: int32 (sum of lengths,): 0, 1, ... for each segment.
    Example:
        >>> run("LengthsRangeFill", lengths=[2, 0, 3])
        range_sequence = [0 1 0 1 2]
    """
    require_no_negative(lengths)
    starts = np.cumsum(lengths) - lengths
    return (np.arange(lengths.sum()) - np.repeat(starts, lengths)).astype(np.int32)


@operator(
    "LengthsSplit",
    gradient="not implemented",
    static="n_split_input",
    types={"LENGTHS": "int32", "n_split_input": "int32"},
)
def lengths_split(LENGTHS, n_split_input=None, *, n_split: int = 0):
    """Splits every segment into n segments, as equal as can be and the longer ones first.

    Inputs:
        LENGTHS: int32 (S,).
        n_split_input: int32, one value: n, in place of the argument.
    Args:
        n_split: How many segments each becomes.
    Outputs:
        Y: int32 (S * n,).
    Example:
        >>> run("LengthsSplit", LENGTHS=[9, 4], n_split=3)
        Y = [3 3 3 2 1 1]
    """
    require_vector("LENGTHS", LENGTHS)
    if n_split_input is not None:
        require_shape(np.size(n_split_input) == 1, f"n_split is {np.shape(n_split_input)}; it must be one value")
        n_split = int(np.reshape(n_split_input, -1)[0])
    if n_split < 1:
        raise BadArgument(f"n_split is {n_split}; each segment must be split into 1 or more")
    require(LENGTHS >= 0, "LENGTHS holds a negative number; every length must be 0 or more", LENGTHS)
    part = jnp.arange(n_split, dtype=jnp.int32)
    return (LENGTHS[:, None] // n_split + (part < LENGTHS[:, None] % n_split)).astype(jnp.int32).reshape(-1)


@host_operator("LengthsTile", outputs="OUTPUT", types={"LENGTHS": "int32"})
def lengths_tile(DATA, LENGTHS):
    """Repeats every row as often as its length says.

    Inputs:
        DATA: (S, ...).
        LENGTHS: int32 (S,).
    Outputs:
        OUTPUT: (sum of lengths, ...).
    Example:
        >>> run("LengthsTile", DATA=[5.0, 6.0, 7.0], LENGTHS=[2, 0, 1])
        OUTPUT = [5. 5. 7.]
    """
    require_no_negative(LENGTHS)
    require_shape(
        DATA.ndim >= 1 and DATA.shape[0] == LENGTHS.size,
        f"DATA is {DATA.shape} and LENGTHS is {LENGTHS.shape}; there must be one length a row",
    )
    return np.repeat(DATA, LENGTHS, axis=0)


@lengths_tile.gradient_maker
def _(g):
    return [g.define("LengthsSum", [g.GO(0), g.I(1)], [g.GI(0)])]


@host_operator(
    "LengthsGather",
    outputs="OUTPUT",
    gradient="refused",
    types={"LENGTHS": "int32", "INDICES": "int32 int64"},
)
def lengths_gather(ITEMS, LENGTHS, INDICES):
    """The rows of the segments at the given indices, one segment after the other.

    Inputs:
        ITEMS: (sum of lengths, ...).
        LENGTHS: int32 (S,).
        INDICES: int32 or int64 (K,), which segments.
    Outputs:
        OUTPUT: The rows of these segments.
    Example:
        >>> run("LengthsGather", ITEMS=[1.0, 2.0, 3.0, 4.0], LENGTHS=[0, 2, 1, 1], INDICES=[2, 1])
        OUTPUT = [3. 1. 2.]
    """
    require_vector("INDICES", INDICES)
    require_sum(LENGTHS, ITEMS.shape[0], "ITEMS")
    require(
        np.all((INDICES >= 0) & (INDICES < LENGTHS.size)),
        f"INDICES is {INDICES.tolist()}; there are segments 0 to {LENGTHS.size} - 1",
    )
    ends = np.cumsum(LENGTHS)
    parts = [np.arange(ends[k] - LENGTHS[k], ends[k]) for k in INDICES]
    return ITEMS[np.concatenate(parts)] if parts else ITEMS[:0]


@operator("LengthsPad", outputs="OUTPUT", gradient="none", types={"LENGTHS": "int32"})
def lengths_pad(DATA, LENGTHS, *, padding_value: float = -1.0, target_length: int = -1):
    """Pads every segment to the same length.

    Inputs:
        DATA: (sum of lengths, ...), float32, float64, int32 or int64.
        LENGTHS: int32 (S,), none above target_length.
    Args:
        padding_value: What the added rows hold.
        target_length: How many rows each segment is to have.
    Outputs:
        OUTPUT: (S * target_length, ...).
    Example:
        >>> run("LengthsPad", DATA=[1.0, 2.0, 3.0], LENGTHS=[2, 1], target_length=2, padding_value=0.0)
        OUTPUT = [1. 2. 3. 0.]
    """
    if target_length < 1:
        raise BadArgument(f"target_length is {target_length}; it must be given, and be 1 or more")
    require_sum(LENGTHS, DATA.shape[0])
    require(LENGTHS <= target_length, f"a segment has more than target_length ({target_length}) rows", LENGTHS)
    rows = DATA.shape[0]
    segment = segment_of_rows(LENGTHS, rows)
    place = jnp.arange(rows, dtype=jnp.int32) + segment * target_length
    place = place - jnp.take(starts_of(LENGTHS), segment, mode="clip") if LENGTHS.shape[0] else place
    padded = jnp.full((LENGTHS.shape[0] * target_length, *DATA.shape[1:]), padding_value, DATA.dtype)
    return padded.at[place].set(DATA, mode="drop")
