"""Keeps parameters as large as what their operators read asks for.

A layer's weights follow from its input: wired to something of another size, a layer that fitted before
fits again.  A layer that did not fit before - a net with a mistake in it - is left alone: its mistake is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from c2lab.errors import C2LabError
from c2lab.graph.document import Document
from c2lab.graph.live_shapes import document_shapes, known_shapes, live_shapes
from c2lab.graph.shapes import ShapeAndType
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef
Shape = tuple[Any, ...]
# (operator, its arguments as read, shape of what it reads, shape of its first parameter) -> shapes by input position
Rule = Callable[[Mapping[str, Any], Shape, Shape], Sequence[Shape]]


def fitted(before: Document, after: Document) -> Document:
    """``after``, with the parameters of layers made to fit that an edit made unfit."""
    known, filled = set(before.ids), dict(filled_shapes(after))
    changes: dict[str, Shape] = {}

    def adjust(position: int, op: OperatorDef, read: ShapeAndType | None) -> Mapping[str, Shape]:
        wanted = _wanted(after, op, read, filled) if op.type in _RULES else None
        if not wanted or all(filled[name] == shape for name, shape in wanted.items()):
            return {}
        node = after.ids[position]
        if node in known and not _did_fit(before, node):
            return {}
        filled.update(wanted)
        changes.update(wanted)
        return wanted

    # One way through the net: what follows sees the sizes that came before it already fit.
    live_shapes(after.net, known_shapes(after), adjust)
    return with_filled_shapes(after, changes) if changes else after


def _did_fit(document: Document, node: str) -> bool:
    """Whether the parameters of an operator fitted what it read, or it read nothing that was known."""
    had = parameter_shapes(document, document.op(node), document.position(node))
    held = filled_shapes(document)
    return had is None or all(held.get(name) == shape for name, shape in had.items())


def parameter_shapes(document: Document, op: OperatorDef, position: int) -> dict[str, Shape] | None:
    """The shapes that the parameters of an operator should have; ``None`` where that cannot be told."""
    # What it reads is told by the wires; it is known also where the operator itself does not fit.
    inputs = document_shapes(document).inputs[position]
    return _wanted(document, op, inputs[0] if inputs else None, filled_shapes(document))


def _wanted(
    document: Document, op: OperatorDef, read: ShapeAndType | None, filled: Mapping[str, Shape]
) -> dict[str, Shape] | None:
    rule = _RULES.get(op.type)
    if rule is None or len(op.input) < 2 or not op.input[0] or op.input[1] not in filled:
        return None
    if read is None or not all(isinstance(size, int) for size in read.shape[1:]):
        return None
    try:
        shapes = rule(registry.find(op.type).read_arguments(op), tuple(read.shape), filled[op.input[1]])
    except (C2LabError, KeyError, IndexError, ValueError, ZeroDivisionError, TypeError):
        return None
    return {
        name: tuple(shape)
        for name, shape in zip(op.input[1:], shapes, strict=False)
        if name in filled and name in document.parameters
    }


def filled_shapes(document: Document) -> dict[str, Shape]:
    """The shapes that the init net fills parameters with, where an argument says them."""
    kept = document.__dict__.get("_filled_shapes")
    if kept is None:
        kept = {}
        for op in document.init.op:
            for argument in op.arg:
                if argument.name == "shape" and not op.input and len(op.output) == 1:
                    kept[op.output[0]] = tuple(argument.ints)
        document.__dict__["_filled_shapes"] = kept
    return kept


def with_filled_shapes(document: Document, shapes: Mapping[str, Shape]) -> Document:
    """The document with parameters filled in other shapes."""
    init = caffe2_pb2.NetDef()
    init.CopyFrom(document.init)
    for op in init.op:
        if len(op.output) == 1 and op.output[0] in shapes:
            for argument in op.arg:
                if argument.name == "shape":
                    argument.CopyFrom(make_argument("shape", [int(size) for size in shapes[op.output[0]]]))
    return Document(document.net, init, document.parameters, document.canvas)


def _kernel(arguments: Mapping[str, Any], read: Shape) -> Shape:
    kernel = tuple(arguments["window"].kernel)
    return kernel * (len(read) - 2) if len(kernel) == 1 else kernel


def _conv(arguments: Mapping[str, Any], read: Shape, held: Shape) -> list[Shape]:
    kernels = _kernel(arguments, read)
    group, out = arguments.get("group", 1), held[0]
    last = arguments.get("order") == "NHWC"
    channels = (read[-1] if last else read[1]) // group
    return [(out, *kernels, channels) if last else (out, channels, *kernels), (out,)]


def _conv_transpose(arguments: Mapping[str, Any], read: Shape, held: Shape) -> list[Shape]:
    kernels = _kernel(arguments, read)
    last = arguments.get("order") == "NHWC"
    out = held[-1] if last else held[1]
    shape = (read[-1], *kernels, out) if last else (read[1], out, *kernels)
    return [shape, (out,)]


def _fc(arguments: Mapping[str, Any], read: Shape, held: Shape) -> list[Shape]:
    axis = arguments.get("axis", 1)
    return [(held[0], math.prod(read[axis:])), (held[0],)]


def _channels(arguments: Mapping[str, Any], read: Shape, held: Shape) -> list[Shape]:
    channels = read[-1] if arguments.get("order") == "NHWC" else read[1]
    return [(channels,)] * 4


def _prelu(arguments: Mapping[str, Any], read: Shape, held: Shape) -> list[Shape]:
    return [held] if held == (1,) else _channels(arguments, read, held)[:1]


_RULES: dict[str, Rule] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "FC": _fc,
    "SpatialBN": _channels,
    "InstanceNorm": _channels,
    "GroupNorm": _channels,
    "PRelu": _prelu,
    "ElementwiseLinear": lambda arguments, read, held: [(math.prod(read[arguments.get("axis", 1) :]),)] * 2,
}
"""By operator type, how large its parameters are."""
