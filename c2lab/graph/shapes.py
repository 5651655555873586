"""Shapes and types of every blob of a net, without running it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from c2lab.errors import C2LabError, ShapeMismatch
from c2lab.graph.ir import Graph, Node, Value
from c2lab.graph.reader import read
from c2lab.operators.quantized_arithmetic import refuse_quantized
from c2lab.proto import caffe2_pb2
from c2lab.storage import QuantizedTensor
from c2lab.storage.quantized import Quantization


class ShapeAndType(NamedTuple):
    """The shape (numbers, or symbols such as N) and element type of a blob."""

    shape: tuple[Any, ...]
    dtype: str
    quantization: Quantization | None = None  # of a quantized tensor

    @classmethod
    def of(cls, value: Any) -> ShapeAndType:
        """Those of a tensor."""
        return cls(tuple(value.shape), str(value.dtype), getattr(value, "quantization", None))

    def struct(self) -> Any:
        """What stands for such a tensor while tracing."""
        struct = jax.ShapeDtypeStruct(self.shape, np.dtype(self.dtype))
        return struct if self.quantization is None else QuantizedTensor(struct, *self.quantization)

    def __str__(self) -> str:
        dims = ", ".join(map(str, self.shape))
        return f"({dims}{',' if len(self.shape) == 1 else ''}) {self.dtype}"


class Inference(NamedTuple):
    """What ``infer`` found: blobs with known shapes, and the operators that do not fit."""

    shapes: dict[str, ShapeAndType]
    errors: dict[int, C2LabError]


_memory: dict[Any, Found] = {}


def infer(net: caffe2_pb2.NetDef | Graph, known: Mapping[str, ShapeAndType]) -> Inference:
    """Shapes of all blobs that follow from the ``known`` ones.

    A blob that is absent from the result is known only after running: it comes from a host
    operator (some of which foresee their shapes), or from a blob of unknown shape.  An operator
    whose inputs do not fit is in ``errors``; what depends on it stays unknown.

    Args:
        net: The net.
        known: Shapes of the blobs that the net finds.

    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef(name="n")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> print(infer(net, {"x": ShapeAndType((2, 3), "float32")}).shapes["y"])
        (2, 3) float32
    """
    graph = net if isinstance(net, Graph) else read(net)
    shapes = dict(known)
    values: dict[Value, np.ndarray] = {}  # sizes that are known although nothing runs
    errors: dict[int, C2LabError] = {}
    with jax.enable_x64(True):
        for node in graph.nodes:
            found: Found | None = None
            needed = [n for n, slot in zip(node.op.input, node.input_slots, strict=True)
                      if slot not in node.operator.opaque_inputs]  # fmt: skip
            settled = all(value in values for value in node.static_inputs)
            if not node.host and settled and all(name in shapes for name in needed):
                try:
                    found = infer_node(node, shapes, values)
                except C2LabError as error:
                    errors[node.index] = error
            foreseen = _foreseen(node, shapes) if found is None and node.index not in errors else {}
            for position, value in enumerate(node.outputs):
                if found is None:
                    shapes.pop(value.blob, None)
                    shapes.update({value.blob: foreseen[position]} if position in foreseen else {})
                    continue
                shape = found.outputs[position]
                if shape is not None:  # None: the operator leaves this blob as it was
                    shapes[value.blob] = shape
                if position in found.constants:
                    values[value] = found.constants[position]
    return Inference(shapes, errors)


def symbolic_dims(*names: str) -> tuple[Any, ...]:
    """Symbols for sizes that stay open, such as the batch.

    Example:
        >>> str(symbolic_dims("N")[0])
        'N'
    """
    return tuple(jax.export.symbolic_shape(", ".join(names)))


class Found(NamedTuple):
    """The outputs of one operator, and the values of those that hold sizes."""

    outputs: tuple[ShapeAndType | None, ...]
    constants: dict[int, np.ndarray]


def infer_node(node: Node, shapes: Mapping[str, ShapeAndType], values: Mapping[Value, np.ndarray]) -> Found:
    """The outputs of one operator; remembered by type, arguments and input shapes.

    Raises:
        C2LabError: The inputs do not fit.
    """
    inputs = tuple(
        None if slot in node.operator.opaque_inputs else shapes[name]
        for name, slot in zip(node.op.input, node.input_slots, strict=True)
    )
    fixed = {i: values[value] for i, value in enumerate(node.inputs) if value in node.static_inputs}
    try:
        key = (
            node.operator,
            tuple(sorted(node.arguments.items(), key=lambda item: item[0])),
            inputs,
            tuple((i, value.tobytes()) for i, value in fixed.items()),
            len(node.op.output),
        )
        hash(key)
    except TypeError:
        return _evaluate(node, inputs, fixed)
    if key not in _memory:
        if len(_memory) > 50_000:
            _memory.clear()
        _memory[key] = _evaluate(node, inputs, fixed)
    return _memory[key]


def _evaluate(node: Node, inputs: tuple[ShapeAndType | None, ...], fixed: Mapping[int, np.ndarray]) -> Found:
    reserved: dict[str, Any] = {"op": node.op, "workspace": None, "subnets": None, "state": None}
    constants: dict[int, np.ndarray] = {}

    def call(rng: Any, *moving: Any) -> Any:
        rest = iter(moving)
        full = [fixed[i] if i in fixed else None if held is None else next(rest) for i, held in enumerate(inputs)]
        refuse_quantized(node.op.type, node.operator.family, node.op.input, full)
        made = node.operator.call(full, node.arguments, num_outputs=len(node.op.output), rng=rng, **reserved)
        constants.update((i, value) for i, value in enumerate(made) if isinstance(value, np.ndarray))
        return made

    structs = [held.struct() for i, held in enumerate(inputs) if held is not None and i not in fixed]
    try:
        outputs = jax.eval_shape(call, _key_shape(), *structs)
    except C2LabError as error:
        raise error.at(node.place) from None
    except Exception as error:
        told = ", ".join(f"{name} is {i}" for name, i in zip(node.op.input, inputs, strict=True))
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ShapeMismatch(f"{text} ({told})").at(node.place) from error
    return Found(tuple(None if o is None else ShapeAndType.of(o) for o in outputs), constants)


def _foreseen(node: Node, shapes: Mapping[str, ShapeAndType]) -> dict[int, ShapeAndType]:
    """Outputs, by position, whose shapes follow without the values that tracing the operator would need."""
    rule = node.operator.shape_rule
    if rule is None or not all(name in shapes for name in node.op.input):
        return {}
    try:
        outputs = rule(*(shapes[name] for name in node.op.input), **node.arguments)
    except (IndexError, ValueError):  # inputs that do not fit: the run says so in words
        return {}
    return {i: ShapeAndType(*made) for i, made in enumerate(outputs) if made is not None}


@functools.cache
def _key_shape() -> Any:
    return jax.eval_shape(lambda: jax.random.key(0))
