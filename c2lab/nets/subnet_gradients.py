"""Gradients of operators that hold nets, by their old names: Caffe2's ``control_ops_grad``.

Each function makes what ``GradientRegistry.GetGradientForOp`` makes, for one type of operator; the makers
themselves live in ``c2lab.operators.subnet_gradients``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab.nets.gradients import GradientRegistry
from c2lab.operators.gradients import Gradient
from c2lab.operators.subnet_gradients import dedupe_g_output
from c2lab.operators.subnets import rename_output
from c2lab.proto import caffe2_pb2

__all__ = [
    "dedupe_g_output",
    "disambiguate_grad_if_op_output",
    "gen_do_gradient",
    "gen_if_gradient",
    "gen_while_gradient",
    "getNetArgument",
]

OperatorDef = caffe2_pb2.OperatorDef
GradientOfOperator = tuple[list[OperatorDef], Sequence[Gradient]]


def _gradient(type: str, op: OperatorDef, g_output: Sequence[Any]) -> GradientOfOperator:
    if op.type != type:
        raise AssertionError(f"Expected {type} op, got {op.type}.")
    if len(op.output) != len(g_output):
        raise AssertionError(
            f"Different number of gradient blobs and {type} op outputs: {len(g_output)} gradients for the outputs "
            f"{list(op.output)}; give None where there is no gradient."
        )
    return GradientRegistry.GetGradientForOp(op, g_output)


def gen_do_gradient(op: OperatorDef, g_output: Sequence[Any]) -> GradientOfOperator:
    """The gradient operators of a ``Do``, and the gradient of each input.

    Args:
        op: The operator.
        g_output: A gradient for each output, ``None`` where there is none.
    """
    return _gradient("Do", op, g_output)


def gen_if_gradient(op: OperatorDef, g_output: Sequence[Any]) -> GradientOfOperator:
    """The gradient operators of an ``If``, and the gradient of each input; see ``gen_do_gradient``."""
    return _gradient("If", op, g_output)


def gen_while_gradient(op: OperatorDef, g_output: Sequence[Any]) -> GradientOfOperator:
    """The gradient operators of a ``While``, and the gradient of each input; see ``gen_do_gradient``."""
    return _gradient("While", op, g_output)


def getNetArgument(op: OperatorDef, net_name: str) -> caffe2_pb2.NetDef | None:
    """The net that an operator holds in the argument ``net_name``, or ``None``."""
    return next((argument.n for argument in op.arg if argument.name == net_name), None)


def disambiguate_grad_if_op_output(grad_op: OperatorDef, idx: int, new_grad_output: str) -> None:
    """Gives an output of a gradient ``If`` another name, in place, also where its branches write it.

    Args:
        grad_op: The ``If``.
        idx: The output's position.
        new_grad_output: The new name.
    """
    rename_output(grad_op, idx, str(new_grad_output))
