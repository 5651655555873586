"""Gradients of operators that work in place: an input that is overwritten cannot be read any more.

By its name alone an input that is overwritten cannot be told from the output that took its
place, so the gradient is made once more for outputs under other names, to see which it reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from c2lab.errors import UnsafeInplace
from c2lab.operators.gradients import Differentiate, Gradient, GradientOperators, make_gradient
from c2lab.proto import caffe2_pb2

# Their gradients take only the shape of the input, which stays; or are code that we cannot look into.
# The last three hold nets, in which the gradient pass of the net itself finds what is overwritten.
INDIFFERENT = frozenset({"Add", "Sub", "Div", "Python", "If", "While", "Do"})


def make_safe_gradient(
    op: caffe2_pb2.OperatorDef, output_gradients: Sequence[Gradient], differentiate: Differentiate | None = None
) -> GradientOperators:
    """The gradient operators of ``op``, as ``make_gradient`` gives them.

    Raises:
        NoGradient: There is none.
        UnsafeInplace: The operator overwrites an input whose old values its gradient reads.

    Example:
        >>> op = caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["x"])
        >>> make_safe_gradient(op, ["dx"]).input_gradients
        ['x_grad']
    """
    made = make_gradient(op, output_gradients, differentiate)
    overwritten = set(op.input) & set(op.output)
    if overwritten and op.type not in INDIFFERENT:
        apart = caffe2_pb2.OperatorDef()
        apart.CopyFrom(op)
        apart.output[:] = [f"{name} after" if name in overwritten else name for name in op.output]
        for gradient_op in make_gradient(apart, output_gradients).ops:
            for name in gradient_op.input:
                if name in overwritten:
                    raise UnsafeInplace(
                        f'Gradient operator needs input "{name}" as it was before {op.type}, which overwrites it: '
                        f"{gradient_op.type} reads its old values. Give the output of {op.type} another name."
                    )
    return made
