"""Protobuf messages to bytes and back, under the names that the exporters use."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from c2lab.errors import DamagedFile

M = TypeVar("M", bound=Message)


def serialize_protobuf_struct(protobuf_struct: Message) -> bytes:
    """The message as bytes."""
    return protobuf_struct.SerializeToString()


def deserialize_protobuf_struct(serialized_protobuf: bytes, struct_type: type[M]) -> M:
    """The message of class ``struct_type`` in some bytes.

    Raises:
        DamagedFile: The bytes are no such message.
    """
    message = struct_type()
    try:
        message.ParseFromString(serialized_protobuf)
    except DecodeError as problem:
        raise DamagedFile(
            f"{len(serialized_protobuf)} bytes are no {struct_type.DESCRIPTOR.name}: {problem}"
        ) from problem
    return message
