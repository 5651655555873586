"""Normalizations with their scales, shifts and running statistics."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.scopes import CurrentDeviceScope
from c2lab.parameters.info import ParameterTags
from c2lab.parameters.initializers import ExternalInitializer, Initializer, update_initializer
from c2lab.proto import caffe2_pb2


def _channel_parameter(model: Any, name: str, dim: int, given: Any, value: float, tag: str) -> BlobReference:
    """A parameter with ``dim`` values, all ``value`` at first."""
    if model.init_params:
        maker = update_initializer(given, ("ConstantFill", {"value": value}), ("ConstantFill", {}))
    else:
        maker = ExternalInitializer()
    return model.create_param(name, [dim], maker, tags=tag)


def lrn(
    model: Any, blob_in: Any, blob_out: Any, order: str = "NCHW", use_cudnn: bool = False, **kwargs: Any
) -> BlobReference:
    """Divides each value by what its neighbours in other channels add up to (local response normalization)."""
    device = kwargs.get("device_option") or CurrentDeviceScope()
    if use_cudnn and device is not None and device.device_type != caffe2_pb2.PROTO_CPU:
        return model.net.LRN(blob_in, blob_out, order=order, engine="CUDNN", **kwargs)
    return model.net.LRN(blob_in, [blob_out, "_" + blob_out + "_scale"], order=order, **kwargs)[0]


def softmax(model: Any, blob_in: Any, blob_out: Any = None, use_cudnn: bool = False, **kwargs: Any) -> BlobReference:
    """Scores as probabilities: positive, and 1 in sum."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.Softmax(blob_in, blob_out, **kwargs)


def instance_norm(
    model: Any, blob_in: Any, blob_out: Any, dim_in: int, order: str = "NCHW", **kwargs: Any
) -> BlobReference:
    """Normalizes every channel of every sample by itself, then scales by ``<out>_s`` and shifts by ``<out>_b``."""
    blob_out = blob_out or model.net.NextName()
    scale, bias = (
        model.param_init_net.ConstantFill([], blob_out + suffix, shape=[dim_in], value=value)
        for suffix, value in (("_s", 1.0), ("_b", 0.0))
    )
    model.AddParameter(scale, ParameterTags.WEIGHT)
    model.AddParameter(bias, ParameterTags.BIAS)
    inputs = [blob_in, scale, bias]
    if kwargs.get("is_test"):
        return model.net.InstanceNorm(inputs, [blob_out], order=order, **kwargs)
    return model.net.InstanceNorm(inputs, [blob_out, blob_out + "_sm", blob_out + "_siv"], order=order, **kwargs)[0]


def spatial_bn(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    init_scale: float = 1.0,
    init_bias: float = 0.0,
    ScaleInitializer: Any = None,
    BiasInitializer: Any = None,
    RunningMeanInitializer: Any = None,
    RunningVarianceInitializer: Any = None,
    order: str = "NCHW",
    **kwargs: Any,
) -> BlobReference:
    """Batch normalization: every channel to mean 0 and variance 1 over the batch, then scaled and shifted.

    The parameters are ``<out>_s`` and ``<out>_b``; the running mean ``<out>_rm`` and variance ``<out>_riv``
    are kept while training and used when ``is_test`` is true.

    Args:
        dim_in: The number of channels.
        init_scale, init_bias: First values of scale and shift.
        kwargs: ``is_test``, ``epsilon``, ``momentum``, ... of the operator SpatialBN.
    """
    blob_out = blob_out or model.net.NextName()
    computed = ParameterTags.COMPUTED_PARAM
    scale = _channel_parameter(model, blob_out + "_s", dim_in, ScaleInitializer, init_scale, ParameterTags.WEIGHT)
    bias = _channel_parameter(model, blob_out + "_b", dim_in, BiasInitializer, init_bias, ParameterTags.BIAS)
    mean = _channel_parameter(model, blob_out + "_rm", dim_in, RunningMeanInitializer, 0.0, computed)
    variance = _channel_parameter(model, blob_out + "_riv", dim_in, RunningVarianceInitializer, 1.0, computed)
    inputs = [blob_in, scale, bias, mean, variance]
    if kwargs.get("is_test"):
        return model.net.SpatialBN(inputs, [blob_out], order=order, **kwargs)
    outputs = [blob_out, mean, variance, blob_out + "_sm", blob_out + "_siv"]
    return model.net.SpatialBN(inputs, outputs, order=order, **kwargs)[0]


def spatial_gn(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    init_scale: float = 1.0,
    init_bias: float = 0.0,
    ScaleInitializer: Any = None,
    BiasInitializer: Any = None,
    RunningMeanInitializer: Any = None,
    RunningVarianceInitializer: Any = None,
    order: str = "NCHW",
    **kwargs: Any,
) -> BlobReference:
    """Group normalization (Wu and He, arXiv 1803.08494): groups of channels of each sample, scaled and shifted.

    Args:
        dim_in: The number of channels.
        init_scale, init_bias: First values of scale ``<out>_s`` and shift ``<out>_b``.
        kwargs: ``group``, ``epsilon``, ... of the operator GroupNorm.
    """
    blob_out = blob_out or model.net.NextName()
    scale = _channel_parameter(model, blob_out + "_s", dim_in, ScaleInitializer, init_scale, ParameterTags.WEIGHT)
    bias = _channel_parameter(model, blob_out + "_b", dim_in, BiasInitializer, init_bias, ParameterTags.BIAS)
    # The operator's own default is NCHW; the original never told it any other order.
    layout = {} if order == "NCHW" else {"order": order}
    outputs = [blob_out, blob_out + "_mean", blob_out + "_std"]
    return model.net.GroupNorm([blob_in, scale, bias], outputs, **layout, **kwargs)[0]


def layer_norm(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int | list[int],
    axis: int = 1,
    epsilon: float = 1e-4,
    initial_scale: float = 1.0,
    initial_bias: float = 0.0,
) -> tuple[BlobReference, BlobReference, BlobReference]:
    """Normalizes every sample by itself, then scales by ``<out>_scale`` and shifts by ``<out>_bias``.

    Args:
        dim_in: The shape of what is normalized, the dimensions from ``axis`` on.
        axis: The first dimension that is normalized over.
        epsilon: Added to the variance.
        initial_scale, initial_bias: First values of scale and shift.

    Returns:
        The normalized blob, the mean, and the standard deviation.
    """
    shape = [dim_in] if isinstance(dim_in, int) else dim_in
    fill = Initializer("ConstantFill", value=initial_scale)
    scale = model.create_param(f"{blob_out}_scale", shape, fill, tags=ParameterTags.WEIGHT)
    fill = Initializer("ConstantFill", value=initial_bias)
    bias = model.create_param(f"{blob_out}_bias", shape, fill, tags=ParameterTags.BIAS)
    return model.net.LayerNorm(
        [blob_in, scale, bias],
        [blob_out, blob_out + "_mean", blob_out + "_std"],
        axis=axis,
        epsilon=epsilon,
        elementwise_affine=True,
    )


def moments_with_running_stats(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    RunningMeanInitializer: Any = None,
    RunningVarianceInitializer: Any = None,
    order: str = "NCHW",
    **kwargs: Any,
) -> Any:
    """Mean ``<out>_sm`` and variance ``<out>_sv`` of each channel, with blobs for their running values.

    Args:
        dim_in: The number of channels.
        order: ``"NCHW"`` or ``"NHWC"``.
    """
    axes = {"NCHW": [0, 2, 3], "NHWC": [0, 1, 2]}.get(order)
    if axes is None:
        raise ValueError(f'order is "NCHW" or "NHWC", not {order!r}.')
    computed = ParameterTags.COMPUTED_PARAM
    _channel_parameter(model, blob_out + "_rm", dim_in, RunningMeanInitializer, 0.0, computed)
    _channel_parameter(model, blob_out + "_riv", dim_in, RunningVarianceInitializer, 1.0, computed)
    outputs = [blob_out + "_sm", blob_out + "_sv"]
    return model.net.Moments([blob_in], outputs, axes=axes, order=order, keepdims=False, **kwargs)
