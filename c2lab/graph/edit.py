"""Edits of wires: add, connect, disconnect, remove, splice. Each takes a document and returns another.

An edit that cannot be raises ``EditRefused`` with the reason; the document that it was given is as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from c2lab.graph.canvas import input_id
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import Draft, Part, free_slots, slot_of
from c2lab.graph.order import Circle
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef


def add(
    document: Document,
    op: OperatorDef,
    *,
    source: tuple[str, int] | None = None,
    splice: str | None = None,
    at: tuple[float, float] | None = None,
) -> tuple[Document, str]:
    """Adds an operator; returns the document and the operator's id.

    Args:
        document: The document.
        op: The operator. Inputs that it names are read as they are at the end of the net.
        source: A box and one of its outputs, which the first free input reads.
        splice: An edge to be put into.
        at: Its place on the canvas.

    Example:
        >>> from c2lab.graph.document import empty_document
        >>> document, node = add(empty_document("n"), OperatorDef(type="Relu", output=["relu1"]))
        >>> node, document.net.op[0].type
        ('o0', 'Relu')
    """
    draft = Draft(document)
    last = {name: part.id for part in draft.parts for name in part.op.output}
    behind = None
    if splice is not None:
        target, slot = edge_end(document, splice)
        reader = draft.part(target)
        behind = reader.sources[slot]
    elif source is not None:
        behind = draft.source(*source)[0]
    part = draft.insert(op, [last.get(name) for name in op.input], behind)
    for name in op.input:
        if last.get(name) is not None and behind is None:
            _move_behind(draft, part, str(last[name]))
    if splice is not None:
        target, slot = edge_end(document, splice)
        _splice(draft, part, draft.part(target), slot)
    elif source is not None:
        slots = free_slots(part.op, registry.get(op.type))
        if not slots:
            raise EditRefused(f"{op.type} has no free input")
        draft.wire(part, slots[0], *draft.source(*source))
    if at is not None:
        draft.change_canvas(positions={**draft.canvas.positions, part.id: at})
    return draft.document(), part.id


def connect(document: Document, source: str, output: int, target: str, slot: int) -> Document:
    """Lets input ``slot`` of the operator ``target`` read output ``output`` of the box ``source``.

    Raises:
        EditRefused: There is no such box or input, or the wire would close a circle.
    """
    draft = Draft(document)
    part = draft.part(target)
    node, blob = draft.source(source, output)
    _check_slot(part.op, slot)
    if node == part.id:
        raise EditRefused(f"{part.op.type} cannot read its own output {blob[:60]!r}")
    if slot < len(part.op.input) and (part.op.input[slot], part.sources[slot]) == (blob, node):
        return document
    left = part.op.input[slot] if slot < len(part.op.input) else ""
    _require_no_overwriting(part.op, slot, blob)
    draft.wire(part, slot, node, blob)
    draft.drop_parameters([left])
    return draft.document()


def disconnect(document: Document, edge: str) -> Document:
    """Takes one wire away; its reader is then incomplete, unless it can do without."""
    draft = Draft(document)
    target, slot = edge_end(document, edge)
    draft.cut(draft.part(target), slot)
    return draft.document()


def remove(document: Document, nodes: Iterable[str], edges: Iterable[str] = (), *, heal: bool = False) -> Document:
    """Removes boxes (operators, inputs, comments) and wires.

    Args:
        document: The document.
        nodes: Ids of boxes.
        edges: Ids of wires.
        heal: Whether readers of a removed operator are wired to what it read instead, where that can be: what
            it read may be overwritten by then.
    """
    nodes, edges = list(dict.fromkeys(nodes)), list(edges)
    if heal:
        try:
            return _removed(document, nodes, edges, heal=True)
        except Circle:
            pass
    return _removed(document, nodes, edges, heal=False)


def _removed(document: Document, nodes: list[str], edges: list[str], *, heal: bool) -> Document:
    draft = Draft(document)
    outside = document.outside()
    comments = {comment.id for comment in document.canvas.comments}
    cuts = [edge_end(document, edge) for edge in dict.fromkeys(edges)]
    operators = [node for node in nodes if node not in outside and node not in comments]
    for node in operators:
        draft.part(node)
    for target, slot in sorted(cuts, key=lambda end: -end[1]):
        if target not in operators:
            draft.cut(draft.part(target), slot)
    for node in operators:
        _remove_operator(draft, draft.part(node), heal)
    for node in nodes:
        if node in outside:
            for reader, slot in sorted(draft.readers(None, outside[node]), key=lambda end: -end[1]):
                draft.cut(reader, slot)
            draft.forget_outside([outside[node]])
    draft.change_canvas(
        comments=tuple(comment for comment in draft.canvas.comments if comment.id not in nodes),
        positions={name: place for name, place in draft.canvas.positions.items() if name not in nodes},
    )
    return draft.document()


def add_input(
    document: Document, blob: str, shape: object = None, at: tuple[float, float] | None = None
) -> tuple[Document, str]:
    """Declares a blob that comes from outside; ``shape`` is an ``InputShape``, or ``None`` where it is open."""
    if not blob or blob in document.names():
        raise EditRefused(f"there is a blob {blob[:60]!r} already" if blob else "a blob needs a name")
    draft = Draft(document)
    draft.net.external_input.append(blob)
    node = input_id(blob)
    if shape is not None:
        draft.change_canvas(inputs={**draft.canvas.inputs, blob: shape})
    if at is not None:
        draft.change_canvas(positions={**draft.canvas.positions, node: at})
    return draft.document(), node


def replace_operator(document: Document, node: str, op: OperatorDef) -> Document:
    """Puts a changed operator with the same blobs in the place of another."""
    net = caffe2_pb2.NetDef()
    net.CopyFrom(document.net)
    net.op[document.position(node)].CopyFrom(op)
    return Document(net, document.init, document.parameters, document.canvas)


def edge_end(document: Document, edge: str) -> tuple[str, int]:
    """The operator and the input that an edge leads to.

    Raises:
        EditRefused: There is no such edge.
    """
    target, _, slot = str(edge).rpartition(".")
    if target in document.ids and slot.isascii() and slot.isdecimal() and len(slot) < 8:
        op = document.op(target)
        if int(slot) < len(op.input) and op.input[int(slot)]:
            return target, int(slot)
    raise EditRefused(f"there is no wire {str(edge)[:60]!r}")


def _move_behind(draft: Draft, part: Part, node: str) -> None:
    """Keeps a new operator behind what it reads, where that is a backward operator."""
    place = draft.parts.index(draft.part(node))
    if draft.parts.index(part) < place:
        draft.parts.remove(part)
        draft.parts.insert(place, part)


def _check_slot(op: OperatorDef, slot: int) -> None:
    operator = registry.get(op.type)
    if slot < 0 or slot > len(op.input) + 64:
        raise EditRefused(f"{op.type} has no input {slot}")
    if operator is None:
        return
    if not any(s.variadic for s in operator.inputs) and slot >= len(operator.inputs):
        names = ", ".join(s.name for s in operator.inputs) or "none"
        raise EditRefused(f"{op.type} has no input {slot}; its inputs are {names}")


def _require_no_overwriting(op: OperatorDef, slot: int, blob: str) -> None:
    """Refuses a wire that would make the operator write over a blob that it may not write over."""
    operator = registry.get(op.type)
    if operator is None or operator.inplace is None:
        return
    for output, name in enumerate(op.output):
        if name == blob and (slot, output) not in operator.inplace | operator.inplace_enforced:
            raise EditRefused(
                f"{op.type} may not write output {output} over its input {slot} ({blob[:60]}); "
                "give the output another name"
            )


def _splice(draft: Draft, part: Part, reader: Part, slot: int) -> None:
    if not part.op.output:
        raise EditRefused(f"{part.op.type} has no output that could go on")
    slots = free_slots(part.op, registry.get(part.op.type))
    if not slots:
        raise EditRefused(f"{part.op.type} has no free input")
    draft.wire(part, slots[0], reader.sources[slot], reader.op.input[slot])
    draft.wire(reader, slot, part.id, part.op.output[0])


def _remove_operator(draft: Draft, part: Part, heal: bool) -> None:
    operator = registry.get(part.op.type)
    through: tuple[str | None, str] | None = None
    if heal:
        # What flows through an operator: its first input that is no parameter.
        for slot, name in enumerate(part.op.input):
            if name and name not in draft.parameters:
                through = part.sources[slot], name
                break
    for output, blob in enumerate(part.op.output):
        for reader, slot in sorted(draft.readers(part.id, blob), key=lambda end: -end[1]):
            if reader is part:
                continue
            if through is not None and output == 0:
                draft.wire(reader, slot, *through)
            else:
                draft.cut(reader, slot)
    if through is not None and part.op.output and part.op.output[0] in draft.net.external_output:
        _replace_result(draft, part.op.output[0], through[1])
    draft.parts.remove(part)
    read = [name for slot, name in enumerate(part.op.input) if not operator or slot_of(operator.inputs, slot)]
    draft.drop_parameters(read)


def _replace_result(draft: Draft, old: str, new: str) -> None:
    outputs: Sequence[str] = list(dict.fromkeys(new if name == old else name for name in draft.net.external_output))
    del draft.net.external_output[:]
    draft.net.external_output.extend(outputs)
