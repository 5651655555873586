"""Elementwise: functions of one tensor, value by value: signs, scales, edges, rounding, what is no number."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.definition import operator

FLOAT = {"X": "float32"}
NUMBERS = {"X": "int32 int64 float32 float64"}


@operator("Abs", types=FLOAT)
def absolute(X):
    """Absolute value; its gradient at zero is zero.

    ``Y = |X|``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Abs", X=[-1.5, 0.0, 2.0])
        Y = [1.5 0.  2. ]
    """
    return jnp.abs(X)


@absolute.gradient("X, dY -> dX")
def _(X, dY):
    """The gradient with X's sign, zero at zero."""
    return dY * jnp.sign(X)


@operator("Negative", inplace="X -> Y", types=NUMBERS)
def negative(X):
    """The negative.

    ``Y = -X``

    Inputs:
        X: Numbers of any shape.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Negative", X=[1, -2])
        Y = [-1  2]
    """
    return -X


@negative.gradient_maker
def _(g):
    return [g.define("Negative", [g.GO(0)], [g.GI(0)])]


@operator("Sign", gradient="refused", types=NUMBERS)
def sign(X):
    """The sign: -1, 0 or 1.

    Inputs:
        X: Numbers of any shape.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sign", X=[-3.0, 0.0, 0.5])
        Y = [-1.  0.  1.]
    """
    return jnp.sign(X)


@operator("Scale", outputs="Y", inplace="X -> Y", types=FLOAT)
def scale_by(X, *, scale: float = 1.0):
    """Multiplies by a constant.

    ``Y = scale * X``

    Inputs:
        X: Values of any shape, float32.
    Args:
        scale: The factor.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Scale", X=[1.0, 2.0], scale=10.0)
        Y = [10. 20.]
    """
    return X * jnp.asarray(scale, X.dtype)


@scale_by.gradient_maker
def _(g):
    return [g.define("Scale", [g.GO(0)], [g.GI(0)])]


@operator("ScaleBlobs", outputs="*Y", inplace="*", types=FLOAT)
def scale_blobs(*X, scale: float = 1.0):
    """Multiplies each of several tensors by one constant.

    ``Yk = scale * Xk``

    Inputs:
        X: One tensor or more, of any shapes, float32.
    Args:
        scale: The factor.
    Outputs:
        Y: One an input, of the same shape and type.
    Example:
        >>> run("ScaleBlobs", X=([1.0, 2.0],), scale=10.0)
        Y_0 = [10. 20.]
    """
    return tuple(value * jnp.asarray(scale, value.dtype) for value in X)


@operator("Clip", inplace="X -> Y", types=FLOAT)
def clip(X, *, min: float | None = None, max: float | None = None):
    """Cuts what is below ``min`` or above ``max``; its gradient on the edges is zero.

    ``Y = max(min(X, max), min)``

    Inputs:
        X: Values of any shape, float32.
    Args:
        min: The lower edge; none where left out.
        max: The upper edge; none where left out.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Clip", X=[-2.0, 0.5, 2.0], min=-1.0, max=1.0)
        Y = [-1.   0.5  1. ]
    """
    return jnp.maximum(jnp.minimum(X, _edge(X, max, "max")), _edge(X, min, "min"))


def _edge(X: Any, edge: float | None, side: str) -> Any:
    """An edge as a scalar of X's type: the type's own limit where none was given."""
    return jnp.asarray(getattr(jnp.finfo(X.dtype), side) if edge is None else edge, X.dtype)


@clip.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, min: float | None = None, max: float | None = None):
    """Passes the gradient strictly between the edges."""
    return jnp.where((Y > _edge(Y, min, "min")) & (Y < _edge(Y, max, "max")), dY, 0).astype(dY.dtype)


@operator("Floor", inplace="X -> Y", gradient="not implemented", types=FLOAT)
def floor(X):
    """Rounds down.

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Floor", X=[-1.5, 1.5])
        Y = [-2.  1.]
    """
    return jnp.floor(X)


@operator("Ceil", inplace="X -> Y", gradient="not implemented", types=FLOAT)
def ceil(X):
    """Rounds up.

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Ceil", X=[-1.5, 1.5])
        Y = [-1.  2.]
    """
    return jnp.ceil(X)


@operator("Mod", inplace="X -> Y", types={"X": "int32 int64"})
def modulo(X, *, divisor: int = 0, sign_follow_divisor: bool = False):
    """The remainder of a division, with the sign of X or of the divisor.

    ``Y = X - divisor * trunc(X / divisor)``

    Inputs:
        X: Integers of any shape, int32 or int64.
    Args:
        divisor: What to divide by; not zero.
        sign_follow_divisor: Whether the remainder takes the divisor's sign instead of X's.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Mod", X=[-7, 7], divisor=3)
        Y = [-1  1]
    """
    if divisor == 0:
        raise BadArgument("divisor is 0; it must be another integer")
    # Divided as int64, whatever X is: the divisor may be larger than X's type.
    by = jnp.asarray(np.int64(divisor))
    remainder = jax.lax.rem(X.astype(by.dtype), jnp.broadcast_to(by, X.shape))
    if sign_follow_divisor:
        other_side = (remainder != 0) & ((remainder < 0) != (divisor < 0))
        remainder = jnp.where(other_side, remainder + by, remainder)
    return remainder.astype(X.dtype)


@operator("IsNaN", outputs="output", types={"tensor": "float32 float64"})
def is_nan(tensor):
    """1 where a value is not a number, 0 elsewhere.

    Inputs:
        tensor: Values of any shape, float32 or float64.
    Outputs:
        output: Same shape, uint8.
    Example:
        >>> run("IsNaN", tensor=[1.0, float("nan")])
        output = [0 1]
    """
    return jnp.isnan(tensor).astype(jnp.uint8)


@operator("ReplaceNaN", inplace="X -> Y", gradient="refused", types={"X": "float32 float64"})
def replace_nan(X, *, value: float = 0.0):
    """Puts a value where there is none (nan).

    Inputs:
        X: Values of any shape, float32 or float64.
    Args:
        value: What to put.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("ReplaceNaN", X=[1.0, float("nan")], value=7.0)
        Y = [1. 7.]
    """
    return jnp.where(jnp.isnan(X), jnp.asarray(value, X.dtype), X)
