"""Commands that ask: what fits, what is where, what an edge carries."""

from __future__ import annotations

from typing import Any

from c2lab.builder.accepting import accepting_types
from c2lab.builder.facts import bytes_of, shape_label
from c2lab.builder.fitting import fitted
from c2lab.builder.messages import Message, Reply, text, whole
from c2lab.builder.palette import entries
from c2lab.builder.session import Command, Session
from c2lab.graph import edit
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.lettering import shorten
from c2lab.graph.live_shapes import document_shapes
from c2lab.graph.order import wires_of
from c2lab.graph.scene import box_name
from c2lab.graph.view import argument_text

_MOST_FOUND = 500


def would_connect(session: Session, message: Message) -> Reply:
    """What would come of a wire: the shape that its reader would make, or why it cannot be."""
    before, target = session.document, text(message, "target")
    wired = edit.connect(
        before, text(message, "source"), whole(message, "output", 0), target, whole(message, "input", 0)
    )
    after = fitted(before, wired)
    live = document_shapes(after)
    position = after.position(target)
    problem = live.problems.get(position)
    if problem is not None and document_shapes(before).problems.get(before.position(target)) != problem:
        raise EditRefused(problem)
    outputs = [shape_label(shape) for shape in live.outputs[position]]
    carried = live.inputs[position][whole(message, "input", 0)]
    return {"shape": ", ".join(filter(None, outputs)), "carries": shape_label(carried)}


def accepting(session: Session, message: Message) -> Reply:
    """What can read an output."""
    return {"types": accepting_types(session.document, text(message, "node"), whole(message, "output", 0))}


def facts(session: Session, message: Message) -> Reply:
    """Asks for the facts of the present scene; they come in their trait."""
    session.memory["facts_wanted"] = True
    return {}


def palette(session: Session, message: Message) -> Reply:
    """Everything that can be placed."""
    session.memory["palette"] = True
    return {"entries": [entry.told() for entry in entries()]}


def find(session: Session, message: Message) -> Reply:
    """Operators, blobs and arguments with a text in them."""
    wanted = text(message, "text", longest=1000).strip().lower()
    document = session.document
    found: list[dict[str, Any]] = []
    if not wanted:
        return {"found": found}

    def note(node: str, why: str, what: str, name: str = "") -> None:
        if len(found) < _MOST_FOUND:
            found.append({"node": node, "why": why, "text": shorten(what, 200), "name": name,
                          "box": box_name(document, node)})  # fmt: skip

    for node, blob in document.outside().items():
        if wanted in blob.lower():
            note(node, "input", blob)
    for node, op in zip(document.ids, document.net.op, strict=True):
        if wanted in op.type.lower():
            note(node, "operator", op.type)
        elif wanted in op.name.lower():
            note(node, "name", op.name)
        blob = next((name for name in (*op.output, *op.input) if wanted in name.lower()), None)
        if blob is not None:
            note(node, "blob", blob)
        for argument in op.arg:
            value = argument_text(argument)
            if wanted in argument.name.lower() or wanted in f"{argument.name}={value}".lower():
                note(node, "argument", f"{argument.name}={value}", argument.name)
                break
    for comment in document.canvas.comments:
        if wanted in comment.text.lower():
            note(comment.id, "comment", comment.text)
    return {"found": found, "group_of": _groups(session, found)}


def _groups(session: Session, found: list[dict[str, Any]]) -> dict[str, str]:
    """For what is inside of closed groups, the id of the group's box."""
    wanted = {entry["node"] for entry in found}
    return {node: group for group, nodes in session.groups().items() for node in nodes if node in wanted}


def explain(session: Session, message: Message) -> Reply:
    """What a wire carries, and between whom."""
    document = session.document
    target, slot = edit.edge_end(document, text(message, "edge"))
    position = document.position(target)
    blob = document.net.op[position].input[slot]
    wires = wires_of(document.net.op)
    writer = wires[position][slot]
    known = document_shapes(document).inputs[position][slot]
    readers = [
        k
        for k, op in enumerate(document.net.op)
        if any(name == blob and wires[k][s] == writer for s, name in enumerate(op.input))
    ]
    producer = box_name(document, document.ids[writer]) if writer is not None else "from outside"
    return {
        "blob": blob,
        "shape": shape_label(known),
        "dtype": known.dtype if known is not None else "",
        "bytes": bytes_of(known),
        "bytes_a_sample": known is not None and not all(isinstance(size, int) for size in known.shape),
        "producer": producer,
        "producer_id": document.ids[writer] if writer is not None else _input_id(document, blob),
        "consumers": [box_name(document, document.ids[k]) for k in readers],
        "consumer_ids": [document.ids[k] for k in readers],
    }


def _input_id(document: Document, blob: str) -> str:
    return next((node for node, name in document.outside().items() if name == blob), "")


COMMANDS: dict[str, Command] = {
    "would_connect": would_connect,
    "accepting": accepting,
    "facts": facts,
    "palette": palette,
    "find": find,
    "explain": explain,
}
