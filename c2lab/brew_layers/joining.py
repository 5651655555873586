"""Joining blobs."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def concat(model: Any, blobs_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """Joins blobs along ``axis`` or, where none is given, along the channels.

    The lengths of the parts are written to ``_<out>_concat_dims``.
    """
    if "axis" in kwargs:
        # An axis says it all; the operator refuses to be given both.
        kwargs.pop("order", None)
    return model.net.Concat(blobs_in, [blob_out, "_" + blob_out + "_concat_dims"], **kwargs)[0]


def depth_concat(model: Any, blobs_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """The older name of ``concat``."""
    return concat(model, blobs_in, blob_out, **kwargs)
