"""Kinds of blobs besides tensors and text that can be written to files, each registered where it is defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from c2lab.proto import caffe2_pb2


class BlobKind(NamedTuple):
    """How objects of one class stand in a ``BlobProto``.

    Args:
        wire_type: The type that the message names.
        write: Fills the message's ``tensor`` and ``content``.
        read: Makes the object again; raises ``ValueError`` where the message does not fit.
    """

    wire_type: str
    write: Callable[[Any, caffe2_pb2.BlobProto], None]
    read: Callable[[caffe2_pb2.BlobProto], Any]


_by_class: dict[type, BlobKind] = {}
_by_wire_type: dict[str, BlobKind] = {}


def register_kind(python_class: type, kind: BlobKind) -> None:
    """Lets objects of a class be saved and loaded."""
    _by_class[python_class] = kind
    _by_wire_type[kind.wire_type] = kind


def kind_of(value: Any) -> BlobKind | None:
    """The kind of an object, if it can be written."""
    return _by_class.get(type(value))


def kind_named(wire_type: str) -> BlobKind | None:
    """The kind that a message names, if it is known."""
    return _by_wire_type.get(wire_type)
