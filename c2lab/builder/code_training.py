"""Gradients and optimizers as the one line each that makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c2lab.builder.code_calls import Call, short_float
from c2lab.errors import C2LabError
from c2lab.graph.document import Document
from c2lab.nets.gradients import IR
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value

_SEED = "_autogen_grad"


def gradient_call(document: Document, start: int) -> tuple[Call, int] | None:
    """``AddGradientOperators`` where it makes the operators from ``start`` on, and how many of them."""
    ops = document.net.op
    losses = []
    position = start
    while position < len(ops) and len(ops[position].output) == 1 and ops[position].output[0].endswith(_SEED):
        losses.append(ops[position].output[0].removesuffix(_SEED))
        position += 1
    if not losses:
        return None
    try:
        made, _ = IR(list(ops[:start])).GetBackwardPass(losses)
    except (C2LabError, ValueError, AssertionError, KeyError):
        return None
    if list(ops[start : start + len(made)]) != made:
        return None
    return Call("AddGradientOperators", (losses,)), len(made)


def optimizer_calls(document: Document, start: int) -> Iterator[Call]:
    """Optimizers that may have made the operators from ``start`` on; whether they did must be tried."""
    ops = document.net.op[start:]
    rate = next((op for op in ops if op.type == "LearningRate"), None)
    if rate is None:
        return
    said = _arguments(rate)
    policy = {key: value for key, value in said.items() if key != "base_lr"}
    base = abs(said.get("base_lr", 0.0))
    types = {op.type for op in ops}
    update = next((op for op in ops if op.type in ("MomentumSGDUpdate", "MomentumSGD")), None)
    if update is not None:
        momentum = _arguments(update)
        keywords = {"momentum": momentum.get("momentum", 0.0)}
        if momentum.get("nesterov", 1) != 1:
            keywords["nesterov"] = momentum["nesterov"]
        yield Call("optimizer.build_sgd", (base,), {**keywords, **policy})
    elif "WeightedSum" in types:
        yield Call("optimizer.build_sgd", (base,), policy)
    if "Adam" in types:
        adam = _arguments(next(op for op in ops if op.type == "Adam"))
        changed = {k: v for k, v in adam.items() if (k, v) not in (("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8))}
        yield Call("optimizer.build_adam", (base,), {**changed, **policy})
    if "Adagrad" in types:
        yield Call("optimizer.build_adagrad", (base,), policy)
    if "RmsProp" in types:
        yield Call("optimizer.build_rms_prop", (), {"base_learning_rate": base, **policy})


def _arguments(op: caffe2_pb2.OperatorDef) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument in op.arg:
        value = argument_value(argument)
        if isinstance(value, float):
            value = short_float(value)
        found[argument.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return found
