"""Queues between tasks, and the operators that they are made of."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup
from c2lab.data.pipeline import pipe
from c2lab.data.queues import Queue, QueueWrapper, close_queue, dequeue, enqueue
from c2lab.data.schema import Struct
from tests.data.written_records import column, empty, numbers, within_limit


def made(capacity=4, num_blobs=1):
    workspace.RunOperatorOnce(
        core.CreateOperator("CreateBlobsQueue", [], ["queue"], capacity=capacity, num_blobs=num_blobs)
    )
    return core.BlobReference("queue")


def test_in_and_out():
    queue, net = made(num_blobs=2), core.Net("n")
    workspace.FeedBlob("a", np.float32([1]))
    workspace.FeedBlob("b", np.array(["x"]))
    full = enqueue(net, queue, [core.BlobReference("a"), core.BlobReference("b")])
    blobs, done = dequeue(net, queue, 2, field_names=["first", "second"])
    workspace.RunNetOnce(net)
    assert [workspace.FetchBlob(blob).tolist() for blob in blobs] == [[1], [b"x"]]
    assert not workspace.FetchBlob(full)
    assert not workspace.FetchBlob(done)
    assert [str(blob).rpartition("/")[2] for blob in blobs] == ["first", "second"]


def test_names_of_the_status():
    queue, net = made(), core.Net("n")
    workspace.FeedBlob("a", np.float32([1]))
    assert enqueue(net, queue, ["a"], status="full") == "full"
    _, status = dequeue(net, queue, 1, status="empty")
    assert status == "empty"
    with pytest.raises(AssertionError, match="1 field_names for 2 blobs"):
        dequeue(net, queue, 2, field_names=["a"])


def test_a_blob_that_is_in_a_record_twice_is_copied(caplog):
    queue, net = made(num_blobs=2), core.Net("n")
    workspace.FeedBlob("a", np.float32([3]))
    with caplog.at_level(logging.WARNING):
        enqueue(net, queue, ["a", "a"])
    assert "twice" in caplog.text
    blobs, _ = dequeue(net, queue, 2)
    workspace.RunNetOnce(net)
    assert [workspace.FetchBlob(blob).tolist() for blob in blobs] == [[3], [3]]


def test_several_records_at_once():
    queue, net, out = made(), core.Net("n"), core.Net("out")
    workspace.FeedBlob("a", np.float32([1, 2]))
    enqueue(net, queue, ["a"])
    blobs, _ = dequeue(out, queue, 1, num_records=3)
    for part in (net, net, net, out):
        workspace.RunNetOnce(part)
    assert workspace.FetchBlob(blobs[0]).tolist() == [1, 2] * 3


def test_a_step_closes_queues_behind_it():
    queue, net = made(), core.Net("n")
    workspace.FeedBlob("a", np.float32([1]))
    enqueue(net, queue, ["a"])
    within_limit(lambda: workspace.RunPlan(close_queue(core.execution_step("put", net), queue)))
    out = core.Net("out")
    _, status = dequeue(out, queue, 1)
    workspace.RunNetOnce(out)
    assert not workspace.FetchBlob(status)
    workspace.RunNetOnce(out)
    assert workspace.FetchBlob(status)


def test_a_queue_that_is_there_already():
    queue, target = QueueWrapper(made(), schema=Struct(("label", np.int64))), empty()
    with TaskGroup() as group:
        pipe(numbers(9).reader(), queue)
        pipe(queue, target.writer())
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    assert column(target).tolist() == list(range(9))
    assert workspace.current()["queue"].closed


@pytest.mark.parametrize("records", [1, 2, 4])
def test_records_are_joined_by_the_reader(records):
    target, queue = empty(), Queue(8, num_dequeue_records=records)
    with TaskGroup() as group:
        pipe(numbers(10).reader(batch_size=2), queue)
        pipe(queue, target.writer())
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    assert column(target).tolist() == list(range(10))


def test_a_queue_needs_a_schema():
    with pytest.raises(AssertionError, match="Queue needs a schema"):
        Queue(1).reader()
    with pytest.raises(AssertionError, match="does not have a schema"):
        Queue(1).setup(core.Net("n"))
    assert Queue(1).queue() != Queue(1).queue()


def test_writers_and_readers_outside_of_tasks():
    queue = QueueWrapper(made(), schema=Struct(("label", np.int64)))
    net = core.Net("n")
    workspace.FeedBlob("x", np.int64([5]))
    queue.writer().write(net, ["x"])
    status, record = queue.reader().read_record(net)
    workspace.RunNetOnce(net)
    assert workspace.FetchBlob(record.label()).tolist() == [5]
    assert not workspace.FetchBlob(status)
