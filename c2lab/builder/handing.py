"""Commands that hand nets out and take them in: code, files, the clipboard."""

from __future__ import annotations

import base64
import binascii
from pathlib import PurePath

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from c2lab.builder.clipboard import copied_text, parsed, pasted
from c2lab.builder.code import python_code
from c2lab.builder.code_calls import literal
from c2lab.builder.messages import Message, Reply, place, text, texts
from c2lab.builder.session import Command, Session
from c2lab.errors import C2LabError
from c2lab.graph.arranging import shifted
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.drawing import draw
from c2lab.graph.live_shapes import document_shapes
from c2lab.graph.sources import Source, parse_file
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2

_LARGEST_FILE = 256 * 2**20
_OTHERS = {
    ".onnx": "ONNX files are not read yet",
    ".caffemodel": "weights of Caffe 1 are not read yet",
    ".h5": "Keras files are not read",
    ".pt": "PyTorch files are not read",
    ".pth": "PyTorch files are not read",
}


def code(session: Session, message: Message) -> Reply:
    """The equivalent Python, and the cell that brings its changes back onto the canvas."""
    found = python_code(session.document)
    owner = "model" if "\nmodel = " in found.text else "net"
    key = str(session.memory.get("key", ""))
    cell = f"import c2lab as c2\n{found.text}\nbuilder = c2.build({owner}, into={literal(key)})\n"
    return {"text": found.text, "level": found.level, "cell": cell}


def copy(session: Session, message: Message) -> Reply:
    """The selected operators as text."""
    return {"text": copied_text(session.document, session.members_of(texts(message, "nodes")))}


def paste(session: Session, message: Message) -> Reply:
    """Operators from text."""
    after, placed = pasted(session.document, parsed(text(message, "text", longest=2**40)))
    at = place(message)
    session.apply("paste", after)
    if at is not None:
        boxes = {box["id"]: (box["x"], box["y"]) for box in session.scene()["nodes"] if box["id"] in placed}
        if boxes:
            left, top = min(x for x, _ in boxes.values()), min(y for _, y in boxes.values())
            moved = {name: (x - left + at[0], y - top + at[1]) for name, (x, y) in boxes.items()}
            session.amend(shifted(session.document, placed, moved, 0.0))
    session.selected = placed
    return {"placed": placed}


def export(session: Session, message: Message) -> Reply:
    """The net as a file: ``python``, ``pb``, ``pbtxt`` or ``svg``; with the init net beside it, where there is one."""
    document, kind = session.document, text(message, "format", longest=20)
    stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in document.net.name)[:60].strip(".") or "net"
    match kind:
        case "python":
            return _file(f"{stem}.py", python_code(document).text + "\n")
        case "svg" | "png":
            return _file(f"{stem}.svg", still(document))
        case "pbtxt":
            reply = _file(f"{stem}.pbtxt", text_format.MessageToString(document.written()))
            if document.init.op:
                reply["more"] = [_file(f"{stem}_init.pbtxt", text_format.MessageToString(document.init))]
            return reply
        case "pb":
            reply = _bytes(f"{stem}.pb", document.written().SerializeToString(deterministic=True))
            if document.init.op:
                reply["more"] = [_bytes(f"{stem}_init.pb", document.init.SerializeToString(deterministic=True))]
            return reply
    raise EditRefused(f"a net is exported as python, pb, pbtxt or svg, not {kind!r}")


def still(document: Document) -> str:
    """The still picture of a document."""
    shapes = {name: shape.shape for name, shape in document_shapes(document).blobs.items()}
    return draw(NetView.of(document.net, parameters=document.kept, shapes=shapes))


def _file(name: str, content: str) -> Reply:
    return {"filename": name, "text": content}


def _bytes(name: str, content: bytes) -> Reply:
    return {"filename": name, "base64": base64.b64encode(content).decode("ascii")}


def open_file(session: Session, message: Message) -> Reply:
    """Takes the net in a file in place of what is on the canvas; nothing in it is run."""
    name = text(message, "filename", longest=1000)
    given = text(message, "base64", longest=2 * _LARGEST_FILE)
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise EditRefused(f"{name[:100]} did not arrive whole; drop it again") from None
    suffix = PurePath(name).suffix.lower()
    if suffix in _OTHERS:
        raise EditRefused(f"{name[:100]}: {_OTHERS[suffix]}; .pb and .pbtxt are")
    net = opened(name, data)
    before = session.document
    if PurePath(name).stem.lower().endswith(("init", "init_net")) and before.net.op:
        session.apply(f"open {name[:40]}", Document.of(Source(before.written(), net), before.parameters))
        return {"name": net.name, "operators": len(net.op), "init": True}
    # Names of the live nets stay: created nets are known by them.
    kept = Document.of(Source(net))
    held = caffe2_pb2.NetDef()
    held.CopyFrom(kept.net)
    held.name = held.name or before.net.name
    session.apply(f"open {name[:40]}", Document(held, kept.init, kept.parameters, kept.canvas))
    return {"name": held.name, "operators": len(net.op)}


def opened(name: str, data: bytes) -> caffe2_pb2.NetDef:
    """The net in the content of a file.

    Raises:
        EditRefused: It is too large, damaged, or no net.
    """
    if len(data) > _LARGEST_FILE:
        raise EditRefused(f"{name[:100]} has {len(data) >> 20} MiB; {_LARGEST_FILE >> 20} are the most")
    try:
        found = parse_file(name, data)
    except (C2LabError, DecodeError, RecursionError) as error:
        raise EditRefused(getattr(error, "message", str(error))[:500]) from None
    if isinstance(found, caffe2_pb2.PlanDef):
        if len(found.network) != 1:
            raise EditRefused(f"{name[:100]} holds a plan of {len(found.network)} nets; one net is shown here")
        return found.network[0]
    return found


COMMANDS: dict[str, Command] = {
    "code": code,
    "copy": copy,
    "paste": paste,
    "export": export,
    "open": open_file,
}
