"""A document taken apart for one edit: operators, their wires, and how it is put together again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from c2lab.graph.canvas import fresh_id, input_id
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.order import order_for, wires_of
from c2lab.graph.view import find_parameters
from c2lab.operators import registry
from c2lab.operators.definition import Operator
from c2lab.operators.schema import Slot
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef


@dataclass
class Part:
    """An operator, and the ids of the operators that its inputs come from."""

    id: str
    op: OperatorDef
    sources: list[str | None]


class Draft:
    """A working copy of a document. ``document()`` puts it together, or refuses."""

    def __init__(self, document: Document) -> None:
        self.before = document
        self.init = document.init
        self.parameters = dict(document.parameters)
        self.canvas = document.canvas
        net = caffe2_pb2.NetDef()
        net.CopyFrom(document.net)
        self.net = net
        ids = document.ids
        self.parts = [
            Part(name, op, [None if source is None else ids[source] for source in sources])
            for name, op, sources in zip(ids, net.op, wires_of(net.op), strict=True)
        ]

    # ---- looking -----------------------------------------------------------------------------

    def part(self, node: str) -> Part:
        """An operator by its id.

        Raises:
            EditRefused: There is none.
        """
        for part in self.parts:
            if part.id == node:
                return part
        raise EditRefused(f"there is no operator {str(node)[:40]!r} on the canvas")

    def source(self, node: str, output: int) -> tuple[str | None, str]:
        """The operator (``None``: outside) and the blob at an output of a box.

        Raises:
            EditRefused: There is no such box or output.
        """
        outside = self.before.outside()
        if node in outside:
            return None, outside[node]
        part = self.part(node)
        if not 0 <= output < len(part.op.output):
            raise EditRefused(f"{part.op.type} has {len(part.op.output)} outputs; there is no output {output}")
        return part.id, part.op.output[output]

    def readers(self, node: str | None, blob: str) -> list[tuple[Part, int]]:
        """Who is wired to what an operator (or the outside) leaves in ``blob``."""
        return [
            (part, slot)
            for part in self.parts
            for slot, (name, source) in enumerate(zip(part.op.input, part.sources, strict=True))
            if name == blob and source == node
        ]

    # ---- changing ----------------------------------------------------------------------------

    def insert(self, op: OperatorDef, sources: list[str | None], behind: str | None = None) -> Part:
        """A new operator, behind another one or at the end of the forward operators."""
        copied = OperatorDef()
        copied.CopyFrom(op)
        part = Part(fresh_id("o", [*self.before.ids, *(part.id for part in self.parts)]), copied, sources)
        place = next((i for i, other in enumerate(self.parts) if is_backward(other.op)), len(self.parts))
        if is_backward(op):
            place = len(self.parts)
        if behind is not None:
            place = self.parts.index(self.part(behind)) + 1
        self.parts.insert(place, part)
        return part

    def wire(self, part: Part, slot: int, node: str | None, blob: str) -> None:
        """Lets input ``slot`` read what ``node`` leaves in ``blob``."""
        while len(part.op.input) <= slot:
            part.op.input.append("")
            part.sources.append(None)
        part.op.input[slot] = blob
        part.sources[slot] = node

    def cut(self, part: Part, slot: int) -> None:
        """Leaves input ``slot`` without a wire: empty where others follow it, absent where none do."""
        operator = registry.get(part.op.type)
        variadic = operator is not None and slot_of(operator.inputs, slot).variadic
        if variadic or slot == len(part.op.input) - 1:
            del part.op.input[slot]
            del part.sources[slot]
        else:
            part.op.input[slot] = ""
            part.sources[slot] = None
        while len(part.op.input) and not part.op.input[-1]:
            del part.op.input[-1]
            part.sources.pop()

    def drop_parameters(self, names: Iterable[str]) -> None:
        """Forgets parameters that nothing reads any more, with what fills them."""
        read = {name for part in self.parts for name in (*part.op.input, *part.op.output)}
        gone = {name for name in names if name in self.parameters and name not in read}
        if not gone:
            return
        self.parameters = {name: kind for name, kind in self.parameters.items() if name not in gone}
        init = caffe2_pb2.NetDef()
        init.CopyFrom(self.init)
        kept = [op for op in init.op if not op.output or not set(op.output) <= gone]
        remade = [OperatorDef.FromString(op.SerializeToString()) for op in kept]
        del init.op[:]
        init.op.extend(remade)
        outputs = [name for name in init.external_output if name not in gone]
        del init.external_output[:]
        init.external_output.extend(outputs)
        self.init = init
        self.forget_outside(gone)

    def forget_outside(self, names: Iterable[str]) -> None:
        """Takes names out of what the net says it gets from outside."""
        gone = set(names)
        kept = [name for name in self.net.external_input if name not in gone]
        del self.net.external_input[:]
        self.net.external_input.extend(kept)

    def change_canvas(self, **changes: object) -> None:
        """Changes the canvas of the result."""
        self.canvas = replace(self.canvas, **changes)  # type: ignore[arg-type] - fields of Canvas

    # ---- putting together --------------------------------------------------------------------

    def document(self) -> Document:
        """The result.

        Raises:
            EditRefused: The wires cannot be had in any order.
        """
        index = {part.id: i for i, part in enumerate(self.parts)}
        wires = [[None if s is None else index[s] for s in part.sources] for part in self.parts]
        order = order_for([part.op for part in self.parts], wires)
        parts = [self.parts[i] for i in order]
        net = caffe2_pb2.NetDef()
        net.CopyFrom(self.net)
        del net.op[:]
        net.op.extend(part.op for part in parts)
        _declare(net, self.init, [part.op for part in parts])
        ids = tuple(part.id for part in parts)
        present = {*ids, *(comment.id for comment in self.canvas.comments)}
        positions = {n: p for n, p in self.canvas.positions.items() if n in present or n[:1] in "ig"}
        canvas = replace(self.canvas, ids=ids, positions=positions)
        result = Document(net, self.init, self.parameters, canvas)
        outside = result.outside()
        inputs = {name: known for name, known in canvas.inputs.items() if input_id(name) in outside}
        boxes = frozenset(outside.values()) & find_parameters(net)
        same = inputs == canvas.inputs and boxes == canvas.boxes
        return result if same else result.with_canvas(inputs=inputs, boxes=boxes)


def _declare(net: caffe2_pb2.NetDef, init: caffe2_pb2.NetDef, ops: list[OperatorDef]) -> None:
    """Brings the lists of what the net gets from outside, and gives, up to date."""
    written: set[str] = set()
    known = set(net.external_input)
    for op in ops:
        for name in op.input:
            if name and name not in written and name not in known:
                net.external_input.append(name)
                known.add(name)
        written.update(op.output)
    outputs = [name for name in net.external_output if name in written or name in known]
    if len(outputs) < len(net.external_output):
        del net.external_output[:]
        net.external_output.extend(outputs)


def is_backward(op: OperatorDef) -> bool:
    """Whether an operator belongs to the gradients or the updates."""
    return op.is_gradient_op or any("_grad" in name for name in (*op.output, *op.input))


def slot_of(slots: tuple[Slot, ...], position: int) -> Slot:
    """The slot that a position falls into; a repeated one takes all that follow.

    Example:
        >>> slot_of((Slot("X", variadic=True),), 5).name
        'X'
    """
    for number, slot in enumerate(slots):
        if slot.variadic or number == position:
            return slot
    return Slot(f"input {position}")


def free_slots(op: OperatorDef, operator: Operator | None) -> list[int]:
    """The inputs that have no wire yet, those that must have one first."""
    empty = [slot for slot, name in enumerate(op.input) if not name]
    if operator is None:
        return [*empty, len(op.input)]
    if any(slot.variadic for slot in operator.inputs):
        return [*empty, len(op.input)]
    rest = list(range(len(op.input), len(operator.inputs)))
    return sorted([*empty, *rest], key=lambda slot: (operator.inputs[slot].optional, slot))


def missing_slots(op: OperatorDef) -> list[str]:
    """The names of required inputs that have no wire.

    Example:
        >>> missing_slots(OperatorDef(type="FC", input=["x"], output=["y"]))
        ['W', 'b']
    """
    operator = registry.get(op.type)
    if operator is None:
        return [f"input {k}" for k, name in enumerate(op.input) if not name]
    given = len(op.input)
    required = sum(not (slot.optional or slot.variadic) for slot in operator.inputs)
    empty = [slot_of(operator.inputs, k).name for k, name in enumerate(op.input) if not name]
    rest = [slot.name for slot in operator.inputs[given:] if not (slot.optional or slot.variadic)]
    short = rest[: max(0, required - given)] if given < required else []
    if not short and operator.input_counts and given < min(operator.input_counts):
        short = [slot_of(operator.inputs, k).name for k in range(given, min(operator.input_counts))]
    variadic = [slot.name for slot in operator.inputs if slot.variadic]
    if variadic and not given and not required and 0 not in operator.input_counts and not short:
        short = variadic[:1]
    return [*empty, *short]
