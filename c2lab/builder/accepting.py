"""What can read a blob: operators and layers that make something of its shape and type."""

from __future__ import annotations

import time
from typing import Any

from c2lab.builder.layers import LAYERS, place_layer
from c2lab.builder.starting import new_operator
from c2lab.errors import C2LabError
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import Document, EditRefused, empty_document
from c2lab.graph.edit import add_input, connect
from c2lab.graph.live_shapes import document_shapes, live_shapes, output_shape, symbol
from c2lab.graph.shapes import ShapeAndType
from c2lab.operators import registry
from c2lab.operators.definition import Operator

# Tried first; the rest follows by name while there is time.
_USUAL = (
    "Relu", "FC", "Conv", "MaxPool", "AveragePool", "Softmax", "SoftmaxWithLoss", "Dropout", "SpatialBN", "Sigmoid",
    "Tanh", "Add", "Sum", "Mul", "Sub", "Concat", "Reshape", "Flatten", "Transpose", "LabelCrossEntropy", "Accuracy",
    "AveragedLoss", "LRN", "PRelu", "Elu", "LeakyRelu", "Gather", "OneHot", "Cast", "ReduceMean", "ReduceSum",
    "SquaredL2Distance", "SigmoidCrossEntropyWithLogits", "MatMul", "BatchMatMul", "Slice", "Split", "Squeeze",
    "ExpandDims", "Clip", "Exp", "Log", "Sqr", "Copy", "StopGradient", "Print", "TopK", "ArgMax", "ConvTranspose",
    "ResizeNearest", "InstanceNorm", "LayerNorm", "Tile", "LSTMUnit", "Div", "Negative", "Pow", "Swish", "Softplus",
)  # fmt: skip
_TIME = 0.6
"""Seconds after which only the usual ones are tried; the next time it goes on from there."""
_memory: dict[Any, bool] = {}


def accepting_types(document: Document, node: str, output: int) -> list[dict[str, Any]]:
    """The palette's operators and layers that take what an output carries, with what they make of it.

    An operator is listed when it can be worked out that it fits: its other inputs are tried with parameters of
    fitting sizes, with the same shape, and with labels.  Where the shape is not known, the common ones are listed.
    """
    known = output_shape(document, node, output)
    found: list[dict[str, Any]] = []
    ends = time.perf_counter() + _TIME
    for name in LAYERS:
        if known is None or _layer_fits(name, known):
            found.append({"type": name, "kind": "layer"})
    types = [type for type in _USUAL if registry.get(type) is not None]
    types += [op.type for op in registry.all_operators() if op.type not in _USUAL and not op.gradient_of]
    for position, type in enumerate(types):
        operator = registry.get(type)
        if operator is None or not operator.inputs:
            continue
        if known is None:
            if position < len(_USUAL):
                found.append({"type": type, "kind": "operator"})
            continue
        key = (operator, known)
        if key not in _memory:
            if position >= len(_USUAL) and time.perf_counter() > ends:
                continue
            _memory[key] = operator_fits(operator, known)
        if _memory[key]:
            found.append({"type": type, "kind": "operator"})
    return found


def operator_fits(operator: Operator, known: ShapeAndType) -> bool:
    """Whether an operator makes something of a first input of this shape and type."""
    allowed = operator.types.get(operator.inputs[0].name)
    if allowed and known.dtype not in allowed:
        return False
    if operator.inputs[0].name in operator.opaque_inputs:
        return False
    try:
        op = new_operator(empty_document("trial"), operator.type)
    except EditRefused:
        return False
    if operator.host_for(op):
        return operator.type == "Print" or "X" in {slot.name for slot in operator.inputs[:1]}
    least = sum(not (slot.optional or slot.variadic) for slot in operator.inputs)
    least = max(least, min(operator.input_counts, default=0), 1)
    for others in _others(operator, known, least - 1):
        trial = empty_document("trial").net
        copied = trial.op.add()
        copied.CopyFrom(op)
        copied.input.extend(f"b{k}" for k in range(least))
        shapes = {"b0": known, **{f"b{k + 1}": shape for k, shape in enumerate(others)}}
        live = live_shapes(trial, shapes)
        if not live.problems and not live.incomplete and any(live.outputs[0]):
            return True
    return False


def _others(operator: Operator, known: ShapeAndType, count: int) -> list[list[ShapeAndType]]:
    """Shapes to try for the other inputs."""
    if not count:
        return [[]]
    shape = known.shape
    label = ShapeAndType(shape[:1] or (symbol("N"),), "int32")
    channels = ShapeAndType(shape[1:2] or (1,), "float32")
    features: Any = 1
    for size in shape[1:]:
        features = features * size
    tries = [[known] * count, [label] * count, [channels] * count]
    if operator.type == "FC":
        tries.insert(0, [ShapeAndType((10, features), known.dtype), ShapeAndType((10,), known.dtype)])
    if operator.type in ("Conv", "ConvTranspose") and len(shape) == 4:
        kernel = 3 if operator.type == "Conv" else 2
        weights = (8, shape[1], kernel, kernel) if operator.type == "Conv" else (shape[1], 8, kernel, kernel)
        tries.insert(0, [ShapeAndType(weights, known.dtype)] + [ShapeAndType((8,), known.dtype)] * (count - 1))
    if operator.type in ("MatMul", "BatchMatMul"):
        tries.append([ShapeAndType((*shape[:-2], *shape[-1:], 4), known.dtype)])
    return tries


def _layer_fits(name: str, known: ShapeAndType) -> bool:
    key = (name, known)
    if key not in _memory:
        try:
            _memory[key] = _try_layer(name, known)
        except (C2LabError, AssertionError, ValueError, TypeError):
            _memory[key] = False
    return _memory[key]


def _try_layer(name: str, known: ShapeAndType) -> bool:
    sizes = tuple(size if isinstance(size, int) else str(size) for size in known.shape)
    if not all(isinstance(size, int) or size.isidentifier() for size in sizes):
        sizes = tuple(size if isinstance(size, int) else "N" for size in sizes)
    document, node = add_input(empty_document("trial"), "x", InputShape(sizes, known.dtype))
    document, placed = place_layer(document, LAYERS[name], source=(node, 0))
    for slot in range(1, LAYERS[name].reads):
        if name == "accuracy":
            document, label = add_input(document, "label", InputShape(sizes[:1], "int32"))
            document = connect(document, label, 0, placed[0], slot)
        else:
            document = connect(document, node, 0, placed[0], slot)
    live = document_shapes(document)
    return not live.problems and not live.incomplete
