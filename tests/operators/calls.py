"""Calls one operator, or its gradient, on numpy arrays: what the tests of the families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.operators.gradients import GradientSlice, make_gradient
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def operator_def(type: str, inputs: int, outputs: int = 1, *, inplace: bool = False, **arguments: Any) -> Any:
    """An OperatorDef on blobs I0, I1, ... and O0, O1, ...; in place, output 0 is I0."""
    op = caffe2_pb2.OperatorDef(type=type)
    op.input.extend(f"I{k}" for k in range(inputs))
    op.output.extend(f"O{k}" for k in range(outputs))
    if inplace:
        op.output[0] = "I0"
    op.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return op


def call(type: str, *inputs: Any, outputs: int = 1, inplace: bool = False, **arguments: Any) -> Any:
    """The operator's output, or a list of them where ``outputs`` is more than 1."""
    op = operator_def(type, len(inputs), outputs, inplace=inplace, **arguments)
    workspace = Workspace("calls", seed=0)
    for name, value in zip(op.input, inputs, strict=True):
        workspace.feed(name, np.asarray(value))
    workspace.run_operator(op)
    results = [workspace.fetch(name) for name in op.output]
    return results[0] if outputs == 1 else results


def gradients(
    type: str, inputs: Sequence[Any], output_gradients: Sequence[Any], *, inplace: bool = False, **arguments: Any
) -> list[Any]:
    """The gradient of each input, by the operators that the gradient maker emits (None where there is none)."""
    op = operator_def(type, len(inputs), len(output_gradients), inplace=inplace, **arguments)
    workspace = Workspace("calls", seed=0)
    for name, value in zip(op.input, inputs, strict=True):
        workspace.feed(name, np.asarray(value))
    workspace.run_operator(op)
    names: list[str | None] = []
    for k, value in enumerate(output_gradients):
        names.append(None if value is None else f"GO{k}")
        if value is not None:
            workspace.feed(f"GO{k}", np.asarray(value))
    made = make_gradient(op, names)
    for step in made.ops:
        workspace.run_operator(step)
    return [None if name is None else workspace.fetch(name) for name in made.input_gradients]


Wire = tuple[str, list[str], list[str]]


def wiring(type: str, inputs: int, outputs: int = 1, **arguments: Any) -> tuple[list[Wire], list[Any]]:
    """What the gradient maker emits: (type, inputs, outputs) an operator, and the name of each input's gradient."""
    made = make_gradient(operator_def(type, inputs, outputs, **arguments), [f"GO{k}" for k in range(outputs)])
    wires = [(op.type, list(op.input), list(op.output)) for op in made.ops]
    return wires, [list(name) if isinstance(name, GradientSlice) else name for name in made.input_gradients]


def check_formula(type: str, x: Any, formula: Any, slope: Any, **arguments: Any) -> None:
    """Demands that a function of one tensor is ``formula``, and its gradient ``slope`` (``None``: not asked for).

    Args:
        type: The operator's type.
        x: Its input, float32.
        formula, slope: Functions of float64 arrays.
        arguments: The operator's arguments.
    """
    y = call(type, x, **arguments)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, formula(x.astype(np.float64)), rtol=1e-4, atol=1e-5)
    if slope is not None:
        dy = np.random.default_rng(x.size).normal(size=x.shape).astype(np.float32)
        (dx,) = gradients(type, [x], [dy], **arguments)
        assert dx.dtype == np.float32
        np.testing.assert_allclose(dx, slope(x.astype(np.float64)) * dy, rtol=2e-4, atol=1e-5)
