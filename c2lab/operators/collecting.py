"""Collecting: tensors that grow, and lists of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab.errors import BadArgument, SchemaError, ShapeMismatch
from c2lab.operators.checks import require_same_type
from c2lab.operators.definition import host_operator
from c2lab.operators.values import Opaque, TensorVector


def _joined(held: Any, more: np.ndarray) -> np.ndarray:
    """``more`` behind ``held``, or alone where nothing is held yet."""
    if held is None or isinstance(held, Opaque) or (held.ndim == 1 and held.size == 0):
        return more
    require_same_type(held, more)
    if held.shape[1:] != more.shape[1:] or held.ndim == 0:
        raise ShapeMismatch(f"A is {held.shape} and B {more.shape}; all but the first dimension must be equal")
    return np.concatenate([held, more])


@host_operator("Append", outputs="A_out", gradient="refused", inplace=[(0, 0)])
def append(A, B):
    """Puts the rows of one blob behind those of another.

    Inputs:
        A: What grows.
        B: The rows to add.
    Outputs:
        A_out: A with the rows of B, in place.
    Example:
        >>> run("Append", A=[1.0, 2.0], B=[3.0])
        A = [1. 2. 3.]
    """
    return _joined(A, B)


append.inplace_enforced = frozenset({(0, 0)})


@host_operator("AtomicAppend", outputs="*A", gradient="refused", inplace=[(k + 1, k) for k in range(256)])
def atomic_append(mutex, *blobs: Any):
    """Puts the rows of several blobs behind those of several others, under a mutex.

    Inputs:
        mutex: A mutex from CreateMutex.
        blobs: What grows, then as many blobs with the rows to add.
    Outputs:
        A: What grew, in place.
    Example:
        >>> from c2lab.operators.values import Mutex
        >>> grown = run("AtomicAppend", mutex=Mutex(), blobs=([1.0], [2.0]), outputs=1)
    """
    if len(blobs) % 2:
        raise SchemaError(f"as many blobs must be added as there are that grow, but there are {len(blobs)} in all")
    half = len(blobs) // 2
    with mutex.lock:
        return tuple(_joined(a, b) for a, b in zip(blobs[:half], blobs[half:], strict=True))


@host_operator("CreateTensorVector", outputs="vector", gradient="refused")
def create_tensor_vector():
    """Makes an empty list of tensors.

    Outputs:
        vector: The list.
    Example:
        >>> run("CreateTensorVector")
        vector = b'vector, a C++ native class of type std::unique_ptr<std::vector<caffe2::Tensor> >.'
    """
    return TensorVector()


def _vector(vector: Any) -> TensorVector:
    if not isinstance(vector, TensorVector):
        raise BadArgument("the input must be a list of tensors, made by CreateTensorVector")
    return vector


@host_operator("TensorVectorSize", outputs="size", gradient="refused")
def tensor_vector_size(vector):
    """How many tensors a list holds.

    Inputs:
        vector: The list.
    Outputs:
        size: One int32.
    Example:
        >>> from c2lab.operators.values import TensorVector
        >>> run("TensorVectorSize", vector=TensorVector())
        size = 0
    """
    return np.array(len(_vector(vector).tensors), np.int32)


@host_operator("ConcatTensorVector", outputs="tensor", gradient="refused")
def concat_tensor_vector(vector):
    """Joins the tensors of a list along their first dimension.

    Inputs:
        vector: The list, not empty.
    Outputs:
        tensor: All rows.
    Example:
        >>> from c2lab.operators.values import TensorVector
        >>> vector = TensorVector()
        >>> vector.tensors = [np.float32([1]), np.float32([2, 3])]
        >>> run("ConcatTensorVector", vector=vector)
        tensor = [1. 2. 3.]
    """
    if not _vector(vector).tensors:
        raise ShapeMismatch("the list is empty; there is nothing to join")
    return np.concatenate(vector.tensors)


@host_operator("CollectTensor", outputs="*vector", gradient="refused", inplace=[(0, 0), (1, 1)])
def collect_tensor(*blobs: Any, rng, state, num_to_collect: int):
    """Keeps a fair sample of the tensors that pass: each is as likely to be kept as any other.

    Inputs:
        blobs: Lists of tensors, then as many tensors, one for each.
    Args:
        num_to_collect: How many tensors a list keeps.
    Outputs:
        vector: The lists, in place.
    Example:
        >>> from c2lab.operators.values import TensorVector
        >>> kept = run("CollectTensor", blobs=(TensorVector(), [1.0]), num_to_collect=2, outputs=0)
    Source:
        Vitter, Random sampling with a reservoir, 1985.
    """
    if len(blobs) % 2 or num_to_collect < 1:
        raise BadArgument(
            f"there are {len(blobs)} inputs and num_to_collect is {num_to_collect}; "
            "each list needs a tensor, and at least one must be kept"
        )
    half = len(blobs) // 2
    seen = state["seen"] = state.get("seen", -1) + 1
    place = seen if seen < num_to_collect else int(rng.integers(seen + 1))
    for vector, tensor in zip(blobs[:half], blobs[half:], strict=True):
        kept = _vector(vector).tensors
        if len(kept) < num_to_collect:
            kept.append(np.array(tensor))
        elif place < num_to_collect:
            kept[place] = np.array(tensor)
    return blobs[:half]


collect_tensor.inplace_enforced = frozenset((k, k) for k in range(256))
