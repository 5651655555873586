"""Channel statistics: sums and means of each channel, as batch normalization needs them."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp

from c2lab.operators.axes import product
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
Order = Literal["NCHW", "NHWC"]


def _count(data: Any, axes: tuple[int, ...]) -> Any:
    return jnp.asarray(product([data.shape[axis] for axis in axes]), data.dtype)


def _channels(X: Any, order: str) -> tuple[int, tuple[int, ...]]:
    """The dimension of the channels, and all others."""
    require_shape(X.ndim >= 2, f"X is {X.shape}; it must have a batch and a channel dimension")
    axis = 1 if order == "NCHW" else X.ndim - 1
    return axis, tuple(d for d in range(X.ndim) if d != axis)


def _along(values: Any, X: Any, axis: int) -> Any:
    return values.reshape([X.shape[axis] if d == axis else 1 for d in range(X.ndim)])


@operator("BatchMoments", outputs="mu, var", types={"X": FLOATS})
def batch_moments(X, *, order: Order = "NCHW"):
    """Mean and mean square of each channel.

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C).
    Args:
        order: Where the channels stand.
    Outputs:
        mu: (C) the means.
        var: (C) the means of the squares.
    Example:
        >>> run("BatchMoments", X=[[1.0], [3.0]])
        mu = [2.]
        var = [5.]
    """
    _, others = _channels(X, order)
    count = _count(X, others)
    return jnp.sum(X, axis=others) / count, jnp.sum(X * X, axis=others) / count


@batch_moments.gradient("dmu, dvar, X -> dX", types={"X": FLOATS})
def _(dmu, dvar, X, *, order: Order = "NCHW"):
    """A share of dmu, and of dvar in proportion to X."""
    axis, others = _channels(X, order)
    return (_along(dmu, X, axis) + 2 * X * _along(dvar, X, axis)) / _count(X, others)


@operator("ChannelStats", outputs="sum, sumsq", gradient="refused", types={"X": FLOATS})
def channel_stats(X, *, order: Order = "NCHW"):
    """Sum and sum of squares of each channel, to be added up over several batches for SpatialBN.

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C).
    Args:
        order: Where the channels stand.
    Outputs:
        sum: (C).
        sumsq: (C).
    Example:
        >>> run("ChannelStats", X=[[1.0], [3.0]])
        sum = [4.]
        sumsq = [10.]
    """
    _, others = _channels(X, order)
    return jnp.sum(X, axis=others), jnp.sum(X * X, axis=others)


@operator("ChannelBackpropStats", outputs="scale_grad, bias_grad", gradient="refused", types={"X": FLOATS})
def channel_backprop_stats(X, mean, inv_std, output_grad):
    """The gradients of scale and bias of one batch, to be added up over several batches for SpatialBN.

    ``scale_grad = sum(output_grad * (X - mean) * inv_std)`` and ``bias_grad = sum(output_grad)``, each channel.

    Inputs:
        X: (N, C, ...).
        mean: (C) the mean over all batches.
        inv_std: (C) the reciprocal standard deviation over all batches.
        output_grad: Shaped like X.
    Outputs:
        scale_grad: (C).
        bias_grad: (C).
    Example:
        >>> run("ChannelBackpropStats", X=[[1.0], [3.0]], mean=[2.0], inv_std=[1.0], output_grad=[[1.0], [2.0]])
        scale_grad = [1.]
        bias_grad = [3.]
    """
    require_same_type(X, mean, inv_std, output_grad)
    axis, others = _channels(X, "NCHW")
    require_shape(
        X.shape == output_grad.shape and tuple(mean.shape) == tuple(inv_std.shape) == (X.shape[axis],),
        f"X is {X.shape}, output_grad {output_grad.shape}, mean {mean.shape} and inv_std {inv_std.shape}; "
        f"output_grad must be shaped like X, mean and inv_std ({X.shape[axis]},)",
    )
    normal = (X - _along(mean, X, axis)) * _along(inv_std, X, axis)
    return jnp.sum(output_grad * normal, axis=others), jnp.sum(output_grad, axis=others)
