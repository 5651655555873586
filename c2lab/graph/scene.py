"""What a canvas draws: boxes with ports and places, wires, frames of scopes - as plain data.

A scene is made anew after each edit.  Shapes are no part of it: they follow when they are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from c2lab.graph.boxes import box_of
from c2lab.graph.canvas import group_id, input_id
from c2lab.graph.document import Document
from c2lab.graph.draft import missing_slots, slot_of
from c2lab.graph.folding import Group, Shown, shown
from c2lab.graph.lettering import shorten, text_width
from c2lab.graph.order import wires_of
from c2lab.graph.placing import Placed, place
from c2lab.graph.view import FOLD_ABOVE, NetView, ViewNode, family_of, group_node
from c2lab.operators import registry

Scene = dict[str, Any]

_PORT = 20.0
"""Room for one port at the side of a box."""
_LONGEST_TEXT = 12_000


@dataclass
class _Box:
    """A box while the scene is put together."""

    id: str
    told: dict[str, Any]
    size: tuple[float, float]
    lane: int = 0
    members: frozenset[str] = field(default_factory=frozenset)


def scene_of(
    document: Document,
    *,
    fold_above: int = FOLD_ABOVE,
    marks: Mapping[str, str] | None = None,
    pairs: Mapping[str, str] | None = None,
) -> Scene:
    """The scene of a document, without its version and its history.

    Args:
        document: What is shown.
        fold_above: Nets with more operators than this start folded along their scopes.
        marks: By id of an operator: ``added``, ``removed`` or ``changed``.
        pairs: By id of a gradient operator, the id of its forward operator.

    Example:
        >>> from c2lab.graph.document import empty_document
        >>> scene_of(empty_document("n"))["nodes"]
        []
    """
    view = NetView.of(document.net, parameters=document.kept)
    operators = [node for node in view.nodes if node.kind == "operator"]
    chosen = shown(operators, closed=document.canvas.closed, opened=document.canvas.opened, fold_above=fold_above)
    boxes, owner = _boxes(document, view, operators, chosen, marks or {}, pairs or {})
    edges = _edges(document, operators, owner)
    # An input that only closed groups read from the inside keeps its box: it is where data comes in.
    placed = place(
        [box.id for box in boxes],
        [box.size for box in boxes],
        [(edge["source"], edge["target"]) for edge in edges],
        lanes=[box.lane for box in boxes],
        kept=document.canvas.positions,
    )
    for box in boxes:
        x, y = placed.corners[box.id]
        box.told.update(x=round(x, 1), y=round(y, 1), w=round(box.size[0], 1), h=round(box.size[1], 1))
    comments = [_comment(comment) for comment in document.canvas.comments]
    return {
        "name": document.net.name,
        "direction": placed.direction,
        "nodes": [box.told for box in boxes] + comments,
        "edges": edges,
        "groups": _frames(document, chosen.open, boxes, owner, placed),
        "overview": None,
        "external_inputs": list(document.net.external_input),
        "external_outputs": list(document.net.external_output),
        "operators": len(operators),
        "parameters": len(document.parameters),
    }


def closed_groups(document: Document, fold_above: int = FOLD_ABOVE) -> dict[str, list[str]]:
    """The operators inside of each closed group, by the id of its box."""
    view = NetView.of(document.net, parameters=document.kept)
    operators = [node for node in view.nodes if node.kind == "operator"]
    canvas = document.canvas
    chosen = shown(operators, closed=canvas.closed, opened=canvas.opened, fold_above=fold_above)
    return {group_id(group.path): [document.ids[m] for m in group.members] for group in chosen.closed}


def ports(document: Document, node: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The inputs and outputs of an operator, wired or not."""
    op = document.op(node)
    operator = registry.get(op.type)
    slots = operator.inputs if operator is not None else ()
    inputs = []
    kept = document.kept
    for position, blob in enumerate(op.input):
        slot = slot_of(slots, position)
        inputs.append(
            {
                "slot": slot.name,
                "blob": blob or None,
                "optional": slot.optional,
                "variadic": slot.variadic,
                "parameter": blob in kept,
            }
        )
    variadic = [slot for slot in slots if slot.variadic]
    for slot in variadic or slots[len(op.input) :]:
        inputs.append(
            {
                "slot": slot.name,
                "blob": None,
                "optional": slot.optional or bool(slot.variadic and len(op.input)),
                "variadic": slot.variadic,
                "parameter": False,
            }
        )
    named = operator.outputs if operator is not None else ()
    outputs = [{"slot": slot_of(named, k).name, "blob": blob} for k, blob in enumerate(op.output)]
    return inputs, outputs


def _boxes(
    document: Document,
    view: NetView,
    operators: Sequence[ViewNode],
    chosen: Shown,
    marks: Mapping[str, str],
    pairs: Mapping[str, str],
) -> tuple[list[_Box], dict[int | str, str]]:
    """The boxes in running order, and the box that each operator (by position) or input (by blob) is in."""
    ids = document.ids
    owner: dict[int | str, str] = {}
    entries: list[tuple[int, _Box]] = []
    for position in chosen.operators:
        box = _operator_box(document, operators[position], ids[position], marks, pairs)
        owner[position] = box.id
        entries.append((position, box))
    at = {node.members[0]: k for k, node in enumerate(view.nodes) if node.kind == "operator"}
    for group in chosen.closed:
        box = _group_box(view, group, [at[m] for m in group.members], [ids[m] for m in group.members], marks)
        owner.update(dict.fromkeys(group.members, box.id))
        entries.append((group.members[0], box))
    entries.sort(key=lambda entry: entry[0])
    inputs = []
    for node, blob in document.outside().items():
        owner[blob] = node
        inputs.append(_input_box(document, node, blob))
    return inputs + [box for _, box in entries], owner


def _operator_box(
    document: Document, node: ViewNode, name: str, marks: Mapping[str, str], pairs: Mapping[str, str]
) -> _Box:
    op = document.op(name)
    inputs, outputs = ports(document, name)
    box = box_of(node, {}, ())
    wired = sum(not port["parameter"] and (not port["optional"] or port["blob"] is not None) for port in inputs)
    width = min(max(box.width, 110.0), 280.0)
    height = max(box.height + 4, _PORT * (max(wired, len(outputs)) + 1))
    device = op.device_option if op.HasField("device_option") else None
    told = {
        "id": name,
        "kind": "operator",
        "type": _cut(op.type),
        "name": _cut(op.name or (op.output[0] if op.output else "")),
        "family": node.family,
        "inputs": [{**port, "blob": port["blob"] and _cut(port["blob"])} for port in inputs],
        "outputs": [{**port, "blob": _cut(port["blob"])} for port in outputs],
        "arguments": [[_cut(key), _cut(value)] for key, value in node.essential_arguments],
        "line": " ".join(box.lines),
        "pills": [{"blob": _cut(full), "text": shorten(full.rsplit("/", 1)[-1], 14)} for full in node.parameters],
        "scope": _cut(node.scope),
        "device": device_text(device),
        "gradient": node.gradient,
        "update": node.update,
        "pair": pairs.get(name),
        "incomplete": bool(missing_slots(op)),
        "unknown": registry.get(op.type) is None,
        "diff": marks.get(name),
        "text": "",
        "members": 1,
        "collapsed": False,
    }
    lane = 2 if node.update else 1 if node.gradient else 0
    return _Box(name, told, (width, height), lane, frozenset([name]))


def _group_box(
    view: NetView, group: Group, positions: Sequence[int], members: Sequence[str], marks: Mapping[str, str]
) -> _Box:
    node = group_node(view, group.label, tuple(positions))
    box = box_of(node, {}, ())
    found = {marks[name] for name in members if name in marks}
    told = {
        "id": group_id(group.path),
        "kind": "group",
        "type": _cut(node.type),
        "name": node.name + (f" in {group.repeats} like blocks" if group.repeats > 1 else ""),
        "family": node.family,
        "inputs": [],
        "outputs": [],
        "arguments": [[_cut(kind), number] for kind, number in node.arguments[:8]],
        "line": ", ".join(f"{number} {shorten(kind, 20)}" for kind, number in node.arguments[:3]),
        "pills": [],
        "scope": _cut(node.scope),
        "device": "",
        "gradient": node.gradient,
        "update": node.update,
        "pair": None,
        "incomplete": False,
        "unknown": False,
        "diff": None if not found else found.pop() if len(found) == 1 else "changed",
        "text": "",
        "members": len(members),
        "repeats": group.repeats,
        "collapsed": True,
        "path": group.path,
    }
    lane = 2 if node.update else 1 if node.gradient else 0
    return _Box(told["id"], told, (min(max(box.width, 130.0), 300.0), box.height + 6), lane, frozenset(members))


def _input_box(document: Document, node: str, blob: str) -> _Box:
    known = document.canvas.inputs.get(blob)
    told = {
        "id": node,
        "kind": "input",
        "type": _cut(blob),
        "name": _cut(blob),
        "family": "",
        "inputs": [],
        "outputs": [{"slot": "", "blob": _cut(blob)}],
        "arguments": [["shape", ", ".join(map(str, known.shape))], ["dtype", known.dtype]] if known else [],
        "line": "",
        "pills": [],
        "scope": _cut(blob.rpartition("/")[0]),
        "device": "",
        "gradient": False,
        "update": False,
        "pair": None,
        "incomplete": False,
        "unknown": False,
        "diff": None,
        "text": "",
        "members": 1,
        "collapsed": False,
    }
    width = text_width(shorten(blob, 24), 13, bold=True) + 36
    return _Box(node, told, (max(70.0, width), 34.0), 0, frozenset([node]))


def _comment(comment: Any) -> dict[str, Any]:
    lines = comment.text.splitlines()[:40] or [""]
    width = min(320.0, max(120.0, *(text_width(line[:60], 12) + 24 for line in lines)))
    height = 20 + 17 * sum(1 + int(text_width(line[:4000], 12) // (width - 20)) for line in lines)
    return {
        "id": comment.id, "kind": "comment", "type": "comment", "name": "", "family": "", "text": _cut(comment.text),
        "x": comment.x, "y": comment.y, "w": width, "h": min(height, 600), "inputs": [], "outputs": [],
        "arguments": [], "line": "", "pills": [], "scope": "", "device": "", "gradient": False, "update": False,
        "pair": None, "incomplete": False, "unknown": False, "diff": None, "members": 1, "collapsed": False,
    }  # fmt: skip


def _edges(document: Document, operators: Sequence[ViewNode], owner: Mapping[int | str, str]) -> list[dict[str, Any]]:
    ops, ids = document.net.op, document.ids
    wires = wires_of(ops)
    versions: dict[str, int] = {}
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    blobs: dict[tuple[str, str], set[str]] = {}
    result = []
    for reader, op in enumerate(ops):
        skip = operators[reader].parameters
        for slot, blob in enumerate(op.input):
            if not blob or blob in skip:
                continue
            writer = wires[reader][slot]
            source = owner.get(writer if writer is not None else blob)
            if source is None or source == owner[reader]:
                continue
            target = owner[reader]
            whole = target == ids[reader] and (writer is None or source == ids[writer])
            edge = {
                "id": f"{ids[reader]}.{slot}" if target == ids[reader] else f"{source}>{target}",
                "source": source,
                "output": list(ops[writer].output).index(blob) if writer is not None and source == ids[writer] else 0,
                "target": target,
                "input": slot if target == ids[reader] else 0,
                "blob": _cut(blob),
                "version": versions.get(blob, 0),
                "count": 1,
                "gradient": operators[reader].gradient and writer is not None and operators[writer].gradient,
            }
            if whole or target == ids[reader]:
                result.append(edge)
                continue
            known = merged.get((source, target))
            if known is None:
                merged[source, target] = edge
                blobs[source, target] = {blob}
                result.append(edge)
            else:
                blobs[source, target].add(blob)
                known["count"] = len(blobs[source, target])
        for blob in op.output:
            versions[blob] = versions.get(blob, 0) + 1
    return result


def _frames(
    document: Document, groups: Sequence[Group], boxes: Sequence[_Box], owner: Mapping[int | str, str], placed: Placed
) -> list[dict[str, Any]]:
    """Frames around open groups, where no other box would stand inside."""
    sides = {}
    for box in boxes:
        x, y = placed.corners[box.id]
        sides[box.id] = (x, y, x + box.size[0], y + box.size[1])
    others = np.array([side for name, side in sides.items() if name[:1] != "i"]).reshape(-1, 4).T
    frames = []
    for group in groups[:400]:
        inside = {owner[member] for member in group.members if member in owner}
        if not inside:
            continue
        own = [sides[name] for name in inside]
        depth = group.path.count("/")
        pad = max(8.0, 18.0 - 4 * depth)
        left, top = min(s[0] for s in own) - pad, min(s[1] for s in own) - pad - 12
        right, bottom = max(s[2] for s in own) + pad, max(s[3] for s in own) + pad
        covered = (others[0] < right) & (others[2] > left) & (others[1] < bottom) & (others[3] > top)
        clear = int(covered.sum()) == sum(name[:1] != "i" for name in inside)
        frames.append(
            {
                "path": group.path,
                "label": _cut(group.label),
                "x": left,
                "y": top,
                "w": right - left,
                "h": bottom - top,
                "collapsed": False,
                "members": sorted(inside),
                "clear": clear,
            }
        )
    return frames


def device_text(option: Any) -> str:
    """A device in words: ``cpu``, ``gpu:1``, or nothing for the default."""
    if option is None or not option.HasField("device_type"):
        return ""
    name = {0: "cpu", 1: "gpu"}.get(option.device_type, f"device {option.device_type}")
    return f"{name}:{option.device_id}" if option.device_type else name


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else shorten(text, _LONGEST_TEXT)


def box_name(document: Document, node: str) -> str:
    """How a message names a box."""
    if node in document.ids:
        op = document.op(node)
        return f"{op.type} {shorten(op.name or (op.output[0] if op.output else ''), 40)}".strip()
    return document.outside().get(node, "") or node


__all__ = ["Scene", "box_name", "device_text", "family_of", "input_id", "ports", "scene_of"]
