"""Quantized tables."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def fused_8bit_rowwise_quantized_to_float(model: Any, blob_in: Any, blob_out: Any) -> BlobReference:
    """The float values of rows that are quantized to 8 bits."""
    return model.net.Fused8BitRowwiseQuantizedToFloat(blob_in, blob_out)
