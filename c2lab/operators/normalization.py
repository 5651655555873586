"""Normalization by channel: over the batch, over neighbouring channels, or by given numbers."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
from jax import lax

from c2lab.errors import BadArgument, SchemaError
from c2lab.operators.axes import product
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
Order = Literal["NCHW", "NHWC"]


def channel_axis(X: Any, order: str) -> int:
    """Where the channels of X stand."""
    require_shape(X.ndim >= 2, f"X is {X.shape}; it must have a batch and a channel dimension")
    return 1 if order == "NCHW" else X.ndim - 1


def along_channels(values: Any, X: Any, axis: int) -> Any:
    """Values (C), shaped so that they meet the channels of X."""
    return values.reshape([X.shape[axis] if d == axis else 1 for d in range(X.ndim)])


def _other_axes(X: Any, axis: int) -> tuple[int, ...]:
    return tuple(d for d in range(X.ndim) if d != axis)


def _require_channels(X: Any, axis: int, **parameters: Any) -> None:
    """Demands one value a channel of each parameter, in the type of X."""
    for name, value in parameters.items():
        if value is not None:
            require_shape(
                tuple(value.shape) == (X.shape[axis],),
                f"X is {X.shape} with {X.shape[axis]} channels, but {name} is {value.shape}; "
                f"{name} must be ({X.shape[axis]},)",
            )
            require_same_type(X, value)


@operator(
    "SpatialBN",
    outputs="Y, mean?, var?, saved_mean?, saved_var?",
    inplace="X -> Y, sums -> saved_mean, sumsq -> saved_var, mean => mean, var => var",
    input_counts=(5, 7),
    output_counts=(1, 5),
    types={"X": FLOATS},
)
def spatial_bn(
    X,
    scale,
    bias,
    mean,
    var,
    sums=None,
    sumsq=None,
    *,
    num_outputs: int,
    is_test: bool = False,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    order: Order = "NCHW",
    num_batches: int = 1,
):
    """Batch normalization: every channel to mean zero and variance one, then scaled and shifted.

    ``Y = scale * (X - m) / sqrt(v + epsilon) + bias``, where m and v are those of the batch while training
    (``running = momentum * running + (1 - momentum) * batch``, with the unbiased variance), and the running
    ones while testing.

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C).
        scale: (C).
        bias: (C).
        mean: (C) the running mean.
        var: (C) the running variance.
        sums: (C) sums over ``num_batches`` batches, as ChannelStats makes them.
        sumsq: (C) sums of squares over these batches.
    Args:
        is_test: Whether to use the running mean and variance.
        epsilon: Keeps the division away from zero.
        momentum: How much of the running mean and variance is kept.
        order: Where the channels stand.
        num_batches: How many batches sums and sumsq cover.
    Outputs:
        Y: Same shape and type as X. The only output of a test run.
        mean: The running mean, in place.
        var: The running variance, in place.
        saved_mean: (C) the mean of the batch.
        saved_var: (C) ``1 / sqrt(v + epsilon)`` of the batch.
    Example:
        >>> run("SpatialBN", X=[[1.0], [3.0]], scale=[2.0], bias=[1.0], mean=[1.0], var=[4.0], is_test=1, epsilon=0.0)
        Y = [[1.] [3.]]
    Source:
        Ioffe and Szegedy, "Batch normalization", 2015.
    """
    axis = channel_axis(X, order)
    _require_channels(X, axis, scale=scale, bias=bias, mean=mean, var=var, sums=sums, sumsq=sumsq)
    if num_outputs != (1 if is_test else 5):
        raise SchemaError(
            f"SpatialBN has {num_outputs} outputs; it must have 1 while testing (is_test=1) and 5 while training"
        )
    if is_test:
        return _normalized(X, scale, bias, mean, lax.rsqrt(var + jnp.asarray(epsilon, X.dtype)), axis)
    if (num_batches > 1) != (sums is not None):
        raise SchemaError(
            f"num_batches is {num_batches}; sums and sumsq must be given where, and only where, it is > 1"
        )
    count = product(X.shape) // X.shape[axis] if X.shape[axis] != 0 else 0
    if count == 0:
        return X, mean, var, jnp.zeros_like(mean), jnp.zeros_like(var)
    total = jnp.asarray(count * num_batches, X.dtype)
    if sums is None:
        batch_mean = jnp.mean(X, axis=_other_axes(X, axis))
        centred = X - along_channels(batch_mean, X, axis)
        batch_var = jnp.mean(centred * centred, axis=_other_axes(X, axis))
    else:
        batch_mean = sums / total
        batch_var = sumsq / total - batch_mean * batch_mean
    inverse = lax.rsqrt(batch_var + jnp.asarray(epsilon, X.dtype))
    unbiased = batch_var * (total / (total - 1))
    kept = jnp.asarray(momentum, X.dtype)
    return (
        _normalized(X, scale, bias, batch_mean, inverse, axis),
        kept * mean + (1 - kept) * batch_mean,
        kept * var + (1 - kept) * unbiased,
        batch_mean,
        inverse,
    )


def _normalized(X: Any, scale: Any, bias: Any, mean: Any, inverse: Any, axis: int) -> Any:
    factor = scale * inverse
    return X * along_channels(factor, X, axis) + along_channels(bias - mean * factor, X, axis)


@spatial_bn.gradient(
    "X, scale, dY, mean, inv_std, scale_sum?, bias_sum? -> dX, dscale, dbias",
    inplace=[(5, 1), (6, 2)],
    input_counts=(5, 7),
    types={"X": FLOATS},
)
def _(
    X,
    scale,
    dY,
    mean,
    inv_std,
    scale_sum=None,
    bias_sum=None,
    *,
    epsilon: float = 1e-5,
    order: Order = "NCHW",
    num_batches: int = 1,
):
    """The gradient through the batch's statistics (a test net passes its variance as inv_std, as in the original)."""
    axis = channel_axis(X, order)
    _require_channels(X, axis, scale=scale, mean=mean, inv_std=inv_std)
    others = _other_axes(X, axis)
    normal = (X - along_channels(mean, X, axis)) * along_channels(inv_std, X, axis)
    if product(X.shape) == 0:
        return X, jnp.zeros_like(scale), jnp.zeros_like(scale)
    if scale_sum is None:
        dscale, dbias = jnp.sum(dY * normal, axis=others), jnp.sum(dY, axis=others)
    else:
        dscale, dbias = scale_sum / num_batches, bias_sum / num_batches
    count = jnp.asarray(product(X.shape) // X.shape[axis], X.dtype)
    pulled = dY - along_channels(dbias / count, X, axis) - normal * along_channels(dscale / count, X, axis)
    return along_channels(scale * inv_std, X, axis) * pulled, dscale, dbias


@spatial_bn.gradient_maker
def _(g):
    targets = [g.GI(0), g.GI(1), g.GI(2)]
    if g.argument("is_test", 0) or len(g.op.output) == 1:
        sources = [g.I(0), g.I(1), g.GO(0), g.I(3), g.I(4)]
    else:
        sources = [g.I(0), g.I(1), g.GO(0), g.O(3), g.O(4)]
        if g.argument("num_batches", 1) > 1:
            sources += targets[1:]
    return [g.define("SpatialBNGradient", sources, targets)]


@operator("LRN", outputs="Y, Y_scale?", gradient="X, Y, dY -> dX", types={"X": FLOATS})
def lrn(X, *, size: int, alpha: float, beta: float, bias: float = 1.0, order: Order = "NCHW"):
    """Local response normalization: every value is damped by its neighbours in other channels.

    ``Y[c] = X[c] / Y_scale[c] ** beta`` with
    ``Y_scale[c] = bias + alpha / size * sum of X[k] ** 2`` over the ``size`` channels around c.

    Inputs:
        X: (N, C, H, W) or, with NHWC, (N, H, W, C).
    Args:
        size: How many channels count together; odd.
        alpha: Weight of the squares.
        beta: The power.
        bias: Keeps the divisor away from zero.
        order: Where the channels stand.
    Outputs:
        Y: Same shape and type as X.
        Y_scale: What is raised to the power.
    Example:
        >>> run("LRN", X=[[[[2.0]]]], size=1, alpha=2.0, beta=0.5, bias=1.0)
        Y = [[[[0.6666667]]]]
    Source:
        Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012.
    """
    if size < 1 or size % 2 == 0:
        raise BadArgument(f"size is {size}; it must be odd and positive, to have a channel in the middle")
    require_shape(X.ndim == 4, f"X is {X.shape}; it must have four dimensions, {order}")
    axis = channel_axis(X, order)
    window = tuple(size if d == axis else 1 for d in range(X.ndim))
    half = (size - 1) // 2
    padding = tuple((half, half) if d == axis else (0, 0) for d in range(X.ndim))
    squares = lax.reduce_window(X * X, X.dtype.type(0), lax.add, window, (1,) * X.ndim, padding)
    divisor = jnp.asarray(bias, X.dtype) + jnp.asarray(alpha / size, X.dtype) * squares
    return X * divisor ** jnp.asarray(-beta, X.dtype), divisor


@operator("AffineChannel", inplace="X -> Y", types={"X": FLOATS})
def affine_channel(X, scale, bias, *, order: Order = "NCHW", is_learnable: bool = False):
    """Each channel times a factor, plus a summand: a batch normalization with its numbers folded in.

    ``Y = scale * X + bias``

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C).
        scale: (C).
        bias: (C).
    Args:
        order: Where the channels stand.
        is_learnable: Whether scale and bias get gradients too.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("AffineChannel", X=[[1.0, 2.0]], scale=[2.0, 3.0], bias=[0.0, 1.0])
        Y = [[2. 7.]]
    """
    axis = channel_axis(X, order)
    _require_channels(X, axis, scale=scale, bias=bias)
    return X * along_channels(scale, X, axis) + along_channels(bias, X, axis)


@affine_channel.gradient(
    "dY, X?, scale -> dX, dscale?, dbias?", inplace="dY -> dX", output_counts=(1, 3), types={"dY": FLOATS}
)
def _(dY, X, scale, *, num_outputs: int, order: Order = "NCHW"):
    """dY times scale; with is_learnable also the sums that make the gradients of scale and bias."""
    axis = channel_axis(dY, order)
    _require_channels(dY, axis, scale=scale)
    dX = dY * along_channels(scale, dY, axis)
    if num_outputs == 1:
        return dX
    if X is None:
        raise SchemaError("AffineChannelGradient needs X, as its second input, to make the gradients of scale and bias")
    others = _other_axes(dY, axis)
    return dX, jnp.sum(dY * X, axis=others), jnp.sum(dY, axis=others)


@affine_channel.gradient_maker
def _(g):
    if g.argument("is_learnable", 0):
        return [g.define("AffineChannelGradient", [g.GO(0), g.I(0), g.I(1)], [g.GI(0), g.GI(1), g.GI(2)])]
    return [g.define("AffineChannelGradient", [g.GO(0), g.I(1)], [g.GI(0)])]
