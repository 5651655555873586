"""Chains of operators written as text, and their backward pass."""

from __future__ import annotations

from c2lab import core
from c2lab.core import CreateOperator, GradientRegistry


def scopeless(names):
    return [core.BlobReference(name) for name in names]


def written(ops):
    """Operators as ``type inputs -> outputs``."""
    return [f"{op.type} {' '.join(op.input)} -> {' '.join(op.output)}" for op in ops]


def backward(ops, ys):
    made, gradients = GradientRegistry.GetBackwardPass(ops, ys)
    return written(made), {str(name): gradient for name, gradient in gradients.items()}


def chain(*steps):
    """``"Direct a b -> c"`` as OperatorDefs."""
    ops = []
    for step in steps:
        left, right = step.split(" -> ")
        kind, *inputs = left.split()
        ops.append(CreateOperator(kind, inputs, right.split()))
    return ops
