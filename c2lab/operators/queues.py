"""Queues: records that nets side by side hand to each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue, NotSupported, SchemaError, TypeMismatch
from c2lab.operators.definition import Operator, host_operator
from c2lab.operators.values import BlobsQueue, RebatchingQueue
from c2lab.storage import Cursor, DBReader


def _require_in_place(operator: Operator) -> None:
    """Output k stands in place of input k + 1, behind the queue."""
    operator.inplace_enforced = frozenset((k + 1, k) for k in range(256))


def _queue(queue: Any, kind: type) -> Any:
    if not isinstance(queue, kind):
        raise BadArgument(f"the first input must be a {kind.__name__}, but it is {type(queue).__name__}")
    return queue


@host_operator("CreateBlobsQueue", outputs="queue", gradient="none")
def create_blobs_queue(
    *,
    capacity: int = 1,
    num_blobs: int = 1,
    enforce_unique_name: bool = False,
    field_names: tuple[str, ...] = (),
):
    """Makes a queue of records.

    Args:
        capacity: How many records it holds before putting waits.
        num_blobs: How many blobs make a record.
        enforce_unique_name: Without effect.
        field_names: Names for the blobs of a record, as many as there are.
    Outputs:
        queue: The queue, empty and open.
    Example:
        >>> run("CreateBlobsQueue", capacity=10)
        queue = b'queue, a C++ native class of type std::shared_ptr<caffe2::BlobsQueue>.'
    """
    if field_names and len(field_names) != num_blobs:
        raise BadArgument(f"there are {len(field_names)} field_names for {num_blobs} blobs; give one each")
    return BlobsQueue(capacity, num_blobs)


@host_operator("EnqueueBlobs", outputs="*output", gradient="none", inplace=[(1, 0), (2, 1), (3, 2)])
def enqueue_blobs(*queue: Any):
    """Puts a record into a queue, and waits while it is full.

    Inputs:
        queue: The queue, then the blobs of the record.
    Outputs:
        output: The blobs, in place.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> put = run("EnqueueBlobs", queue=(BlobsQueue(), [1.0]), outputs=0)
    """
    if not _queue(queue[0] if queue else None, BlobsQueue).put(queue[1:]):
        raise BadValue("the queue is closed; nothing more can be put in. SafeEnqueueBlobs says so without an error")
    return queue[1:]


_require_in_place(enqueue_blobs)


@host_operator("SafeEnqueueBlobs", outputs="*output", gradient="none", inplace=[(1, 0)])
def safe_enqueue_blobs(*queue: Any):
    """Puts a record into a queue, and says whether it was closed.

    Inputs:
        queue: The queue, then the blobs of the record.
    Outputs:
        output: The blobs, in place, then one bool: True where the queue was closed and took nothing.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> put = run("SafeEnqueueBlobs", queue=(BlobsQueue(), [1.0]), outputs=0)
    """
    taken = _queue(queue[0] if queue else None, BlobsQueue).put(queue[1:])
    return *queue[1:], np.array(not taken)


_require_in_place(safe_enqueue_blobs)


@host_operator("DequeueBlobs", outputs="*blob", gradient="none")
def dequeue_blobs(queue, *, num_outputs: int, timeout_secs: float = 0.0):
    """Takes the oldest record out of a queue, and waits while it is empty.

    Inputs:
        queue: The queue.
    Args:
        timeout_secs: How long to wait at most; 0 waits as long as it takes.
    Outputs:
        blob: The blobs of the record.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> queue = BlobsQueue()
        >>> queue.put([np.float32([1, 2])])
        True
        >>> run("DequeueBlobs", queue=queue)
        blob_0 = [1. 2.]
    """
    _require_outputs(_queue(queue, BlobsQueue), num_outputs)
    record = queue.take(timeout_secs or None)
    if record is None:
        raise BadValue("the queue is closed and drained; SafeDequeueBlobs says so without an error")
    return record


@host_operator("SafeDequeueBlobs", outputs="*blob", gradient="none")
def safe_dequeue_blobs(queue, *, num_outputs: int, num_records: int = 1):
    """Takes records out of a queue, and says whether it is closed and drained.

    Inputs:
        queue: The queue.
    Args:
        num_records: How many records are taken, and joined along their first dimension.
    Outputs:
        blob: The blobs of the records, then one bool: True where nothing is left to come.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> queue = BlobsQueue()
        >>> queue.put([np.float32([1, 2])])
        True
        >>> run("SafeDequeueBlobs", queue=queue, outputs=2)
        blob_0 = [1. 2.]
        blob_1 = False
    """
    _require_outputs(_queue(queue, BlobsQueue), num_outputs - 1)
    if num_records < 1:
        raise BadArgument(f"num_records is {num_records}; it must be 1 or more")
    records = []
    while len(records) < num_records:
        record = queue.take()
        if record is None:
            break
        records.append(record)
    if not records:
        return *[None] * queue.num_blobs, np.array(True)
    columns = records[0] if num_records == 1 else [np.concatenate(column) for column in zip(*records, strict=True)]
    return *columns, np.array(False)


def _require_outputs(queue: BlobsQueue, outputs: int) -> None:
    if outputs != queue.num_blobs:
        raise SchemaError(f"a record of this queue is {queue.num_blobs} blobs, but there are {outputs} outputs for it")


@host_operator("CloseBlobsQueue", outputs="", gradient="none")
def close_blobs_queue(queue):
    """Closes a queue: nothing more gets in, and what is in it can still be taken.

    Inputs:
        queue: The queue.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> closed = run("CloseBlobsQueue", queue=BlobsQueue())
    """
    _queue(queue, BlobsQueue).close()
    return ()


class QueueReader(DBReader):
    """A reader that takes its records out of a queue, each once, and waits where there is none."""

    def __init__(self, queue: BlobsQueue, key_blob: int, value_blob: int, timeout: float) -> None:
        self.db_type, self.source, self.num_shards, self.shard_id = "blobs_queue_db", "a queue of blobs", 1, 0
        self._queue, self._key_blob, self._value_blob, self._timeout = queue, key_blob, value_blob, timeout

    def read(self) -> tuple[bytes, bytes]:
        """The key and value of the oldest record in the queue.

        Raises:
            BadValue: None came in time, or the queue is closed and drained.
        """
        record = self._queue.take(self._timeout or None)
        if record is None:
            raise BadValue("the queue is closed and drained: there is no record left to read")
        key = self._text(record, self._key_blob) if self._key_blob >= 0 else b""
        return key, self._text(record, self._value_blob)

    def peek(self, count: int) -> list[tuple[bytes, bytes]]:
        """Nothing: what is in the queue may be for others."""
        return []

    @staticmethod
    def _text(record: tuple[Any, ...], number: int) -> bytes:
        held = record[number]
        if isinstance(held, np.ndarray) and held.dtype == object and held.size == 1:
            held = held.reshape(-1)[0]
        if not isinstance(held, bytes):
            raise TypeMismatch(f"blob {number} of the record is no text; a record of a database is text or bytes")
        return held

    def new_cursor(self) -> Cursor:
        """Not offered: what is read is gone from the queue."""
        raise NotSupported("a queue has no second place to read from; take from it with DequeueBlobs")

    def seek_to_first(self) -> None:
        """Goes on with what is in the queue: what was read is gone."""

    def state(self) -> dict[str, Any]:
        """Nothing: the place is the queue's own."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing to take back."""

    def serialize(self) -> bytes:
        """Not offered: a queue is not kept in files."""
        raise NotSupported("a reader of a queue cannot be saved; leave it out")


@host_operator("CreateBlobsQueueDB", outputs="reader", gradient="refused")
def create_blobs_queue_db(queue, *, key_blob_index: int = -1, value_blob_index: int = 0, timeout_secs: float = 0.0):
    """Makes a reader of a queue, so that TensorProtosDBInput and its kin take examples out of it.

    Inputs:
        queue: The queue; one blob of each of its records is the serialized example.
    Args:
        key_blob_index: Which blob of a record is its key; -1 for none.
        value_blob_index: Which blob of a record is the example: text, or a tensor of one text.
        timeout_secs: How long to wait for a record at most; 0 waits as long as it takes.
    Outputs:
        reader: The reader.
    Example:
        >>> from c2lab.operators.values import BlobsQueue
        >>> run("CreateBlobsQueueDB", queue=BlobsQueue())
        reader = b'reader, a C++ native class of type caffe2::db::DBReader.'
    """
    held = _queue(queue, BlobsQueue)
    for name, number, least in (("key", key_blob_index, -1), ("value", value_blob_index, 0)):
        if not least <= number < held.num_blobs:
            raise BadArgument(
                f"{name}_blob_index is {number}; a record of this queue has {held.num_blobs} blobs, counted from 0"
            )
    return QueueReader(held, key_blob_index, value_blob_index, timeout_secs)


@host_operator("CreateRebatchingQueue", outputs="queue", gradient="none")
def create_rebatching_queue(*, capacity: int = 1, num_blobs: int = 1):
    """Makes a queue of elements that come in batches of one size and leave in batches of another.

    Args:
        capacity: How many elements it holds before putting waits.
        num_blobs: How many tensors make an element.
    Outputs:
        queue: The queue, empty and open.
    Example:
        >>> run("CreateRebatchingQueue", capacity=10)
        queue = b'queue, a C++ native class of type std::unique_ptr<caffe2::RebatchingQueue>.'
    """
    return RebatchingQueue(capacity, num_blobs)


@host_operator("EnqueueRebatchingQueue", outputs="", gradient="none")
def enqueue_rebatching_queue(queue, tensor, *tensors: Any, enqueue_batch: bool = False):
    """Puts one element, or each row of a batch, into a rebatching queue.

    Inputs:
        queue: The queue.
        tensor: The first tensor of the element or the batch.
        tensors: The other tensors.
    Args:
        enqueue_batch: Takes the tensors apart along their first dimension.
    Example:
        >>> from c2lab.operators.values import RebatchingQueue
        >>> put = run("EnqueueRebatchingQueue", queue=RebatchingQueue(4), tensor=[1.0, 2.0], enqueue_batch=True)
    """
    put = _queue(queue, RebatchingQueue).put_batch if enqueue_batch else _queue(queue, RebatchingQueue).put
    if not put((tensor, *tensors)):
        raise BadValue("the queue is closed; nothing more can be put in")
    return ()


@host_operator("DequeueRebatchingQueue", outputs="*tensor", gradient="none")
def dequeue_rebatching_queue(rebatching_queue, *, num_elements: int = 1):
    """Takes a batch out of a rebatching queue; a smaller one where it was closed before enough came.

    Inputs:
        rebatching_queue: The queue.
    Args:
        num_elements: How many elements make the batch.
    Outputs:
        tensor: The elements' tensors, stacked: (num_elements, ...) each.
    Example:
        >>> from c2lab.operators.values import RebatchingQueue
        >>> queue = RebatchingQueue(4)
        >>> queue.put_batch([np.float32([1, 2, 3])])
        True
        >>> run("DequeueRebatchingQueue", rebatching_queue=queue, num_elements=2)
        tensor_0 = [1. 2.]
    """
    batch = _queue(rebatching_queue, RebatchingQueue).take_batch(num_elements)
    if batch is None:
        raise BadValue("the queue is closed and drained; nothing is left to take")
    return batch


@host_operator("CloseRebatchingQueue", outputs="", gradient="none")
def close_rebatching_queue(queue):
    """Closes a rebatching queue: nothing more gets in, and what is in it can still be taken.

    Inputs:
        queue: The queue.
    Example:
        >>> from c2lab.operators.values import RebatchingQueue
        >>> closed = run("CloseRebatchingQueue", queue=RebatchingQueue())
    """
    _queue(queue, RebatchingQueue).close()
    return ()
