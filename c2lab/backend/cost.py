"""What XLA's own analysis says an operator costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from c2lab.backend.lower import Lowered, abstract
from c2lab.errors import MissingBlob
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2


class Cost(NamedTuple):
    """Floating point operations and bytes of one run."""

    flops: int
    bytes_written: int
    bytes_read: int


def operator_cost(op: caffe2_pb2.OperatorDef, blobs: Mapping[str, Any]) -> Cost:
    """The cost of one operator on blobs of these shapes; zeros for a host operator.

    Raises:
        MissingBlob: An input is not among ``blobs``.
    """
    (node,) = read(caffe2_pb2.NetDef(op=[op])).nodes
    if node.host:
        return Cost(0, 0, 0)
    for name in op.input:
        if name not in blobs:
            raise MissingBlob(f"Can't find blob: {name}").at(node.place)
    static_values, arguments, inputs = {}, [], []
    for value, slot in zip(node.inputs, node.input_slots, strict=True):
        if value in node.static_inputs:
            static_values[value] = np.asarray(blobs[value.blob])
        elif slot not in node.operator.opaque_inputs and value not in inputs:
            inputs.append(value)
            arguments.append(abstract(blobs[value.blob]))
    lowered = Lowered(node_list := [node], inputs, node_list[0].outputs, [None] * len(node.outputs), static_values)
    if lowered.random:
        arguments.append(jax.ShapeDtypeStruct((2,), np.uint32))
    with jax.enable_x64(True):
        staged = jax.jit(lowered.function()).lower(*arguments)
        analysis = staged.cost_analysis() or {}
        written = sum(int(np.prod(o.shape)) * o.dtype.itemsize for o in jax.tree.leaves(staged.out_info))
    read_bytes = sum(int(np.prod(a.shape)) * np.dtype(a.dtype).itemsize for a in arguments)
    return Cost(int(analysis.get("flops", 0)), written, read_bytes)
