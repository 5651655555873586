"""Flags, sums and stopwatches that nets share."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue
from c2lab.operators.values import Timer
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.fixture
def workspace():
    return Workspace("queues")


def test_a_flag_is_set_only_by_a_condition_that_holds(workspace):
    workspace.run_operator(op("CreateAtomicBool", [], ["flag"]))
    for condition in (False, True, False):
        workspace.feed("condition", np.array([condition]))
        workspace.run_operator(op("ConditionalSetAtomicBool", ["flag", "condition"]))
        workspace.run_operator(op("CheckAtomicBool", ["flag"], ["value"]))
        if not condition:
            before = bool(workspace.fetch("value"))
    assert before
    assert workspace.fetch("value").shape == ()


@pytest.mark.parametrize(("type", "dtype"), [("AtomicFetchAdd", np.int32), ("AtomicFetchAdd64", np.int64)])
def test_fetch_add(workspace, type, dtype):
    workspace.run_operator(op("CreateMutex", [], ["mutex"]))
    workspace.feed("n", np.array([5], dtype))
    workspace.feed("d", np.array([3], dtype))
    workspace.run_operator(op(type, ["mutex", "n", "d"], ["n", "old"]))
    assert workspace.fetch("n").tolist() == [8]
    assert workspace.fetch("old").tolist() == [5]
    assert workspace.fetch("n").dtype == dtype


def test_a_timer_runs_until_its_end(workspace):
    workspace.run_operator(op("TimerBegin", [], ["timer"]))
    workspace.run_operator(op("TimerGet", ["timer"], ["first"]))
    workspace.run_operator(op("TimerGetAndEnd", ["timer"], ["last"]))
    assert 0 < workspace.fetch("first") < workspace.fetch("last")
    with pytest.raises(BadValue, match="ended already"):
        workspace.run_operator(op("TimerGet", ["timer"], ["more"]))
    timer = Timer("t")
    timer.end()
    with pytest.raises(BadValue):
        timer.end()
