"""Convolutions: small filters slid over signals, images and volumes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from c2lab.errors import NotSupported, SchemaError
from c2lab.operators.checks import require_shape
from c2lab.operators.convolution_lowerings import convolve, filter_gradient, input_gradient
from c2lab.operators.definition import Operator, operator
from c2lab.operators.gradients import GradientWriter
from c2lab.operators.windows import (
    LegacyPad,
    Order,
    Placement,
    Window,
    layout,
    per_channel,
    spatial_sizes,
    spelled,
    window,
)

FLOAT = {"X": "float32"}


def convolution_placement(X: Any, filter: Any, window: Window, group: int, order: str) -> Placement:
    """The window over X, once the filter's shape is the one that X and the arguments ask for."""
    if window.global_pooling:
        raise NotSupported("global_pooling has no meaning for a convolution; give a kernel of the input's size")
    require_shape(X.ndim >= 3, f"X is {X.shape}; it must have a batch, a channel and at least one spatial axis")
    axes = layout(order, X.ndim)
    place = window.over(spatial_sizes(X, order))
    channels, made = X.shape[axes[1]], filter.shape[0]
    require_shape(
        channels % group == 0 and made % group == 0,
        f"X has {channels} channels and the filter {made}, which group {group} must divide",
    )
    want = [0] * X.ndim
    for axis, size in zip(axes, (made, channels // group, *place.kernel), strict=True):
        want[axis] = size
    require_shape(
        tuple(filter.shape) == tuple(want),
        f"X is {X.shape} but filter is {filter.shape}; "
        f"with kernel {place.kernel}, group {group} and order {order} filter must be {tuple(want)}",
    )
    return place


def _add_bias(Y: Any, bias: Any, order: str) -> Any:
    if bias is None:
        return Y
    made = Y.shape[layout(order, Y.ndim)[1]]
    require_shape(
        tuple(bias.shape) == (made,), f"bias is {bias.shape}; with {made} output channels it must be ({made},)"
    )
    return Y + per_channel(bias, order, Y.ndim)


def _forward(X: Any, filter: Any, bias: Any, window: Window, group: int, order: str) -> Any:
    place = convolution_placement(X, filter, window, group, order)
    return _add_bias(convolve(X, filter, place, group, order), bias, order)


@operator("Conv", fold=window, types=FLOAT)
def conv(X, filter, bias=None, *, window: Window, group: int = 1, order: Order = "NCHW"):
    """Convolution: every output channel is a filter slid over the input, plus a bias.

    ``Y[n, o, p] = bias[o] + sum over c, k of filter[o, c, k] * X[n, c, p * stride + k * dilation - pad]``

    The output has ``(size + pads - (dilation * (kernel - 1) + 1)) // stride + 1`` places along each axis.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC; one or three spatial axes work as well.
        filter: ``(O, C / group, kernel...)``, or ``(O, kernel..., C / group)`` with order NHWC.
        bias: ``(O,)``; zero where left out.
    Args:
        kernel: Size of the window along both axes.
        kernel_h: Height of the window (with kernel_w).
        kernel_w: Width of the window (with kernel_h).
        kernels: Sizes of the window, one an axis.
        stride: Step of the window along both axes; 1 where left out.
        stride_h: Step downwards.
        stride_w: Step to the right.
        strides: Steps, one an axis.
        dilation: Distance between the filter's taps; 1 where left out.
        dilation_h: Distance of the taps downwards.
        dilation_w: Distance of the taps to the right.
        dilations: Distances, one an axis.
        pad: Zeros put around the input on every side.
        pad_t: Zeros on top (with pad_l, pad_b, pad_r).
        pad_l: Zeros on the left.
        pad_b: Zeros below.
        pad_r: Zeros on the right.
        pads: Zeros before each axis, then after each axis.
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's rounding up.
        global_pooling: For pools; an error here.
        group: The channels are split into this many groups that do not see each other.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: ``(N, O, H', W')``, or ``(N, H', W', O)`` with order NHWC.
    Example:
        >>> run("Conv", X=[[[[1.0, 2.0, 4.0]]]], filter=[[[[-1.0, 1.0]]]], kernel_h=1, kernel_w=2)
        Y = [[[[1. 2.]]]]
    """
    return _forward(X, filter, bias, window, group, order)


@operator("Conv1D", fold=window, types=FLOAT)
def conv_1d(X, filter, bias=None, *, window: Window, group: int = 1, order: Order = "NCHW"):
    """Convolution along one axis: a signal, or a sequence.

    ``Y[n, o, t] = bias[o] + sum over c, k of filter[o, c, k] * X[n, c, t * stride + k * dilation - pad]``

    Inputs:
        X: ``(N, C, T)``, or ``(N, T, C)`` with order NHWC.
        filter: ``(O, C / group, kernel)``, or ``(O, kernel, C / group)`` with order NHWC.
        bias: ``(O,)``; zero where left out.
    Args:
        kernels: Size of the window, a list of one number; the other arguments are those of Conv.
        group: The channels are split into this many groups that do not see each other.
        order: Where the channels stand: NCHW (here N, C, T) or NHWC (N, T, C).
    Outputs:
        Y: ``(N, O, T')``, or ``(N, T', O)`` with order NHWC.
    Example:
        >>> run("Conv1D", X=[[[1.0, 2.0, 4.0]]], filter=[[[1.0, 1.0]]], kernels=[2])
        Y = [[[3. 6.]]]
    """
    return _forward(X, filter, bias, window, group, order)


@operator("Conv2D", fold=window, types=FLOAT)
def conv_2d(X, filter, bias=None, *, window: Window, group: int = 1, order: Order = "NCHW"):
    """Convolution along two axes: an image.

    ``Y[n, o, p] = bias[o] + sum over c, k of filter[o, c, k] * X[n, c, p * stride + k * dilation - pad]``

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
        filter: ``(O, C / group, kernel_h, kernel_w)``, or ``(O, kernel_h, kernel_w, C / group)`` with order NHWC.
        bias: ``(O,)``; zero where left out.
    Args:
        kernel: Size of the window along both axes; the other arguments are those of Conv.
        group: The channels are split into this many groups that do not see each other.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: ``(N, O, H', W')``, or ``(N, H', W', O)`` with order NHWC.
    Example:
        >>> run("Conv2D", X=[[[[1.0, 2.0, 4.0]]]], filter=[[[[3.0]]]], bias=[1.0], kernel=1)
        Y = [[[[ 4.  7. 13.]]]]
    """
    return _forward(X, filter, bias, window, group, order)


@operator("Conv3D", fold=window, types=FLOAT)
def conv_3d(X, filter, bias=None, *, window: Window, group: int = 1, order: Order = "NCHW"):
    """Convolution along three axes: a volume, or a film.

    ``Y[n, o, p] = bias[o] + sum over c, k of filter[o, c, k] * X[n, c, p * stride + k * dilation - pad]``

    Inputs:
        X: ``(N, C, T, H, W)``, or ``(N, T, H, W, C)`` with order NHWC.
        filter: ``(O, C / group, kernels...)``, or ``(O, kernels..., C / group)`` with order NHWC.
        bias: ``(O,)``; zero where left out.
    Args:
        kernels: Sizes of the window, a list of three numbers; the other arguments are those of Conv.
        group: The channels are split into this many groups that do not see each other.
        order: Where the channels stand: NCHW (here N, C, T, H, W) or NHWC (N, T, H, W, C).
    Outputs:
        Y: ``(N, O, T', H', W')``, or ``(N, T', H', W', O)`` with order NHWC.
    Example:
        >>> run("Conv3D", X=[[[[[1.0, 2.0, 4.0]]]]], filter=[[[[[2.0, 1.0]]]]], kernels=[1, 1, 2])
        Y = [[[[[4. 8.]]]]]
    """
    return _forward(X, filter, bias, window, group, order)


@operator("ConvTranspose", fold=window, types=FLOAT)
def conv_transpose(
    X,
    filter,
    bias=None,
    *,
    window: Window,
    adj: int | None = None,
    adj_h: int | None = None,
    adj_w: int | None = None,
    adjs: tuple[int, ...] = (),
    group: int = 1,
    order: Order = "NCHW",
):
    """Transposed convolution: every input value paints a filter into the output.

    It is the gradient of a convolution by its input, and turns a stride into a magnification:
    the output has ``(size - 1) * stride - pads + kernel + adj`` places along each axis.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
        filter: ``(C, O / group, kernel...)``, or ``(C, kernel..., O / group)`` with order NHWC.
        bias: ``(O,)``; zero where left out.
    Args:
        kernel: Size of the filter along both axes; kernel, stride and pad have the spellings of Conv.
        stride: Distance of the painted filters.
        pad: Taken away from the output on every side.
        adj: Places added at the end of both axes; smaller than the stride.
        adj_h: Places added below (with adj_w).
        adj_w: Places added on the right (with adj_h).
        adjs: Places added, one an axis.
        group: The channels are split into this many groups that do not see each other.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: ``(N, O, H', W')``, or ``(N, H', W', O)`` with order NHWC.
    Example:
        >>> run("ConvTranspose", X=[[[[1.0, 5.0]]]], filter=[[[[1.0, 2.0]]]], kernels=[1, 2], strides=[1, 2])
        Y = [[[[ 1.  2.  5. 10.]]]]
    """
    added = spelled("adj", adjs, adj, (adj_h, adj_w), "hw")
    place, painted = transposed_placement(X, filter, window, added, group, order)
    return _add_bias(input_gradient(painted, filter, X, place, group, order), bias, order)


def transposed_placement(
    X: Any, filter: Any, window: Window, added: tuple[int, ...], group: int, order: str
) -> tuple[Placement, jax.ShapeDtypeStruct]:
    """The convolution that a transposed one undoes: its window, and the shape of what it reads, the output."""
    rank = len(window.kernel)
    if any(d != 1 for d in window.dilation) or window.global_pooling:
        raise NotSupported("ConvTranspose takes neither a dilation nor global_pooling")
    if window.legacy_pad not in (LegacyPad.NOTSET, LegacyPad.VALID):
        raise NotSupported(f"ConvTranspose does not take legacy_pad {window.legacy_pad.name}; give pads")
    added = added or (0,) * rank
    require_shape(
        X.ndim == rank + 2 and len(added) == rank,
        f"X is {X.shape}, the kernel {window.kernel} and adj {added}: X needs a batch, a channel and {rank} spatial "
        f"axes, and adj {rank} numbers",
    )
    require_shape(
        all(0 <= a < s for a, s in zip(added, window.stride, strict=True)),
        f"adj is {added} and the stride {window.stride}: adj must be from 0 to below the stride",
    )
    axes = layout(order, X.ndim)
    channels = X.shape[axes[1]]
    filter_axes = [filter.shape[axis] for axis in axes] if filter.ndim == X.ndim else []
    require_shape(
        bool(filter_axes) and filter_axes[0] == channels and tuple(filter_axes[2:]) == window.kernel,
        f"X is {X.shape} but filter is {filter.shape}; filter must have {channels} filters of kernel "
        f"{window.kernel} ({'C, O / group, kernel' if order == 'NCHW' else 'C, kernel, O / group'})",
    )
    require_shape(channels % group == 0, f"X has {channels} channels, which group {group} must divide")
    pads = tuple(zip(window.pads[:rank], window.pads[rank:], strict=True))
    sizes = tuple(
        (size - 1) * step - low - high + kernel + more
        for size, step, (low, high), kernel, more in zip(
            spatial_sizes(X, order), window.stride, pads, window.kernel, added, strict=True
        )
    )
    require_shape(min(sizes) > 0, f"the padding {window.pads} leaves nothing of the output: its sizes would be {sizes}")
    place = Placement(window.kernel, window.stride, window.dilation, pads, spatial_sizes(X, order))
    shape = [0] * X.ndim
    for axis, size in zip(axes, (X.shape[0], filter_axes[1] * group, *sizes), strict=True):
        shape[axis] = size
    return place, jax.ShapeDtypeStruct(tuple(shape), X.dtype)


def _bias_gradient(dY: Any, order: str, no_bias: bool) -> tuple[Any, ...]:
    batch, _, *space = layout(order, dY.ndim)
    return () if no_bias else (jnp.sum(dY, axis=(batch, *space), dtype=dY.dtype),)


def _write_gradient(g: GradientWriter) -> list[Any]:
    """Filter, bias (or ``no_bias``) and, unless ``no_gradient_to_input``, X."""
    biased = len(g.op.input) == 3
    outputs = [g.GI(1), *([g.GI(2)] if biased else [])]
    if not g.argument("no_gradient_to_input", 0):
        outputs.append(g.GI(0))
    arguments = {} if biased else {"no_bias": 1}
    return [g.define(f"{g.op.type}Gradient", [g.I(0), g.I(1), g.GO(0)], outputs, **arguments)]


def _give_gradient(forward: Operator) -> None:
    @forward.gradient("X, filter, dY? -> dfilter, dbias?, dX?")
    def _(
        X,
        filter,
        dY=None,
        *,
        window: Window,
        group: int = 1,
        order: Order = "NCHW",
        no_bias: bool = False,
        num_outputs: int,
    ):
        """Gradients of a convolution by its filter, its bias and its input."""

        if dY is None:
            raise SchemaError("the gradient of a convolution takes X, filter and the gradient of Y; one is missing")
        place = convolution_placement(X, filter, window, group, order)
        dfilter = filter_gradient(X, filter, dY, place, group, order)
        dX = input_gradient(X, filter, dY, place, group, order)
        return (dfilter, *_bias_gradient(dY, order, no_bias), dX)[:num_outputs]

    forward.gradient_maker(_write_gradient)


for _convolution in (conv, conv_1d, conv_2d, conv_3d):
    _give_gradient(_convolution)


@conv_transpose.gradient("X, filter, dY -> dfilter, dbias?, dX?")
def _(
    X,
    filter,
    dY,
    *,
    window: Window,
    adj: int | None = None,
    adj_h: int | None = None,
    adj_w: int | None = None,
    adjs: tuple[int, ...] = (),
    group: int = 1,
    order: Order = "NCHW",
    no_bias: bool = False,
    num_outputs: int,
):
    """Gradients of a transposed convolution by its filter, its bias and its input."""
    added = spelled("adj", adjs, adj, (adj_h, adj_w), "hw")

    place, _ = transposed_placement(X, filter, window, added, group, order)
    dfilter = filter_gradient(dY, filter, X, place, group, order)
    dX = convolve(dY, filter, place, group, order)
    return (dfilter, *_bias_gradient(dY, order, no_bias), dX)[:num_outputs]


conv_transpose.gradient_maker(_write_gradient)
