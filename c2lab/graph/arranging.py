"""Edits of the canvas alone: places, comments, closed scopes, alignment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from c2lab.graph.canvas import Comment, Point, fresh_id
from c2lab.graph.document import Document, EditRefused

Rectangle = tuple[float, float, float, float]
"""Left, top, width, height."""

WAYS = ("left", "centre", "right", "top", "middle", "bottom", "across", "down")
"""Ways to align: edges and middles of columns, of rows, and equal gaps across or down."""


def move(document: Document, positions: Mapping[str, Point], boxes: Iterable[str]) -> Document:
    """Puts boxes somewhere.

    Args:
        document: The document.
        positions: By id, the top left corner.
        boxes: Ids of the boxes that are on the canvas.

    Raises:
        EditRefused: One of them is not.
    """
    known = set(boxes)
    strangers = [name for name in positions if name not in known]
    if strangers:
        raise EditRefused(f"there is no box {strangers[0][:40]!r} on the canvas")
    comments = tuple(
        replaced._replace(x=positions[replaced.id][0], y=positions[replaced.id][1])
        if replaced.id in positions
        else replaced
        for replaced in document.canvas.comments
    )
    placed = {name: place for name, place in positions.items() if name[:1] != "c"}
    return document.with_canvas(positions={**document.canvas.positions, **placed}, comments=comments)


def laid_out(document: Document) -> Document:
    """Forgets where boxes were put, so that all are laid out anew."""
    return document.with_canvas(positions={})


def collapse(document: Document, path: str, collapsed: bool) -> Document:
    """Closes or opens a group."""
    canvas = document.canvas
    closed = canvas.closed | {path} if collapsed else canvas.closed - {path}
    opened = canvas.opened - {path} if collapsed else canvas.opened | {path}
    return document.with_canvas(closed=closed, opened=opened)


def comment(document: Document, text: str, at: Point, node: str | None = None) -> tuple[Document, str]:
    """Writes a comment, or changes one; without text it is taken away."""
    comments = document.canvas.comments
    if node is not None:
        if all(known.id != node for known in comments):
            raise EditRefused(f"there is no comment {node[:40]!r}")
        kept = tuple(known._replace(text=text) if known.id == node else known for known in comments)
        kept = tuple(known for known in kept if known.text)
        return document.with_canvas(comments=kept), node
    if not text:
        raise EditRefused("a comment needs a text")
    name = fresh_id("c", (known.id for known in comments))
    return document.with_canvas(comments=(*comments, Comment(name, text, *at))), name


def aligned(document: Document, boxes: Mapping[str, Rectangle], nodes: Sequence[str], how: str) -> Document:
    """Lines boxes up.

    Args:
        document: The document.
        boxes: Where each box is now.
        nodes: The boxes to line up, two at least.
        how: One of ``WAYS``.
    """
    if how not in WAYS:
        raise EditRefused(f"boxes are aligned {', '.join(WAYS)}; not {how[:40]!r}")
    chosen = {name: boxes[name] for name in nodes if name in boxes}
    if len(chosen) < 2:
        raise EditRefused("two boxes at least can be lined up")
    axis = 1 if how in ("top", "middle", "bottom", "down") else 0
    starts = {name: box[axis] for name, box in chosen.items()}
    ends = {name: box[axis] + box[axis + 2] for name, box in chosen.items()}
    first, last = min(starts.values()), max(ends.values())
    moved: dict[str, float] = {}
    if how in ("across", "down"):
        order = sorted(chosen, key=starts.__getitem__)
        room = last - first - sum(chosen[name][axis + 2] for name in order)
        gap, at = max(room / (len(order) - 1), 12.0), first
        for name in order:
            moved[name] = at
            at += chosen[name][axis + 2] + gap
    else:
        for name, box in chosen.items():
            size = box[axis + 2]
            moved[name] = {
                "left": first, "top": first, "right": last - size, "bottom": last - size,
                "centre": (first + last - size) / 2, "middle": (first + last - size) / 2,
            }[how]  # fmt: skip
    places = {
        name: (round(at, 1), chosen[name][1]) if axis == 0 else (chosen[name][0], round(at, 1))
        for name, at in moved.items()
    }
    return move(document, places, boxes)


def shifted(document: Document, nodes: Iterable[str], places: Mapping[str, Point], by: float) -> Document:
    """Puts boxes a little beside the places that are given for them."""
    put = {name: (places[name][0] + by, places[name][1] + by) for name in nodes if name in places}
    return replace(document, canvas=replace(document.canvas, positions={**document.canvas.positions, **put}))
