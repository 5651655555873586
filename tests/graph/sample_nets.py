"""Small nets that the drawing tests look at."""

from __future__ import annotations

from typing import Any

from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def net(name: str, *operators: tuple[Any, ...]) -> caffe2_pb2.NetDef:
    """A net of ``(type, inputs, outputs[, arguments])``, names separated by blanks."""
    made = caffe2_pb2.NetDef(name=name)
    for type, inputs, outputs, *rest in operators:
        op = made.op.add(type=type, input=inputs.split(), output=outputs.split())
        op.is_gradient_op = type.endswith("Gradient")
        for key, value in (rest[0] if rest else {}).items():
            op.arg.append(make_argument(key, value))
    return made


def classifier() -> caffe2_pb2.NetDef:
    """A little net with its gradients and updates."""
    made = net(
        "classifier",
        ("FC", "data fc_w fc_b", "fc"),
        ("Relu", "fc", "fc"),
        ("Softmax", "fc", "softmax"),
        ("LabelCrossEntropy", "softmax label", "xent"),
        ("AveragedLoss", "xent", "loss"),
        ("ConstantFill", "loss", "loss_autogen_grad", {"value": 1.0}),
        ("AveragedLossGradient", "xent loss_autogen_grad", "xent_grad"),
        ("LabelCrossEntropyGradient", "softmax label xent_grad", "softmax_grad"),
        ("SoftmaxGradient", "softmax softmax_grad", "fc_grad"),
        ("ReluGradient", "fc fc_grad", "fc_grad"),
        ("FCGradient", "data fc_w fc_grad", "fc_w_grad fc_b_grad"),
        ("WeightedSum", "fc_w ONE fc_w_grad LR", "fc_w"),
        ("WeightedSum", "fc_b ONE fc_b_grad LR", "fc_b"),
    )
    made.external_output.append("softmax")
    return made


def tower(blocks: int, separator: str = "/") -> caffe2_pb2.NetDef:
    """Equal blocks of three operators, each in a scope (or under a stem) of its own."""
    operators: list[tuple[Any, ...]] = []
    last = "data"
    for block in range(blocks):
        at = f"block{block}{separator}"
        operators += [
            ("Conv", f"{last} {at}conv_w {at}conv_b", f"{at}conv", {"kernel": 3, "pad": 1}),
            ("Relu", f"{at}conv", f"{at}conv"),
            ("Sum", f"{at}conv {last}" if block else f"{at}conv", f"{at}sum"),
        ]
        last = f"{at}sum"
    return net("tower", *operators)


def chain(length: int) -> caffe2_pb2.NetDef:
    """One operator after the other, with names that say nothing."""
    return net("chain", *[("Relu", f"x{i}", f"x{i + 1}") for i in range(length)])
