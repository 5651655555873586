"""Commands that place, wire and remove."""

from __future__ import annotations

from c2lab.builder.fitting import fitted
from c2lab.builder.inputs import INPUTS, place_input
from c2lab.builder.layers import LAYERS, place_layer
from c2lab.builder.messages import Message, Reply, place, text, texts, truth, whole
from c2lab.builder.pieces import PIECES, place_piece
from c2lab.builder.session import Command, Session
from c2lab.builder.starting import new_operator
from c2lab.graph import edit
from c2lab.graph.document import EditRefused
from c2lab.graph.scene import box_name


def add(session: Session, message: Message) -> Reply:
    """Places an operator, a layer, a block, a template or an input."""
    type, kind = text(message, "type", longest=200), text(message, "kind", "operator", longest=20)
    at = place(message)
    before = session.document
    source = _source(session, message)
    splice = text(message, "splice") if message.get("splice") is not None else None
    match kind:
        case "operator":
            op = new_operator(before, type)
            after, node = edit.add(before, op, source=source, splice=splice, at=at)
            placed = [node]
        case "layer":
            if type not in LAYERS:
                raise EditRefused(f"there is no layer {type!r}")
            after, placed = place_layer(before, LAYERS[type], source=source, splice=splice, at=at)
        case "block" | "template":
            if type not in PIECES:
                raise EditRefused(f"there is no {kind} {type!r}")
            after, placed = place_piece(before, PIECES[type], source=source, splice=splice, at=at)
        case "input":
            if type not in INPUTS:
                raise EditRefused(f"there is no input {type!r}")
            after, placed = place_input(before, INPUTS[type], at)
        case _:
            raise EditRefused(f"there is nothing of the kind {kind!r}")
    session.apply(f"add {type}", fitted(before, after))
    session.selected = placed[-1:]
    return {"placed": placed}


def _source(session: Session, message: Message) -> tuple[str, int] | None:
    """The output that a new operator is wired to."""
    given = message.get("from")
    if given is None:
        return None
    node = given if isinstance(given, str) else text(given, "node")
    document = session.document
    if node not in document.ids and node not in document.outside():
        raise EditRefused(f"there is no box {node[:40]!r} on the canvas")
    if isinstance(given, str) or given.get("output") is None:
        return node, _free_output(session, node)
    return node, whole(given, "output")


def _free_output(session: Session, node: str) -> int:
    """The first output that nobody reads, or the first."""
    document = session.document
    if node in document.outside():
        return 0
    read = {name for op in document.net.op for name in op.input}
    outputs = document.op(node).output
    return next((k for k, name in enumerate(outputs) if name not in read), 0)


def connect(session: Session, message: Message) -> Reply:
    """Wires an output to an input."""
    before = session.document
    source, target = text(message, "source"), text(message, "target")
    after = edit.connect(before, source, whole(message, "output", 0), target, whole(message, "input", 0))
    session.apply(f"connect {box_name(before, source)} to {box_name(before, target)}", fitted(before, after))
    return {}


def disconnect(session: Session, message: Message) -> Reply:
    """Takes a wire away."""
    session.apply("disconnect", edit.disconnect(session.document, text(message, "edge")))
    return {}


def remove(session: Session, message: Message) -> Reply:
    """Removes boxes and wires."""
    before = session.document
    nodes, edges = texts(message, "nodes"), texts(message, "edges")
    nodes = session.members_of(nodes)
    if not nodes and not edges:
        raise EditRefused("there is nothing to remove")
    label = f"remove {box_name(before, nodes[0])}" if len(nodes) == 1 else f"remove {len(nodes) or len(edges)}"
    after = edit.remove(before, nodes, edges, heal=truth(message, "heal"))
    session.apply(label, fitted(before, after))
    session.selected = []
    return {}


def undo(session: Session, message: Message) -> Reply:
    """Takes the last step back."""
    before = session.document
    label = session.history.undo()
    session.write(before)
    return {"label": label}


def redo(session: Session, message: Message) -> Reply:
    """Does again what was taken back last."""
    before = session.document
    label = session.history.redo()
    session.write(before)
    return {"label": label}


COMMANDS: dict[str, Command] = {
    "add": add,
    "connect": connect,
    "disconnect": disconnect,
    "remove": remove,
    "undo": undo,
    "redo": redo,
}
