"""Queues of records between the threads of tasks.

A queue is written to until it is closed, and read until it is closed and drained. The tasks that write close
it when the last of them is done; a task that reads closes it too, so that nobody goes on writing for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from c2lab.control.task import TaskGroup
from c2lab.data.schema import Field
from c2lab.data.streams import Pipe, Reader, Writer
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, execution_step

logger = logging.getLogger(__name__)


def enqueue(net: Net, queue: Any, data_blobs: Sequence[Any], status: Any = None) -> BlobReference:
    """Adds an operator that puts a record into a queue; returns a bool, true where the queue was closed.

    Args:
        net: The net to add to.
        queue: The queue.
        data_blobs: The blobs of the record.
        status: A name for the bool.
    """
    blobs: list[Any] = []
    for blob in data_blobs:
        if blob in blobs:
            # The operator writes its inputs in place, and a blob can be written once.
            logger.warning("The blob %s is in a record for the queue %s twice: it is copied.", blob, queue)
            blob = net.Copy(blob)
        blobs.append(blob)
    results = net.SafeEnqueueBlobs([queue, *blobs], [*blobs, status or net.NextName("status")])
    return results if isinstance(results, BlobReference) else results[-1]


def dequeue(
    net: Net,
    queue: Any,
    num_blobs: int,
    status: Any = None,
    field_names: Sequence[str] | None = None,
    num_records: int = 1,
) -> tuple[list[BlobReference], BlobReference]:
    """Adds an operator that takes records out of a queue; returns their blobs, and a bool, true where none will come.

    Args:
        net: The net to add to.
        queue: The queue.
        num_blobs: How many blobs make a record.
        status: A name for the bool.
        field_names: Names for the blobs.
        num_records: How many records are taken, and joined to one batch.
    """
    if field_names is None:
        names = [net.NextName("data", place) for place in range(num_blobs)]
    else:
        if len(field_names) != num_blobs:
            raise AssertionError(f"{len(field_names)} field_names for {num_blobs} blobs; give one each.")
        names = [net.NextName(name) for name in field_names]
    results = net.SafeDequeueBlobs(queue, [*names, status or net.NextName("status")], num_records=num_records)
    *blobs, status_blob = [results] if isinstance(results, BlobReference) else results
    return blobs, status_blob


def close_queue(step: ExecutionStep, *queues: Any) -> ExecutionStep:
    """A step that runs ``step``, and closes queues after it."""
    net = Net("close_queue_net")
    for queue in queues:
        net.CloseBlobsQueue([queue], 0)
    return execution_step(f"{net.Name()}_wrapper_step", [step, execution_step(f"{net.Name()}_step", net)])


class _QueueReader(Reader):
    def __init__(self, wrapper: QueueWrapper, num_dequeue_records: int) -> None:
        if wrapper.schema() is None:
            raise AssertionError("Queue needs a schema in order to be read from: write to it first, or give one.")
        super().__init__(wrapper.schema())
        self._wrapper = wrapper
        self._num_dequeue_records = num_dequeue_records

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        if finish_net is not None:
            finish_net.CloseBlobsQueue([self._wrapper.queue()], 0)

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> Any:
        self._wrapper._new_reader(local_init_net)
        net = Net("dequeue")
        status, fields = self.read(net)
        return [net], status, fields

    def read(self, read_net: Net) -> tuple[BlobReference, list[BlobReference]]:
        names = self.schema().field_names()
        fields, status = dequeue(
            read_net,
            self._wrapper.queue(),
            len(names),
            field_names=[name or "data" for name in names],
            num_records=self._num_dequeue_records,
        )
        return status, fields


class _QueueWriter(Writer):
    def __init__(self, wrapper: QueueWrapper) -> None:
        self._wrapper = wrapper

    def setup_ex(self, init_net: Net, finish_net: Net) -> None:
        self._wrapper._close_after_writing(finish_net)

    def write_ex(self, fields: Any, local_init_net: Net, local_finish_net: Net, stop_blob: Any) -> list[Net]:
        self._wrapper._new_writer(self.schema(), local_init_net)
        net = Net("enqueue")
        enqueue(net, self._wrapper.queue(), fields, stop_blob)
        return [net]

    def write(self, writer_net: Net, fields: Any) -> BlobReference:
        return enqueue(writer_net, self._wrapper.queue(), fields)


class QueueWrapper(Pipe):
    """A queue that is there already, as a pipe.

    Args:
        handler: The blob with the queue.
        schema: The schema of its records; that of the first writer where left out.
        num_dequeue_records: How many records a reader takes at once, joined to one batch.
    """

    def __init__(self, handler: Any, schema: Field | None = None, num_dequeue_records: int = 1) -> None:
        super().__init__(schema, TaskGroup.LOCAL_SETUP)
        self._queue = handler
        self._num_dequeue_records = num_dequeue_records

    def reader(self) -> Reader:
        return _QueueReader(self, self._num_dequeue_records)

    def writer(self) -> Writer:
        return _QueueWriter(self)

    def queue(self) -> Any:
        """The blob with the queue."""
        return self._queue

    def _close_after_writing(self, finish_net: Net) -> None:
        finish_net.CloseBlobsQueue([self._queue], 0)


class Queue(QueueWrapper):
    """A queue that is made when the group of tasks around its readers and writers begins.

    Args:
        capacity: How many records it holds before writers wait.
        schema: The schema of its records; that of the first writer where left out.
        name: A name for its blob.
        num_dequeue_records: How many records a reader takes at once, joined to one batch.
    """

    def __init__(
        self, capacity: int, schema: Field | None = None, name: str = "queue", num_dequeue_records: int = 1
    ) -> None:
        self._net = Net(name)
        super().__init__(self._net.AddExternalInput(self._net.NextName("handler")), schema, num_dequeue_records)
        self._still_writing = self._net.AddExternalInput(self._net.NextName("still_writing"))
        self._writing_tasks = 0
        self.capacity = capacity
        self._setup_done = False

    def setup(self, global_init_net: Net) -> None:
        if self._schema is None:
            raise AssertionError("This queue does not have a schema: nothing writes to it, and none was given.")
        self._setup_done = True
        global_init_net.CreateBlobsQueue(
            [],
            [self._queue],
            capacity=self.capacity,
            num_blobs=len(self._schema.field_names()),
            field_names=self._schema.field_names(),
        )
        global_init_net.CreateCounter([], [self._still_writing], init_count=max(self._writing_tasks - 1, 0))

    def _close_after_writing(self, finish_net: Net) -> None:
        self._writing_tasks += 1
        last = finish_net.CountDown([self._still_writing], 1)
        closing = Net("close_queue")
        closing.CloseBlobsQueue([self._queue], 0)
        finish_net.If([last, self._queue], [], then_net=closing.Proto())
