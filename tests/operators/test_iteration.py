"""Counting iterations and counters."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import TypeMismatch, UnsafeInplace
from c2lab.operators.values import Counter
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(caffe2_pb2.Argument(name=name, i=value) for name, value in arguments.items())
    return made


@pytest.fixture
def workspace():
    return Workspace("counting")


def test_iter_makes_its_blob_and_counts_it_up(workspace):
    net = caffe2_pb2.NetDef(name="net", op=[op("Iter", [], ["t"])])
    workspace.create(net)
    for want in (1, 2, 3):
        workspace.run("net")
        count = workspace.fetch("t")
        assert count.tolist() == [want]
        assert count.dtype == np.int64
    workspace.run_operator(op("Iter", ["t"], ["t"]))
    assert workspace.fetch("t").tolist() == [4]
    workspace.feed("t", np.float32([1]))
    with pytest.raises(TypeMismatch, match="counted in int64"):
        workspace.run("net")


def test_iter_must_count_in_place(workspace):
    workspace.feed("t", np.int64([5]))
    with pytest.raises(UnsafeInplace):
        workspace.run_operator(op("Iter", ["t"], ["u"]))
    workspace.feed("t", np.int32([5]))
    with pytest.raises(TypeMismatch):
        workspace.run_operator(op("Iter", ["t"], ["t"]))


def test_iter_on_a_blob_is_compiled_and_does_not_cut_the_net():
    from c2lab.graph.reader import read

    graph = read(caffe2_pb2.NetDef(name="net", op=[op("Iter", ["t"], ["t"]), op("Iter", [], ["u"])]))
    assert [node.host for node in graph.nodes] == [False, True]


def test_atomic_iter_counts_beside_its_mutex(workspace):
    workspace.run_operator(op("CreateMutex", [], ["mutex"]))
    assert workspace.fetch("mutex") == b"mutex, a C++ native class of type std::unique_ptr<std::mutex>."
    workspace.feed("t", np.int64([0]))
    net = caffe2_pb2.NetDef(name="net", op=[op("AtomicIter", ["mutex", "t"], ["t"])])
    workspace.create(net)
    workspace.run("net", 3)
    assert workspace.fetch("t").tolist() == [3]


def test_a_counter_counts_down_to_done(workspace):
    workspace.run_operator(op("CreateCounter", [], ["c"], init_count=2))
    seen = []
    for _ in range(4):
        workspace.run_operator(op("CountDown", ["c"], ["done"]))
        seen.append(bool(workspace.fetch("done")))
    assert seen == [False, False, True, True]
    workspace.run_operator(op("CheckCounterDone", ["c"], ["done"]))
    assert workspace.fetch("done")
    workspace.run_operator(op("ResetCounter", ["c"], ["before"], init_count=7))
    assert workspace.fetch("before") == -2
    workspace.run_operator(op("CountUp", ["c"], ["before"]))
    workspace.run_operator(op("RetrieveCount", ["c"], ["count"]))
    assert (workspace.fetch("before"), workspace.fetch("count")) == (7, 8)
    assert workspace.fetch("count").dtype == np.int64


def test_a_counter_can_be_kept_and_resumed():
    counter, other = Counter(5), Counter()
    counter.count_down()
    other.restore(counter.state())
    assert other.count == 4
