"""Losses: one number, or one a row, that says how wrong a prediction is."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
SMALLEST = 1e-20  # a probability below this counts as this, so that its logarithm stays finite


def _label_hits(X: Any, label: Any) -> Any:
    """The label of each row as a mask (N, D)."""
    require_shape(
        X.ndim == 2 and product(label.shape) == X.shape[0] and label.ndim in (1, 2),
        f"X is {X.shape} and label is {label.shape}; X must be (N, D) and label (N) or (N, 1)",
    )
    classes = X.shape[1]
    flat = label.reshape(X.shape[0], 1)
    require(
        (flat >= 0) & (flat < classes),
        f"Label seems incorrect: label holds a label outside 0 to {classes} - 1, the columns of X {X.shape}",
    )
    return jnp.arange(classes, dtype=jnp.int32) == flat


@operator("LabelCrossEntropy", types={"X": FLOATS, "label": "int32"})
def label_cross_entropy(X, label):
    """The cross entropy of each row of probabilities with its label.

    ``Y[i] = -log(max(X[i, label[i]], 1e-20))``

    Inputs:
        X: Probabilities (N, D), as Softmax makes them.
        label: int32 (N) or (N, 1), class numbers from 0 to D - 1.
    Outputs:
        Y: (N) a loss a row.
    Example:
        >>> run("LabelCrossEntropy", X=[[0.5, 0.5], [0.25, 0.75]], label=[1, 0])
        Y = [0.6931472 1.3862944]
    """
    own = jnp.sum(jnp.where(_label_hits(X, label), X, 0), axis=1)
    return -jnp.log(jnp.maximum(own, SMALLEST))


@label_cross_entropy.gradient("X, label, dY -> dX", types={"X": FLOATS, "label": "int32"})
def _(X, label, dY):
    """Minus dY over the probability at the label, zero elsewhere."""
    return jnp.where(_label_hits(X, label), -dY.reshape(-1, 1) / jnp.maximum(X, SMALLEST), 0)


@operator("AveragedLoss", outputs="output", gradient="input, doutput -> dinput", types={"input": FLOATS})
def averaged_loss(input):
    """The mean of all values, as one number to be minimised.

    Inputs:
        input: Losses of any shape.
    Outputs:
        output: Their mean (no dimensions); 0 where there are none.
    Example:
        >>> run("AveragedLoss", input=[1.0, 2.0, 6.0])
        output = 3.0
    """
    count = product(input.shape)
    return jnp.sum(input) / jnp.maximum(jnp.asarray(count, input.dtype), 1)
