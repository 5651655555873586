"""A scale and a shift for each feature."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.parameters.info import ParameterTags
from c2lab.parameters.initializers import Fill, add_filled_parameter


def _scale_and_shift(
    model: Any,
    blob_in: Any,
    blob_out: Any,
    dim: int,
    weight_init: Fill | None = None,
    bias_init: Fill | None = None,
    **kwargs: Any,
) -> BlobReference:
    blob_out = blob_out or model.net.NextName()
    fill = weight_init or ("ConstantFill", {"value": 1.0})
    weight = add_filled_parameter(model, blob_out + "_w", [dim], fill, ParameterTags.WEIGHT)
    fill = bias_init or ("ConstantFill", {"value": 0.0})
    bias = add_filled_parameter(model, blob_out + "_b", [dim], fill, ParameterTags.BIAS)
    return model.net.ElementwiseLinear([blob_in, weight, bias], blob_out, **kwargs)


def elementwise_linear(model: Any, *args: Any, **kwargs: Any) -> BlobReference:
    """``Y = X * w + b`` with one weight ``<out>_w`` and one bias ``<out>_b`` for each feature.

    Args:
        blob_in, blob_out: Input and output.
        dim: The number of features.
        weight_init, bias_init: Filling operators; 1 and 0 otherwise.
    """
    return _scale_and_shift(model, *args, **kwargs)
