"""How an operator looks when it was just placed: free names, and arguments to begin with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from c2lab.errors import UnknownOperator, did_you_mean
from c2lab.graph.document import Document, EditRefused
from c2lab.operators import registry
from c2lab.operators.definition import Operator
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

# What most people want first, where the operator itself has no default that works.
_FIRST: dict[str, Mapping[str, Any]] = {
    "Conv": {"kernel": 3, "pad": 1},
    "ConvTranspose": {"kernel": 2, "stride": 2},
    "MaxPool": {"kernel": 2, "stride": 2},
    "AveragePool": {"kernel": 2, "stride": 2},
    "LpPool": {"kernel": 2, "stride": 2},
    "Reshape": {"shape": [0, -1]},
    "ConstantFill": {"shape": [1], "value": 0.0},
    "GaussianFill": {"shape": [1]},
    "UniformFill": {"shape": [1]},
    "XavierFill": {"shape": [1, 1]},
    "MSRAFill": {"shape": [1, 1]},
    "LRN": {"size": 5, "alpha": 1e-4, "beta": 0.75},
    "Cast": {"to": int(caffe2_pb2.TensorProto.FLOAT)},
    "Dropout": {"ratio": 0.5},
    "SpatialBN": {"is_test": 0},
    "LearningRate": {"base_lr": -0.1, "policy": "fixed"},
    "ResizeNearest": {"width_scale": 2.0, "height_scale": 2.0},
}
_STEMS = {"MaxPool": "pool", "AveragePool": "pool", "SpatialBN": "bn", "SoftmaxWithLoss": "softmax"}
_STARTS = {"int": 1, "float": 1.0, "bool": False, "str": "", "ints": [1], "floats": [1.0], "strs": [""]}


def stem_of(type: str) -> str:
    """The beginning of the names of what an operator of this type writes.

    Example:
        >>> stem_of("Relu"), stem_of("MaxPool")
        ('relu', 'pool')
    """
    return _STEMS.get(type) or re.sub(r"[^a-z0-9]", "", type.lower())[:40] or "op"


def new_operator(document: Document, type: str) -> caffe2_pb2.OperatorDef:
    """An operator of this type as it is placed on a canvas, without wires.

    Raises:
        EditRefused: There is no such operator.
    """
    try:
        operator = registry.find(type)
    except UnknownOperator:
        known = (op.type for op in registry.all_operators())
        raise EditRefused(f"there is no operator {type[:60]!r}.{did_you_mean(type[:60], known)}") from None
    op = caffe2_pb2.OperatorDef(type=type)
    op.output.extend(output_names(document, operator))
    first = _FIRST.get(type) or ({"kernel": 2} if "kernel" in operator.arguments else {})
    op.arg.extend(make_argument(name, value) for name, value in first.items() if name in operator.arguments)
    for spec in operator.arguments.values():
        if spec.required and spec.name not in first and spec.kind in _STARTS:
            op.arg.append(make_argument(spec.name, spec.choices[0] if spec.choices else _STARTS[spec.kind]))
    return op


def output_names(document: Document, operator: Operator) -> list[str]:
    """Free names for what an operator writes: ``relu1``; ``softmax1`` and ``softmax1_loss``."""
    stem = stem_of(operator.type)
    required = [slot for slot in operator.outputs if not slot.optional and not slot.variadic]
    count = max(len(required), min((n for n in operator.output_counts if n), default=0))
    if not count and any(slot.variadic for slot in operator.outputs):
        count = 1
    if operator.type == "Split":
        count = 2
    base = document.fresh_name(stem)
    names = [base]
    for slot in operator.outputs[1:count]:
        names.append(f"{base}_{slot.name.lower()}")
    while len(names) < count:
        names.append(f"{base}_{len(names)}")
    return names[:count]
