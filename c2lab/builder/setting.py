"""Commands that change what an operator says: arguments, names, devices, fillers; and the forms for them."""

from __future__ import annotations

from typing import Any

from c2lab.builder.fillers import filler_fields, set_filler_field
from c2lab.builder.fitting import fitted
from c2lab.builder.forms import operator_form, read_value
from c2lab.builder.messages import Message, Reply, text, texts, whole
from c2lab.builder.session import Command, Session
from c2lab.graph import naming
from c2lab.graph.canvas import DTYPES, InputShape, input_id, shape_of_text
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.edit import replace_operator
from c2lab.graph.scene import box_name
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def form(session: Session, message: Message) -> Reply:
    """What can be said about a box, field by field."""
    document, node = session.document, text(message, "node")
    outside = document.outside()
    if node in outside:
        known = document.canvas.inputs.get(outside[node])
        return {"type": "input", "name": outside[node], "fields": _input_fields(known), "doc": "",
                "device": "", "scope": outside[node].rpartition("/")[0]}  # fmt: skip
    comment = next((c for c in document.canvas.comments if c.id == node), None)
    if comment is not None:
        field = {"name": "text", "kind": "str", "value": comment.text, "default": "", "given": True, "choices": [],
                 "minimum": None, "doc": "", "required": False}  # fmt: skip
        return {"type": "comment", "name": "", "fields": [field], "doc": "", "device": "", "scope": ""}
    found = operator_form(session.net.Name(), document, node)
    return {**found, "fields": [*filler_fields(document, node), *found["fields"]]}


def _input_fields(known: InputShape | None) -> list[dict[str, Any]]:
    shape = ", ".join(map(str, known.shape)) if known is not None else ""
    blank = {"given": known is not None, "minimum": None, "required": False}
    return [
        {"name": "shape", "kind": "shape", "value": shape, "default": "", "choices": [],
         "doc": "Sizes; a name such as N for one that stays open.", **blank},
        {"name": "dtype", "kind": "str", "value": known.dtype if known else "float32", "default": "float32",
         "choices": list(DTYPES), "doc": "Type of the elements.", **blank},
    ]  # fmt: skip


def set_argument(session: Session, message: Message) -> Reply:
    """Changes one field of a form; ``null`` takes an argument away."""
    before, node, name = session.document, text(message, "node"), text(message, "name", longest=200)
    value = message.get("value")
    outside = before.outside()
    if node in outside:
        after = _set_input(before, outside[node], name, value)
    elif any(comment.id == node for comment in before.canvas.comments):
        after = _set_comment(before, node, value)
    else:
        after = set_filler_field(before, node, name, value)
        if after is None:
            after = _set_operator_argument(before, node, name, value)
    session.apply(f"set {name} of {box_name(before, node)}", fitted(before, after))
    return {}


def _set_input(document: Document, blob: str, name: str, value: Any) -> Document:
    inputs = dict(document.canvas.inputs)
    known = inputs.get(blob) or InputShape(())
    if name == "shape":
        if value is None or value == "":
            inputs.pop(blob, None)
        else:
            given = value if isinstance(value, str) else ",".join(map(str, value)) if isinstance(value, list) else ""
            try:
                inputs[blob] = InputShape(shape_of_text(given), known.dtype)
            except ValueError as error:
                raise EditRefused(str(error)) from None
    elif name == "dtype":
        if value not in DTYPES:
            raise EditRefused(f"dtype must be one of {', '.join(DTYPES)}")
        inputs[blob] = InputShape(known.shape, value)
    else:
        raise EditRefused(f"an input has shape and dtype, no {name[:40]!r}")
    return document.with_canvas(inputs=inputs)


def _set_comment(document: Document, node: str, value: Any) -> Document:
    if not isinstance(value, str) or len(value) > 100_000:
        raise EditRefused("a comment is a text of at most 100,000 characters")
    changed = tuple(c._replace(text=value) if c.id == node else c for c in document.canvas.comments)
    return document.with_canvas(comments=changed)


def _set_operator_argument(document: Document, node: str, name: str, value: Any) -> Document:
    op = document.op(node)
    operator = registry.get(op.type)
    changed = caffe2_pb2.OperatorDef()
    changed.CopyFrom(op)
    spec = operator.arguments.get(name) if operator is not None else None
    if name == "engine" and spec is None:
        changed.engine = "" if value is None else str(value)[:200]
        return replace_operator(document, node, changed)
    if value is None:
        kept = [argument for argument in op.arg if argument.name != name]
        del changed.arg[:]
        changed.arg.extend(kept)
        return replace_operator(document, node, changed)
    if operator is not None and spec is None and not any(argument.name == name for argument in op.arg):
        known = ", ".join(operator.arguments) or "none"
        raise EditRefused(f"{op.type} has no argument {name[:60]!r}; it has {known}")
    held = next((argument for argument in op.arg if argument.name == name), None)
    argument = make_argument(name, read_value(name, spec, value, held))
    for position, other in enumerate(changed.arg):
        if other.name == name:
            changed.arg[position].CopyFrom(argument)
            return replace_operator(document, node, changed)
    changed.arg.append(argument)
    return replace_operator(document, node, changed)


def rename(session: Session, message: Message) -> Reply:
    """Renames a blob and all of its uses."""
    blob, to = text(message, "blob"), text(message, "to")
    session.apply(f"rename {blob[:40]} to {to[:40]}", naming.rename_blob(session.document, blob, to))
    return {"node": input_id(to) if input_id(to) in session.document.outside() else None}


def rename_operator(session: Session, message: Message) -> Reply:
    """Gives an operator a name."""
    before, node = session.document, text(message, "node")
    after = naming.rename_operator(before, node, text(message, "to"))
    session.apply(f"rename {box_name(before, node)}", after)
    return {}


def set_device(session: Session, message: Message) -> Reply:
    """Puts operators on a device."""
    device = message.get("device")
    nodes = session.members_of(texts(message, "nodes"))
    session.apply("set device", naming.set_device(session.document, nodes, device))
    return {}


def set_scope(session: Session, message: Message) -> Reply:
    """Puts operators into a name scope."""
    nodes = session.members_of(texts(message, "nodes"))
    scope = text(message, "scope", "")
    session.apply(f"scope {scope[:40]}", naming.set_scope(session.document, nodes, scope))
    return {}


def set_result(session: Session, message: Message) -> Reply:
    """Says whether a blob is one of the net's results."""
    node, output = text(message, "node"), whole(message, "output", 0)
    outputs = session.document.op(node).output
    if not 0 <= output < len(outputs):
        raise EditRefused(f"there is no output {output}")
    session.apply("set results", naming.set_result(session.document, outputs[output], bool(message.get("on", True))))
    return {}


COMMANDS: dict[str, Command] = {
    "form": form,
    "set_argument": set_argument,
    "rename": rename,
    "rename_operator": rename_operator,
    "set_device": set_device,
    "set_scope": set_scope,
    "set_result": set_result,
}
