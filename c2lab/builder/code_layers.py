"""The lines that an operator may be written as: layers of ``brew`` first, then the operator itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import text_format

from c2lab.builder.code_calls import Call, raw_call, short_float
from c2lab.errors import C2LabError
from c2lab.graph.document import Document
from c2lab.nets.creation import CreateOperator
from c2lab.nets.net import Net
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field, argument_value

OperatorDef = caffe2_pb2.OperatorDef

# Layers without parameters that are one operator: type -> layer.
_PLAIN = {
    "MaxPool": "max_pool",
    "AveragePool": "average_pool",
    "Relu": "relu",
    "Tanh": "tanh",
    "Softmax": "softmax",
    "LRN": "lrn",
    "Dropout": "dropout",
    "Concat": "concat",
    "Sum": "sum",
    "Transpose": "transpose",
    "Accuracy": "accuracy",
}
# What brew writes by itself.
_BY_ITSELF = frozenset({"order", "exhaustive_search", "use_cudnn", "cudnn_exhaustive_search"})


def layer_calls(document: Document, op: OperatorDef) -> Iterator[Call]:
    """Layers that may make this operator; whether they do must be tried."""
    arguments = _readable(op)
    if arguments is None or not op.output:
        return
    rest = {name: value for name, value in arguments.items() if name not in _BY_ITSELF}
    if arguments.get("order", "NCHW") != "NCHW":
        rest["order"] = arguments["order"]
    if op.name:
        rest["name"] = op.name
    for engine in ({}, {"use_cudnn": False}):
        yield from _calls(document, op, rest, engine)


def _calls(document: Document, op: OperatorDef, rest: dict[str, Any], engine: Mapping[str, Any]) -> Iterator[Call]:
    fills = {fill.output[0]: fill for fill in document.init.op if len(fill.output) == 1 and not fill.input}
    if op.type in _PLAIN:
        blobs: Any = list(op.input) if len(op.input) > 1 else op.input[0] if op.input else ""
        yield Call(f"brew.{_PLAIN[op.type]}", (blobs, op.output[0]), {**rest, **engine})
    elif op.type in ("Conv", "FC", "ConvTranspose") and len(op.input) >= 2:
        yield from _weighted(op, rest, engine, fills)
    elif op.type == "SpatialBN" and len(op.input) == 5:
        shape = _shape(fills.get(op.input[1]))
        if shape:
            keys = {key: rest[key] for key in ("epsilon", "momentum") if key in rest}
            yield Call("brew.spatial_bn", (op.input[0], op.output[0], shape[0]),
                       {**keys, "is_test": bool(rest.get("is_test", 0)), **engine})  # fmt: skip
    elif op.type == "PRelu" and len(op.input) == 2:
        shape = _shape(fills.get(op.input[1]))
        if shape:
            yield Call("brew.prelu", (op.input[0], op.output[0]), {"num_channels": shape[0]})
    elif op.type == "InstanceNorm" and len(op.input) == 3:
        shape = _shape(fills.get(op.input[1]))
        if shape:
            yield Call("brew.instance_norm", (op.input[0], op.output[0], shape[0]), dict(rest))


def _weighted(
    op: OperatorDef, rest: dict[str, Any], engine: Mapping[str, Any], fills: Mapping[str, OperatorDef]
) -> Iterator[Call]:
    shape = _shape(fills.get(op.input[1]))
    if not shape:
        return
    inits: dict[str, Any] = {}
    for key, name, usual in (("weight_init", 1, ("XavierFill", {})), ("bias_init", 2, ("ConstantFill", {}))):
        if len(op.input) > name and op.input[name] in fills:
            fill = fills[op.input[name]]
            said = {k: v for k, v in (_readable(fill) or {}).items() if k != "shape"}
            if (fill.type, said) != usual:
                inits[key] = (fill.type, said)
    if op.type == "FC":
        if len(shape) == 2:
            yield Call("brew.fc", (op.input[0], op.output[0], shape[1], shape[0]), {**inits, **rest})
        return
    if len(shape) != 4:
        return
    last = rest.get("order") == "NHWC"
    window = [rest.pop("kernel_h"), rest.pop("kernel_w")] if "kernel_h" in rest and "kernel_w" in rest else None
    kernel = window or rest.pop("kernel", None)
    if kernel is None:
        return
    if op.type == "ConvTranspose":
        out = shape[3] if last else shape[1]
        yield Call("brew.conv_transpose", (op.input[0], op.output[0], shape[0], out, kernel),
                   {**inits, **rest, **engine})  # fmt: skip
    else:
        channels = (shape[3] if last else shape[1]) * rest.get("group", 1)
        bare = {"no_bias": 1} if len(op.input) == 2 else {}
        yield Call("brew.conv", (op.input[0], op.output[0], channels, shape[0]),
                   {"kernel": kernel, **inits, **rest, **bare, **engine})  # fmt: skip
    if window:
        rest["kernel_h"], rest["kernel_w"] = window
    else:
        rest["kernel"] = kernel


def operator_call(net: str, op: OperatorDef) -> Call:
    """The line that adds this operator as it is."""
    arguments = _readable(op)
    if arguments is not None and registry.get(op.type) is not None and not hasattr(Net, op.type):
        keywords = dict(arguments)
        if op.name:
            keywords["name"] = op.name
        if op.HasField("engine"):
            keywords["engine"] = op.engine
        if op.HasField("device_option"):
            keywords["device_option"] = op.device_option
        if op.control_input:
            keywords["control_input"] = list(op.control_input)
        if op.type.isidentifier() and all(key.isidentifier() for key in keywords):
            call = Call(f"{net}.{op.type}", (list(op.input), list(op.output)), keywords)
            if _makes(call, op):
                return call
    return raw_call(net, text_format.MessageToString(op))


def _makes(call: Call, op: OperatorDef) -> bool:
    try:
        made = CreateOperator(op.type, *call.arguments, **call.keywords)
    except (C2LabError, AssertionError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return made == op


def _readable(op: OperatorDef) -> dict[str, Any] | None:
    """The arguments as Python values; ``None`` where one cannot be written down or there are two of one name."""
    found: dict[str, Any] = {}
    for argument in op.arg:
        kind, value = argument_field(argument), argument_value(argument)
        if argument.name in found or kind in ("t", "n", "tensors", "nets", "qtensors", ""):
            return None
        match kind:
            case "f":
                value = short_float(value)
            case "floats":
                value = [short_float(item) for item in value]
            case "s":
                value = _decoded(value)
            case "strings":
                value = [_decoded(item) for item in value]
        found[argument.name] = value
    return found


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _shape(fill: OperatorDef | None) -> list[int]:
    return next((list(argument.ints) for argument in fill.arg if argument.name == "shape"), []) if fill else []
