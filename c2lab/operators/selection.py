"""Selection: picks values by a condition, by membership, or by rank."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator
from c2lab.proto import caffe2_pb2

CHOSEN = "float32 float64 int32 int64 bool"


@operator("Where", outputs="Z", gradient="refused", types={"C": "bool", "X": CHOSEN, "Y": CHOSEN})
def where(C, X, Y, *, broadcast_on_rows: bool = False):
    """Takes X where the condition holds and Y elsewhere.

    ``Z = X where C, Y elsewhere``

    Inputs:
        C: The condition, bool, in the shape of X; (N,) with broadcast_on_rows.
        X: Values of any shape.
        Y: Values of the shape and type of X.
    Args:
        broadcast_on_rows: 1: the condition holds one value a row.
    Outputs:
        Z: The shape and type of X.
    Example:
        >>> run("Where", C=[True, False], X=[1.0, 2.0], Y=[10.0, 20.0])
        Z = [ 1. 20.]
    """
    require_same_type(X, Y)
    require_shape(X.shape == Y.shape, f"X is {X.shape} but Y is {Y.shape}; they must be equal")
    if broadcast_on_rows:
        require_shape(
            C.ndim == 1 and C.shape == X.shape[:1],
            f"C is {C.shape} but X is {X.shape}; with broadcast_on_rows, C must be {X.shape[:1]}",
        )
        C = C.reshape(-1, *(1,) * (X.ndim - 1))
    else:
        require_shape(C.shape == X.shape, f"C is {C.shape} but X is {X.shape}; they must be equal")
    return jnp.where(C, X, Y)


@operator("Conditional", outputs="DataO", gradient="none", types={"Condition": "bool"})
def conditional(Condition, DataT, DataF):
    """Takes a whole row of one tensor or of another.

    ``DataO[i] = DataT[i] where Condition[i], DataF[i] elsewhere``

    Inputs:
        Condition: One truth value a row (N,), bool.
        DataT: Rows (N, ...).
        DataF: Rows of the shape and type of DataT.
    Outputs:
        DataO: The shape and type of DataT.
    Example:
        >>> run("Conditional", Condition=[True, False], DataT=[1.0, 2.0], DataF=[10.0, 20.0])
        DataO = [ 1. 20.]
    """
    require_same_type(DataT, DataF)
    require_shape(DataT.shape == DataF.shape, f"DataT is {DataT.shape} but DataF is {DataF.shape}; they must be equal")
    require_shape(
        Condition.ndim == 1 and Condition.shape == DataT.shape[:1],
        f"Condition is {Condition.shape} but DataT is {DataT.shape}; Condition must be {DataT.shape[:1]}",
    )
    return jnp.where(Condition.reshape(-1, *(1,) * (DataT.ndim - 1)), DataT, DataF)


def _of_text(op: caffe2_pb2.OperatorDef) -> bool:
    """Whether the list holds text, which only the host can compare."""
    return any(argument.name == "value" and (argument.strings or argument.HasField("s")) for argument in op.arg)


@operator("IsMemberOf", gradient="refused", host_when=_of_text, types={"X": "int32 int64 bool object"})
def is_member_of(X, *, value: Any = (), dtype: int = 0):
    """Where a value is among those of a list.

    Inputs:
        X: Integers, truth values or text of any shape.
    Args:
        value: The list: integers, or text where X is text.
        dtype: The type of the list's values (a TensorProto data type); that of X where left out.
    Outputs:
        Y: Same shape, bool.
    Example:
        >>> run("IsMemberOf", X=[1, 2, 3], value=[2, 3, 5])
        Y = [False  True  True]
    """
    members = value if isinstance(value, (list, tuple)) else [value]
    if X.dtype == object:
        return np.isin(X, np.array(members, object))
    if not all(isinstance(member, int) for member in members):
        raise BadArgument(f"value is {members!r} but X is {X.dtype}; give a list of integers")
    # Compared as int64: a member that X's type cannot hold is simply not found.
    table = jnp.asarray(np.asarray(members, np.int64))
    return jnp.any(X.astype(table.dtype)[..., None] == table, axis=-1)


RANKED = {"X": "int32 int64 float32 float64"}


@operator("ArgMax", outputs="Indices", gradient="refused", types=RANKED)
def arg_max(X, *, axis: int = -1, keepdims: bool = True):
    """Where the largest value along a dimension stands; the first one of equals.

    Inputs:
        X: Values of any shape but 0-d.
    Args:
        axis: The dimension.
        keepdims: Whether the dimension stays, with size 1.
    Outputs:
        Indices: Positions along the dimension, int64.
    Example:
        >>> run("ArgMax", X=[1.0, 3.0, 3.0])
        Indices = [1]
    """
    return _arg(jnp.argmax, X, axis, keepdims)


@operator("ArgMin", outputs="Indices", gradient="refused", types=RANKED)
def arg_min(X, *, axis: int = -1, keepdims: bool = True):
    """Where the smallest value along a dimension stands; the first one of equals.

    Inputs:
        X: Values of any shape but 0-d.
    Args:
        axis: The dimension.
        keepdims: Whether the dimension stays, with size 1.
    Outputs:
        Indices: Positions along the dimension, int64.
    Example:
        >>> run("ArgMin", X=[2.0, 1.0, 1.0])
        Indices = [1]
    """
    return _arg(jnp.argmin, X, axis, keepdims)


def _arg(find: Any, X: Any, axis: int, keepdims: bool) -> Any:
    axis = canonical_axis(axis, X.ndim)
    require_shape(X.shape[axis] != 0, f"X is {X.shape}; there is nothing to choose from along dimension {axis}")
    return find(X, axis=axis, keepdims=keepdims).astype(jnp.int64)


@operator("TopK", outputs="Values, Indices, Flattened_indices?", static="K", types={"X": "float32", "K": "int32 int64"})
def top_k(X, K=None, *, k: int = -1, axis: int = -1):
    """The k largest values along a dimension, the largest first; of equals, the first one first.

    Inputs:
        X: Values of any shape but 0-d, float32.
        K: How many, one integer; instead of the argument.
    Args:
        k: How many.
        axis: The dimension.
    Outputs:
        Values: X's shape with size k along the dimension. Where k is larger than the dimension, the rest is 0.
        Indices: Where they stand along the dimension, int64; the rest is -1.
        Flattened_indices: Where they stand in X laid out flat, (count of Values,), int64; the rest is -1.
    Example:
        >>> run("TopK", X=[1.0, 4.0, 2.0], k=2)
        Values = [4. 2.]
        Indices = [1 2]
    """
    if K is not None:
        require_shape(np.size(K) == 1, f"K is {np.shape(K)}; it must hold one integer")
        k = int(np.ravel(K)[0])
    if k < 1:
        raise BadArgument(f"k is {k}; it must be at least 1")
    axis = canonical_axis(axis, X.ndim)
    size = X.shape[axis]
    count = min(k, size)
    values, indices = jax.lax.top_k(jnp.moveaxis(X, axis, -1), count)
    values = jnp.moveaxis(values, -1, axis)
    indices = jnp.moveaxis(indices, -1, axis).astype(jnp.int64)
    places = _positions(indices, jnp.int64)
    places[axis] = indices
    flat, stride = jnp.zeros_like(indices), 1
    for place, extent in zip(reversed(places), reversed(X.shape), strict=True):
        flat, stride = flat + place * stride, stride * extent
    if count < k:
        rest = [(0, k - count if other == axis else 0) for other in range(X.ndim)]
        values = jnp.pad(values, rest)
        indices = jnp.pad(indices, rest, constant_values=-1)
        flat = jnp.pad(flat, rest, constant_values=-1)
    return values, indices, flat.reshape(-1)


def _positions(values: Any, dtype: Any) -> list[Any]:
    """Each value's own position, one array a dimension."""
    return [jax.lax.broadcasted_iota(dtype, values.shape, axis) for axis in range(values.ndim)]


@top_k.gradient("dValues, Indices, X -> dX")
def _(dValues, Indices, X, *, axis: int = -1):
    """Puts the gradient of each value back where it came from."""
    axis = canonical_axis(axis, X.ndim)
    there = Indices >= 0
    kept = jnp.where(there, dValues, 0).astype(dValues.dtype)
    places = _positions(Indices, Indices.dtype)
    places[axis] = jnp.where(there, Indices, 0)
    return jnp.zeros(X.shape, dValues.dtype).at[tuple(places)].add(kept)
