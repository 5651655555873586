"""Inputs that nobody wrote."""

from __future__ import annotations

from c2lab.graph.reader import read
from c2lab.graph.rules import missing_inputs
from c2lab.proto import caffe2_pb2


def problems(*ops, having=()):
    net = caffe2_pb2.NetDef(name="n")
    for type, inputs, outputs in ops:
        net.op.add(type=type, input=inputs, output=outputs)
    return [(name, str(error)) for name, error in missing_inputs(read(net), lambda name: name in having)]


def test_each_missing_blob_once_with_advice():
    found = problems(("Relu", ["x"], ["y"]), ("Sum", ["x", "y"], ["z"]))
    assert [name for name, _ in found] == ["x"]
    assert "non-existing input blob: x; feed it" in found[0][1]


def test_written_too_late():
    (found,) = problems(("Relu", ["x"], ["y"]), ("Relu", ["y"], ["x"]))
    assert "written only later in this net" in found[1]


def test_what_exists_or_makes_itself_is_not_missing():
    assert problems(("Relu", ["x"], ["y"]), having=("x",)) == []
    assert problems(("Iter", ["n"], ["n"])) == []
