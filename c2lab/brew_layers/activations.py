"""Activation functions."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.parameters.initializers import Fill, add_filled_parameter


def prelu(
    model: Any, blob_in: Any, blob_out: Any, num_channels: int = 1, slope_init: Fill | None = None, **kwargs: Any
) -> BlobReference:
    """Rectifier with a learned slope ``<out>_slope`` of the negative side.

    Args:
        num_channels: One slope for each channel, or 1 for a slope that all share.
        slope_init: How the slope is filled; 0.25 otherwise.
    """
    fill = slope_init or ("ConstantFill", {"value": 0.25})
    slope = add_filled_parameter(model, blob_out + "_slope", [num_channels], fill)
    return model.net.PRelu([blob_in, slope], [blob_out])


def relu(
    model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, order: str = "NCHW", **kwargs: Any
) -> BlobReference:
    """Rectifier ``max(x, 0)``."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.Relu(blob_in, blob_out, order=order, **kwargs)


def tanh(
    model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, order: str = "NCHW", **kwargs: Any
) -> BlobReference:
    """Hyperbolic tangent."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.Tanh(blob_in, blob_out, order=order, **kwargs)
