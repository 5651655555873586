"""Gradients and optimizers on the canvas: added to the net in place, and taken away again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from c2lab import optimizer as optimizers_of_c2lab
from c2lab.builder.forms import read_value
from c2lab.builder.messages import Message, Reply, text
from c2lab.builder.session import Command, Session
from c2lab.errors import C2LabError
from c2lab.graph.canvas import fresh_id
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import Draft, is_backward, missing_slots
from c2lab.graph.live_shapes import document_shapes
from c2lab.graph.scene import box_name
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference
from c2lab.nets.gradients import IR
from c2lab.nets.net import Net
from c2lab.operators.schema import ArgumentSpec
from c2lab.optimizers.base import counted_from_nought
from c2lab.proto import caffe2_pb2

_COUNTERS = frozenset({"Iter", "AtomicIter", "LearningRate", "CreateMutex"})


def add_gradients(session: Session, message: Message) -> Reply:
    """Adds the backward pass from the loss that is named, or the only one there is."""
    document = session.document
    _require_none(document)
    loss = message.get("loss")
    after = with_gradients(document, [loss] if isinstance(loss, str) and loss else losses_of(document))
    session.apply("add gradients", after)
    return {"placed": list(after.ids[len(document.ids) :]), "loss": loss}


def remove_gradients(session: Session, message: Message) -> Reply:
    """Takes the backward pass away, with the updates that hang on it."""
    session.apply("remove gradients", without_gradients(session.document))
    return {}


def losses_of(document: Document) -> list[str]:
    """What looks like a loss: a single number that nobody reads.

    Raises:
        EditRefused: There is none, or the choice is not clear.
    """
    live = document_shapes(document)
    read = {name for op in document.net.op for name in op.input}
    found, named = [], []
    for op, shapes in zip(document.net.op, live.outputs, strict=True):
        for name, shape in zip(op.output, shapes, strict=True):
            if name in read or "accuracy" in name.lower() or op.type == "Accuracy":
                continue
            if shape is not None and shape.shape in ((), (1,)) and shape.dtype.startswith("float"):
                found.append(name)
            if "loss" in name.lower():
                named.append(name)
    chosen = [name for name in found if name in named] or found or named
    if not chosen:
        raise EditRefused(
            "there is no loss: a single number that nothing reads, as SoftmaxWithLoss or AveragedLoss make"
        )
    return chosen


def with_gradients(document: Document, losses: list[str]) -> Document:
    """The document with the backward pass from some losses.

    Raises:
        EditRefused: There is one already, a wire is missing, or an operator has no gradient.
    """
    _require_none(document)
    written = {name for op in document.net.op for name in op.output}
    for loss in losses:
        if loss not in written:
            raise EditRefused(f"no operator writes {loss[:60]!r}")
    for node, op in zip(document.ids, document.net.op, strict=True):
        if missing_slots(op):
            raise EditRefused(f"{box_name(document, node)} is not wired yet: {', '.join(missing_slots(op))}")
    try:
        made, _ = IR(list(document.net.op), net_name=document.net.name).GetBackwardPass(losses)
    except C2LabError as error:
        raise EditRefused(str(error)) from None
    net = caffe2_pb2.NetDef()
    net.CopyFrom(document.net)
    net.op.extend(made)
    ids = list(document.ids)
    for _ in made:
        ids.append(fresh_id("o", ids))
    return Document(net, document.init, document.parameters, replace(document.canvas, ids=tuple(ids)))


def _require_none(document: Document) -> None:
    if any(is_backward(op) for op in document.net.op):
        raise EditRefused("there are gradients already; remove them first")


def without_gradients(document: Document) -> Document:
    """The document without its gradients, its updates, and what only these needed.

    Raises:
        EditRefused: There are none.
    """
    ops = document.net.op
    gone = {k for k, op in enumerate(ops) if is_backward(op)}
    if not gone:
        raise EditRefused("there are no gradients")
    while True:
        needed = {name for k, op in enumerate(ops) if k not in gone for name in op.input} | set(
            document.net.external_output
        )
        # Counters and rates go along, where nothing else reads them.
        more = {
            k
            for k, op in enumerate(ops)
            if k not in gone
            and op.type in _COUNTERS
            and all(name not in needed or name in op.input for name in op.output)
        }
        if not more:
            break
        gone |= more
    read = {name for k in gone for name in (*ops[k].input, *ops[k].output)}
    draft = Draft(document)
    names = {document.ids[k] for k in gone}
    draft.parts = [part for part in draft.parts if part.id not in names]
    kept = {name for part in draft.parts for name in (*part.op.input, *part.op.output)}
    orphans = {name for name in read if name not in kept and name not in document.parameters}
    init = caffe2_pb2.NetDef()
    init.CopyFrom(document.init)
    filling = [op for op in document.init.op if not op.output or not set(op.output) <= orphans]
    first = next((k for k, op in enumerate(document.init.op) if op.output and set(op.output) <= orphans), None)
    if first is not None:
        # An optimizer also fills constants that nothing of it reads.
        unused = {
            k for k, op in enumerate(document.init.op)
            if k >= first and not any(name in kept or name in document.parameters for name in op.output)
        }  # fmt: skip
        filling = [op for k, op in enumerate(document.init.op) if op in filling and k not in unused]
    # What is left may be filled from what goes; then that stays, too.
    while True:
        wanted = {name for op in filling for name in op.input}
        back = [op for op in document.init.op if op not in filling and set(op.output) & wanted]
        if not back:
            break
        filling = [op for op in document.init.op if op in filling or op in back]
    remade = [caffe2_pb2.OperatorDef.FromString(op.SerializeToString()) for op in filling]
    del init.op[:]
    init.op.extend(remade)
    draft.init = init
    draft.parameters = {name: kind for name, kind in document.parameters.items() if name not in orphans}
    draft.forget_outside(orphans)
    return draft.document()


# ---- optimizers ----------------------------------------------------------------------------------

_MENU: dict[str, tuple[str, Mapping[str, Any]]] = {
    "sgd": ("Stochastic gradient descent", {"base_learning_rate": 0.01, "momentum": 0.9}),
    "adam": ("Adam", {"base_learning_rate": 0.001}),
    "adagrad": ("Adagrad", {"base_learning_rate": 0.01}),
    "rms_prop": ("RMSProp", {"base_learning_rate": 0.001}),
    "adadelta": ("Adadelta", {"base_learning_rate": 1.0}),
    "ftrl": ("FTRL-proximal", {}),
    "yellowfin": ("YellowFin", {"base_learning_rate": 0.1}),
}
_CLASSES = {
    "sgd": "SgdOptimizer", "adam": "AdamOptimizer", "adagrad": "AdagradOptimizer", "rms_prop": "RmsPropOptimizer",
    "adadelta": "AdadeltaOptimizer", "ftrl": "FtrlOptimizer", "yellowfin": "YellowFinOptimizer",
}  # fmt: skip
_KINDS: dict[type, Any] = {bool: "bool", int: "int", float: "float", str: "str"}


def optimizers(session: Session, message: Message) -> Reply:
    """The optimizers of the menu, each with its fields."""
    found = []
    for name, (label, first) in _MENU.items():
        parameters = _parameters(name)
        fields = [
            {"name": key, "kind": _KINDS[type(value)], "value": first.get(key, value), "default": value, "given": False,
             "choices": ["fixed", "step", "exp", "inv", "poly"] if key == "policy" else [], "minimum": None, "doc": "",
             "required": False}
            for key, value in parameters.items()
        ]  # fmt: skip
        doc = inspect.getdoc(getattr(optimizers_of_c2lab, _CLASSES[name])) or ""
        found.append({"name": name, "label": label, "doc": doc.partition("\n")[0], "fields": fields})
    return {"optimizers": found}


def _parameters(name: str) -> dict[str, Any]:
    """The plain keywords that an optimizer takes, with their defaults."""
    signature = inspect.signature(getattr(optimizers_of_c2lab, _CLASSES[name]).__init__)
    found: dict[str, Any] = {}
    base = _MENU[name][1].get("base_learning_rate")
    if base is not None:
        found["base_learning_rate"] = base
    for key, parameter in signature.parameters.items():
        if type(parameter.default) in _KINDS and key not in ("engine", "base_learning_rate"):
            if key == "alpha" and base is not None:
                continue
            found[key] = parameter.default
    found |= {"stepsize": 1000, "gamma": 0.999} if "policy" in found else {}
    return found


def add_optimizer(session: Session, message: Message) -> Reply:
    """Adds the updates of an optimizer; the gradients first, where there are none."""
    name = text(message, "name", longest=40)
    if name not in _MENU:
        raise EditRefused(f"there is no optimizer {name!r}; there are {', '.join(_MENU)}")
    given = message.get("arguments") or {}
    if not isinstance(given, Mapping):
        raise EditRefused("arguments must be an object")
    defaults, arguments = _parameters(name), dict(_MENU[name][1])
    for key, value in given.items():
        if key not in defaults:
            raise EditRefused(f"{_CLASSES[name]} takes no {str(key)[:40]!r}; it takes {', '.join(defaults)}")
        spec = ArgumentSpec(key, _KINDS[type(defaults[key])], defaults[key])
        arguments[key] = read_value(key, spec, value, None)
    if arguments.get("policy", "fixed") == "step":
        arguments = {"stepsize": defaults["stepsize"], "gamma": defaults["gamma"], **arguments}
    elif arguments.get("policy", "fixed") == "fixed":
        arguments = {key: value for key, value in arguments.items() if key not in ("stepsize", "gamma")}
    known, before = set(session.document.ids), session.document
    if not any(is_backward(op) for op in before.net.op):
        before = with_gradients(before, losses_of(before))
    after = with_optimizer(before, getattr(optimizers_of_c2lab, f"build_{name}"), arguments)
    session.apply(f"add {name}", after)
    return {"placed": [node for node in after.ids if node not in known]}


def with_optimizer(document: Document, build: Callable[..., Any], arguments: Mapping[str, Any]) -> Document:
    """The document with the updates that ``build(model, **arguments)`` adds.

    Raises:
        EditRefused: There are updates already, or no parameter has a gradient.
    """
    learned = {name for name, kind in document.parameters.items() if kind != "computed"}
    if any(name in learned for op in document.net.op for name in op.output):
        raise EditRefused("there is an optimizer already; remove the gradients to choose another one")
    model = model_of(document)
    if not model.param_to_grad:
        raise EditRefused("no parameter has a gradient, so there is nothing to update")
    try:
        with counted_from_nought():
            build(model, **arguments)
    except (C2LabError, AssertionError, ValueError, TypeError) as error:
        raise EditRefused(str(error)) from None
    net, init = caffe2_pb2.NetDef(), caffe2_pb2.NetDef()
    net.CopyFrom(model.net.Proto())
    init.CopyFrom(model.param_init_net.Proto())
    net.name, init.name = document.net.name, document.init.name
    ids = list(document.ids)
    while len(ids) < len(net.op):
        ids.append(fresh_id("o", ids))
    return Document(net, init, document.parameters, replace(document.canvas, ids=tuple(ids)))


def model_of(document: Document) -> ModelHelper:
    """A model of its own with copies of a document's nets, its parameters and their gradients."""
    model = ModelHelper("canvas_scratch")
    model.net = Net(document.net)
    model.param_init_net = Net(document.init)
    for name, kind in document.parameters.items():
        tags = {"weight": "WEIGHT", "bias": "BIAS", "computed": "COMPUTED_PARAM"}.get(kind)
        model.AddParameter(BlobReference(name, model.param_init_net), tags)
    note_gradients(model)
    return model


def note_gradients(model: ModelHelper) -> None:
    """Lets a model know the gradients that its net has, as ``AddGradientOperators`` would."""
    written = {name for op in model.net.Proto().op for name in op.output}
    model.gradient_ops_added = any(is_backward(op) for op in model.net.Proto().op)
    if not model.gradient_ops_added:
        model.grad_map, model.param_to_grad = {}, {}
        return
    from c2lab.operators.gradients import GradientSlice
    from c2lab.parameters.info import ParameterInfo

    model.grad_map = {
        BlobReference(name.removesuffix("_grad")): BlobReference(name) for name in written if name.endswith("_grad")
    }
    for param in model.params:
        parts = f"{param}_grad_indices", f"{param}_grad_values"
        if written >= set(parts):
            model.grad_map[param] = GradientSlice(*map(BlobReference, parts))
    model.param_to_grad = model.get_param_to_grad(model.params)
    for param, gradient in model.param_to_grad.items():
        info = model.get_param_info(param)
        if info is None:
            info = ParameterInfo(None, param, shape=model._filled_shape(param))
            model._parameters_info[str(param)] = info
        info.grad = gradient


COMMANDS: dict[str, Command] = {
    "add_gradients": add_gradients,
    "remove_gradients": remove_gradients,
    "optimizers": optimizers,
    "add_optimizer": add_optimizer,
}
