"""Searching: which values there are, where they stand, and what is written in their place."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import require_vector

INTEGERS = "int32 int64"


@host_operator("Unique", outputs="unique_indices, remapping?", gradient="refused", types={"indices": INTEGERS})
def unique(indices):
    """The different values, sorted, and for each value where it went.

    Inputs:
        indices: int32 or int64 (N,).
    Outputs:
        unique_indices: (number of different values,), in the same type.
        remapping: int32 (N,): ``unique_indices[remapping]`` is ``indices``.
    Example:
        >>> run("Unique", indices=[7, 5, 7], outputs=2)
        unique_indices = [5 7]
        remapping = [1 0 1]
    """
    require_vector("indices", indices)
    values, inverse = np.unique(indices, return_inverse=True)
    return values, inverse.reshape(-1).astype(np.int32)


@operator("Find", outputs="query_indices", types={"index": INTEGERS, "query": INTEGERS})
def find(index, query, *, missing_value: int = -1):
    """Where each queried value stands in an index; its last place where it stands there more than once.

    Inputs:
        index: int32 or int64 (N,).
        query: Values of any shape, in the type of index.
    Args:
        missing_value: The answer for a value that is not there.
    Outputs:
        query_indices: int32, the shape of query.
    Example:
        >>> run("Find", index=[5, 7, 9], query=[9, 6])
        query_indices = [ 2 -1]
    """
    require_same_type(index, query)
    flat = index.reshape(-1)
    if product(flat.shape) == 0:
        return jnp.full(query.shape, missing_value, jnp.int32)
    order = jnp.argsort(flat, stable=True)
    place = jnp.maximum(jnp.searchsorted(flat[order], query, side="right") - 1, 0)
    last = order[place]
    return jnp.where(flat[last] == query, last, missing_value).astype(jnp.int32)


@host_operator(
    "FindDuplicateElements",
    outputs="indices",
    gradient="refused",
    types={"data": "float32 float64 int32 int64 object"},
)
def find_duplicate_elements(data):
    """Where values stand that stood earlier already.

    Inputs:
        data: (N,), float32, float64, int32, int64 or text.
    Outputs:
        indices: int64, the places of all but the first of equal values.
    Example:
        >>> run("FindDuplicateElements", data=[7, 5, 7, 7])
        indices = [2 3]
    """
    require_vector("data", data)
    seen: set[Any] = set()
    places = []
    for place, value in enumerate(data.tolist()):
        if value in seen:
            places.append(place)
        seen.add(value)
    return np.array(places, np.int64)


@operator(
    "IndexHash",
    outputs="HashedIndices",
    gradient="refused",
    inplace="Indices -> HashedIndices",
    types={"Indices": INTEGERS},
)
def index_hash(Indices, *, seed: int = 0, modulo: int = 0):
    """Hashes each index into a fixed range, the same way every time.

    Starting from the seed, ``h = h * 65537 + byte`` for each byte of the index, the lowest first.

    Inputs:
        Indices: int32 or int64 of any shape.
    Args:
        seed: Another seed gives another hash.
        modulo: The size of the range; it must be more than 0.
    Outputs:
        HashedIndices: From 0 to below modulo, same shape and type.
    Example:
        >>> run("IndexHash", Indices=[1, 2, 300], modulo=100)
        HashedIndices = [ 9 18 69]
    """
    if modulo <= 0:
        raise BadArgument(f"modulo is {modulo}; it must be given, and be more than 0")
    width = Indices.dtype.itemsize
    kind = Indices.dtype.type
    hashed = jnp.full(Indices.shape, _wrapped(seed * 0xDEADBEEF, width), Indices.dtype)
    for k in range(width):
        byte = (Indices >> kind(8 * k)).astype(jnp.int8).astype(Indices.dtype)
        hashed = hashed * kind(65537) + byte
    return jnp.mod(hashed.astype(jnp.int64), jnp.asarray(modulo, jnp.int64)).astype(Indices.dtype)


def _wrapped(value: int, width: int) -> int:
    """The number that the lowest ``width`` bytes of ``value`` stand for."""
    return int.from_bytes((value % (1 << 8 * width)).to_bytes(width, "little"), "little", signed=True)


@host_operator("RemoveDataBlocks", outputs="shrunk_data", gradient="refused")
def remove_data_blocks(data, indices):
    """Takes the rows at the given indices out.

    Inputs:
        data: (N, ...).
        indices: int32 or int64 (K,), which rows; one may stand there more than once.
    Outputs:
        shrunk_data: The other rows.
    Example:
        >>> run("RemoveDataBlocks", data=[1.0, 2.0, 3.0], indices=[1, 1])
        shrunk_data = [1. 3.]
    """
    require_vector("indices", indices)
    require_shape(data.ndim >= 1, "data is one number; it must have rows")
    if not indices.size:
        return data
    require_shape(indices.dtype.kind == "i", f"indices is {indices.dtype}; it must be int32 or int64")
    rows = data.shape[0]
    require(np.all((indices >= 0) & (indices < rows)), f"indices is {indices.tolist()}; there are rows 0 to {rows} - 1")
    return np.delete(data, np.unique(indices), axis=0)


@operator("ScatterAssign", outputs="DATA", gradient="refused", inplace="DATA => DATA", types={"INDICES": INTEGERS})
def scatter_assign(DATA, INDICES, SLICES):
    """Writes rows over the rows at the given indices.

    Inputs:
        DATA: (N, ...).
        INDICES: int32 or int64 (K,), which rows; no row should be named twice.
        SLICES: (K, ...), in the type of DATA.
    Outputs:
        DATA: DATA with these rows, in place.
    Example:
        >>> run("ScatterAssign", DATA=[1.0, 2.0, 3.0], INDICES=[2, 0], SLICES=[30.0, 10.0])
        DATA = [10.  2. 30.]
    """
    require_same_type(DATA, SLICES)
    require_shape(
        DATA.ndim >= 1 and product(SLICES.shape) == product(INDICES.shape) * product(DATA.shape[1:]),
        f"DATA is {tuple(DATA.shape)}, INDICES {tuple(INDICES.shape)} and SLICES {tuple(SLICES.shape)}; "
        "there must be one row of DATA's shape an index",
    )
    flat = INDICES.reshape(-1)
    require((flat >= 0) & (flat < DATA.shape[0]), f"INDICES holds an index outside 0 to {DATA.shape[0]} - 1", flat)
    return DATA.at[flat].set(SLICES.reshape(flat.shape[0], *DATA.shape[1:]), mode="drop")


@operator("Scatter", outputs="OUTPUT", gradient="refused", inplace="DATA -> OUTPUT", types={"INDICES": INTEGERS})
def scatter(DATA, INDICES, UPDATES, *, axis: int = 1):
    """Writes single values, each at its index along one dimension and at its own place along the others.

    ``OUTPUT[i, INDICES[i, j], k] = UPDATES[i, j, k]`` for dimension 1 of three.

    Inputs:
        DATA: Values of any shape but 0-d.
        INDICES: int32 or int64; the sizes of DATA but along axis.
        UPDATES: The shape of INDICES, in the type of DATA.
    Args:
        axis: The dimension that is indexed.
    Outputs:
        OUTPUT: DATA with these values.
    Example:
        >>> run("Scatter", DATA=[[1.0, 2.0, 3.0]], INDICES=[[2, 0]], UPDATES=[[30.0, 10.0]])
        OUTPUT = [[10.  2. 30.]]
    """
    require_same_type(DATA, UPDATES)
    axis = canonical_axis(axis, DATA.ndim)
    require_shape(
        INDICES.shape == UPDATES.shape
        and INDICES.ndim == DATA.ndim
        and all(INDICES.shape[k] == size for k, size in enumerate(DATA.shape) if k != axis),
        f"DATA is {tuple(DATA.shape)}, INDICES {tuple(INDICES.shape)} and UPDATES {tuple(UPDATES.shape)}; "
        f"INDICES and UPDATES must have one shape, and DATA's sizes but along dimension {axis}",
    )
    size = DATA.shape[axis]
    require(
        (INDICES >= 0) & (INDICES < size), f"INDICES element is out of DATA bounds: it must be 0 to {size} - 1", INDICES
    )
    return jnp.put_along_axis(DATA, INDICES, UPDATES, axis=axis, inplace=False, mode="drop")
