"""Blobs that are no tensors: mutexes, counters, timers, queues.

Each class says by ``type_name`` what the original calls it (a fetch shows this name), and
those that have a position give it with ``state()`` and take it back with ``restore(state)``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from c2lab.operators.waiting import wait_for
from c2lab.proto import caffe2_pb2
from c2lab.storage.kinds import BlobKind, register_kind


class Opaque:
    """The base of what a blob can hold besides tensors and text."""

    type_name = "nullptr (uninitialized)"

    def __str__(self) -> str:
        return f"a C++ native class of type {self.type_name}."

    def state(self) -> dict[str, Any]:
        """What a snapshot must keep: plain numbers, texts and bytes by name."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what ``state`` gave."""


class Mutex(Opaque):
    """A lock that operators take before they change a blob."""

    type_name = "std::unique_ptr<std::mutex>"

    def __init__(self) -> None:
        self.lock = threading.RLock()


class Counter(Opaque):
    """A number that several nets count up or down."""

    type_name = "std::unique_ptr<caffe2::Counter<long> >"

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self._lock = threading.Lock()

    def count_up(self) -> int:
        """Adds one; the count before."""
        with self._lock:
            self.count += 1
            return self.count - 1

    def count_down(self) -> bool:
        """Takes one away; whether the count had run out before."""
        with self._lock:
            self.count -= 1
            return self.count < 0

    def reset(self, count: int = 0) -> int:
        """Sets the count; the count before."""
        with self._lock:
            before, self.count = self.count, count
            return before

    def state(self) -> dict[str, Any]:
        return {"count": self.count}

    def restore(self, state: dict[str, Any]) -> None:
        self.reset(int(state["count"]))


def _write_counter(counter: Counter, proto: caffe2_pb2.BlobProto) -> None:
    proto.tensor.name, proto.tensor.data_type = proto.name, caffe2_pb2.TensorProto.INT64
    proto.tensor.dims.append(1)
    proto.tensor.int64_data.append(counter.count)


def _read_counter(proto: caffe2_pb2.BlobProto) -> Counter:
    (count,) = proto.tensor.int64_data
    return Counter(count)


register_kind(Counter, BlobKind("std::unique_ptr<Counter<int64_t>>", _write_counter, _read_counter))


class AtomicBool(Opaque):
    """A flag that several nets read and set."""

    type_name = "std::unique_ptr<std::atomic<bool> >"

    def __init__(self) -> None:
        self.value = False

    def state(self) -> dict[str, Any]:
        return {"value": self.value}

    def restore(self, state: dict[str, Any]) -> None:
        self.value = bool(state["value"])


class Timer(Opaque):
    """A stopwatch that runs from its making to its end."""

    type_name = "caffe2::TimerInstance*"

    def __init__(self, name: str) -> None:
        self.name = name
        self._begin = time.perf_counter_ns()
        self._end: int | None = None

    def get(self) -> int:
        """The nanoseconds so far.

        Raises:
            BadValue: It was ended.
        """
        if self._end is not None:
            raise BadValue(f"the timer {self.name} was ended already; begin a new one")
        return time.perf_counter_ns() - self._begin

    def end(self) -> int:
        """Ends it; the nanoseconds in all."""
        passed = self.get()
        self._end = self._begin + passed
        return passed


class BlobsQueue(Opaque):
    """Records of blobs that one net puts in and another takes out, in order.

    Whoever puts waits while it is full, and whoever takes waits while it is empty, until it is closed.
    """

    type_name = "std::shared_ptr<caffe2::BlobsQueue>"

    def __init__(self, capacity: int = 1, num_blobs: int = 1) -> None:
        if capacity < 1 or num_blobs < 1:
            raise BadArgument(f"capacity is {capacity} and num_blobs {num_blobs}; both must be 1 or more")
        self.capacity = capacity
        self.num_blobs = num_blobs
        self.closed = False
        self._records: deque[tuple[Any, ...]] = deque()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: Sequence[Any]) -> bool:
        """Puts a record in; whether it got in before the queue was closed."""
        if len(record) != self.num_blobs:
            raise ShapeMismatch(f"the queue holds records of {self.num_blobs} blobs, but {len(record)} are put in")
        with self._changed:
            wait_for(self._changed, lambda: self.closed or len(self._records) < self.capacity)
            if self.closed:
                return False
            self._records.append(tuple(record))
            self._changed.notify_all()
            return True

    def take(self, timeout: float | None = None) -> tuple[Any, ...] | None:
        """The oldest record; none where the queue is closed and drained.

        Raises:
            BadValue: Nothing came within ``timeout`` seconds.
        """
        with self._changed:
            if not wait_for(self._changed, lambda: self.closed or self._records, timeout):
                raise BadValue(f"nothing came into the queue within {timeout} seconds")
            if not self._records:
                return None
            record = self._records.popleft()
            self._changed.notify_all()
            return record

    def close(self) -> None:
        """Lets nothing more in, and wakes all who wait."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()


class RebatchingQueue(BlobsQueue):
    """A queue of single elements, put in by batches of one size and taken out by batches of another."""

    type_name = "std::unique_ptr<caffe2::RebatchingQueue>"

    def put_batch(self, columns: Sequence[np.ndarray]) -> bool:
        """Puts each row of the columns in as an element."""
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise ShapeMismatch(f"the tensors of one batch have {sorted(lengths)} rows; all must have as many")
        return all(self.put(row) for row in zip(*columns, strict=True))

    def take_batch(self, count: int) -> list[np.ndarray] | None:
        """Up to ``count`` elements, stacked; fewer only where the queue is closed, none where it is drained."""
        rows: list[tuple[Any, ...]] = []
        while len(rows) < count:
            row = self.take()
            if row is None:
                break
            rows.append(row)
        return [np.stack(column) for column in zip(*rows, strict=True)] if rows else None


class TensorVector(Opaque):
    """A list of tensors in one blob."""

    type_name = "std::unique_ptr<std::vector<caffe2::Tensor> >"

    def __init__(self) -> None:
        self.tensors: list[np.ndarray] = []
