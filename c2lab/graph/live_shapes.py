"""Shapes while a net is edited: every edge that has one, mistakes at their cause, what hangs on them in grey.

Unlike ``shapes.infer`` this goes on where an operator is unknown or not wired yet.  Results are
remembered by type, arguments and input shapes, so that after an edit only what is downstream of it
is worked out anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from c2lab.errors import C2LabError
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import Document
from c2lab.graph.draft import missing_slots
from c2lab.graph.ir import Node, Value
from c2lab.graph.reader import read_operator
from c2lab.graph.shapes import Found, ShapeAndType, infer_node
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2


@dataclass
class LiveShapes:
    """What is known of a net without running it."""

    outputs: list[tuple[ShapeAndType | None, ...]] = field(default_factory=list)
    """For each operator, the shape of each output."""
    inputs: list[tuple[ShapeAndType | None, ...]] = field(default_factory=list)
    """For each operator, the shape of each input, as it reads it."""
    problems: dict[int, str] = field(default_factory=dict)
    """By position, what is wrong with an operator itself."""
    incomplete: dict[int, str] = field(default_factory=dict)
    """By position, which wires an operator still needs."""
    grey: set[int] = field(default_factory=set)
    """What cannot be known because of a problem, or a missing wire, upstream."""
    blobs: dict[str, ShapeAndType] = field(default_factory=dict)
    """Shapes by blob name, as the net leaves them (and those that were known before)."""


_symbols: dict[str, Any] = {}
_scope: list[Any] = []


def symbol(name: str) -> Any:
    """The size that stays open under this name; all of them may be reckoned with together.

    Example:
        >>> symbol("N") * 2 == symbol("N") + symbol("N")
        True
    """
    if not _scope:
        _scope.append(jax.export.SymbolicScope())
    if name not in _symbols:
        _symbols[name] = jax.export.symbolic_shape(name, scope=_scope[0])[0]
    return _symbols[name]


def known_shape(known: InputShape) -> ShapeAndType:
    """A shape as it is written on the canvas, with its open sizes as symbols."""
    return ShapeAndType(tuple(symbol(s) if isinstance(s, str) else s for s in known.shape), known.dtype)


Adjust = Callable[[int, caffe2_pb2.OperatorDef, ShapeAndType | None], Mapping[str, tuple[Any, ...]]]
"""``(position, operator, shape of its first input)`` -> other shapes of blobs that it reads."""


def live_shapes(net: caffe2_pb2.NetDef, known: Mapping[str, ShapeAndType], adjust: Adjust | None = None) -> LiveShapes:
    """Shapes of a net, as far as they can be told.

    Args:
        net: The net; its operators may be unknown, wrong, or without wires.
        known: Shapes of the blobs that it finds.
        adjust: May give blobs another shape before an operator reads them.

    Example:
        >>> net = caffe2_pb2.NetDef(op=[caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["y"])])
        >>> print(live_shapes(net, {"x": ShapeAndType((symbol("N"), 3), "float32")}).outputs[0][0])
        (N, 3) float32
    """
    result = LiveShapes()
    shapes = dict(known)
    values: dict[Value, np.ndarray] = {}
    versions: dict[str, int] = {}
    lost: set[str] = set()
    with jax.enable_x64(True):
        for index, op in enumerate(net.op):
            if adjust is not None:
                for name, shape in adjust(index, op, shapes.get(op.input[0]) if op.input else None).items():
                    shapes[name] = ShapeAndType(shape, shapes[name].dtype if name in shapes else "float32")
            held = tuple(shapes.get(name) for name in op.input)
            result.inputs.append(held)
            key = _key(op, held) if None not in held and lost.isdisjoint(op.input) else None
            if key in _remembered:
                result.outputs.append(_settle(op, None, _remembered[key], shapes, values))
                for name in op.output:
                    versions[name] = versions.get(name, 0) + 1
                    lost.discard(name)
                continue
            found: Found | None = None
            missing = missing_slots(op)
            if missing:
                result.incomplete[index] = f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no wire"
            if any(name in lost for name in op.input):
                result.grey.add(index)
            try:
                # The version counts of an operator that is not read are brought up to date all the same.
                node = read_operator(op, index, net, versions)
            except C2LabError as error:
                for name in op.output:
                    versions[name] = versions.get(name, 0) + 1
                node = None
                if not missing:
                    result.problems[index] = _plain_message(error)
            if node is not None and not missing and index not in result.grey:
                try:
                    found = _found(node, shapes, values)
                except C2LabError as error:
                    result.problems[index] = _plain_message(error)
            failed = index in result.problems or index in result.incomplete or index in result.grey
            if found is not None and node is not None and not (failed or found.constants or node.static_inputs):
                _remember(key, found)
            kept = _settle(op, node, found, shapes, values)
            for name in op.output:
                (lost.add if failed and name not in shapes else lost.discard)(name)
            result.outputs.append(kept)
    result.grey -= result.problems.keys()
    result.blobs = shapes
    return result


_remembered: dict[Any, Found] = {}
"""What operators without mistakes make, by all that it depends on."""


def _key(op: caffe2_pb2.OperatorDef, held: tuple[ShapeAndType | None, ...]) -> Any:
    """All that the shapes of an operator's outputs depend on, names of blobs only where they are the same."""
    inputs, outputs = list(op.input), list(op.output)
    return (
        registry.get(op.type),
        op.engine,
        tuple([argument.SerializeToString() for argument in op.arg]),
        held,
        tuple([inputs.index(name) if name in inputs else -1 for name in outputs]),
        "" in inputs,
    )


def _remember(key: Any, found: Found) -> None:
    if key is None:
        return
    if len(_remembered) > 50_000:
        _remembered.clear()
    _remembered[key] = found


def _settle(
    op: caffe2_pb2.OperatorDef,
    node: Node | None,
    found: Found | None,
    shapes: dict[str, ShapeAndType],
    values: dict[Value, np.ndarray],
) -> tuple[ShapeAndType | None, ...]:
    """Writes down what an operator makes."""
    kept = []
    for position, name in enumerate(op.output):
        if found is None:
            shapes.pop(name, None)
            kept.append(None)
            continue
        shape = found.outputs[position]
        if shape is not None:  # None: the operator leaves this blob as it was
            shapes[name] = shape
        kept.append(shapes.get(name))
        if node is not None and position in found.constants:
            values[node.outputs[position]] = found.constants[position]
    return tuple(kept)


def _found(node: Node, shapes: Mapping[str, ShapeAndType], values: Mapping[Value, np.ndarray]) -> Found | None:
    """The outputs of an operator; ``None`` where they cannot be known before it runs.

    Raises:
        C2LabError: The inputs do not fit.
    """
    needed = [
        name
        for name, slot in zip(node.op.input, node.input_slots, strict=True)
        if slot not in node.operator.opaque_inputs
    ]
    settled = all(value in values for value in node.static_inputs)
    if node.host or not settled or not all(name in shapes for name in needed):
        return None
    open_sizes = {str(s) for name in needed for s in shapes[name].shape if not isinstance(s, int)}
    try:
        return infer_node(node, shapes, values)
    except C2LabError as error:
        # What the operator itself says holds for every size; only what JAX cannot decide is tried with numbers.
        if not open_sizes or error.__cause__ is None:
            raise
        return _by_numbers(node, shapes, values, error)


_TRIALS = ((60, 120, 240), (36, 144, 288))
"""Numbers that stand for one open size; with many divisors, as sizes of real batches have."""


def _by_numbers(
    node: Node, shapes: Mapping[str, ShapeAndType], values: Mapping[Value, np.ndarray], error: C2LabError
) -> Found | None:
    """The outputs of an operator that cannot be traced with open sizes: worked out for three numbers.

    Raises:
        C2LabError: It fits none of them either.
    """
    names = set(_symbols)
    found = []
    for trial in zip(*_TRIALS, strict=True):
        numbers = {name: trial[0] if name == "N" else trial[1] + k for k, name in enumerate(sorted(names))}
        fixed = {
            name: ShapeAndType(tuple(_number(size, numbers) for size in shapes[name].shape), shapes[name].dtype)
            for name in node.op.input
            if name in shapes
        }
        try:
            found.append((numbers, infer_node(node, fixed, values)))
        except C2LabError:
            raise error from None
    outputs = []
    for position, first in enumerate(found[0][1].outputs):
        if first is None:
            outputs.append(None)
            continue
        sizes = [tuple(made.outputs[position].shape) for _, made in found]
        if len({len(shape) for shape in sizes}) > 1:
            return None
        shape = tuple(_line(column, [n for n, _ in found]) for column in zip(*sizes, strict=True))
        if None in shape:
            return None
        outputs.append(ShapeAndType(shape, first.dtype))
    same = {
        k: v for k, v in found[0][1].constants.items() if all(np.array_equal(v, f.constants.get(k)) for _, f in found)
    }
    return Found(tuple(outputs), same)


def _number(size: Any, numbers: Mapping[str, int]) -> int:
    return size if isinstance(size, int) else int(size._evaluate(numbers))


def _line(values: tuple[int, ...], numbers: list[Mapping[str, int]]) -> Any:
    """The size that takes these values: a number, or one symbol times a factor plus a number."""
    if len(set(values)) == 1:
        return values[0]
    for name in sorted(numbers[0], key=lambda n: n != "N"):
        xs = [told[name] for told in numbers]
        rise, run = values[1] - values[0], xs[1] - xs[0]
        divisor = math.gcd(rise, run)
        top, bottom = rise // divisor, run // divisor
        if bottom != 1:
            if values[0] * bottom == top * xs[0] and all(
                v * bottom == top * x for v, x in zip(values, xs, strict=True)
            ):
                return symbol(name) * top // bottom
            continue
        base = values[0] - top * xs[0]
        if all(v == top * x + base for v, x in zip(values, xs, strict=True)):
            return symbol(name) * top + base
    return None


def _plain_message(error: C2LabError) -> str:
    return error.message.removeprefix("Operator def did not pass schema checking: ")


def known_shapes(document: Document) -> dict[str, ShapeAndType]:
    """What a document's net finds: what its init net fills, and what its canvas says."""
    said: dict[str, ShapeAndType] = {}
    rest = caffe2_pb2.NetDef()
    for op in document.init.op:
        shape = _said_shape(op)
        if shape is None or op.output[0] in said:
            rest.op.append(op)
        else:
            said[op.output[0]] = shape
    known = dict(live_shapes(rest, said).blobs) if rest.op else said
    known.update((blob, known_shape(shape)) for blob, shape in document.canvas.inputs.items())
    return known


_PLAIN_FILLS = frozenset({"XavierFill", "MSRAFill", "GaussianFill", "UniformFill", "ConstantFill"})
_SAY_NOTHING = frozenset({"value", "mean", "std", "min", "max", "shape"})


def _said_shape(op: caffe2_pb2.OperatorDef) -> ShapeAndType | None:
    """The shape of what a plain fill makes, which its argument says: nothing has to be traced for it."""
    if op.type not in _PLAIN_FILLS or op.input or len(op.output) != 1:
        return None
    if any(argument.name not in _SAY_NOTHING for argument in op.arg):
        return None
    shape = next((argument for argument in op.arg if argument.name == "shape"), None)
    if shape is None or not shape.ints or min(shape.ints) < 0:
        return None
    number = next((argument for argument in op.arg if argument.name == "value"), None)
    if number is not None and not number.HasField("f"):
        return None  # the type follows from the value
    return ShapeAndType(tuple(shape.ints), "float32")


def document_shapes(document: Document, more: Mapping[str, ShapeAndType] | None = None) -> LiveShapes:
    """The shapes of a document: what its init net fills and its canvas says is known, and ``more``.

    Worked out once for a document (without ``more``), as a document never changes.
    """
    kept = document.__dict__.get("_live_shapes")
    if kept is not None and not more:
        return kept
    found = live_shapes(document.net, {**(more or {}), **known_shapes(document)})
    if not more:
        document.__dict__["_live_shapes"] = found
    return found


def output_shape(document: Document, node: str, output: int = 0) -> ShapeAndType | None:
    """The shape of an output of a box, where it is known."""
    blob = document.outside().get(node)
    if blob is not None:
        known = document.canvas.inputs.get(blob)
        return known_shape(known) if known is not None else None
    outputs = document_shapes(document).outputs[document.position(node)]
    return outputs[output] if 0 <= output < len(outputs) else None
