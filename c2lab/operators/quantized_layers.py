"""Quantized layers: convolutions, dense layers and pools on eight-bit numbers.

The products are summed as whole numbers; the sum is scaled down to the steps of the output by a
fixed-point multiplication (``quantized_arithmetic``).
"""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import NotSupported
from c2lab.operators.checks import require_shape
from c2lab.operators.convolution import convolution_placement, transposed_placement
from c2lab.operators.convolution_lowerings import convolve, input_gradient
from c2lab.operators.definition import operator
from c2lab.operators.quantized import refuse_parameters
from c2lab.operators.quantized_arithmetic import (
    averaged,
    bias_values,
    require_nhwc,
    require_quantized,
    same_meaning,
    scale_of,
    scaled_down,
    to_uint8,
)
from c2lab.operators.region_alignment import roi_align
from c2lab.operators.windows import Order, Window, padded, spatial_sizes, spelled, views, window
from c2lab.storage import QuantizedTensor


def _around_zero(X: QuantizedTensor) -> Any:
    """The numbers less their zero point, as float64: sums of their products are exact."""
    return (X.data.astype(jnp.int32) - X.zero_point).astype(jnp.float64)


def _whole(total: Any) -> Any:
    return jnp.round(total).astype(jnp.int64)


def _layer(
    total: Any, X: QuantizedTensor, W: QuantizedTensor, bias: Any, Y_scale: float, Y_zero_point: int, relu: bool
) -> QuantizedTensor:
    """A sum of products, and a bias for each value of its last axis, in steps of the output."""
    scale, zero_point = scale_of(Y_scale, Y_zero_point)
    total = _whole(total)
    if bias is not None:
        total = total + bias_values(bias, total.shape[-1])
    factor = np.float32(X.scale) * np.float32(W.scale) / scale
    return QuantizedTensor(to_uint8(scaled_down(total, factor), zero_point, relu=relu), float(scale), zero_point)


# --- convolutions --------------------------------------------------------------------------------


def _define_convolution(type: str, relu: bool) -> None:
    def convolution(
        X,
        filter,
        bias=None,
        *,
        window: Window,
        group: int = 1,
        order: Order = "NCHW",
        Y_scale: float = 1.0,
        Y_zero_point: int = 0,
    ):
        require_nhwc(order)
        require_quantized(X=X, filter=filter)
        images, filters = _around_zero(X), _around_zero(filter)
        place = convolution_placement(images, filters, window, group, order)
        return _layer(convolve(images, filters, place, group, order), X, filter, bias, Y_scale, Y_zero_point, relu)

    convolution.__doc__ = f"""Convolution of quantized images with quantized filters{", then Relu" if relu else ""}.

    ``Y[n, p, o] = bias[o] + sum over k, c of filter[o, k, c] * X[n, p * stride + k - pad, c]``

    of the real numbers, to the nearest step{"; what is below 0 becomes 0" if relu else ""}.

    Inputs:
        X: Quantized, ``(N, H, W, C)``; the padding stands for 0.
        filter: Quantized, ``(O, kernel_h, kernel_w, C / group)``.
        bias: Quantized to int32, ``(O,)``, in steps of X's scale times the filter's.
    Args:
        kernel: Size of the window along both axes; stride, pad and dilation have the spellings of Conv.
        group: The channels are split into this many groups that do not see each other.
        order: NHWC; there is no other one.
        Y_scale: How much one step of the output is: more than X's scale times the filter's.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, ``(N, H', W', O)``.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[10], [4]]]]), 0.5, 8)
        >>> w = QuantizedTensor(np.uint8([[[[3]]]]), 0.5, 1)
        >>> run("{type}", X=x, filter=w, kernel=1, order="NHWC", Y_scale=0.5, Y_zero_point=100)
        Y = [[[[102] {"[100]" if relu else "[ 96]"}]]] (scale 0.5, zero point 100)
    """
    operator(type, fold=window)(convolution)


_define_convolution("Int8Conv", relu=False)
_define_convolution("Int8ConvRelu", relu=True)


@operator("Int8ConvTranspose", fold=window)
def int8_conv_transpose(
    X,
    filter,
    bias=None,
    *,
    window: Window,
    adj: int | None = None,
    adj_h: int | None = None,
    adj_w: int | None = None,
    adjs: tuple[int, ...] = (),
    order: Order = "NCHW",
    Y_scale: float = 1.0,
    Y_zero_point: int = 0,
):
    """Transposed convolution of quantized images: every value paints a filter into the output.

    Inputs:
        X: Quantized, ``(N, H, W, C)``.
        filter: Quantized, ``(C, kernel_h, kernel_w, O)``.
        bias: Quantized to int32, ``(O,)``, in steps of X's scale times the filter's.
    Args:
        kernel: Size of the filter along both axes; stride and pad have the spellings of Conv.
        adj: Places added at the end of both axes; smaller than the stride.
        adj_h: Places added below (with adj_w).
        adj_w: Places added on the right (with adj_h).
        adjs: Places added, one an axis.
        order: NHWC; there is no other one.
        Y_scale: How much one step of the output is: more than X's scale times the filter's.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, ``(N, H', W', O)``.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[10], [4]]]]), 0.5, 8)
        >>> w = QuantizedTensor(np.uint8([[[[3], [1]]]]), 0.5, 1)
        >>> run("Int8ConvTranspose", X=x, filter=w, kernels=[1, 2], strides=[1, 2], order="NHWC", Y_scale=0.5,
        ...     Y_zero_point=100)
        Y = [[[[102] [100] [ 96] [100]]]] (scale 0.5, zero point 100)
    """
    require_nhwc(order)
    require_quantized(X=X, filter=filter)
    images, filters = _around_zero(X), _around_zero(filter)
    added = spelled("adj", adjs, adj, (adj_h, adj_w), "hw")
    place, painted = transposed_placement(images, filters, window, added, 1, order)
    total = input_gradient(painted, filters, images, place, 1, order)
    return _layer(total, X, filter, bias, Y_scale, Y_zero_point, relu=False)


# --- dense layers --------------------------------------------------------------------------------


@operator("Int8FC", outputs="Y, Y_qparam?, W_stats?, X_stats?")
def int8_fc(X, W, b, Qparam=None, *, Y_scale: float = 1.0, Y_zero_point: int = 0, num_outputs: int):
    """A dense layer on quantized numbers.

    ``Y = X W^T + b`` of the real numbers, to the nearest step

    Inputs:
        X: Quantized, (N, ...): all but the first dimension are the K features.
        W: Quantized, (M, K).
        b: Quantized to int32, (M,), in steps of X's scale times that of W.
        Qparam: Not supported: give the arguments.
    Args:
        Y_scale: How much one step of the output is: more than the scale of X times that of W.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, (N, M).
        Y_qparam: Not supported.
        W_stats: Not supported.
        X_stats: Not supported.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[10, 4]]), 0.5, 8)
        >>> w = QuantizedTensor(np.uint8([[3, 1], [1, 0]]), 0.5, 1)
        >>> b = QuantizedTensor(np.int32([0, 40]), 0.25, 0)
        >>> run("Int8FC", X=x, W=w, b=b, Y_scale=0.5, Y_zero_point=100)
        Y = [[102 122]] (scale 0.5, zero point 100)
    """
    refuse_parameters(Qparam)
    if num_outputs > 1:
        raise NotSupported(f"Int8FC is asked for {num_outputs} outputs; it has one, Y")
    require_quantized(X=X, W=W)
    features = int(np.prod(X.shape[1:]))
    require_shape(
        W.ndim >= 2 and int(np.prod(W.shape[1:])) == features,
        f"X is {X.shape}, {features} features, but W is {W.shape}; W must be ({W.shape[0]}, {features})",
    )
    total = _around_zero(X).reshape(-1, features) @ _around_zero(W).reshape(-1, features).T
    return _layer(total, X, W, b, Y_scale, Y_zero_point, relu=False)


# --- pools ---------------------------------------------------------------------------------------


def _windows(X: QuantizedTensor, window: Window, order: str, outside: int) -> tuple[list[Any], int]:
    """What the windows see at each of their places, int32, and how many places they have."""
    require_nhwc(order)
    require_quantized(X=X)
    require_shape(X.ndim == 4, f"X is {X.shape}; it must be (N, H, W, C)")
    place = window.over(spatial_sizes(X, order))
    seen = views(padded(X.data.astype(jnp.int32), place, order, outside), place, order)
    return seen, int(np.prod(place.kernel))


def _define_pools(ending: str, relu: bool) -> None:
    then = ", then Relu" if relu else ""

    def average(X, *, window: Window, order: Order = "NCHW", Y_scale: float = 1.0, Y_zero_point: int = 0):
        scale, zero_point = scale_of(Y_scale, Y_zero_point)
        seen, count = _windows(X, window, order, X.zero_point if isinstance(X, QuantizedTensor) else 0)
        total = functools.reduce(jnp.add, seen) - count * X.zero_point
        factor = np.float32(X.scale) / (scale * np.float32(count))
        return QuantizedTensor(to_uint8(averaged(total, factor), zero_point, relu=relu), float(scale), zero_point)

    average.__doc__ = f"""Average pooling of quantized images{then}.

    ``Y[n, p, c] = {"max(0, mean)" if relu else "mean"} over k of X[n, p * stride + k - pad, c]``, to the nearest step

    Padding stands for 0 and counts.

    Inputs:
        X: Quantized, ``(N, H, W, C)``.
    Args:
        kernel: Size of the window along both axes; stride, pad and global_pooling as those of AveragePool.
        order: NHWC; there is no other one.
        Y_scale: How much one step of the output is.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, ``(N, H', W', C)``.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[10], [13]]]]), 0.5, 8)
        >>> run("Int8AveragePool{ending}", X=x, kernels=[1, 2], order="NHWC", Y_scale=0.5, Y_zero_point=100)
        Y = [[[[104]]]] (scale 0.5, zero point 100)
    """
    operator(f"Int8AveragePool{ending}", fold=window)(average)

    def largest(
        X, *, window: Window, order: Order = "NCHW", Y_scale: float | None = None, Y_zero_point: int | None = None
    ):
        seen, _ = _windows(X, window, order, 0)
        same_meaning(X, Y_scale, Y_zero_point)
        return X.with_data(to_uint8(functools.reduce(jnp.maximum, seen) - X.zero_point, X.zero_point, relu=relu))

    largest.__doc__ = f"""Max pooling of quantized images{then}.

    ``Y[n, p, c] = {"max(0, max)" if relu else "max"} over k of X[n, p * stride + k - pad, c]``

    Padding never wins.

    Inputs:
        X: Quantized, ``(N, H, W, C)``.
    Args:
        kernel: Size of the window along both axes; stride, pad, dilation and global_pooling as those of MaxPool.
        order: NHWC; there is no other one.
        Y_scale: The scale of X, where given.
        Y_zero_point: The zero point of X, where given.
    Outputs:
        Y: Quantized as X is, ``(N, H', W', C)``.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[2], [6], [13]]]]), 0.5, 8)
        >>> run("Int8MaxPool{ending}", X=x, kernels=[1, 2], order="NHWC")
        Y = [[[[{" 8" if relu else " 6"}] [13]]]] (scale 0.5, zero point 8)
    """
    operator(f"Int8MaxPool{ending}", fold=window)(largest)


_define_pools("", relu=False)
_define_pools("Relu", relu=True)


@operator("Int8RoIAlign", types={"RoIs": "float32"})
def int8_roi_align(
    X,
    RoIs,
    *,
    spatial_scale: float = 1.0,
    pooled_h: int = 1,
    pooled_w: int = 1,
    sampling_ratio: int = -1,
    order: Order = "NHWC",
    Y_scale: float = 1.0,
    Y_zero_point: int = 0,
):
    """The mean of a quantized image over each cell of a grid laid over each region, read between the pixels.

    As RoIAlign on the real numbers, to the nearest step.

    Inputs:
        X: Quantized, ``(N, H, W, C)``.
        RoIs: float32 ``(R, 5)``: the image's number and the corners ``x1, y1, x2, y2``; or ``(R, 4)`` for one image.
    Args:
        spatial_scale: Pixels of X for each unit of the corners.
        pooled_h: Rows of the grid.
        pooled_w: Columns of the grid.
        sampling_ratio: Points along each side of a cell; at 0 or below one a pixel: ``ceil(side / cells)``.
        order: NHWC; there is no other one.
        Y_scale: How much one step of the output is.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, ``(R, pooled_h, pooled_w, C)``.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([[[[10], [20]], [[30], [40]]]]), 0.5, 8)
        >>> run("Int8RoIAlign", X=x, RoIs=[[0.0, 0.0, 0.0, 1.0, 1.0]], sampling_ratio=1, Y_scale=0.5, Y_zero_point=8)
        Y = [[[[25]]]] (scale 0.5, zero point 8)
    """
    require_nhwc(order)
    require_quantized(X=X)
    scale, zero_point = scale_of(Y_scale, Y_zero_point)
    away = (X.data.astype(jnp.int32) - X.zero_point).astype(jnp.float32)
    mean = roi_align.function(
        away,
        RoIs,
        spatial_scale=spatial_scale,
        pooled_h=pooled_h,
        pooled_w=pooled_w,
        sampling_ratio=sampling_ratio,
        order=order,
    )
    steps = jnp.clip(jnp.round(mean * (np.float32(X.scale) / scale)), -1024, 1024).astype(jnp.int32)
    return QuantizedTensor(to_uint8(steps, zero_point), float(scale), zero_point)
