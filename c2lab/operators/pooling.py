"""Pooling: windows that keep the largest value, or an average, of what they see."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, NotSupported
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import Operator, operator
from c2lab.operators.windows import Order, Placement, Window, joined, layout, padded, spatial_sizes, views, window

FLOAT = {"X": "float32"}


def _place(X: Any, window: Window, order: str) -> Placement:
    """The window over X, by the stricter rules of pools: no dilation, no window that sees only padding."""
    require_shape(X.ndim >= 3, f"X is {X.shape}; it must have a batch, a channel and at least one spatial axis")
    if any(d != 1 for d in window.dilation):
        raise NotSupported(f"dilation is {window.dilation}; pools have no dilation")
    rank = len(window.kernel)
    if any(pad >= window.kernel[i % rank] for i, pad in enumerate(window.pads)):
        raise BadArgument(
            f"pad is {window.pads} and the kernel {window.kernel}: each pad must be smaller than its kernel"
        )
    return window.over(spatial_sizes(X, order))


def _axes(X: Any, order: str) -> tuple[int, ...]:
    return layout(order, X.ndim)[2:]


# --- maximum -------------------------------------------------------------------------------------


def _max_pool(X: Any, window: Window, order: str) -> Any:
    place = _place(X, window, order)
    if window.global_pooling:
        return jnp.max(X, axis=_axes(X, order), keepdims=True)
    return joined(X, place, order, "max")


def _max_pool_gradient(X: Any, Y: Any, dY: Any, window: Window, order: str) -> Any:
    """The whole gradient to every element that is as large as its window's maximum."""
    place = _place(X, window, order)
    if window.global_pooling:
        return jnp.where(X == Y, dY, jnp.zeros((), dY.dtype))
    none = jnp.zeros((), dY.dtype)
    surrounded = padded(X, place, order, -np.inf)
    if place.kernel == place.stride:
        # The windows are blocks side by side: every element has one maximum to compare with.
        share = jnp.where(_blocks(surrounded, place, order) == _spread(Y, order), _spread(dY, order), none)
        return _transposed(lambda Z: padded(Z, place, order, 0), X, share.reshape(surrounded.shape))
    shares = [jnp.where(view == Y, dY, none) for view in views(surrounded, place, order)]
    return _transposed(lambda Z: views(padded(Z, place, order, 0), place, order), X, shares)


def _blocks(values: Any, place: Placement, order: str) -> Any:
    """Each spatial axis as two: the window, and the place in it."""
    shape = list(values.shape)
    for axis, places, kernel in reversed(list(zip(_axes(values, order), place.output, place.kernel, strict=True))):
        shape[axis : axis + 1] = [places, kernel]
    return values.reshape(shape)


def _spread(values: Any, order: str) -> Any:
    """One value a window, to broadcast against ``_blocks``."""
    return jnp.expand_dims(values, [axis + 1 + i for i, axis in enumerate(_axes(values, order))])


def _transposed(linear: Any, like: Any, flow: Any) -> Any:
    """What flows back through a linear function to an argument of the shape of ``like``."""
    (back,) = jax.linear_transpose(linear, jax.ShapeDtypeStruct(like.shape, like.dtype))(flow)
    return back


@operator("MaxPool", fold=window, types=FLOAT)
def max_pool(X, *, window: Window, order: Order = "NCHW"):
    """Max pooling: every window keeps the largest value that it sees.

    ``Y[n, c, p] = max over k of X[n, c, p * stride + k - pad]``

    Padding never wins.  The gradient goes, whole, to every element that ties for the largest.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC; one or three spatial axes work as well.
    Args:
        kernel: Size of the window along both axes; kernel_h and kernel_w, or kernels with one number an axis.
        stride: Step of the window, in the same spellings; 1 where left out.
        pad: Padding on every side; pad_t, pad_l, pad_b, pad_r, or pads (all beginnings, then all ends).
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("MaxPool", X=[[[[1.0, 5.0, 2.0, 4.0]]]], kernel_h=1, kernel_w=2, stride=2)
        Y = [[[[5. 4.]]]]
    """
    return _max_pool(X, window, order)


@operator("MaxPool1D", fold=window, types=FLOAT)
def max_pool_1d(X, *, window: Window, order: Order = "NCHW"):
    """Max pooling along one axis: every window keeps the largest value that it sees.

    ``Y[n, c, p] = max over k of X[n, c, p * stride + k - pad]``

    Padding never wins.  The gradient goes, whole, to every element that ties for the largest.

    Inputs:
        X: ``(N, C, T)``, or ``(N, T, C)`` with order NHWC.
    Args:
        kernels: Sizes of the window, one an axis.
        strides: Steps of the window, one an axis; 1 where left out.
        pads: Padding: all beginnings, then all ends.
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("MaxPool1D", X=[[[1.0, 5.0, 2.0]]], kernels=[2])
        Y = [[[5. 5.]]]
    """
    return _max_pool(X, window, order)


@operator("MaxPool2D", fold=window, types=FLOAT)
def max_pool_2d(X, *, window: Window, order: Order = "NCHW"):
    """Max pooling along two axes: every window keeps the largest value that it sees.

    ``Y[n, c, p] = max over k of X[n, c, p * stride + k - pad]``

    Padding never wins.  The gradient goes, whole, to every element that ties for the largest.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
    Args:
        kernel: Size of the window along both axes; kernel_h and kernel_w, or kernels with one number an axis.
        stride: Step of the window, in the same spellings; 1 where left out.
        pad: Padding on every side; pad_t, pad_l, pad_b, pad_r, or pads (all beginnings, then all ends).
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("MaxPool2D", X=[[[[1.0, 5.0], [2.0, 4.0]]]], kernel=2)
        Y = [[[[5.]]]]
    """
    return _max_pool(X, window, order)


@operator("MaxPool3D", fold=window, types=FLOAT)
def max_pool_3d(X, *, window: Window, order: Order = "NCHW"):
    """Max pooling along three axes: every window keeps the largest value that it sees.

    ``Y[n, c, p] = max over k of X[n, c, p * stride + k - pad]``

    Padding never wins.  The gradient goes, whole, to every element that ties for the largest.

    Inputs:
        X: ``(N, C, T, H, W)``, or ``(N, T, H, W, C)`` with order NHWC.
    Args:
        kernels: Sizes of the window, one an axis.
        strides: Steps of the window, one an axis; 1 where left out.
        pads: Padding: all beginnings, then all ends.
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("MaxPool3D", X=[[[[[1.0, 5.0, 2.0]]]]], kernels=[1, 1, 2])
        Y = [[[[[5. 5.]]]]]
    """
    return _max_pool(X, window, order)


def _give_max_gradient(forward: Operator) -> None:
    @forward.gradient("X, Y, dY -> dX")
    def _(X, Y, dY, *, window: Window, order: Order = "NCHW"):
        """Gradient of max pooling: whole to every element that ties for the largest of its window."""
        return _max_pool_gradient(X, Y, dY, window, order)


for _pool in (max_pool, max_pool_1d, max_pool_2d, max_pool_3d):
    _give_max_gradient(_pool)


# --- average -------------------------------------------------------------------------------------


def _average_pool(X: Any, window: Window, order: str, count_include_pad: bool) -> Any:
    place = _place(X, window, order)
    if window.global_pooling:
        return jnp.mean(X, axis=_axes(X, order), keepdims=True, dtype=X.dtype)
    total = joined(X, place, order, "sum")
    return total / _divisor(X, place, order, count_include_pad)


def _divisor(X: Any, place: Placement, order: str, count_include_pad: bool) -> np.ndarray:
    """How many elements every window averages over: a constant that broadcasts against the output."""
    if count_include_pad:
        return np.asarray(math.prod(place.kernel), X.dtype)
    count = np.ones((1,) * X.ndim, np.int64)
    for axis, size, kernel, stride, (low, _), places in zip(
        _axes(X, order), spatial_sizes(X, order), place.kernel, place.stride, place.pads, place.output, strict=True
    ):
        begin = np.arange(places) * stride - low
        seen = np.minimum(begin + kernel, size) - np.maximum(begin, 0)
        count = count * seen.reshape([-1 if i == axis else 1 for i in range(X.ndim)])
    return count.astype(X.dtype)


@operator("AveragePool", fold=window, types=FLOAT, gradient="X, Y, dY -> dX")
def average_pool(X, *, window: Window, order: Order = "NCHW", count_include_pad: bool = False):
    """Average pooling: every window gives the mean of what it sees.

    ``Y[n, c, p] = mean over k of X[n, c, p * stride + k - pad]``

    Padding counts neither in the sum nor, unless ``count_include_pad`` is set, in the divisor.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC; one or three spatial axes work as well.
    Args:
        kernel: Size of the window along both axes; kernel_h and kernel_w, or kernels with one number an axis.
        stride: Step of the window, in the same spellings; 1 where left out.
        pad: Padding on every side; pad_t, pad_l, pad_b, pad_r, or pads (all beginnings, then all ends).
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
        count_include_pad: Divide by the whole window, padding included.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("AveragePool", X=[[[[1.0, 5.0, 2.0, 4.0]]]], kernel_h=1, kernel_w=2, stride=2)
        Y = [[[[3. 3.]]]]
    """
    return _average_pool(X, window, order, count_include_pad)


@operator("AveragePool1D", fold=window, types=FLOAT, gradient="X, Y, dY -> dX")
def average_pool_1d(X, *, window: Window, order: Order = "NCHW", count_include_pad: bool = False):
    """Average pooling along one axis: every window gives the mean of what it sees.

    ``Y[n, c, p] = mean over k of X[n, c, p * stride + k - pad]``

    Padding counts neither in the sum nor, unless ``count_include_pad`` is set, in the divisor.

    Inputs:
        X: ``(N, C, T)``, or ``(N, T, C)`` with order NHWC.
    Args:
        kernels: Sizes of the window, one an axis.
        strides: Steps of the window, one an axis; 1 where left out.
        pads: Padding: all beginnings, then all ends.
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
        count_include_pad: Divide by the whole window, padding included.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("AveragePool1D", X=[[[1.0, 5.0, 2.0]]], kernels=[2], pads=[1, 0])
        Y = [[[1.  3.  3.5]]]
    """
    return _average_pool(X, window, order, count_include_pad)


@operator("AveragePool2D", fold=window, types=FLOAT, gradient="X, Y, dY -> dX")
def average_pool_2d(X, *, window: Window, order: Order = "NCHW", count_include_pad: bool = False):
    """Average pooling along two axes: every window gives the mean of what it sees.

    ``Y[n, c, p] = mean over k of X[n, c, p * stride + k - pad]``

    Padding counts neither in the sum nor, unless ``count_include_pad`` is set, in the divisor.

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
    Args:
        kernel: Size of the window along both axes; kernel_h and kernel_w, or kernels with one number an axis.
        stride: Step of the window, in the same spellings; 1 where left out.
        pad: Padding on every side; pad_t, pad_l, pad_b, pad_r, or pads (all beginnings, then all ends).
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
        count_include_pad: Divide by the whole window, padding included.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("AveragePool2D", X=[[[[1.0, 5.0], [2.0, 4.0]]]], kernel=2)
        Y = [[[[3.]]]]
    """
    return _average_pool(X, window, order, count_include_pad)


@operator("AveragePool3D", fold=window, types=FLOAT, gradient="X, Y, dY -> dX")
def average_pool_3d(X, *, window: Window, order: Order = "NCHW", count_include_pad: bool = False):
    """Average pooling along three axes: every window gives the mean of what it sees.

    ``Y[n, c, p] = mean over k of X[n, c, p * stride + k - pad]``

    Padding counts neither in the sum nor, unless ``count_include_pad`` is set, in the divisor.

    Inputs:
        X: ``(N, C, T, H, W)``, or ``(N, T, H, W, C)`` with order NHWC.
    Args:
        kernels: Sizes of the window, one an axis.
        strides: Steps of the window, one an axis; 1 where left out.
        pads: Padding: all beginnings, then all ends.
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
        count_include_pad: Divide by the whole window, padding included.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("AveragePool3D", X=[[[[[1.0, 5.0, 2.0]]]]], global_pooling=1)
        Y = [[[[[2.6666667]]]]]
    """
    return _average_pool(X, window, order, count_include_pad)


# --- p-norm --------------------------------------------------------------------------------------


@operator("LpPool", fold=window, types=FLOAT)
def lp_pool(X, *, window: Window, order: Order = "NCHW", p: float = 2.0):
    """Pooling by the p-norm: between the sum of magnitudes (p = 1) and the largest of them (p to infinity).

    ``Y[n, c, q] = (sum over k of abs(X[n, c, q * stride + k - pad]) ** p) ** (1 / p)``

    Inputs:
        X: ``(N, C, H, W)``, or ``(N, H, W, C)`` with order NHWC.
    Args:
        kernel: Size of the window along both axes; kernel_h and kernel_w, or kernels with one number an axis.
        stride: Step of the window, in the same spellings; 1 where left out.
        pad: Padding on every side; pad_t, pad_l, pad_b, pad_r, or pads (all beginnings, then all ends).
        legacy_pad: 0 as given, 1 VALID, 2 SAME, 3 Caffe's (output sizes are rounded up).
        global_pooling: The window covers the whole input.
        order: Where the channels stand: NCHW or NHWC.
        p: The norm's exponent.
    Outputs:
        Y: X with ``(size + pads - kernel) // stride + 1`` places along each spatial axis.
    Example:
        >>> run("LpPool", X=[[[[3.0, -4.0]]]], kernel_h=1, kernel_w=2)
        Y = [[[[5.]]]]
    """
    place = _place(X, window, order)
    return joined(jnp.abs(X) ** p, place, order, "sum") ** (1 / p)


@lp_pool.gradient("X, Y, dY -> dX")
def _(X, Y, dY, *, window: Window, order: Order = "NCHW", p: float = 2.0):
    """Gradient of p-norm pooling; zero where a window holds only zeros."""
    place = _place(X, window, order)
    pull = jnp.where(Y > 0, dY * jnp.where(Y > 0, Y, 1) ** (1 - p), 0).astype(dY.dtype)
    spread = _transposed(lambda Z: joined(Z, place, order, "sum"), X, pull)
    return jnp.sign(X) * jnp.abs(X) ** (p - 1) * spread
