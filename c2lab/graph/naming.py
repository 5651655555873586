"""Edits of names and marks: blobs with all their uses, operators, scopes, devices, results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from c2lab.graph.canvas import input_id
from c2lab.graph.document import Document, EditRefused
from c2lab.proto import caffe2_pb2

_LONGEST_NAME = 20_000


def rename_blob(document: Document, blob: str, to: str) -> Document:
    """Gives a blob another name wherever it is used: in both nets, in nets inside of operators, on the canvas.

    Raises:
        EditRefused: There is no such blob, or the new name is taken.
    """
    if blob == to:
        return document
    names = document.names()
    if blob not in names:
        raise EditRefused(f"there is no blob {blob[:60]!r}")
    _require_free(to, names)
    return rename_blobs(document, {blob: to})


def rename_blobs(document: Document, names: Mapping[str, str]) -> Document:
    """Gives blobs other names, all at once; nothing is checked."""
    net, init = _copied(document.net), _copied(document.init)
    for whole in (net, init):
        rename_in(whole, names)
    parameters = {names.get(name, name): kind for name, kind in document.parameters.items()}
    inputs = {names.get(name, name): known for name, known in document.canvas.inputs.items()}
    boxes = {input_id(old): input_id(new) for old, new in names.items()}
    positions = {boxes.get(box, box): place for box, place in document.canvas.positions.items()}
    canvas = replace(document.canvas, inputs=inputs, positions=positions)
    return Document(net, init, parameters, canvas)


def rename_in(net: caffe2_pb2.NetDef, names: Mapping[str, str]) -> None:
    """Gives blobs of a net other names, in place, those of nets inside of its operators too."""
    for op in net.op:
        for blobs in (op.input, op.output, op.control_input):
            for position, name in enumerate(blobs):
                if name in names:
                    blobs[position] = names[name]
        for argument in op.arg:
            if argument.HasField("n"):
                rename_in(argument.n, names)
            for inner in argument.nets:
                rename_in(inner, names)
    for blobs in (net.external_input, net.external_output):
        for position, name in enumerate(blobs):
            if name in names:
                blobs[position] = names[name]


def rename_operator(document: Document, node: str, to: str) -> Document:
    """Gives an operator a name; an empty one takes it away."""
    if len(to) > _LONGEST_NAME:
        raise EditRefused(f"a name of {len(to)} characters; {_LONGEST_NAME} are the most")
    net = _copied(document.net)
    op = net.op[document.position(node)]
    if to:
        op.name = to
    else:
        op.ClearField("name")
    return replace(document, net=net)


def set_device(document: Document, nodes: Iterable[str], device: Any) -> Document:
    """Puts operators, and what fills their parameters, on a device.

    Args:
        document: The document.
        nodes: The operators.
        device: ``cpu``, ``gpu:1`` or ``cuda:1``; nothing for the default device.
    """
    option = read_device(device)
    net, init = _copied(document.net), _copied(document.init)
    read: set[str] = set()
    for node in nodes:
        op = net.op[document.position(node)]
        read.update(op.input)
        _set_option(op, option)
    for op in init.op:
        if any(name in read and name in document.parameters for name in op.output):
            _set_option(op, option)
    return replace(document, net=net, init=init)


def read_device(device: Any) -> caffe2_pb2.DeviceOption | None:
    """A device as it is written in a form.

    Raises:
        EditRefused: It is none.

    Example:
        >>> read_device("gpu:1").device_id
        1
    """
    if device is None or device == "":
        return None
    if isinstance(device, Mapping):
        device = f"{device.get('type', 'cpu')}:{device.get('id', 0)}"
    kind, _, number = str(device).strip().lower().partition(":")
    types = {"cpu": caffe2_pb2.PROTO_CPU, "gpu": caffe2_pb2.PROTO_CUDA, "cuda": caffe2_pb2.PROTO_CUDA}
    if kind not in types or (number and not (number.isascii() and number.isdecimal() and len(number) < 5)):
        raise EditRefused(f"a device is cpu, gpu or gpu:<number>, not {str(device)[:40]!r}")
    return caffe2_pb2.DeviceOption(device_type=types[kind], device_id=int(number or 0))


def _set_option(op: caffe2_pb2.OperatorDef, option: caffe2_pb2.DeviceOption | None) -> None:
    if option is None:
        op.ClearField("device_option")
    else:
        op.device_option.device_type = option.device_type
        op.device_option.device_id = option.device_id


def set_scope(document: Document, nodes: Iterable[str], scope: str) -> Document:
    """Moves operators into a name scope: what they write, and the parameters that only they read, is renamed.

    Args:
        document: The document.
        nodes: The operators.
        scope: The path of the scope, ``a/b``; empty for none.
    """
    scope = scope.strip().strip("/")
    if len(scope) > _LONGEST_NAME or (any(not part for part in scope.split("/")) and scope):
        raise EditRefused(f"{scope[:60]!r} is no scope; write it like block1/left")
    chosen = {document.position(node) for node in nodes}
    elsewhere = {
        name
        for position, op in enumerate(document.net.op)
        if position not in chosen
        for name in op.input
        if name in document.parameters
    }
    names: dict[str, str] = {}
    for position in sorted(chosen):
        op = document.net.op[position]
        own = [name for name in op.input if name in document.parameters and name not in elsewhere]
        for name in (*op.output, *own):
            base = name.rpartition("/")[2]
            names[name] = f"{scope}/{base}" if scope else base
    names = {old: new for old, new in names.items() if old != new}
    others = document.names() - names.keys()
    for old, new in names.items():
        if new in others or list(names.values()).count(new) > 1:
            raise EditRefused(f"{old[:60]!r} cannot be named {new[:80]!r}: there is such a blob already")
    return rename_blobs(document, names) if names else document


def set_result(document: Document, blob: str, on: bool) -> Document:
    """Counts a blob among the results of the net, or no longer."""
    net = _copied(document.net)
    outputs = [name for name in net.external_output if name != blob] + [blob] * on
    del net.external_output[:]
    net.external_output.extend(outputs)
    return replace(document, net=net)


def _require_free(name: str, taken: Iterable[str]) -> None:
    if not name:
        raise EditRefused("a blob needs a name")
    if len(name) > _LONGEST_NAME:
        raise EditRefused(f"a name of {len(name)} characters; {_LONGEST_NAME} are the most")
    if name in taken:
        raise EditRefused(f"there is a blob {name[:60]!r} already")


def _copied(net: caffe2_pb2.NetDef) -> caffe2_pb2.NetDef:
    copied = caffe2_pb2.NetDef()
    copied.CopyFrom(net)
    return copied
