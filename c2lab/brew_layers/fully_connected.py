"""Fully connected layers with their weights and biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2lab.nets.blobs import BlobReference, ScopedBlobReference
from c2lab.parameters.info import ParameterTags
from c2lab.parameters.initializers import Fill, add_filled_parameter, layer_initializer


def _connect(
    model: Any,
    operator: Callable[..., Any],
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    WeightInitializer: Any = None,
    BiasInitializer: Any = None,
    enable_tensor_core: bool = False,
    float16_compute: bool = False,
    **kwargs: Any,
) -> BlobReference:
    weight_maker = layer_initializer(model, WeightInitializer, weight_init, ("XavierFill", {}))
    bias_maker = layer_initializer(model, BiasInitializer, bias_init, ("ConstantFill", {}))
    blob_out = blob_out or model.net.NextName()
    # A bias that is not to be learned counts among the computed parameters.
    bias_tags = [ParameterTags.BIAS] + [ParameterTags.COMPUTED_PARAM] * ("freeze_bias" in kwargs)
    weight = model.create_param(blob_out + "_w", [dim_out, dim_in], weight_maker, tags=ParameterTags.WEIGHT)
    bias = model.create_param(blob_out + "_b", [dim_out], bias_maker, tags=bias_tags)
    if enable_tensor_core:
        kwargs["engine"] = "TENSORCORE"
    if float16_compute:
        kwargs["float16_compute"] = True
    return operator([blob_in, weight, bias], blob_out, **kwargs)


def fc(model: Any, *args: Any, **kwargs: Any) -> BlobReference:
    """Fully connected layer ``Y = X W^T + b``, with weight ``<out>_w`` and bias ``<out>_b``.

    Args:
        blob_in, blob_out: Input and output.
        dim_in, dim_out: Their numbers of features.
        weight_init, bias_init: Filling operators, ``("XavierFill", {})``.
        WeightInitializer, BiasInitializer: Initializers, for more than a fill.
        kwargs: Arguments of the FC operator.
    """
    return _connect(model, model.net.FC, *args, **kwargs)


def packed_fc(model: Any, *args: Any, **kwargs: Any) -> BlobReference:
    """``fc`` for the operator PackedFC, where one is registered."""
    return _connect(model, model.net.PackedFC, *args, **kwargs)


def fc_decomp(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    rank_approx: int = 5,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    WeightInitializer: Any = None,
    BiasInitializer: Any = None,
    **kwargs: Any,
) -> BlobReference:
    """Fully connected layer whose weight is the product of two thin matrices ``<out>_u`` and ``<out>_v``."""
    weight_maker = layer_initializer(model, WeightInitializer, weight_init, ("XavierFill", {}))
    bias_maker = layer_initializer(model, BiasInitializer, bias_init, ("ConstantFill", {}))
    blob_out = blob_out or model.net.NextName()
    u = model.create_param(blob_out + "_u", [dim_out, rank_approx], weight_maker)
    v = model.create_param(blob_out + "_v", [dim_in, rank_approx], weight_maker)
    bias = model.create_param(blob_out + "_b", [dim_out], bias_maker)
    return model.net.FC_Decomp([blob_in, u, v, bias], blob_out, **kwargs)


def fc_prune(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim_in: int,
    dim_out: int,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    mask_init: Fill | None = None,
    threshold: float = 0.00001,
    need_compress_rate: bool = False,
    comp_lb: float = 0.05,
    **kwargs: Any,
) -> Any:
    """Fully connected layer whose small weights are masked out."""
    blob_out = blob_out or model.net.NextName()
    weight_fill, bias_fill = weight_init or ("XavierFill", {}), bias_init or ("ConstantFill", {})
    mask_fill = mask_init or ("ConstantFill", {})

    def state(suffix: str, shape: list[int], fill: Fill) -> BlobReference:
        """A blob that the layer keeps but does not learn."""
        operator, arguments = fill
        if model.init_params:
            return getattr(model.param_init_net, operator)([], blob_out + suffix, shape=shape, **arguments)
        return ScopedBlobReference(blob_out + suffix, model.param_init_net)

    matrix = [dim_out, dim_in]
    lowest_rate = state("_lb", [1], ("ConstantFill", {"value": comp_lb}))
    weight = add_filled_parameter(model, blob_out + "_w", matrix, weight_fill)
    mask = state("_m", matrix, ("ConstantFill", {"value": 1.0}))
    gathered = state("_ag_dw", matrix, mask_fill)
    bias = add_filled_parameter(model, blob_out + "_b", [dim_out], bias_fill)
    sequence = state("_mask_seq", matrix, mask_fill)
    limit = state("_thres", [1], ("ConstantFill", {"value": threshold}))
    inputs, outputs = [blob_in, weight, mask, bias, gathered, sequence, limit], [blob_out]
    if need_compress_rate:
        inputs, outputs = [*inputs, lowest_rate], [*outputs, blob_out + "_compress_rate"]
    return model.net.FC_Prune(inputs, outputs, **kwargs)


def fc_sparse(
    model: Any, blob_in: Any, blob_out: Any, w_csr: Any, iw: Any, jw: Any, bias: Any, **kwargs: Any
) -> BlobReference:
    """Fully connected layer on a sparse weight that is there already, in compressed rows."""
    for param in (w_csr, iw, jw, bias):
        model.AddParameter(param)
    return model.net.FC_Sparse([blob_in, w_csr, iw, jw, bias], blob_out, **kwargs)
