"""Reductions: many values into one, along dimensions or over everything."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator

FLOAT = {"X": "float32"}
NUMBERS = {"X": "int32 int64 float32 float64"}
Axes = tuple[int, ...]


def reduced_axes(axes: Axes, rank: int) -> Axes:
    """The dimensions to reduce, counted from the front: all of them where none are named.

    Example:
        >>> reduced_axes((-1, 0), 3)
        (0, 2)
    """
    found = sorted(canonical_axis(axis, rank) for axis in axes) if axes else list(range(rank))
    if len(set(found)) < len(found):
        raise BadArgument(f"axes are {axes}; each dimension may be named once")
    return tuple(found)


def _spread(reduced: Any, X: Any, axes: Axes) -> Any:
    """A reduced value back in X's rank, so that it broadcasts along X."""
    dropped = reduced_axes(axes, X.ndim)
    return reduced.reshape([1 if axis in dropped else size for axis, size in enumerate(X.shape)])


def _count(X: Any, axes: Axes) -> Any:
    """How many values become one: 1 of none, so that the mean of nothing is 0."""
    count = product([X.shape[axis] for axis in reduced_axes(axes, X.ndim)])
    return jnp.asarray(1 if count == 0 else count, X.dtype)


@operator("ReduceSum", types=NUMBERS)
def reduce_sum(X, *, axes: Axes = (), keepdims: bool = True):
    """Sum along dimensions.

    Inputs:
        X: Numbers of any shape.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceSum", X=[[1.0, 2.0], [3.0, 4.0]], axes=[0], keepdims=0)
        Y = [4. 6.]
    """
    return jnp.sum(X, axis=reduced_axes(axes, X.ndim), keepdims=keepdims, dtype=X.dtype)


@reduce_sum.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """The gradient to every value that went into the sum."""
    return jnp.broadcast_to(_spread(dY, X, axes), X.shape)


@operator("ReduceMean", types=FLOAT)
def reduce_mean(X, *, axes: Axes = (), keepdims: bool = True):
    """Mean along dimensions; 0 of no values.

    Inputs:
        X: Values of any shape, float32.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceMean", X=[[1.0, 2.0], [3.0, 4.0]], axes=[1], keepdims=0)
        Y = [1.5 3.5]
    """
    return jnp.sum(X, axis=reduced_axes(axes, X.ndim), keepdims=keepdims) / _count(X, axes)


@reduce_mean.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """An equal share of the gradient to every value that went into the mean."""
    return jnp.broadcast_to(_spread(dY, X, axes), X.shape) / _count(X, axes)


@operator("ReduceMax", types=NUMBERS)
def reduce_max(X, *, axes: Axes = (), keepdims: bool = True):
    """Largest value along dimensions.

    Inputs:
        X: Numbers of any shape.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceMax", X=[[1.0, 5.0], [3.0, 4.0]], axes=[0], keepdims=0)
        Y = [3. 5.]
    """
    return jnp.max(X, axis=_filled_axes(X, axes), keepdims=keepdims)


@operator("ReduceMin", types=NUMBERS)
def reduce_min(X, *, axes: Axes = (), keepdims: bool = True):
    """Smallest value along dimensions.

    Inputs:
        X: Numbers of any shape.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceMin", X=[[1.0, 5.0], [3.0, 4.0]], axes=[0], keepdims=0)
        Y = [1. 4.]
    """
    return jnp.min(X, axis=_filled_axes(X, axes), keepdims=keepdims)


def _filled_axes(X: Any, axes: Axes) -> Axes:
    """``reduced_axes`` of an operator that has no answer for no values."""
    found = reduced_axes(axes, X.ndim)
    require_shape(
        all(X.shape[axis] != 0 for axis in found), f"X is {X.shape}; there is no extreme of the 0 values along {found}"
    )
    return found


def _at_extreme(dY: Any, X: Any, Y: Any, axes: Axes) -> Any:
    return jnp.where(X == _spread(Y, X, axes), _spread(dY, X, axes), 0).astype(dY.dtype)


@reduce_max.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """The whole gradient to every value that is the largest, ties included."""
    return _at_extreme(dY, X, Y, axes)


@reduce_min.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """The whole gradient to every value that is the smallest, ties included."""
    return _at_extreme(dY, X, Y, axes)


@operator("ReduceL1", types=FLOAT)
def reduce_l1(X, *, axes: Axes = (), keepdims: bool = True):
    """Sum of absolute values along dimensions.

    ``Y = sum |X|``

    Inputs:
        X: Values of any shape, float32.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceL1", X=[[1.0, -2.0], [-3.0, 4.0]], axes=[1], keepdims=0)
        Y = [3. 7.]
    """
    return jnp.sum(jnp.abs(X), axis=reduced_axes(axes, X.ndim), keepdims=keepdims)


@reduce_l1.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """The gradient with the sign of each value, zero at zero."""
    return _spread(dY, X, axes) * jnp.sign(X)


@operator("ReduceL2", types=FLOAT)
def reduce_l2(X, *, axes: Axes = (), keepdims: bool = True):
    """Length (Euclidean norm) along dimensions.

    ``Y = sqrt(sum X ** 2)``

    Inputs:
        X: Values of any shape, float32.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        Y: The reduced shape, X's type.
    Example:
        >>> run("ReduceL2", X=[[3.0, 4.0], [6.0, 8.0]], axes=[1], keepdims=0)
        Y = [ 5. 10.]
    """
    return jnp.sqrt(jnp.sum(X * X, axis=reduced_axes(axes, X.ndim), keepdims=keepdims))


@reduce_l2.gradient("dY, X, Y -> dX")
def _(dY, X, Y, *, axes: Axes = ()):
    """``dY * X / Y``, zero where the length is zero."""
    length = _spread(Y, X, axes)
    return jnp.where(length > 0, _spread(dY, X, axes) * X / jnp.where(length > 0, length, 1), 0).astype(dY.dtype)


@operator("Moments", outputs="mean, variance", types=FLOAT)
def moments(X, *, axes: Axes = (), keepdims: bool = True):
    """Mean and variance along dimensions.

    ``variance = mean of (X - mean) ** 2``, over all values and not over one less.

    Inputs:
        X: Values of any shape, float32.
    Args:
        axes: The dimensions to reduce; all where left out.
        keepdims: Whether they stay, with size 1.
    Outputs:
        mean: The reduced shape, X's type.
        variance: The same.
    Example:
        >>> run("Moments", X=[[1.0, 3.0], [2.0, 6.0]], axes=[1], keepdims=0)
        mean = [2. 4.]
        variance = [1. 4.]
    """
    found = reduced_axes(axes, X.ndim)
    return jnp.mean(X, axis=found, keepdims=keepdims), jnp.var(X, axis=found, keepdims=keepdims)


@moments.gradient("dmean, dvariance, X, mean -> dX")
def _(dmean, dvariance, X, mean, *, axes: Axes = ()):
    """``(dmean + 2 * (X - mean) * dvariance) / count``."""
    centred = X - _spread(mean, X, axes)
    return (_spread(dmean, X, axes) + 2 * centred * _spread(dvariance, X, axes)) / _count(X, axes)


@operator("SumElements", outputs="sum", types=FLOAT)
def sum_elements(X, *, average: bool = False):
    """Sum, or mean, of all values.

    Inputs:
        X: Values of any shape, float32.
    Args:
        average: Whether to divide by their number.
    Outputs:
        sum: One value, 0-d, X's type.
    Example:
        >>> run("SumElements", X=[1.0, 2.0, 6.0], average=1)
        sum = 3.0
    """
    return _shared(jnp.sum(X), X, average)


def _shared(total: Any, X: Any, average: bool) -> Any:
    return total / _count(X, ()) if average else total


@sum_elements.gradient("X, dsum -> dX")
def _(X, dsum, *, average: bool = False):
    """The gradient, or an equal share of it, to every value."""
    return jnp.broadcast_to(_shared(dsum, X, average).reshape((1,) * X.ndim), X.shape)


@operator("SumElementsInt", outputs="sum", gradient="refused", types={"X": "int32"})
def sum_elements_int(X):
    """Sum of all values of an int32 tensor.

    Inputs:
        X: Integers of any shape, int32.
    Outputs:
        sum: One value, 0-d, int32.
    Example:
        >>> run("SumElementsInt", X=[1, 2, 6])
        sum = 9
    """
    return jnp.sum(X, dtype=X.dtype)


@operator("SumSqrElements", outputs="sum", types=FLOAT)
def sum_sqr_elements(X, *, average: bool = False):
    """Sum, or mean, of the squares of all values.

    Inputs:
        X: Values of any shape, float32.
    Args:
        average: Whether to divide by their number.
    Outputs:
        sum: One value, 0-d, X's type.
    Example:
        >>> run("SumSqrElements", X=[1.0, 2.0, 3.0])
        sum = 14.0
    """
    return _shared(jnp.sum(X * X), X, average)


@operator("LpNorm", outputs="Z", types=FLOAT)
def lp_norm(X, *, p: int = 2, average: bool = False):
    """Sum of absolute values, or of squares (no root is taken), of all values.

    ``Z = sum |X| ** p``

    Inputs:
        X: Values of any shape, float32.
    Args:
        p: 1 or 2.
        average: Whether to divide by the number of values.
    Outputs:
        Z: One value (1,), X's type.
    Example:
        >>> run("LpNorm", X=[3.0, -4.0], p=2)
        Z = [25.]
    """
    _require_p(p)
    return _shared(jnp.sum(jnp.abs(X) if p == 1 else X * X), X, average).reshape(1)


def _require_p(p: int) -> None:
    if p not in (1, 2):
        raise BadArgument(f"p is {p}; it must be 1 or 2")


@lp_norm.gradient("X, dZ -> dX")
def _(X, dZ, *, p: int = 2, average: bool = False):
    """``sign(X) * dZ`` for p = 1 and ``2 * X * dZ`` for p = 2."""
    _require_p(p)
    return (jnp.sign(X) if p == 1 else 2 * X) * _shared(dZ, X, average).reshape((1,) * X.ndim)


@operator("RowwiseMax", types=FLOAT)
def rowwise_max(X):
    """The largest value of each row of each matrix.

    ``Y[b, m] = max over n of X[b, m, n]``

    Inputs:
        X: Matrices (B, M, N), float32.
    Outputs:
        Y: (B, M), X's type.
    Example:
        >>> run("RowwiseMax", X=[[[1.0, 5.0], [3.0, 4.0]]])
        Y = [[5. 4.]]
    """
    _require_matrices(X)
    return jnp.max(X, axis=2)


@operator("ColwiseMax", types=FLOAT)
def colwise_max(X):
    """The largest value of each column of each matrix.

    ``Y[b, n] = max over m of X[b, m, n]``

    Inputs:
        X: Matrices (B, M, N), float32.
    Outputs:
        Y: (B, N), X's type.
    Example:
        >>> run("ColwiseMax", X=[[[1.0, 5.0], [3.0, 4.0]]])
        Y = [[3. 5.]]
    """
    _require_matrices(X)
    return jnp.max(X, axis=1)


def _require_matrices(X: Any) -> None:
    require_shape(X.ndim == 3, f"X is {X.shape}; it must have 3 dimensions (B, M, N)")


@rowwise_max.gradient("X, Y, dY -> dX")
def _(X, Y, dY):
    """The whole gradient to every value that is its row's largest, ties included."""
    return _at_extreme(dY, X, Y, (2,))


@colwise_max.gradient("X, Y, dY -> dX")
def _(X, Y, dY):
    """The whole gradient to every value that is its column's largest, ties included."""
    return _at_extreme(dY, X, Y, (1,))
