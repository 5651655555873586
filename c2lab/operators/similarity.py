"""Similarity: products and distances, row by row, of two sets of vectors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator

FLOAT = {"X": "float32", "Y": "float32"}
_TINY = 1e-12  # below this a squared length counts as zero, and two values as equal


def _row_vectors(X: Any) -> Any:
    """X as ``(N, D)``: one vector an entry of the first dimension (a number is one row)."""
    if X.ndim < 2:
        return X.reshape(-1, 1)
    size = 1
    for length in X.shape[1:]:
        size = size * length
    return X.reshape(X.shape[0], size)


def _pair(X: Any, Y: Any) -> tuple[Any, Any]:
    require_shape(X.shape == Y.shape, f"X is {X.shape} but Y is {Y.shape}; both must have the same shape")
    return _row_vectors(X), _row_vectors(Y)


def _sum(values: Any) -> Any:
    return jnp.sum(values, axis=1, dtype=values.dtype)


@operator("DotProduct", outputs="Z", gradient="X, Y, dZ -> dX, dY", types=FLOAT)
def dot_product(X, Y):
    """Dot product of the rows of X with the rows of Y.

    ``Z[n] = sum over d of X[n, d] * Y[n, d]``

    Inputs:
        X: ``(N, D)``; more dimensions are one long row, ``(N,)`` is rows of one value.
        Y: Same shape as X.
    Outputs:
        Z: ``(N,)``.
    Example:
        >>> run("DotProduct", X=[[1.0, 2.0], [3.0, 4.0]], Y=[[1.0, 1.0], [0.0, 2.0]])
        Z = [3. 8.]
    """
    X, Y = _pair(X, Y)
    return _sum(X * Y)


@operator("SquaredL2Distance", outputs="Z", gradient="X, Y, dZ -> dX, dY", types=FLOAT)
def squared_l2_distance(X, Y):
    """Half the squared Euclidean distance between the rows of X and of Y.

    ``Z[n] = 0.5 * sum over d of (X[n, d] - Y[n, d]) ** 2``

    Inputs:
        X: ``(N, D)``; more dimensions are one long row, ``(N,)`` is rows of one value.
        Y: Same shape as X.
    Outputs:
        Z: ``(N,)``.
    Example:
        >>> run("SquaredL2Distance", X=[[1.0, 2.0]], Y=[[4.0, 6.0]])
        Z = [12.5]
    """
    X, Y = _pair(X, Y)
    return 0.5 * _sum((X - Y) ** 2)


@operator("L1Distance", outputs="Z", types=FLOAT)
def l1_distance(X, Y):
    """Sum of the absolute differences between the rows of X and of Y.

    ``Z[n] = sum over d of abs(X[n, d] - Y[n, d])``

    Inputs:
        X: ``(N, D)``; more dimensions are one long row, ``(N,)`` is rows of one value.
        Y: Same shape as X.
    Outputs:
        Z: ``(N,)``.
    Example:
        >>> run("L1Distance", X=[[1.0, 2.0]], Y=[[4.0, 6.0]])
        Z = [7.]
    """
    X, Y = _pair(X, Y)
    return _sum(jnp.abs(X - Y))


@l1_distance.gradient("X, Y, dZ -> dX, dY")
def _(X, Y, dZ):
    """Gradient of the L1 distance: the sign of each difference (zero where X and Y are equal)."""
    rows, others = _pair(X, Y)
    difference = rows - others
    dX = jnp.where(jnp.abs(difference) > _TINY, jnp.sign(difference), 0) * dZ.reshape(-1, 1)
    dX = dX.astype(X.dtype).reshape(X.shape)
    return dX, -dX


@operator("CosineSimilarity", outputs="Z", types=FLOAT)
def cosine_similarity(X, Y):
    """Cosine of the angle between the rows of X and of Y.

    ``Z[n] = X[n] . Y[n] / (|X[n]| * |Y[n]|)``, where a squared length counts for at least 1e-12.

    Inputs:
        X: ``(N, D)``; more dimensions are one long row, ``(N,)`` is rows of one value.
        Y: Same shape as X.
    Outputs:
        Z: ``(N,)``.
    Example:
        >>> run("CosineSimilarity", X=[[1.0, 0.0], [1.0, 0.0]], Y=[[3.0, 4.0], [0.0, 2.0]])
        Z = [0.6 0. ]
    """
    X, Y = _pair(X, Y)
    return _sum(X * Y) / (_length(X) * _length(Y))


def _length(X: Any) -> Any:
    return jnp.sqrt(jnp.maximum(_sum(X * X), jnp.asarray(_TINY, X.dtype)))


@cosine_similarity.gradient("X, Y, dZ -> dX, dY")
def _(X, Y, dZ):
    """Gradient of the cosine, along X and along Y."""
    rows, others = _pair(X, Y)
    size, other_size = _length(rows)[:, None], _length(others)[:, None]
    unit, other_unit = rows / size, others / other_size
    cosine = _sum(unit * other_unit)[:, None]
    flow = dZ.reshape(-1, 1)
    dX = flow * (other_unit - cosine * unit) / size
    dY = flow * (unit - cosine * other_unit) / other_size
    return dX.reshape(X.shape), dY.reshape(Y.shape)


@operator("DotProductWithPadding", outputs="Z", types=FLOAT)
def dot_product_with_padding(X, Y, *, pad_value: float = 0.0, replicate: bool = False):
    """Dot product of rows of different lengths: the shorter one is padded, or repeated.

    ``Z[n] = sum over d of X[n, d] * Y[n, d]``, once both rows have the longer one's length.

    Inputs:
        X: ``(N, D)``.
        Y: ``(N, E)``.
    Args:
        pad_value: What the shorter rows are padded with.
        replicate: Repeat the shorter rows instead, as often as they fit whole.
    Outputs:
        Z: ``(N,)``.
    Example:
        >>> run("DotProductWithPadding", X=[[1.0, 2.0]], Y=[[1.0, 1.0, 5.0]], pad_value=2.0)
        Z = [13.]
    """
    rows, others = _padded_pair(X, Y, pad_value, replicate)
    return _sum(rows * others)


def _padded_pair(X: Any, Y: Any, pad_value: float, replicate: bool) -> tuple[Any, Any]:
    require_shape(
        X.ndim == Y.ndim and X.shape[:1] == Y.shape[:1],
        f"X is {X.shape} but Y is {Y.shape}; both must have as many rows and as many dimensions",
    )
    rows, others = _row_vectors(X), _row_vectors(Y)
    length = max(rows.shape[1], others.shape[1])
    if replicate:
        shorter = min(rows.shape[1], others.shape[1])
        length -= length % shorter if shorter else 0

    def fitted(values: Any) -> Any:
        have = values.shape[1]
        if have >= length:
            return values[:, :length]
        if replicate:
            return jnp.tile(values, (1, length // have))
        return jnp.pad(values, ((0, 0), (0, length - have)), constant_values=jnp.asarray(pad_value, values.dtype))

    return fitted(rows), fitted(others)


@dot_product_with_padding.gradient("X, Y, dZ -> dX, dY")
def _(X, Y, dZ, *, pad_value: float = 0.0, replicate: bool = False):
    """Gradient of the padded dot product; a repeated row gathers what flows to all its copies."""
    rows, others = _padded_pair(X, Y, pad_value, replicate)

    def gathered(flow: Any, like: Any) -> Any:
        have = _row_vectors(like).shape[1]
        if have > flow.shape[1]:
            flow = jnp.pad(flow, ((0, 0), (0, have - flow.shape[1])))
        elif replicate:
            flow = jnp.sum(flow.reshape(flow.shape[0], -1, have), axis=1, dtype=flow.dtype)
        return flow[:, :have].reshape(like.shape)

    flow = dZ.reshape(-1, 1)
    return gathered(flow * others, X), gathered(flow * rows, Y)


@dot_product_with_padding.gradient_maker
def _(g):
    """Says the arguments outright, as the original does."""
    return [
        g.define(
            "DotProductWithPaddingGradient",
            [g.I(0), g.I(1), g.GO(0)],
            [g.GI(0), g.GI(1)],
            pad_value=float(g.argument("pad_value", 0.0)),
            replicate=bool(g.argument("replicate", 0)),
        )
    ]
