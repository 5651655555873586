"""Unit length: vectors scaled so that their norm is one, or not above a bound."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
SMALLEST = 1e-12  # a norm below this counts as this, so that dividing stays finite


def _length(X: Any, axis: int) -> Any:
    return jnp.maximum(jnp.sqrt(jnp.sum(X * X, axis=axis, keepdims=True)), jnp.asarray(SMALLEST, X.dtype))


@operator("Normalize", types={"X": FLOATS})
def normalize(X, *, axis: int = -1):
    """Each vector along a dimension, divided by its Euclidean length.

    Inputs:
        X: At least one dimension.
    Args:
        axis: The dimension along which the vectors lie.
    Outputs:
        Y: Same shape and type as X; a vector of zeros stays one.
    Example:
        >>> run("Normalize", X=[[3.0, 4.0]])
        Y = [[0.6 0.8]]
    """
    return X / _length(X, canonical_axis(axis, X.ndim))


@normalize.gradient("X, dY -> dX", types={"X": FLOATS})
def _(X, dY, *, axis: int = -1):
    """What of dY is at right angles to the vector, divided by its length."""
    along = canonical_axis(axis, X.ndim)
    length = _length(X, along)
    unit = X / length
    return (dY - unit * jnp.sum(unit * dY, axis=along, keepdims=True)) / length


@operator("NormalizeL1", types={"X": FLOATS})
def normalize_l1(X, *, axis: int = -1):
    """Each vector along a dimension, divided by the sum of its absolute values.

    Inputs:
        X: At least one dimension.
    Args:
        axis: The dimension along which the vectors lie.
    Outputs:
        Y: Same shape and type as X; a vector of zeros stays one.
    Example:
        >>> run("NormalizeL1", X=[[1.0, -3.0]])
        Y = [[ 0.25 -0.75]]
    """
    total = jnp.sum(jnp.abs(X), axis=canonical_axis(axis, X.ndim), keepdims=True)
    return jnp.where(total == 0, 0, X / jnp.where(total == 0, 1, total))


def _bounded_rows(param: Any, indices: Any, use_max_norm: bool, norm: float) -> Any:
    if norm < 0:
        raise BadArgument(f"norm is {norm}; it must not be negative")
    require_shape(param.ndim >= 1, "param has no dimensions; it must hold a row for each index")
    rows = param.shape[0]
    places = indices.reshape(-1)
    require(
        (places >= 0) & (places < rows), f"indices holds an index outside 0 to {rows} - 1, the rows of param", places
    )
    chosen = param[places].astype(jnp.promote_types(param.dtype, jnp.float32))
    flat = chosen.reshape(places.shape[0], -1) if param.ndim > 1 else chosen[:, None]
    length = jnp.sqrt(jnp.sum(flat * flat, axis=1, keepdims=True))
    scaled = flat * (jnp.asarray(norm, flat.dtype) / (length + jnp.asarray(SMALLEST, flat.dtype)))
    if use_max_norm:
        scaled = jnp.where(length <= norm, flat, scaled)
    return param.at[places].set(scaled.reshape(chosen.shape).astype(param.dtype), mode="drop")


@operator(
    "SparseNormalize",
    outputs="output_param",
    gradient="refused",
    inplace="param => output_param",
    types={"param": FLOATS, "indices": "int32 int64"},
)
def sparse_normalize(param, indices, grad=None, *, use_max_norm: bool = True, norm: float = 1.0):
    """Scales the rows at the given indices to a length, or down to it where they are longer.

    Inputs:
        param: (N, ...) rows.
        indices: int32 or int64, the rows to be scaled.
        grad: Not used; old nets pass it.
    Args:
        use_max_norm: Leave rows that are not longer than norm.
        norm: The length.
    Outputs:
        output_param: param with these rows scaled, in place.
    Example:
        >>> run("SparseNormalize", param=[[3.0, 4.0]], indices=[0])
        param = [[0.6 0.8]]
    """
    return _bounded_rows(param, indices, use_max_norm, norm)


@operator(
    "Float16SparseNormalize",
    outputs="output_param",
    gradient="refused",
    inplace="param => output_param",
    types={"param": "float16", "indices": "int32 int64"},
)
def float16_sparse_normalize(param, indices, grad=None, *, use_max_norm: bool = True, norm: float = 1.0):
    """Scales the half precision rows at the given indices to a length, or down to it where they are longer.

    Inputs:
        param: float16 (N, ...) rows.
        indices: int32 or int64, the rows to be scaled.
        grad: Not used; old nets pass it.
    Args:
        use_max_norm: Leave rows that are not longer than norm.
        norm: The length.
    Outputs:
        output_param: param with these rows scaled, in place.
    Example:
        >>> run("Float16SparseNormalize", param=np.array([[3.0, 4.0]], np.float16), indices=[0])
        param = [[0.6 0.8]]
    """
    return _bounded_rows(param, indices, use_max_norm, norm)
