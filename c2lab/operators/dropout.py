"""Dropout: hides values at random while training."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.definition import operator


def _kept_share(ratio: float) -> float:
    if not 0 <= ratio < 1:
        raise BadArgument(f"ratio is {ratio}; it must be at least 0 and below 1")
    return 1.0 - ratio


@operator("Dropout", outputs="Y, mask?", inplace="X -> Y", types={"X": "float32 float64"})
def dropout(X, *, rng, is_test: bool, ratio: float = 0.5):
    """Sets a random share of the values to zero, and scales the others up so that the mean stays.

    While training ``Y = X * mask / (1 - ratio)``; while testing ``Y = X``.

    Inputs:
        X: Values of any shape.
    Args:
        is_test: Whether this is a test run, in which nothing is dropped. Required.
        ratio: The share of values dropped, from 0 to below 1.
    Outputs:
        Y: Same shape and type as X.
        mask: bool, true where a value was kept. A test run does not touch it.
    Example:
        >>> run("Dropout", X=[1.0, 2.0], is_test=1)
        Y = [1. 2.]
    Source:
        Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """
    share = _kept_share(ratio)
    if is_test:
        return X, None
    mask = jax.random.bernoulli(rng, share, X.shape)
    return jnp.where(mask, X / jnp.asarray(share, X.dtype), 0), mask


@dropout.gradient("dY, mask -> dX", type="DropoutGrad", inplace="dY -> dX")
def _(dY, mask=None, *, is_test: bool = False, ratio: float = 0.5):
    """Lets the gradient through where the mask kept the value."""
    share = _kept_share(ratio)
    if is_test or mask is None:
        return dY
    return jnp.where(mask, dY / jnp.asarray(share, dY.dtype), 0)


@dropout.gradient_maker
def _(g):
    wires = [g.GO(0)] if g.argument("is_test", 0) else [g.GO(0), g.O(1)]
    return [g.define("DropoutGrad", wires, [g.GI(0)])]
