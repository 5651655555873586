"""Tensors that grow, and a fair sample of those that pass."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import ShapeMismatch, TypeMismatch
from c2lab.operators.values import TensorVector
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def test_appending():
    held = Workspace("growing")
    held.feed("a", np.zeros((0,), np.float32))
    held.feed("b", np.float32([[1, 2]]))
    for rows in (1, 2):
        held.run_operator(op("Append", ["a", "b"], ["a"]))
        assert held.fetch("a").shape == (rows, 2)
    held.feed("c", np.float32([[1, 2, 3]]))
    with pytest.raises(ShapeMismatch, match="all but the first"):
        held.run_operator(op("Append", ["a", "c"], ["a"]))
    held.feed("c", np.float64([[1, 2]]))
    with pytest.raises(TypeMismatch):
        held.run_operator(op("Append", ["a", "c"], ["a"]))
    held.run_operator(op("CreateMutex", [], ["m"]))
    held.feed("n", np.int32([7]))
    held.feed("more", np.int32([7]))
    held.run_operator(op("AtomicAppend", ["m", "a", "n", "b", "more"], ["a", "n"]))
    assert held.fetch("a").shape == (3, 2)
    assert held.fetch("n").tolist() == [7, 7]


def test_a_fair_sample_of_what_passes():
    held = Workspace("sample", seed=3)
    counts = np.zeros(10)
    net = caffe2_pb2.NetDef(name="net", op=[op("CollectTensor", ["v", "x"], ["v"], num_to_collect=2)])
    for _ in range(150):
        held["v"] = TensorVector()
        held.feed("x", np.float32([0]))
        held.create(net, overwrite=True)
        for k in range(10):
            held.feed("x", np.float32([k]))
            held.run("net")
        held.run_operator(op("TensorVectorSize", ["v"], ["size"]))
        assert held.fetch("size") == 2
        held.run_operator(op("ConcatTensorVector", ["v"], ["kept"]))
        counts[held.fetch("kept").astype(int)] += 1
    assert counts.min() >= 12  # 30 expected each
    assert counts.max() <= 52
