"""Operators hold their mutex from before they read until they have written."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.mutexes import hold, mutexes_of
from c2lab.graph.reader import read
from c2lab.operators.values import Mutex


def test_the_mutexes_of_operators_are_found():
    net = core.Net("mutexes")
    net.AtomicIter(["m2", "i"], ["i"])
    net.AtomicAppend(["m1", "a", "b"], ["a"])
    net.Relu("x", "y")
    assert mutexes_of(read(net.Proto()).nodes) == ("m1", "m2")


def test_who_holds_it_keeps_others_out():
    blobs = {"m": Mutex(), "other": 3}
    with hold(["m", "other", "missing"], blobs):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(blobs["m"].lock.acquire(blocking=False)))
        thread.start()
        thread.join(30)
        assert seen == [False]
    assert blobs["m"].lock.acquire(blocking=False)


@pytest.mark.parametrize("kind", ["append", "count"])
def test_nothing_is_lost_among_threads(kind):
    workspace.FeedBlob("one", np.int64([1]))
    init, work = core.Net("init"), core.Net("work")
    init.CreateMutex([], "mutex")
    if kind == "append":
        init.ConstantFill([], "all", shape=[0], dtype=core.DataType.INT64)
        work.AtomicAppend(["mutex", "all", "one"], ["all"])
    else:
        init.ConstantFill([], "all", shape=[1], value=0, dtype=core.DataType.INT64)
        work.AtomicIter(["mutex", "all"], ["all"])
    plan = core.Plan("plan")
    plan.AddStep(core.execution_step("init", init))
    work_step = core.execution_step("work", work, num_iter=100)
    plan.AddStep(core.execution_step("threads", [work_step], num_concurrent_instances=4))
    workspace.RunPlan(plan)
    assert workspace.FetchBlob("all").sum() == 400
