"""Commands for the canvas alone: places, comments, groups; and copying of boxes."""

from __future__ import annotations

from c2lab.builder.clipboard import duplicated
from c2lab.builder.messages import Message, Reply, place, point, text, texts, truth
from c2lab.builder.session import Command, Session
from c2lab.graph import arranging
from c2lab.graph.document import EditRefused


def move(session: Session, message: Message) -> Reply:
    """Puts boxes somewhere."""
    given = message.get("positions")
    if not isinstance(given, dict) or not given:
        raise EditRefused("positions must be an object of places by box")
    places = {}
    for name, at in given.items():
        if not isinstance(at, (list, tuple)) or len(at) != 2:
            raise EditRefused(f"the place of {str(name)[:40]!r} must be a pair of numbers")
        places[str(name)] = point(*at)
    boxes = (box["id"] for box in session.scene()["nodes"])
    session.apply("move", arranging.move(session.document, places, boxes))
    return {}


def layout(session: Session, message: Message) -> Reply:
    """Lays everything out anew."""
    session.apply("layout", arranging.laid_out(session.document))
    return {}


def align(session: Session, message: Message) -> Reply:
    """Lines boxes up."""
    boxes = {box["id"]: (box["x"], box["y"], box["w"], box["h"]) for box in session.scene()["nodes"]}
    how = {"center": "centre"}.get(text(message, "how"), text(message, "how"))
    session.apply("align", arranging.aligned(session.document, boxes, texts(message, "nodes"), how))
    return {}


def collapse(session: Session, message: Message) -> Reply:
    """Closes or opens a group."""
    path, closed = text(message, "path"), truth(message, "collapsed", True)
    session.apply("close group" if closed else "open group", arranging.collapse(session.document, path, closed))
    return {}


def comment(session: Session, message: Message) -> Reply:
    """Writes a comment."""
    node = text(message, "node") if message.get("node") is not None else None
    at = place(message) or (0.0, 0.0)
    after, name = arranging.comment(session.document, text(message, "text", longest=100_000), at, node)
    session.apply("comment", after)
    return {"placed": [name]}


def duplicate(session: Session, message: Message) -> Reply:
    """Copies boxes beside themselves."""
    nodes = session.members_of(texts(message, "nodes"))
    places = {box["id"]: (box["x"], box["y"]) for box in session.scene()["nodes"]}
    after, placed = duplicated(session.document, nodes)
    copies = {new: places[old] for old, new in zip(nodes, placed, strict=True) if old in places}
    after = arranging.shifted(after, placed, copies, 40.0)
    session.apply("duplicate", after)
    session.selected = placed
    return {"placed": placed}


def select(session: Session, message: Message) -> Reply:
    """Notes what is selected; no step of the history."""
    session.selected = texts(message, "nodes")
    return {}


COMMANDS: dict[str, Command] = {
    "move": move,
    "layout": layout,
    "align": align,
    "collapse": collapse,
    "comment": comment,
    "duplicate": duplicate,
    "select": select,
}
