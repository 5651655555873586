"""Python values to ``Argument`` messages and back: the one place that knows the fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from google.protobuf.message import Message

from c2lab.proto import caffe2_pb2

_SINGLE = ("f", "i", "s", "t", "n")
_REPEATED = ("floats", "ints", "strings", "tensors", "nets", "qtensors")


def make_argument(key: str, value: Any) -> caffe2_pb2.Argument:
    """The ``Argument`` that holds ``value`` under the name ``key``.

    Booleans and integers go to ``i``, floats to ``f``, text to ``s``, nets to ``n``,
    tensors to ``t``; lists to the repeated field of their elements' type.

    Raises:
        ValueError: A value, or a mixed list, that no field can hold.

    Example:
        >>> make_argument("kernel", 3).i
        3
        >>> list(make_argument("shape", [2, 3]).ints)
        [2, 3]
    """
    argument = caffe2_pb2.Argument()
    argument.name = key
    if isinstance(value, np.ndarray):
        value = value.flatten().tolist() if value.ndim else value.item()
    elif isinstance(value, np.generic):
        value = value.item()

    if isinstance(value, float):
        argument.f = value
    elif isinstance(value, (bool, int)):
        argument.i = int(value)
    elif isinstance(value, bytes):
        argument.s = value
    elif isinstance(value, str):
        argument.s = value.encode("utf-8")
    elif isinstance(value, caffe2_pb2.NetDef):
        argument.n.CopyFrom(value)
    elif isinstance(value, caffe2_pb2.TensorProto):
        argument.t.CopyFrom(value)
    elif isinstance(value, Message):
        argument.s = value.SerializeToString()
    elif isinstance(value, Iterable):
        _set_repeated(argument, [v.item() if isinstance(v, np.generic) else v for v in value])
    else:
        raise ValueError(f"Unknown argument type: key={key} value={value!r}, value type={type(value)}")
    return argument


def _set_repeated(argument: caffe2_pb2.Argument, values: list[Any]) -> None:
    if all(isinstance(v, (bool, int)) for v in values):
        argument.ints.extend(int(v) for v in values)
    elif all(isinstance(v, float) for v in values):
        argument.floats.extend(values)
    elif all(isinstance(v, (str, bytes)) for v in values):
        argument.strings.extend(v.encode("utf-8") if isinstance(v, str) else v for v in values)
    elif all(isinstance(v, caffe2_pb2.NetDef) for v in values):
        argument.nets.extend(values)
    elif all(isinstance(v, caffe2_pb2.TensorProto) for v in values):
        argument.tensors.extend(values)
    else:
        kinds = sorted({type(v).__name__ for v in values})
        raise ValueError(
            f"Unknown iterable argument type: key={argument.name} holds {' and '.join(kinds)}; give all values one type"
        )


def argument_field(argument: caffe2_pb2.Argument) -> str:
    """The name of the field that is set, or ``""`` for an empty list.

    Example:
        >>> argument_field(make_argument("ratio", 0.5))
        'f'
    """
    for field in _SINGLE:
        if argument.HasField(field):
            return field
    for field in _REPEATED:
        if getattr(argument, field):
            return field
    return ""


def argument_value(argument: caffe2_pb2.Argument) -> Any:
    """The Python value in an ``Argument``: a number, bytes, a message, or a list of these.

    Example:
        >>> argument_value(make_argument("pads", (1, 2)))
        [1, 2]
    """
    field = argument_field(argument)
    if not field:
        return []
    value = getattr(argument, field)
    return value if field in _SINGLE else list(value)
