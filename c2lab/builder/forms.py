"""Forms of operators, from their schemas: a field an argument, with its type, default, choices and text."""

from __future__ import annotations

import re
from typing import Any

from c2lab import origins
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.scene import device_text, ports
from c2lab.graph.view import argument_text
from c2lab.operators import registry
from c2lab.operators.page import Page, read_page
from c2lab.operators.schema import ArgumentSpec
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field, argument_value

# Arguments that are counts or sizes cannot be less than this.
_LEAST = {
    1: {"kernel", "kernels", "kernel_h", "kernel_w", "stride", "strides", "stride_h", "stride_w", "dilation",
        "dilations", "dilation_h", "dilation_w", "group", "num_batches", "size", "block_size", "dim_out"},
    0: {"pad", "pads", "pad_t", "pad_l", "pad_b", "pad_r", "ratio", "epsilon", "alpha_min", "stepsize"},
}  # fmt: skip
_LONGEST_LIST = 100_000

# The arguments that most people set come first.
_FIRST = ("kernel", "stride", "pad", "order", "ratio", "axis", "shape", "alpha", "base_lr", "policy")
_TECHNICAL = ("use_cudnn", "cudnn_exhaustive_search", "exhaustive_search", "ws_nbytes_limit", "shared_buffer")


def operator_form(net_name: str, document: Document, node: str) -> dict[str, Any]:
    """Everything that can be said about an operator."""
    op = document.op(node)
    operator = registry.get(op.type)
    page = read_page(operator) if operator is not None else Page("")
    specs = operator.arguments if operator is not None else {}
    given = {argument.name: argument for argument in op.arg}
    fields = [_field(spec, given.get(name), page) for name, spec in specs.items()]
    fields.sort(key=_rank)
    fields += [_unknown_field(argument) for name, argument in given.items() if name not in specs]
    inputs, outputs = ports(document, node)
    for told, texts in ((inputs, page.inputs), (outputs, page.outputs)):
        for port in told:
            port["doc"] = texts.get(port["slot"], "")
    origin = origins.operator_tracebacks.get(net_name, {}).get(document.position(node))
    return {
        "type": op.type,
        "name": op.name,
        "fields": fields,
        "doc": "\n\n".join(part for part in (page.summary, page.body) if part),
        "family": operator.family if operator is not None else "",
        "device": device_text(op.device_option if op.HasField("device_option") else None),
        "scope": (op.output[0] if op.output else "").rpartition("/")[0],
        "engine": op.engine,
        "inputs": inputs,
        "outputs": outputs,
        "source": str(origin) if origin else "",
        "gradient": operator.gradient_status if operator is not None else "",
        "known": operator is not None,
    }


def _rank(field: dict[str, Any]) -> tuple[bool, bool, bool, int]:
    name = field["name"]
    first = _FIRST.index(name) if name in _FIRST else len(_FIRST)
    return not field["required"], name in _TECHNICAL, not (field["given"] or name in _FIRST), first


def _field(spec: ArgumentSpec, given: caffe2_pb2.Argument | None, page: Page) -> dict[str, Any]:
    default = None if spec.required else spec.default
    value = plain_value(argument_value(given)) if given is not None else None
    if given is not None and spec.kind == "bool":
        value = bool(value)
    return {
        "name": spec.name,
        "kind": spec.kind,
        "value": value,
        "text": argument_text(given) if given is not None else "",
        "default": plain_value(default),
        "given": given is not None,
        "choices": [plain_value(choice) for choice in spec.choices],
        "minimum": least(spec.name),
        "doc": page.arguments.get(spec.name, ""),
        "required": spec.required,
        "technical": spec.name in _TECHNICAL,
    }


def _unknown_field(argument: caffe2_pb2.Argument) -> dict[str, Any]:
    kinds = {"i": "int", "f": "float", "s": "str", "ints": "ints", "floats": "floats", "strings": "strs"}
    return {
        "name": argument.name, "kind": kinds.get(argument_field(argument), "any"),
        "value": plain_value(argument_value(argument)), "text": argument_text(argument), "default": None,
        "given": True, "choices": [], "minimum": None, "doc": "Not an argument that this operator reads.",
        "required": False, "technical": True,
    }  # fmt: skip


def least(name: str) -> int | None:
    """The least value that an argument of this name can have, where there is one."""
    return next((number for number, names in _LEAST.items() if name in names), None)


def plain_value(value: Any) -> Any:
    """A value as plain data: what JSON has, texts shortened."""
    if isinstance(value, bytes):
        return value[:2000].decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value[:1000]]
    if (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value:
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return f"<{type(value).__name__}>"


def read_value(name: str, spec: ArgumentSpec | None, value: Any, held: caffe2_pb2.Argument | None) -> Any:
    """What a person wrote into a field, as the argument's type.

    Raises:
        EditRefused: It is not a value of this type, out of range, or not among the choices.
    """
    kind = spec.kind if spec is not None else "any"
    if kind == "any" and held is not None:
        fields = {"i": "int", "f": "float", "s": "str", "ints": "ints", "floats": "floats", "strings": "strs"}
        kind = fields.get(argument_field(held), "any")  # type: ignore[assignment] - names of kinds
    result = _converted(name, kind, value)
    low = least(name)
    for item in result if isinstance(result, list) else [result]:
        if low is not None and isinstance(item, (int, float)) and item < low:
            raise EditRefused(f"{name} is {item}; it must be at least {low}")
        if isinstance(item, int) and not -(2**63) <= item < 2**63:
            raise EditRefused(f"{name} is {item}, which does not fit into 64 bits")
    if spec is not None and spec.choices and result not in spec.choices:
        raise EditRefused(f"{name} must be one of {', '.join(map(str, spec.choices))}, not {str(result)[:60]!r}")
    return result


def _converted(name: str, kind: str, value: Any) -> Any:
    match kind:
        case "int":
            return _whole(name, value)
        case "float":
            return _real(name, value)
        case "bool":
            if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
                return value.lower() in ("true", "1")
            if isinstance(value, (bool, int)):
                return bool(value)
            raise EditRefused(f"{name} must be true or false")
        case "ints":
            return [_whole(name, item) for item in _items(name, value)]
        case "floats":
            return [_real(name, item) for item in _items(name, value)]
        case "strs":
            return [str(item) for item in _items(name, value)]
        case "str" | "bytes":
            if not isinstance(value, str):
                raise EditRefused(f"{name} must be a text")
            return value.encode("utf-8", "replace").decode()
        case "any":
            if isinstance(value, (bool, int, float, str)):
                return value
            if isinstance(value, list) and value and all(isinstance(v, type(value[0])) for v in value):
                return value
            raise EditRefused(f"{name} must be a number, a text, or a list of one of them")
    raise EditRefused(f"{name} holds a {kind}, which cannot be written by hand here; write it in code")


def _items(name: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        value = [part for part in re.split(r"[,\s]+", value.strip().strip("[]()")) if part]
    if not isinstance(value, (list, tuple)):
        value = [value]
    if len(value) > _LONGEST_LIST:
        raise EditRefused(f"{name} has {len(value)} values; {_LONGEST_LIST} are the most")
    return list(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,19}\s*", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) == float("inf"):
        raise EditRefused(f"{name} must be a whole number, not {str(value)[:60]!r}")
    if value != int(value):
        raise EditRefused(f"{name} must be a whole number, not {value}")
    return int(value)


def _real(name: str, value: Any) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        return float(value)
    except ValueError:
        raise EditRefused(f"{name} must be a number, not {str(value)[:60]!r}") from None
