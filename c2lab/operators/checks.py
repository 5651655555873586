"""What a kernel may demand of its inputs, before and while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax.core
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadValue, ShapeMismatch, TypeMismatch

_collector: ContextVar[Callable[[Any, str], None] | None] = ContextVar("value_checks", default=None)


def require(ok: Any, message: str) -> None:
    """Demands something of *values* (a label in range, lengths that add up).

    Inside a compiled net the condition becomes part of the program: the net's updates
    are undone and ``BadValue`` is raised with ``message`` where it does not hold.

    Args:
        ok: A boolean, or an array of booleans that must all be true.
        message: What is wrong, and what would be right.

    Raises:
        BadValue: At once where the values are known.
    """
    collect = _collector.get()
    if isinstance(ok, jax.core.Tracer):
        if collect is not None:
            collect(jnp.all(ok), message)
    elif not np.all(np.asarray(ok)):  # numpy: also while something else is traced
        raise BadValue(message)


@contextmanager
def collecting(collect: Callable[[Any, str], None]) -> Iterator[None]:
    """Hands the conditions of ``require`` to ``collect(ok, message)`` while tracing."""
    token = _collector.set(collect)
    try:
        yield
    finally:
        _collector.reset(token)


def require_shape(ok: bool, message: str) -> None:
    """Demands something of shapes, which are known before anything runs.

    Raises:
        ShapeMismatch: Where ``ok`` is false.
    """
    if not ok:
        raise ShapeMismatch(message)


_CAFFE2_NAMES = {
    "float32": "float",
    "float64": "double",
    "float16": "c10::Half",
    "int32": "int",
    "int64": "long",
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short",
    "uint16": "unsigned short",
    "object": "std::string",
}


def require_same_type(*values: Any) -> None:
    """Demands one element type of all values: nothing is promoted silently.

    Raises:
        TypeMismatch: Naming both types.
    """
    first = values[0].dtype
    for value in values[1:]:
        if value.dtype != first:
            raise TypeMismatch(
                f"Tensor type mismatch, caller expects elements to be {_CAFFE2_NAMES.get(str(first), first)}, "
                f"while tensor contains {_CAFFE2_NAMES.get(str(value.dtype), value.dtype)}. "
                "Types are never converted silently: use Cast."
            )


def require_type(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Demands that ``value`` has one of the ``allowed`` element types.

    Raises:
        TypeMismatch: Naming the type and what is allowed.
    """
    if str(value.dtype) not in allowed:
        raise TypeMismatch(
            f"Unsupported type of tensor: {_CAFFE2_NAMES.get(str(value.dtype), value.dtype)} "
            f"({name} is {value.dtype}; it may be {' or '.join(allowed)}). Use Cast before this operator."
        )
