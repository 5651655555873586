"""Sums, products and rearrangements: one operator each."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def transpose(model: Any, blob_in: Any, blob_out: Any, use_cudnn: bool = False, **kwargs: Any) -> BlobReference:
    """Permutes the dimensions to ``axes``, or reverses them."""
    if use_cudnn:
        kwargs["engine"] = "CUDNN"
    return model.net.Transpose(blob_in, blob_out, **kwargs)


def sum(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """Adds blobs of one shape."""
    return model.net.Sum(blob_in, blob_out, **kwargs)


def reduce_sum(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """Sums over ``axes``."""
    return model.net.ReduceSum(blob_in, blob_out, **kwargs)


def sub(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """The first blob minus the second."""
    return model.net.Sub(blob_in, blob_out, **kwargs)


def mat_mul(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """The product of two matrices."""
    return model.net.MatMul(blob_in, blob_out, **kwargs)


def arg_min(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """Where the smallest value along ``axis`` is."""
    return model.net.ArgMin(blob_in, blob_out, **kwargs)


def batch_mat_mul(
    model: Any, blob_in: Any, blob_out: Any, enable_tensor_core: bool = False, **kwargs: Any
) -> BlobReference:
    """The products of two stacks of matrices."""
    if enable_tensor_core:
        kwargs["engine"] = "TENSORCORE"
    return model.net.BatchMatMul(blob_in, blob_out, **kwargs)


def sparse_lengths_sum_4bit_rowwise_sparse(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """Sums rows, picked by index, of a table that is quantized to 4 bits and compressed."""
    return model.net.SparseLengthsSum4BitRowwiseSparse(blob_in, blob_out, **kwargs)
