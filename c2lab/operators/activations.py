"""Activations: elementwise functions that bend what a layer computed."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.definition import operator

FLOATS = "float32 float64"


@operator("Relu", inplace="X -> Y", types={"X": "float32"})
def relu(X):
    """Rectifier: keeps what is positive, makes the rest zero.

    ``Y = max(X, 0)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Relu", X=[-1.0, 0.0, 2.0])
        Y = [0. 0. 2.]
    """
    return jnp.where(X > 0, X, jnp.where(jnp.isnan(X), X, 0)).astype(X.dtype)


@relu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """Passes the gradient where the output is positive (zero at zero)."""
    return jnp.where(Y > 0, dY, 0).astype(dY.dtype)
