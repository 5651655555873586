"""Convolutions with their filters and biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.parameters.info import ParameterTags
from c2lab.parameters.initializers import Fill, add_filled_parameter, layer_initializer


def _take_cudnn(
    arguments: dict[str, Any], use_cudnn: bool, exhaustive_search: bool, ws_nbytes_limit: int | None
) -> None:
    """Writes the switches of cuDNN the way the operators carry them."""
    if use_cudnn:
        arguments["engine"] = "CUDNN"
        arguments["exhaustive_search"] = exhaustive_search
        if ws_nbytes_limit:
            arguments["ws_nbytes_limit"] = ws_nbytes_limit


def _check_engine(engine: str | None, use_cudnn: bool) -> None:
    if engine is not None and use_cudnn and engine != "CUDNN":
        raise ValueError(f'With use_cudnn=True the only engine is "CUDNN", not "{engine}"; pass use_cudnn=False.')
    if engine == "CUDNN" and not use_cudnn:
        raise ValueError('The engine "CUDNN" needs use_cudnn=True.')


def _convolve(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: dict[str, Any],
    window: list[int],
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    WeightInitializer: Any = None,
    BiasInitializer: Any = None,
    group: int = 1,
    transform_inputs: Callable[[Any, Any, list[Any]], None] | None = None,
    use_cudnn: bool = False,
    order: str = "NCHW",
    cudnn_exhaustive_search: bool = False,
    ws_nbytes_limit: int | None = None,
    float16_compute: bool = False,
    **kwargs: Any,
) -> BlobReference:
    _check_engine(kwargs.get("engine"), use_cudnn)
    _take_cudnn(kwargs, use_cudnn, cudnn_exhaustive_search, ws_nbytes_limit)
    use_bias = not kwargs.pop("no_bias", False)
    blob_out = blob_out or model.net.NextName()
    channels = [int(dim_in / group)]
    shape = [dim_out, *channels, *window] if order == "NCHW" else [dim_out, *window, *channels]

    inputs = [blob_in]
    weight = layer_initializer(model, WeightInitializer, weight_init, ("XavierFill", {}))
    inputs.append(model.create_param(blob_out + "_w", shape, weight, tags=ParameterTags.WEIGHT))
    if use_bias:
        bias = layer_initializer(model, BiasInitializer, bias_init, ("ConstantFill", {}))
        inputs.append(model.create_param(blob_out + "_b", [dim_out], bias, tags=ParameterTags.BIAS))
    if transform_inputs is not None:
        transform_inputs(model, blob_out, inputs)

    if float16_compute:
        kwargs["float16_compute"] = True
    if group != 1:
        kwargs["group"] = group
    return model.net.Conv(inputs, blob_out, **kernel, order=order, **kwargs)


def conv_nd(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: int | list[int],
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    WeightInitializer: Any = None,
    BiasInitializer: Any = None,
    group: int = 1,
    transform_inputs: Callable[[Any, Any, list[Any]], None] | None = None,
    order: str = "NCHW",
    **kwargs: Any,
) -> BlobReference:
    """Convolution over as many dimensions as ``kernel`` has sizes.

    Args:
        dim_in, dim_out: Channels of the input and of the output.
        kernel: A size for each dimension.
        weight_init, bias_init: Filling operators, ``("XavierFill", {})``.
        WeightInitializer, BiasInitializer: Initializers, for more than a fill.
        group: How many independent groups the channels are cut into.
        transform_inputs: ``f(model, blob_out, inputs)`` may change the list of input, weight and bias.
        kwargs: Arguments of the Conv operator; ``no_bias=1`` leaves the bias out.
    """
    window = kernel if isinstance(kernel, list) else [kernel]
    return _convolve(
        model, blob_in, blob_out, dim_in, dim_out, {"kernels": window}, window, weight_init, bias_init,
        WeightInitializer, BiasInitializer, group, transform_inputs, order=order, **kwargs,
    )  # fmt: skip


def conv(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: int | list[int],
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    WeightInitializer: Any = None,
    BiasInitializer: Any = None,
    group: int = 1,
    transform_inputs: Callable[[Any, Any, list[Any]], None] | None = None,
    **kwargs: Any,
) -> BlobReference:
    """Convolution over height and width, with weight ``<out>_w`` and bias ``<out>_b``.

    Args:
        dim_in, dim_out: Channels of the input and of the output.
        kernel: The side of a square window, or ``[height, width]``.
        weight_init, bias_init: Filling operators, ``("XavierFill", {})``.
        WeightInitializer, BiasInitializer: Initializers, for more than a fill.
        group: How many independent groups the channels are cut into.
        transform_inputs: ``f(model, blob_out, inputs)`` may change the list of input, weight and bias.
        kwargs: Arguments of the Conv operator (stride, pad, ...); ``no_bias=1`` leaves the bias out.
    """
    if isinstance(kernel, list):
        if len(kernel) != 2:
            raise AssertionError(f"conv takes one kernel size or two, not {kernel}; conv_nd takes as many as you like.")
        window, argument = kernel, {"kernel_h": kernel[0], "kernel_w": kernel[1]}
    else:
        window, argument = [kernel, kernel], {"kernel": kernel}
    return _convolve(
        model, blob_in, blob_out, dim_in, dim_out, argument, window, weight_init, bias_init,
        WeightInitializer, BiasInitializer, group, transform_inputs, **kwargs,
    )  # fmt: skip


def conv_transpose(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: int,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    use_cudnn: bool = False,
    order: str = "NCHW",
    cudnn_exhaustive_search: bool = False,
    ws_nbytes_limit: int | None = None,
    **kwargs: Any,
) -> BlobReference:
    """Transposed convolution, the one that makes pictures larger.

    Args:
        dim_in, dim_out: Channels of the input and of the output.
        kernel: The side of the window.
        weight_init, bias_init: Filling operators.
        kwargs: Arguments of the ConvTranspose operator.
    """
    blob_out = blob_out or model.net.NextName()
    shape = [dim_in, dim_out, kernel, kernel] if order == "NCHW" else [dim_in, kernel, kernel, dim_out]
    fill = weight_init or ("XavierFill", {})
    weight = add_filled_parameter(model, blob_out + "_w", shape, fill, ParameterTags.WEIGHT)
    fill = bias_init or ("ConstantFill", {})
    bias = add_filled_parameter(model, blob_out + "_b", [dim_out], fill, ParameterTags.BIAS)
    _take_cudnn(kwargs, use_cudnn, cudnn_exhaustive_search, ws_nbytes_limit)
    return model.net.ConvTranspose([blob_in, weight, bias], blob_out, kernel=kernel, order=order, **kwargs)


def group_conv(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: int | list[int],
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    group: int = 1,
    **kwargs: Any,
) -> BlobReference:
    """``conv`` over groups of channels."""
    return conv(
        model, blob_in, blob_out, dim_in, dim_out, kernel,
        weight_init=weight_init, bias_init=bias_init, group=group, **kwargs,
    )  # fmt: skip


def group_conv_deprecated(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    kernel: int,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    group: int = 1,
    use_cudnn: bool = False,
    order: str = "NCHW",
    cudnn_exhaustive_search: bool = False,
    ws_nbytes_limit: int | None = None,
    **kwargs: Any,
) -> BlobReference:
    """Convolution over groups written out: the channels are split, convolved apart and joined.

    Weights and biases are ``<out>_gconv_<k>_w`` and ``<out>_gconv_<k>_b``.
    """
    if dim_in % group:
        raise ValueError(f"dim_in should be divisible by group, but {dim_in} is not by {group}.")
    if dim_out % group:
        raise ValueError(f"dim_out should be divisible by group, but {dim_out} is not by {group}.")
    use_bias = not kwargs.pop("no_bias", False)
    _take_cudnn(kwargs, use_cudnn, cudnn_exhaustive_search, ws_nbytes_limit)
    group_in, group_out = dim_in // group, dim_out // group
    shape = [group_out, group_in, kernel, kernel] if order == "NCHW" else [group_out, kernel, kernel, group_in]

    pieces = model.net.DepthSplit(
        blob_in,
        ["_" + blob_out + f"_gconv_split_{k}" for k in range(group)],
        dimensions=[group_in] * group,
        order=order,
    )
    pieces = [pieces] if isinstance(pieces, BlobReference) else pieces
    results = []
    for k, piece in enumerate(pieces):
        name = blob_out + f"_gconv_{k}"
        inputs = [piece]
        fill = weight_init or ("XavierFill", {})
        inputs.append(add_filled_parameter(model, name + "_w", shape, fill, ParameterTags.WEIGHT))
        if use_bias:
            fill = bias_init or ("ConstantFill", {})
            inputs.append(add_filled_parameter(model, name + "_b", [group_out], fill, ParameterTags.BIAS))
        results.append(model.net.Conv(inputs, name, kernel=kernel, order=order, **kwargs))
    return model.net.Concat(results, [blob_out, "_" + blob_out + "_concat_dims"], order=order)[0]
