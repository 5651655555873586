"""Pooling."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def max_pool(
    model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, order: str = "NCHW", **kwargs: Any
) -> BlobReference:
    """The largest value of each window; ``kernel``, ``stride``, ``pad`` as in the operator MaxPool."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.MaxPool(blob_in, blob_out, order=order, **kwargs)


def average_pool(
    model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, order: str = "NCHW", **kwargs: Any
) -> BlobReference:
    """The mean of each window; ``kernel``, ``stride``, ``pad`` as in the operator AveragePool."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.AveragePool(blob_in, blob_out, order=order, **kwargs)


def max_pool_with_index(model: Any, blob_in: Any, blob_out: Any, order: str = "NCHW", **kwargs: Any) -> BlobReference:
    """``max_pool`` that also writes where each value was found, to ``<out>_index``."""
    return model.net.MaxPoolWithIndex(blob_in, [blob_out, blob_out + "_index"], order=order, **kwargs)[0]
