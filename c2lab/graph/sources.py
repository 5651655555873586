"""What people hand to a viewer - a net, a model, a message, a file - as NetDefs with what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from c2lab.errors import C2LabError, DamagedFile, if_pointer
from c2lab.proto import caffe2_pb2

FILE_LIMIT = 256 * 2**20
"""Bytes that a file may have before ``open_file`` asks to be told so."""


@dataclass(frozen=True)
class Source:
    """A net, the net that makes its parameters where there is one, and the parameters where they are declared."""

    net: caffe2_pb2.NetDef
    init: caffe2_pb2.NetDef | None = None
    parameters: frozenset[str] | None = None
    known: Mapping[str, Any] = field(default_factory=dict)

    def shapes(self, inputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Shapes and types of the blobs, as far as they follow from the init net and ``inputs``.

        ``inputs`` gives arrays, shapes (float32 is meant), or pairs of shape and type, by blob name.
        """
        from c2lab.graph.shapes import ShapeAndType, infer

        known = {str(name): ShapeAndType(*_shape_and_type(value)) for name, value in (inputs or {}).items()}
        for net in (self.init, self.net):
            if net is not None:
                # A net that cannot be read can still be drawn; running it will say what is wrong.
                try:
                    known = {**known, **infer(net, known).shapes}
                except C2LabError:
                    continue
        return known


def source_of(thing: Any) -> Source:
    """A ``Net``, a ``ModelHelper``, a ``NetDef``, or a path of a ``.pb`` or ``.pbtxt`` file as a source.

    Raises:
        TypeError: It is nothing of these.
        DamagedFile: The file does not hold a net.

    Example:
        >>> source_of(caffe2_pb2.NetDef(name="n")).net.name
        'n'
    """
    if isinstance(thing, caffe2_pb2.NetDef):
        return Source(thing)
    if isinstance(thing, (str, Path)):
        found = open_file(thing)
        if isinstance(found, caffe2_pb2.NetDef):
            return Source(found)
        raise DamagedFile(f"{thing} holds a plan of {len(found.network)} nets where one net is wanted")
    if hasattr(thing, "param_init_net") and hasattr(thing, "net"):
        parameters = frozenset(str(name) for name in getattr(thing, "params", ()))
        return Source(_proto(thing.net), _proto(thing.param_init_net), parameters | _state_names(thing) or None)
    if hasattr(thing, "Proto") and isinstance(_proto(thing), caffe2_pb2.NetDef):
        return Source(_proto(thing))
    raise TypeError(f"Expected a Net, a ModelHelper, a NetDef or a file path, got {type(thing).__name__}")


def open_file(path: str | Path, limit: int = FILE_LIMIT) -> caffe2_pb2.NetDef | caffe2_pb2.PlanDef:
    """The net or plan in a binary (``.pb``) or text (``.pbtxt``, ``.prototxt``) file.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedFile: It is too large, or holds neither a net nor a plan.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > limit:
        raise DamagedFile(
            f"{path} has {size / 2**20:.0f} MiB, more than the limit of {limit / 2**20:.0f} MiB; raise limit="
        )
    return parse_file(path, path.read_bytes())


def parse_file(path: str | Path, data: bytes) -> caffe2_pb2.NetDef | caffe2_pb2.PlanDef:
    """The net or plan in the content of a file; the ending of its name says whether that is text.

    Raises:
        DamagedFile: It holds neither a net nor a plan.
    """
    text = Path(path).suffix.lower() in (".pbtxt", ".prototxt", ".txt")
    reasons = []
    for kind in (caffe2_pb2.NetDef, caffe2_pb2.PlanDef):
        try:
            message = text_format.Parse(data, kind()) if text else kind.FromString(data)
        except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
            reasons.append((str(error) or type(error).__name__).splitlines()[0].rstrip(". "))
            continue
        if _plausible(message):
            return message
    reason = reasons[0] if reasons else "its operators have no types"
    raise DamagedFile(f"{path} holds neither a net nor a plan: {reason}.{if_pointer(data)}")


def _plausible(message: caffe2_pb2.NetDef | caffe2_pb2.PlanDef) -> bool:
    """Whether what was parsed makes sense: binary messages of one type often parse as another."""
    if isinstance(message, caffe2_pb2.PlanDef):
        return bool(message.network or message.execution_step) and all(map(_plausible, message.network))
    return message.ByteSize() > 0 and all(op.type.isprintable() and op.type for op in message.op)


def _proto(thing: Any) -> Any:
    """The message of a net; a copy, because handing out the own one would count as a change."""
    if isinstance(thing, caffe2_pb2.NetDef):
        return thing
    copied = caffe2_pb2.NetDef()
    message = thing.Proto()
    if not isinstance(message, caffe2_pb2.NetDef):
        return message
    copied.CopyFrom(message)
    return copied


def _state_names(model: Any) -> frozenset[str]:
    """Running averages and the like: made by the init net, kept by the net, but not learned."""
    return frozenset(str(name) for name in getattr(model, "GetComputedParams", tuple)() or ())


def _shape_and_type(value: Any) -> tuple[tuple[Any, ...], str]:
    if hasattr(value, "shape"):
        return tuple(value.shape), str(getattr(value, "dtype", "float32"))
    items = tuple(value)
    if len(items) == 2 and isinstance(items[0], (tuple, list)):
        return tuple(items[0]), np.dtype(items[1]).name
    return items, "float32"
