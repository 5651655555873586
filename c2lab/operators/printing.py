"""Printing: looking at blobs, summing them up, and stopping where they are not as they should be."""

from __future__ import annotations

import os
import time
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator

_PRINTED = 1000  # values that are printed where no limit is given
_NAMES = {"float32": "float", "float64": "double", "int32": "int", "int64": "long", "object": "std::string"}


@host_operator("Print", outputs="", gradient="refused")
def print_(tensor, *, workspace, op, state, to_file: int = 0, limit: int = 0, every_n: int = 1):
    """Prints a blob's shape and values.

    Inputs:
        tensor: The blob.
    Args:
        to_file: Appends to the file `<blob>.log` in the workspace's root folder, and prints nothing.
        limit: How many values are printed at most; 0 is 1000.
        every_n: Prints at every n-th run of its net, the first one included.
    Example:
        >>> shown = run("Print", tensor=[1.5, 2.0, 3.0], limit=2)
        Tensor tensor of type float. Dims: (3,): 1.5,2.0,...
    """
    if every_n < 1:
        raise BadArgument(f"every_n is {every_n}; it must be 1 or more")
    runs = state["runs"] = state.get("runs", -1) + 1
    if runs % every_n:
        return ()
    name = op.input[0]
    if isinstance(tensor, np.ndarray):
        shown = limit or _PRINTED
        values = ",".join(str(value) for value in tensor.reshape(-1)[:shown].tolist())
        kind = _NAMES.get(str(tensor.dtype), str(tensor.dtype))
        dims = "".join(f"{size}," for size in tensor.shape)
        line = f"Tensor {name} of type {kind}. Dims: ({dims}): {values}{',...' if tensor.size > shown else ''}"
    elif isinstance(tensor, bytes):
        line = f"{name}: {tensor.decode('utf-8', 'backslashreplace')}"
    else:
        line = f"{name}: a C++ native class of type {getattr(tensor, 'type_name', type(tensor).__name__)}"
    _say(line, name, ".log", to_file, workspace)
    return ()


def _say(line: str, name: str, ending: str, to_file: int, workspace: Any) -> None:
    if not to_file:
        print(line)
        return
    path = os.path.join(workspace.root_folder, name.replace("/", "_") + ending)
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")


@operator(
    "Summarize",
    outputs="output?",
    gradient="refused",
    types={"data": "float32"},
    host_when=lambda op: any(a.name == "to_file" and a.i for a in op.arg),
)
def summarize(data, *, workspace, op, to_file: int = 0):
    """The smallest value, the largest, the mean and the standard deviation.

    ``Y = [min, max, mean, sqrt(sum((x - mean)^2) / (n - 1))]``

    Inputs:
        data: Values of any shape, float32; at least one.
    Args:
        to_file: Appends the four numbers to the file `<blob>.summary` in the workspace's root folder too.
    Outputs:
        output: The four numbers, (4,) float32.
    Example:
        >>> run("Summarize", outputs=1, data=[1.0, 2.0, 3.0])
        output = [1. 3. 2. 1.]
    """
    require_shape(data.size > 0, "data is empty; there is nothing to sum up")
    mean = jnp.mean(data)
    spread = jnp.sqrt(jnp.sum(jnp.square(data - mean)) / max(data.size - 1, 1))
    four = jnp.stack([jnp.min(data), jnp.max(data), mean, spread]).astype(data.dtype)
    if to_file:
        four = np.asarray(four)
        _say(" ".join(map(str, four.tolist())), op.input[0], ".summary", to_file, workspace)
    return four


@operator("NanCheck", outputs="output", inplace=[(0, 0)])
def nan_check(tensor, *others):
    """Passes a blob on, and stops the net where a value is NaN or infinite.

    ``Y = X``

    Inputs:
        tensor: The blob that is checked.
        others: Further blobs; not read.
    Outputs:
        output: The same values.
    Example:
        >>> run("NanCheck", tensor=[1.0, 2.0])
        output = [1. 2.]
    """
    require(
        jnp.isfinite(tensor), "NanCheck found a value that is NaN or infinite; look at the operators before it", tensor
    )
    return tensor


@nan_check.gradient_maker
def _(g):
    return [g.define("NanCheck", [g.GO(0)], [g.GI(0)])]


@operator("EnforceFinite", outputs="", gradient="refused", types={"input": "float32 float64"})
def enforce_finite(input):
    """Stops the net where a value is NaN or infinite.

    Inputs:
        input: The blob that is checked.
    Example:
        >>> checked = run("EnforceFinite", input=[1.0, 2.0])
    """
    require(
        jnp.isfinite(input), "the input has a value that is NaN or infinite; look at the operator that made it", input
    )
    return ()


@operator("Assert", outputs="", types={"X": "bool int32 int64"})
def assert_(X, *, error_msg: str = ""):
    """Stops the net where a value is false or 0.

    Inputs:
        X: Conditions, bool, int32 or int64.
    Args:
        error_msg: What the error says.
    Example:
        >>> checked = run("Assert", X=np.array([True]), error_msg="the batch is empty")
    """
    require(X != 0, error_msg or "a condition that Assert demands does not hold", X)
    return ()


@host_operator("WallClockTime", outputs="time", gradient="refused")
def wall_clock_time():
    """The time of day, in nanoseconds since 1970.

    Outputs:
        time: One int64.
    Example:
        >>> run("WallClockTime")
        time = ...
    """
    return np.array(time.time_ns(), np.int64)


@host_operator("AccumulateHistogram", outputs="CurHist, AccHist", gradient="refused", types={"X": "float32 float64"})
def accumulate_histogram(X, *, state, lower_bound: float = 0.0, upper_bound: float = 1.0, num_buckets: int = 1):
    """Counts how many values fall into each of a row of equal buckets, now and in all runs of the net so far.

    ``Y[0]`` counts values below `lower_bound`, ``Y[num_buckets + 1]`` those from `upper_bound` on.

    Inputs:
        X: Values of any shape.
    Args:
        lower_bound: Where the first bucket begins.
        upper_bound: Where the last bucket ends.
        num_buckets: How many buckets lie between.
    Outputs:
        CurHist: The counts of this run, (num_buckets + 2,) int64.
        AccHist: The counts of all runs.
    Example:
        >>> run("AccumulateHistogram", X=[-1.0, 0.2, 0.3, 0.8], num_buckets=2)
        CurHist = [1 2 1 0]
        AccHist = [1 2 1 0]
    """
    if num_buckets < 1 or lower_bound >= upper_bound:
        raise BadArgument(
            f"num_buckets is {num_buckets}, the bounds are {lower_bound} and {upper_bound}; there must be "
            "one bucket or more, and the lower bound must lie below the upper one"
        )
    width = (upper_bound - lower_bound) / num_buckets
    bucket = np.floor((X.reshape(-1).astype(np.float64) - lower_bound) / width) + 1
    bucket = np.where(X.reshape(-1) >= upper_bound, num_buckets + 1, np.clip(bucket, 0, num_buckets))
    bucket = np.where(X.reshape(-1) < lower_bound, 0, bucket).astype(np.int64)
    current = np.bincount(bucket, minlength=num_buckets + 2).astype(np.int64)
    total = state["total"] = state.get("total", 0) + current
    return current, total.copy()


@operator("Histogram", outputs="histogram", gradient="refused", types={"X": "float32 float64"})
def histogram(*X, bin_edges: tuple[float, ...]):
    """Counts how many values of all inputs fall into each bin.

    ``Y[k] = how many x with edges[k] <= x < edges[k + 1]``

    Inputs:
        X: One or more blobs of any shape.
    Args:
        bin_edges: Where bins begin and end: at least two numbers, rising.
    Outputs:
        histogram: The counts, one fewer than edges, int64.
    Example:
        >>> run("Histogram", X=([0.5, 1.5], [1.0]), bin_edges=[0.0, 1.0, 2.0])
        histogram = [1 2]
    """
    edges = np.asarray(bin_edges, np.float32)
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise BadArgument(f"bin_edges are {len(edges)} numbers; they must be at least two, each above the one before")
    counts = jnp.zeros((len(edges) - 1,), jnp.int64)
    for values in X:
        place = jnp.searchsorted(jnp.asarray(edges, values.dtype), values.reshape(-1), side="right") - 1
        # What lies before the first edge is -1 and would count from the end; both outsides are dropped.
        counts = counts.at[jnp.where(place < 0, len(edges), place)].add(1, mode="drop")
    return counts


@operator(
    "SelfBinningHistogram",
    outputs="histogram_values, histogram_counts",
    gradient="refused",
    types={"X": "float32 float64"},
)
def self_binning_histogram(
    *X,
    num_bins: int,
    bin_spacing: str = "linear",
    logspacing_start: float = 1e-24,
    logspace_start: float | None = None,
    abs: bool = False,
):
    """Counts values in bins that reach from the smallest value to a little beyond the largest.

    ``edges[k] = min + k / num_bins * 1.0001 * (max - min)``, or, logarithmic,
    ``edges[k] = min * (1.0001 * max / min)^(k / num_bins)``

    Inputs:
        X: One or more blobs of any shape.
    Args:
        num_bins: How many bins.
        bin_spacing: "linear", or "logarithmic".
        logspacing_start: Logarithmic: the least lower edge of the first bin; smaller values count there too.
        logspace_start: The same.
        abs: Counts absolute values.
    Outputs:
        histogram_values: The edges, (num_bins + 1,).
        histogram_counts: The counts, (num_bins + 1,) int64; the last is 0.
    Example:
        >>> run("SelfBinningHistogram", X=([0.0, 1.0, 1.5, 4.0],), num_bins=2)
        histogram_values = [0.     2.0002 4.0004]
        histogram_counts = [3 1 0]
    """
    if num_bins < 1:
        raise BadArgument(f"num_bins is {num_bins}; it must be 1 or more")
    if bin_spacing not in ("linear", "logarithmic"):
        raise BadArgument(f"bin_spacing is {bin_spacing!r}; it must be 'linear' or 'logarithmic'")
    kind = X[0].dtype
    values = jnp.concatenate([jnp.reshape(value, (-1,)) for value in X])
    if values.size == 0:
        return jnp.zeros((num_bins + 1,), kind), jnp.zeros((num_bins + 1,), jnp.int64)
    values = jnp.abs(values) if abs else values
    low, high = jnp.min(values), jnp.max(values)
    share = jnp.arange(num_bins + 1, dtype=kind) / num_bins
    if bin_spacing == "linear":
        edges = low + share * ((high - low) * jnp.asarray(1.0001, kind))
    else:
        start = jnp.asarray(logspacing_start if logspace_start is None else logspace_start, kind)
        low, high = jnp.maximum(low, start), jnp.maximum(high, start)
        edges = low * jnp.exp(share * (jnp.log(high * jnp.asarray(1.0001, kind)) - jnp.log(low)))
    place = jnp.clip(jnp.searchsorted(edges, values, side="right") - 1, 0, num_bins - 1)
    # Where all values are one, all edges are one: everything is in the first bin.
    place = jnp.where(edges[0] == edges[-1], 0, place)
    return edges, jnp.zeros((num_bins + 1,), jnp.int64).at[place].add(1)
