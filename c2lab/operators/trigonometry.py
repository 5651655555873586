"""Trigonometry: circular and hyperbolic functions, value by value."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.definition import operator

FLOAT = {"X": "float32"}


@operator("Sin", gradient="X, dY -> dX", types=FLOAT)
def sine(X):
    """Sine of an angle in radians.

    ``Y = sin(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sin", X=[0.0, 1.0])
        Y = [0.         0.84147...]
    """
    return jnp.sin(X)


@operator("Cos", gradient="X, dY -> dX", types=FLOAT)
def cosine(X):
    """Cosine of an angle in radians.

    ``Y = cos(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Cos", X=[0.0, 1.0])
        Y = [1.        0.54030...]
    """
    return jnp.cos(X)


@operator("Tan", gradient="X, dY -> dX", types=FLOAT)
def tangent(X):
    """Tangent of an angle in radians.

    ``Y = tan(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Tan", X=[0.0, 1.0])
        Y = [0.        1.55740...]
    """
    return jnp.tan(X)


@operator("Asin", gradient="X, dY -> dX", types=FLOAT)
def arc_sine(X):
    """Angle in radians whose sine is given; nan outside -1 to 1.

    ``Y = asin(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Asin", X=[0.0, 1.0])
        Y = [0.        1.57079...]
    """
    return jnp.arcsin(X)


@operator("Acos", gradient="X, dY -> dX", types=FLOAT)
def arc_cosine(X):
    """Angle in radians whose cosine is given; nan outside -1 to 1.

    ``Y = acos(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Acos", X=[0.0, 1.0])
        Y = [1.57079... 0.       ]
    """
    return jnp.arccos(X)


@operator("Atan", gradient="X, dY -> dX", types=FLOAT)
def arc_tangent(X):
    """Angle in radians whose tangent is given.

    ``Y = atan(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Atan", X=[0.0, 1.0])
        Y = [0.        0.78539...]
    """
    return jnp.arctan(X)


@operator("Sinh", gradient="dY, X -> dX", types=FLOAT)
def hyperbolic_sine(X):
    """Hyperbolic sine.

    ``Y = (e**X - e**-X) / 2``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sinh", X=[0.0, 1.0])
        Y = [0.        1.17520...]
    """
    return jnp.sinh(X)


@operator("Cosh", gradient="dY, X -> dX", types=FLOAT)
def hyperbolic_cosine(X):
    """Hyperbolic cosine.

    ``Y = (e**X + e**-X) / 2``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Cosh", X=[0.0, 1.0])
        Y = [1.        1.54308...]
    """
    return jnp.cosh(X)
