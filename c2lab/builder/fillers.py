"""Fields for the parameters of an operator: how many outputs it has, and what fills each parameter."""

from __future__ import annotations

from typing import Any

from c2lab.builder.fitting import filled_shapes, with_filled_shapes
from c2lab.builder.forms import plain_value, read_value
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import slot_of
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value, make_argument

FILLS = (
    "XavierFill",
    "MSRAFill",
    "GaussianFill",
    "UniformFill",
    "ConstantFill",
)
"""What a parameter can be filled with; each with what it takes to say how."""
_SAID = {
    "XavierFill": (),
    "MSRAFill": (),
    "GaussianFill": ("mean", "std"),
    "UniformFill": ("min", "max"),
    "ConstantFill": ("value",),
}
_DIM_OUT = {"Conv": 0, "FC": 0, "ConvTranspose": 1}
"""By type, the dimension of the weights that says how many outputs there are."""


def filler_fields(document: Document, node: str) -> list[dict[str, Any]]:
    """The fields that come before those of the schema."""
    op = document.op(node)
    filled, fields = filled_shapes(document), []
    weight = op.input[1] if len(op.input) > 1 else ""
    if op.type in _DIM_OUT and weight in filled:
        dim = _dim_out_axis(op)
        fields.append(_told("dim_out", "int", filled[weight][dim], "How many channels or features it writes.", least=1))
    operator = registry.get(op.type)
    for position, name in enumerate(op.input):
        filler = _filler(document, name)
        if filler is None or name not in document.parameters:
            continue
        slot = slot_of(operator.inputs, position).name if operator is not None else str(position)
        field = _told(f"{slot}.fill", "str", filler.type, f"What fills {name} at first.")
        field["choices"] = list(FILLS) if filler.type in FILLS else [filler.type, *FILLS]
        fields.append(field)
        schema = registry.get(filler.type)
        given = {argument.name: argument for argument in filler.arg}
        for said in _SAID.get(filler.type, ()):
            default = schema.arguments[said].default if schema is not None and said in schema.arguments else None
            value = plain_value(argument_value(given[said])) if said in given else default or 0.0
            fields.append(_told(f"{slot}.fill.{said}", "float", value, f"{said} of {filler.type}"))
    return fields


def set_filler_field(document: Document, node: str, name: str, value: Any) -> Document | None:
    """Sets one of ``filler_fields``; ``None`` where ``name`` is none of them.

    Raises:
        EditRefused: The value will not do.
    """
    op = document.op(node)
    if name == "dim_out" and op.type in _DIM_OUT and len(op.input) > 1 and op.input[1] in filled_shapes(document):
        return _with_outputs(document, op, value)
    slot, dot, rest = name.partition(".fill")
    if not dot:
        return None
    operator = registry.get(op.type)
    names = {slot_of(operator.inputs, k).name if operator else str(k): blob for k, blob in enumerate(op.input)}
    filler = _filler(document, names.get(slot, ""))
    if filler is None:
        raise EditRefused(f"{op.type} has no parameter {slot[:40]!r} that is filled here")
    changed = caffe2_pb2.OperatorDef()
    changed.CopyFrom(filler)
    if not rest:
        if value not in FILLS:
            raise EditRefused(f"a parameter is filled by {', '.join(FILLS)}; not by {str(value)[:40]!r}")
        changed.type = value
        kept = [argument for argument in filler.arg if argument.name == "shape" or argument.name in _SAID[value]]
    else:
        said = rest.removeprefix(".")
        if said not in _SAID.get(filler.type, ()):
            raise EditRefused(f"{filler.type} takes no {said[:40]!r}")
        kept = [argument for argument in filler.arg if argument.name != said]
        if value is not None:
            kept.append(make_argument(said, float(read_value(said, None, value, make_argument(said, 0.0)))))
    del changed.arg[:]
    changed.arg.extend(kept)
    return _with_filler(document, filler, changed)


def _with_outputs(document: Document, op: caffe2_pb2.OperatorDef, value: Any) -> Document:
    count = read_value("dim_out", registry.find("Conv").arguments["group"], value, None)
    if count > 10_000_000:
        raise EditRefused(f"dim_out is {count}; 10,000,000 are the most")
    filled = filled_shapes(document)
    axis = _dim_out_axis(op)
    weight = list(filled[op.input[1]])
    weight[axis] = count
    shapes: dict[str, tuple[Any, ...]] = {op.input[1]: tuple(weight)}
    if len(op.input) > 2 and len(filled.get(op.input[2], ())) == 1:
        shapes[op.input[2]] = (count,)
    return with_filled_shapes(document, shapes)


def _dim_out_axis(op: caffe2_pb2.OperatorDef) -> int:
    last = any(argument.name == "order" and argument.s == b"NHWC" for argument in op.arg)
    return -1 if op.type == "ConvTranspose" and last else _DIM_OUT[op.type]


def _filler(document: Document, blob: str) -> caffe2_pb2.OperatorDef | None:
    return next((op for op in document.init.op if list(op.output) == [blob] and not op.input), None)


def _with_filler(document: Document, old: caffe2_pb2.OperatorDef, new: caffe2_pb2.OperatorDef) -> Document:
    init = caffe2_pb2.NetDef()
    init.CopyFrom(document.init)
    for op in init.op:
        if op.output == old.output:
            op.CopyFrom(new)
    return Document(document.net, init, document.parameters, document.canvas)


def _told(name: str, kind: str, value: Any, doc: str, least: int | None = None) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "value": value, "text": str(value), "default": None, "given": True,
        "choices": [], "minimum": least, "doc": doc, "required": False, "technical": False, "parameter": True,
    }  # fmt: skip
