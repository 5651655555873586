"""Selection in segments: the largest values of each."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import require_sum, require_vector, segment_of_rows, starts_of

LENGTHS = {"LENGTHS": "int32"}


def _require_k(k: int) -> None:
    if k < 1:
        raise BadArgument(f"k is {k}; it must be given, and be at least 1")


@operator("LengthsTopK", outputs="TopKValue, TopKIndices", output_counts=(2,), types=LENGTHS)
def lengths_top_k(DATA, LENGTHS, *, k: int = -1):
    """The k largest values of each segment, the largest first; of equals, the first one first.

    Inputs:
        DATA: (N,), the values of all segments one after the other.
        LENGTHS: int32 (S,), how many values each segment has; they add up to N.
    Args:
        k: How many.
    Outputs:
        TopKValue: (S, k); zero where a segment has no more values.
        TopKIndices: int32 (S, k), the positions in the segment; -1 where it has no more values.
    Example:
        >>> run("LengthsTopK", DATA=[1.0, 4.0, 2.0, 7.0], LENGTHS=[3, 1], k=2)
        TopKValue = [[4. 2.]
                     [7. 0.]]
        TopKIndices = [[ 1  2]
                       [ 0 -1]]
    """
    _require_k(k)
    require_vector("DATA", DATA)
    require_sum(LENGTHS, DATA.shape[0])
    segments = LENGTHS.shape[0]
    values = jnp.zeros((segments, k), DATA.dtype)
    indices = jnp.full((segments, k), -1, jnp.int32)
    if product(LENGTHS.shape) == 0 or product(DATA.shape) == 0:
        return values, indices
    segment = segment_of_rows(LENGTHS, DATA.shape[0])
    position = jnp.arange(DATA.shape[0], dtype=jnp.int32)
    start = jnp.take(starts_of(LENGTHS), segment, mode="clip")
    order = jnp.lexsort((-DATA, segment))
    rank = position - start  # sorting leaves every segment where it was
    values = values.at[segment, rank].set(DATA[order], mode="drop")
    indices = indices.at[segment, rank].set((position[order] - start).astype(jnp.int32), mode="drop")
    return values, indices


@lengths_top_k.gradient_maker
def _(g):
    return [g.define("LengthsTopKGradient", [g.I(1), g.O(1), g.GO(0)], [g.GI(0)])]


@lengths_top_k.gradient("LENGTHS, TopKIndices, dTopKValue -> dDATA", kind="host", types=LENGTHS)
def _(LENGTHS, TopKIndices, dTopKValue, *, k: int = -1):
    """Puts the gradient of each value back where it came from."""
    _require_k(k)
    require_shape(
        TopKIndices.shape == dTopKValue.shape == (LENGTHS.size, k),
        f"the indices are {TopKIndices.shape} and the gradient {dTopKValue.shape}; both must be ({LENGTHS.size}, {k})",
    )
    gradient = np.zeros(int(LENGTHS.sum()), dTopKValue.dtype)
    places = (np.cumsum(LENGTHS) - LENGTHS)[:, None] + TopKIndices
    there = TopKIndices >= 0
    gradient[places[there]] = dTopKValue[there]
    return gradient


@host_operator("FlexibleTopK", outputs="values, indices", output_counts=(2,), types={"K": "int64"})
def flexible_top_k(X, K):
    """The largest values of each row, as many as the row's own number says, one row's after the other.

    Inputs:
        X: (..., D).
        K: int64, one number for each row: from 1 to D.
    Outputs:
        values: (sum of K,), the largest of each row first; of equals, the first one first.
        indices: int64 (sum of K,), where they stand in their row.
    Example:
        >>> run("FlexibleTopK", X=[[1.0, 4.0, 2.0], [7.0, 5.0, 6.0]], K=np.int64([2, 1]))
        values = [4. 2. 7.]
        indices = [1 2 0]
    """
    require_shape(X.ndim >= 1, "X is one number; it must have rows")
    rows, size = int(np.prod(X.shape[:-1])), X.shape[-1]
    require_shape(K.size == rows, f"X is {X.shape} and K is {K.shape}; K must hold one number for each of {rows} rows")
    counts = K.reshape(-1)
    require(np.all((counts >= 1) & (counts <= size)), f"K is {counts.tolist()}; every number must be from 1 to {size}")
    flat = X.reshape(rows, size)
    order = np.argsort(-flat, axis=1, kind="stable")
    chosen = np.arange(size) < counts[:, None]
    return np.take_along_axis(flat, order, axis=1)[chosen], order[chosen].astype(np.int64)


@flexible_top_k.gradient("X, K, dvalues, indices -> dX", kind="pure", types={"K": "int64", "indices": "int64"})
def _(X, K, dvalues, indices):
    """Puts the gradient of each value back where it came from."""
    require_shape(
        dvalues.ndim == 1 and dvalues.shape == indices.shape,
        f"the gradient is {tuple(dvalues.shape)} and the indices {tuple(indices.shape)}; they must be equally long",
    )
    counts = K.reshape(-1)
    require_sum(counts, dvalues.shape[0], "the values, with K for LENGTHS")
    row = segment_of_rows(counts, dvalues.shape[0])
    flat = jnp.zeros((product(X.shape[:-1]), X.shape[-1]), dvalues.dtype)
    return flat.at[row, indices].add(dvalues, mode="drop").reshape(X.shape)
