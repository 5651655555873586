"""Readers that end earlier than their data, or wait."""

from __future__ import annotations

import time

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup, final_output
from c2lab.data.limited_readers import (
    CounterReader,
    CountUntil,
    ReaderWithDelay,
    ReaderWithLimit,
    ReaderWithLimitBase,
    ReaderWithTimeLimit,
)
from c2lab.data.pipeline import pipe
from tests.data.written_records import column, empty, numbers, within_limit


def read(reader, threads=1):
    """All that a reader gives, and whether it says that its data has ended."""
    target = empty()
    with TaskGroup() as group:
        pipe(reader, target.writer(), num_runtime_threads=threads)
        workspace.FeedBlob(reader.data_finished(), np.array(False))
        finished = final_output(reader.data_finished())
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    return column(target).tolist(), workspace.FetchBlob(reader.data_finished()).item(), finished


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("limit", "count", "finished"), [(0, 0, False), (1, 1, False), (10, 10, False), (30, 20, True), (None, 20, True)]
)
def test_a_number_of_batches(limit, count, finished, threads):
    values, ended, _ = read(ReaderWithLimit(numbers(20).reader(), limit), threads)
    assert sorted(values) == list(range(count))
    assert ended is finished


def test_limits_inside_each_other():
    values, ended, _ = read(ReaderWithLimit(ReaderWithLimit(numbers(20).reader(), 3), 10))
    assert values == [0, 1, 2]
    assert ended  # for the outer limit the data ends where the inner limit is


def test_some_time():
    slow = ReaderWithDelay(numbers(10_000).reader(), 0.02)
    begin = time.monotonic()
    values, ended, _ = read(ReaderWithTimeLimit(slow, duration=0.3))
    assert time.monotonic() - begin >= 0.3
    assert len(values) < 10_000
    assert not ended


@pytest.mark.parametrize("duration", [0, None, 1000])
def test_time_enough(duration):
    values, ended, _ = read(ReaderWithTimeLimit(numbers(5).reader(), duration=duration))
    assert values == [0, 1, 2, 3, 4]
    assert ended


def test_each_batch_waits():
    reader = ReaderWithDelay(numbers(3).reader(batch_size=1), 0.05)
    begin = time.monotonic()
    read(ReaderWithLimit(reader, None))
    assert time.monotonic() - begin >= 0.2  # three batches, and the look at the end


def test_counting():
    init_net, plan = core.Net("init"), core.Plan("plan")
    reader = CountUntil(5)
    reader.setup_ex(init_net, init_net)
    nets, stop, record = reader.read_record_ex(init_net, init_net)
    seen = core.Net("seen")
    init_net.ConstantFill([], "all", shape=[0], dtype=core.DataType.INT64)
    init_net.ConstantFill([], stop, shape=[], value=False, dtype=core.DataType.BOOL)
    seen.Append(["all", seen.ExpandDims(record.iter(), dims=[0])], ["all"])
    plan.AddStep(core.execution_step("init", init_net))
    plan.AddStep(core.execution_step("body", [*nets, seen], should_stop_blob=stop))
    within_limit(lambda: workspace.RunPlan(plan))
    assert workspace.FetchBlob("all").tolist() == [0, 1, 2, 3, 4]


def test_what_comes_in_the_wrong_order_is_said():
    net = core.Net("n")
    with pytest.raises(AssertionError, match="reads after setup_ex"):
        CounterReader().read_ex(net, net)
    with pytest.raises(AssertionError, match="reads after setup_ex"):
        ReaderWithTimeLimit(CounterReader(), 1).check_limiter_condition(net)
    base = ReaderWithLimitBase(CounterReader())
    with pytest.raises(NotImplementedError, match="what its limit needs"):
        base.setup_limiter(net, net)
    with pytest.raises(NotImplementedError, match="where its limit is"):
        base.check_limiter_condition(net)
