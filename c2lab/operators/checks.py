"""What a kernel may demand of its inputs, before and while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax.core
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadValue, ShapeMismatch, TypeMismatch

Collector = Callable[[Any, str, "Offender | None"], None]

_collector: ContextVar[Collector | None] = ContextVar("value_checks", default=None)


class Offender(NamedTuple):
    """The first value that breaks a condition: where it stands (counted through all values), and what it is."""

    position: Any
    value: Any
    shape: tuple[Any, ...]
    kind: np.dtype

    def text(self, position: float, value: float) -> str:
        """What an error says of it, given the numbers."""
        number = int(value) if self.kind.kind in "iu" else bool(value) if self.kind.kind == "b" else value
        place = [int(i) for i in np.unravel_index(int(position), self.shape)] if len(self.shape) > 1 else int(position)
        return f" (found {number} at position {place})"


def _first_offender(ok: Any, values: Any, numpy: Any) -> Offender:
    position = numpy.argmin(ok.reshape(-1))
    return Offender(position, values.reshape(-1)[position], values.shape, np.dtype(values.dtype))


def require(ok: Any, message: str, values: Any = None) -> None:
    """Demands something of *values* (a label in range, lengths that add up).

    Inside a compiled net the condition becomes part of the program: the net's updates
    are undone and ``BadValue`` is raised with ``message`` where it does not hold.

    Args:
        ok: A boolean, or an array of booleans that must all be true.
        message: What is wrong, and what would be right.
        values: What ``ok`` was asked of, in the same shape: the error then names the first that breaks it.

    Raises:
        BadValue: At once where the values are known.

    Example:
        >>> labels = np.int32([1, 7])
        >>> require(labels < 5, "labels must be below 5", labels)
        Traceback (most recent call last):
        c2lab.errors.BadValue: labels must be below 5 (found 7 at position 1)
    """
    collect = _collector.get()
    if isinstance(ok, jax.core.Tracer):
        if collect is not None:
            named = values is not None and ok.shape == values.shape and ok.size
            collect(jnp.all(ok), message, _first_offender(ok, values, jnp) if named else None)
    elif not np.all(ok := np.asarray(ok)):  # numpy: also while something else is traced
        if values is not None and ok.shape == values.shape and not isinstance(values, jax.core.Tracer):
            found = _first_offender(ok, np.asarray(values), np)
            message += found.text(found.position, found.value)
        raise BadValue(message)


def report(ok: Any, message: str, offender: Offender | None) -> None:
    """Hands on a condition that was demanded further inside, with its first offender."""
    collect = _collector.get()
    if collect is not None:
        collect(ok, message, offender)


@contextmanager
def collecting(collect: Collector) -> Iterator[None]:
    """Hands the conditions of ``require`` to ``collect(ok, message, offender)`` while tracing."""
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
