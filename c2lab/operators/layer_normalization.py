"""Normalization of each sample on its own: over its values, its channels or groups of channels."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
from jax import lax

from c2lab.errors import BadArgument, SchemaError
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
Order = Literal["NCHW", "NHWC"]


def _moments(X: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and (biased) variance over ``axes``, which stay with size one; zero where there is nothing to average."""
    count = jnp.asarray(max(1, product([X.shape[axis] for axis in axes])), X.dtype)
    mean = jnp.sum(X, axis=axes, keepdims=True) / count
    return mean, jnp.sum(jnp.square(X - mean), axis=axes, keepdims=True) / count


def _pulled_back(slope: Any, normal: Any, inverse: Any, axes: tuple[int, ...]) -> Any:
    """The gradient through a normalization: ``slope`` is that of the normalized values ``normal``."""
    count = jnp.asarray(max(1, product([slope.shape[axis] for axis in axes])), slope.dtype)
    mean = jnp.sum(slope, axis=axes, keepdims=True) / count
    projection = jnp.sum(slope * normal, axis=axes, keepdims=True) / count
    return inverse * (slope - mean - normal * projection)


def _rows(X: Any, axis: int) -> tuple[int, tuple[int, ...]]:
    cut = canonical_axis(axis, X.ndim)
    return cut, tuple(range(cut, X.ndim))


def _require_affine(X: Any, cut: int, **parameters: Any) -> None:
    """Demands one value of each parameter for each value of a row."""
    for name, value in parameters.items():
        require_same_type(X, value)
        require_shape(
            product(value.shape) == product(X.shape[cut:]),
            f"X is {X.shape} with rows of {X.shape[cut:]}, but {name} is {value.shape}; {name} must be {X.shape[cut:]}",
        )


@operator("LayerNorm", outputs="output, mean, stddev", input_counts=(1, 3), types={"input": FLOATS})
def layer_norm(input, gamma=None, beta=None, *, axis: int = 1, epsilon: float = 1e-5, elementwise_affine: bool = False):
    """Layer normalization: each row to mean zero and variance one.

    ``output = (X - mean) / stddev`` with ``stddev = sqrt(variance + epsilon)``, then ``gamma * output + beta``
    with ``elementwise_affine``; everything from ``axis`` on is one row.

    Inputs:
        input: At least ``axis + 1`` dimensions.
        gamma: A factor for each value of a row.
        beta: A summand for each value of a row.
    Args:
        axis: Where a row begins.
        epsilon: Keeps the division away from zero.
        elementwise_affine: Whether gamma and beta count.
    Outputs:
        output: Same shape and type as input.
        mean: (..., 1) the mean of each row.
        stddev: (..., 1) the standard deviation of each row.
    Example:
        >>> run("LayerNorm", input=[[1.0, 3.0]], epsilon=0.0)
        output = [[-1.  1.]]
        mean = [[2.]]
        stddev = [[1.]]
    Source:
        Ba, Kiros and Hinton, "Layer normalization", 2016.
    """
    cut, axes = _rows(input, axis)
    if elementwise_affine and gamma is None:
        raise SchemaError("elementwise_affine is set, but gamma and beta are absent; LayerNorm needs three inputs then")
    mean, variance = _moments(input, axes)
    deviation = jnp.sqrt(variance + jnp.asarray(epsilon, input.dtype))
    normal = (input - mean) / deviation
    if elementwise_affine:
        _require_affine(input, cut, gamma=gamma, beta=beta)
        row = input.shape[cut:]
        normal = normal * gamma.reshape(row) + beta.reshape(row)
    outer = (*input.shape[:cut], 1)
    return normal, mean.reshape(outer), deviation.reshape(outer)


@layer_norm.gradient("doutput, output, mean, stddev, input, gamma? -> dinput, dgamma?, dbeta?", output_counts=(1, 3))
def _(
    doutput,
    output,
    mean,
    stddev,
    input,
    gamma=None,
    *,
    num_outputs: int,
    axis: int = 1,
    elementwise_affine: bool = False,
):
    """The gradient through the mean and deviation of each row."""
    cut, axes = _rows(input, axis)
    ones = (*input.shape[:cut], *(1 for _ in axes))
    inverse = 1 / stddev.reshape(ones)
    normal = (input - mean.reshape(ones)) * inverse
    slope = doutput if gamma is None else doutput * gamma.reshape(input.shape[cut:])
    dinput = _pulled_back(slope, normal, inverse, axes)
    if gamma is None:
        return dinput
    outer = tuple(range(cut))
    dgamma = jnp.sum(doutput * normal, axis=outer).reshape(gamma.shape)
    return dinput, dgamma, jnp.sum(doutput, axis=outer).reshape(gamma.shape)


@layer_norm.gradient_maker
def _(g):
    sources = [g.GO(0), g.O(0), g.O(1), g.O(2), g.I(0)]
    if g.argument("elementwise_affine", 0):
        return [g.define("LayerNormGradient", [*sources, g.I(1)], [g.GI(0), g.GI(1), g.GI(2)])]
    return [g.define("LayerNormGradient", sources, [g.GI(0)])]


@operator("RMSNorm", outputs="output, rrms", types={"input": FLOATS})
def rms_norm(input, gamma, beta, *, axis: int = 1, eps: float = 0.0):
    """Normalization of each row by its root mean square, then scaled and shifted.

    ``output = gamma * X * rrms + beta`` with ``rrms = 1 / sqrt(mean(X ** 2) + eps)``.

    Inputs:
        input: At least ``axis + 1`` dimensions; everything from axis on is one row.
        gamma: A factor for each value of a row.
        beta: A summand for each value of a row.
    Args:
        axis: Where a row begins.
        eps: Keeps the division away from zero.
    Outputs:
        output: Same shape and type as input.
        rrms: The reciprocal root mean square of each row.
    Example:
        >>> run("RMSNorm", input=[[3.0, 3.0]], gamma=[1.0, 2.0], beta=[0.0, 0.0])
        output = [[1. 2.]]
        rrms = [0.33333334]
    Source:
        Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """
    cut, axes = _rows(input, axis)
    _require_affine(input, cut, gamma=gamma, beta=beta)
    row, count = input.shape[cut:], jnp.asarray(max(1, product(input.shape[cut:])), input.dtype)
    squares = jnp.sum(input * input, axis=axes, keepdims=True) / count
    inverse = lax.rsqrt(squares + jnp.asarray(eps, input.dtype))
    return input * inverse * gamma.reshape(row) + beta.reshape(row), inverse.reshape(input.shape[:cut])


@rms_norm.gradient("doutput, input, gamma, rrms -> dinput, dgamma, dbeta", types={"input": FLOATS})
def _(doutput, input, gamma, rrms, *, axis: int = 1):
    """The gradient through the root mean square of each row."""
    cut, axes = _rows(input, axis)
    inverse = rrms.reshape(*input.shape[:cut], *(1 for _ in axes))
    normal = input * inverse
    slope = doutput * gamma.reshape(input.shape[cut:])
    count = jnp.asarray(max(1, product(input.shape[cut:])), input.dtype)
    projection = jnp.sum(slope * normal, axis=axes, keepdims=True) / count
    outer = tuple(range(cut))
    dgamma, dbeta = jnp.sum(doutput * normal, axis=outer), jnp.sum(doutput, axis=outer)
    return inverse * (slope - normal * projection), dgamma.reshape(gamma.shape), dbeta.reshape(gamma.shape)


def _grouped(X: Any, group: int, order: str) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """X with channels as (groups, channels a group), the axes of a group, and the shape of a value a channel."""
    require_shape(X.ndim >= 2, f"X is {X.shape}; it must have a batch and a channel dimension")
    axis = 1 if order == "NCHW" else X.ndim - 1
    channels = X.shape[axis]
    if group < 1 or channels % group:
        raise BadArgument(f"X is {X.shape} with {channels} channels; they must be divisible by group, which is {group}")
    parted = X.reshape(*X.shape[:axis], group, channels // group, *X.shape[axis + 1 :])
    channel_shape = tuple(parted.shape[d] if d in (axis, axis + 1) else 1 for d in range(parted.ndim))
    return parted, tuple(d for d in range(1, parted.ndim) if d != axis), channel_shape


def _require_per_channel(X: Any, order: str, **parameters: Any) -> None:
    channels = X.shape[1 if order == "NCHW" else X.ndim - 1]
    for name, value in parameters.items():
        require_same_type(X, value)
        require_shape(
            tuple(value.shape) == (channels,),
            f"X is {X.shape} with {channels} channels, but {name} is {value.shape}; {name} must be ({channels},)",
        )


def _group_normalized(X: Any, gamma: Any, beta: Any, group: int, epsilon: float, order: str) -> tuple[Any, Any, Any]:
    """Y, mean and 1 / standard deviation; the last two are (N, groups)."""
    parted, axes, channel_shape = _grouped(X, group, order)
    mean, variance = _moments(parted, axes)
    inverse = lax.rsqrt(variance + jnp.asarray(epsilon, X.dtype))
    Y = (parted - mean) * inverse * gamma.reshape(channel_shape) + beta.reshape(channel_shape)
    per_group = (X.shape[0], group)
    return Y.reshape(X.shape), mean.reshape(per_group), inverse.reshape(per_group)


def _group_pulled_back(
    dY: Any, X: Any, gamma: Any, mean: Any, inverse: Any, group: int, order: str
) -> tuple[Any, Any, Any]:
    parted, axes, channel_shape = _grouped(X, group, order)
    slope = dY.reshape(parted.shape)
    per_group = tuple(1 if d in axes else size for d, size in enumerate(parted.shape))
    inverse = inverse.reshape(per_group)
    normal = (parted - mean.reshape(per_group)) * inverse
    dX = _pulled_back(slope * gamma.reshape(channel_shape), normal, inverse, axes)
    others = tuple(d for d in range(parted.ndim) if channel_shape[d] == 1 and not _is_channel(d, parted.ndim, order))
    dgamma, dbeta = jnp.sum(slope * normal, axis=others), jnp.sum(slope, axis=others)
    return dX.reshape(X.shape), dgamma.reshape(gamma.shape), dbeta.reshape(gamma.shape)


def _is_channel(axis: int, rank: int, order: str) -> bool:
    return axis in ((1, 2) if order == "NCHW" else (rank - 2, rank - 1))


@operator("GroupNorm", outputs="Y, mean?, std?", output_counts=(1, 3), types={"X": FLOATS})
def group_norm(X, gamma, beta, *, group: int = 32, epsilon: float = 1e-5, order: Order = "NCHW", is_test: bool = False):
    """Group normalization: each group of channels of a sample to mean zero and variance one.

    ``Y = gamma * (X - mean) * std + beta`` with ``std = 1 / sqrt(variance + epsilon)``.

    Inputs:
        X: (N, C, ...) or, with NHWC, (N, ..., C); C divisible by group.
        gamma: (C) a factor for each channel.
        beta: (C) a summand for each channel.
    Args:
        group: The number of groups.
        epsilon: Keeps the division away from zero.
        order: Where the channels stand.
        is_test: Accepted; the result is the same.
    Outputs:
        Y: Same shape and type as X.
        mean: (N, group).
        std: (N, group), the reciprocal standard deviation.
    Example:
        >>> run("GroupNorm", X=[[1.0, 3.0]], gamma=[1.0, 1.0], beta=[0.0, 1.0], group=1, epsilon=0.0)
        Y = [[-1.  2.]]
    Source:
        Wu and He, "Group normalization", 2018.
    """
    _require_per_channel(X, order, gamma=gamma, beta=beta)
    return _group_normalized(X, gamma, beta, group, epsilon, order)


@group_norm.gradient("dY, X, gamma, beta, mu, rsig -> dX, dgamma, dbeta", types={"X": FLOATS})
def _(dY, X, gamma, beta, mu, rsig, *, group: int = 32, order: Order = "NCHW"):
    """The gradient through the mean and deviation of each group."""
    return _group_pulled_back(dY, X, gamma, mu, rsig, group, order)


@group_norm.gradient_maker
def _(g):
    sources = [g.GO(0), g.I(0), g.I(1), g.I(2), g.O(1), g.O(2)]
    return [g.define("GroupNormGradient", sources, [g.GI(0), g.GI(1), g.GI(2)])]


@operator(
    "InstanceNorm",
    outputs="output, saved_mean?, saved_inv_stdev?",
    inplace="input -> output",
    types={"input": FLOATS},
)
def instance_norm(input, scale, bias, *, epsilon: float = 1e-5, order: Order = "NCHW"):
    """Instance normalization: each channel of each sample to mean zero and variance one.

    ``output = scale * (X - mean) / sqrt(variance + epsilon) + bias``.

    Inputs:
        input: (N, C, ...) or, with NHWC, (N, ..., C).
        scale: (C) a factor for each channel.
        bias: (C) a summand for each channel.
    Args:
        epsilon: Keeps the division away from zero.
        order: Where the channels stand.
    Outputs:
        output: Same shape and type as input.
        saved_mean: (N, C).
        saved_inv_stdev: (N, C), ``1 / sqrt(variance + epsilon)``.
    Example:
        >>> run("InstanceNorm", input=[[[1.0, 3.0]]], scale=[1.0], bias=[0.0], epsilon=0.0)
        output = [[[-1.  1.]]]
    Source:
        Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.
    """
    _require_per_channel(input, order, scale=scale, bias=bias)
    return _group_normalized(input, scale, bias, scale.shape[0], epsilon, order)


@instance_norm.gradient(
    "input, scale, bias, doutput, saved_mean, saved_inv_stdev -> dinput, dscale, dbias", types={"input": FLOATS}
)
def _(
    input,
    scale,
    bias,
    doutput,
    saved_mean=None,
    saved_inv_stdev=None,
    *,
    epsilon: float = 1e-5,
    order: Order = "NCHW",
):
    """The gradient through the mean and deviation of each channel, which are computed anew where not given."""
    if saved_mean is None or saved_inv_stdev is None:
        _, mean, inverse = _group_normalized(input, scale, bias, scale.shape[0], epsilon, order)
        saved_mean = mean if saved_mean is None else saved_mean
        saved_inv_stdev = inverse if saved_inv_stdev is None else saved_inv_stdev
    return _group_pulled_back(doutput, input, scale, saved_mean, saved_inv_stdev, scale.shape[0], order)
