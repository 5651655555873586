"""Feature transforms: buckets, percentiles and bent scales for tables of numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator

_SMALLEST = 1e-6  # what BatchBoxCox takes the logarithm or the power of, at least


@operator(
    "BatchBoxCox", outputs="output", gradient="not implemented", inplace="data -> output", types={"data": "float32"}
)
def batch_box_cox(data, lambda1, lambda2):
    """Box-Cox transform of every column, which makes skewed values more alike a normal distribution.

    ``output = ((data + lambda2) ** lambda1 - 1) / lambda1``, or ``log(data + lambda2)`` where lambda1 is 0;
    ``data + lambda2`` counts for at least 1e-6.

    Inputs:
        data: ``(N, D)``.
        lambda1: ``(D,)``, the power of each column.
        lambda2: ``(D,)``, what is added to each column first.
    Outputs:
        output: ``(N, D)``.
    Example:
        >>> run("BatchBoxCox", data=[[1.0, 3.0]], lambda1=[0.0, 2.0], lambda2=[0.0, 1.0])
        output = [[0.  7.5]]

    Source:
        Box and Cox, "An Analysis of Transformations", 1964.
    """
    require_shape(
        data.ndim == 2 and lambda1.shape == lambda2.shape == data.shape[1:],
        f"data is {data.shape}, lambda1 {lambda1.shape} and lambda2 {lambda2.shape}; "
        "data must be (N, D) and the others (D,)",
    )
    shifted = jnp.maximum(data + lambda2, jnp.asarray(_SMALLEST, data.dtype))
    power = jnp.where(lambda1 == 0, 1, lambda1)
    return jnp.where(lambda1 == 0, jnp.log(shifted), (shifted**power - 1) / power).astype(data.dtype)


@operator("Bucketize", outputs="output", types={"data": "float32"})
def bucketize(data, *, boundaries: tuple[float, ...]):
    """The number of the bucket that each value falls into.

    ``output`` is how many boundaries lie below the value: bucket i holds ``boundaries[i-1] < value <= boundaries[i]``.

    Inputs:
        data: Values of any shape.
    Args:
        boundaries: The buckets' borders, rising.
    Outputs:
        output: Same shape as data, int32, from 0 to the number of boundaries.
    Example:
        >>> run("Bucketize", data=[2.0, 4.0, 1.0], boundaries=[0.1, 2.5])
        output = [1 2 1]
    """
    if any(low > high for low, high in itertools.pairwise(boundaries)):
        raise BadArgument(f"boundaries is {boundaries}; they must rise")
    return _below(np.asarray(boundaries, data.dtype), data)


def _below(boundaries: Any, values: Any) -> Any:
    """How many of the rising ``boundaries`` lie below each value."""
    return jnp.searchsorted(boundaries, values, side="left").astype(jnp.int32)


@operator("BatchBucketize", outputs="bucktized_feat", gradient="none", types={"float_features": "float32"})
def batch_bucketize(float_features, indices, boundaries, lengths):
    """The buckets of some columns, each with boundaries of its own.

    ``bucktized_feat[n, j]`` is how many of column j's boundaries lie below ``float_features[n, indices[j]]``.

    Inputs:
        float_features: ``(N, D)``.
        indices: ``(J,)`` int32, the columns to take.
        boundaries: The columns' rising boundaries, one list after the other.
        lengths: ``(J,)`` int32, how many boundaries each column has.
    Outputs:
        bucktized_feat: ``(N, J)``, int32.
    Example:
        >>> run("BatchBucketize", float_features=[[1.0, 5.0]], indices=[1], boundaries=[2.0, 4.0], lengths=[2])
        bucktized_feat = [[2]]
    """
    require_shape(
        float_features.ndim == 2 and indices.ndim == 1 and boundaries.ndim == 1 and indices.shape == lengths.shape,
        f"float_features is {float_features.shape}, indices {indices.shape}, boundaries {boundaries.shape}, "
        f"lengths {lengths.shape}; they must be (N, D), (J,), (B,) and (J,)",
    )
    columns = float_features.shape[1]
    require(
        (indices >= 0) & (indices < columns), f"indices must be from 0 to {columns - 1}, the columns there are", indices
    )
    require(
        jnp.sum(lengths) == boundaries.shape[0],
        f"lengths must add up to {boundaries.shape[0]}, the boundaries there are",
    )
    owner = _owners(lengths, boundaries.shape[0])
    values = float_features[:, indices]
    below = values[:, owner] > boundaries
    counts = jnp.zeros(values.shape, jnp.int32)
    return counts.at[:, owner].add(below.astype(jnp.int32))


def _owners(lengths: Any, total: int) -> Any:
    """For each of ``total`` entries laid out list after list, the number of its list."""
    return jnp.searchsorted(jnp.cumsum(lengths), jnp.arange(total), side="right")


# --- percentiles ---------------------------------------------------------------------------------


def _interpolated(values: Any, known: Any, at: Any, above: Any, below: Any) -> Any:
    """Percentiles of ``values`` between ``known`` ones.

    Args:
        values: Any number of values of one feature.
        known: Rising values whose percentile is known.
        at: Their percentiles.
        above: The percentiles just above each of them, where the interval to the next begins.
        below: The percentiles just below each of them, where the interval from the last ends.
    """
    last = len(known) - 1
    low = jnp.clip(jnp.searchsorted(known, values, side="right") - 1, 0, last)
    high = jnp.minimum(low + 1, last)
    gap = known[high] - known[low]
    weight = (values - known[low]) / jnp.where(gap == 0, 1, gap)
    between = above[low] + weight * (below[high] - above[low])
    inside = jnp.where(known[low] == values, at[low], between)
    return jnp.where(values < known[0], 0, jnp.where(values > known[last], 1, inside)).astype(values.dtype)


def _cut(values: Sequence[float], lengths: Sequence[int], dtype: Any) -> list[Any]:
    return [jnp.asarray(part) for part in np.split(np.asarray(values, dtype), np.cumsum(lengths)[:-1])]


@operator("BisectPercentile", outputs="percentile", gradient="none", types={"raw_values": "float32"})
def bisect_percentile(
    raw_values,
    *,
    percentile_raw: tuple[float, ...] = (),
    percentile_mapping: tuple[float, ...] = (),
    percentile_lower: tuple[float, ...] = (),
    percentile_upper: tuple[float, ...] = (),
    lengths: tuple[int, ...] = (),
):
    """The percentile of every value, by a table for each column.

    A value of the table has its percentile from ``percentile_mapping``; between two of them it is interpolated
    from the lower one's ``percentile_upper`` to the upper one's ``percentile_lower``; outside it is 0 or 1.

    Inputs:
        raw_values: ``(N, D)``.
    Args:
        percentile_raw: Known values, rising, the list of each column after the other.
        percentile_mapping: Their percentiles.
        percentile_lower: The percentiles just below them.
        percentile_upper: The percentiles just above them.
        lengths: How many known values each column has.
    Outputs:
        percentile: ``(N, D)``.
    Example:
        >>> table = dict(percentile_raw=[1.0, 2.0], percentile_mapping=[0.25, 0.75], lengths=[2])
        >>> bounds = dict(percentile_lower=[0.0, 0.5], percentile_upper=[0.25, 1.0])
        >>> run("BisectPercentile", raw_values=[[1.5]], **table, **bounds)
        percentile = [[0.375]]
    """
    tables = (percentile_raw, percentile_mapping, percentile_lower, percentile_upper)
    if {len(table) for table in tables} != {sum(lengths)} or min(lengths, default=0) <= 0:
        raise BadArgument(
            f"percentile_raw, _mapping, _lower and _upper have {', '.join(str(len(t)) for t in tables)} values and "
            f"lengths is {lengths}; each must have the sum of lengths, and no length may be 0"
        )
    require_shape(
        raw_values.ndim == 2 and raw_values.shape[1] == len(lengths),
        f"raw_values is {raw_values.shape} but there are {len(lengths)} lengths; it must be (N, {len(lengths)})",
    )
    raw, at, lower, upper = (_cut(table, lengths, raw_values.dtype) for table in tables)
    columns = [
        _interpolated(raw_values[:, j], raw[j], at[j], above=upper[j], below=lower[j]) for j in range(len(lengths))
    ]
    return jnp.stack(columns, axis=1)


@operator(
    "Percentile", outputs="percentile_values", gradient="none", static="lengths", types={"original_values": "float32"}
)
def percentile(original_values, value_to_pct, lengths):
    """The percentile of every value, by samples of each column with known percentiles.

    Between two samples it is interpolated; below the first it is 0, above the last 1.

    Inputs:
        original_values: ``(N, D)``.
        value_to_pct: ``(P, 2)``: pairs of a sample and its percentile, rising, column after column.
        lengths: ``(D,)`` int32, how many pairs each column has.
    Outputs:
        percentile_values: ``(N, D)``.
    Example:
        >>> run("Percentile", original_values=[[4.0]], value_to_pct=[[3.0, 0.25], [5.0, 0.5]], lengths=[2])
        percentile_values = [[0.375]]
    """
    lengths = [int(n) for n in np.asarray(lengths)]
    require_shape(
        original_values.ndim == 2 and original_values.shape[1] == len(lengths),
        f"original_values is {original_values.shape} but there are {len(lengths)} lengths; "
        f"it must be (N, {len(lengths)})",
    )
    require_shape(
        tuple(value_to_pct.shape) == (sum(lengths), 2),
        f"value_to_pct is {value_to_pct.shape} but lengths add up to {sum(lengths)}; it must be ({sum(lengths)}, 2)",
    )
    columns, begin = [], 0
    for j, length in enumerate(lengths):
        known, at = value_to_pct[begin : begin + length, 0], value_to_pct[begin : begin + length, 1]
        columns.append(_sampled(original_values[:, j], known, at))
        begin += length
    return jnp.stack(columns, axis=1)


@percentile.shapes
def _(original_values, value_to_pct, lengths):
    return (original_values[:2],)


def _sampled(values: Any, known: Any, at: Any) -> Any:
    """Percentiles of one column; of equal samples the first one's counts."""
    if not known.shape[0]:
        return jnp.ones_like(values)  # above all of the samples, as there are none
    first = jnp.minimum(jnp.searchsorted(known, values, side="left"), known.shape[0] - 1)
    return jnp.where(known[first] == values, at[first], _interpolated(values, known, at, at, at))
