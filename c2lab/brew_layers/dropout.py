"""Dropout."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def dropout(model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, **kwargs: Any) -> BlobReference:
    """Silences values at random while training; the mask is ``_<out>_mask``.

    Args:
        kwargs: ``is_test`` (required) and ``ratio``, the share of values to silence.
    """
    if "is_test" not in kwargs:
        raise AssertionError("Argument is_test is required: is_test=True for a net that predicts, False to train.")
    kwargs["engine"] = "CUDNN" if use_cudnn else "DEFAULT"
    return model.net.Dropout(blob_in, [blob_out, "_" + blob_out + "_mask"], **kwargs)[0]
