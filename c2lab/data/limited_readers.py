"""Readers of other readers: up to a number of batches, for some time, or slowly; and a reader that counts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from c2lab.data.schema import Struct
from c2lab.data.streams import Reader
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.proto import caffe2_pb2


def false(net: Net, blob: Any = 1) -> BlobReference:
    """Adds an operator that makes a bool, false."""
    return net.ConstantFill([], blob, shape=[], value=False, dtype=caffe2_pb2.TensorProto.BOOL)


def _set_where(net: Net, condition: BlobReference, blobs: list[BlobReference]) -> None:
    """Adds operators that set bools where a condition holds."""
    for blob in blobs:
        net.Or([blob, condition], [blob])


class CounterReader(Reader):
    """Gives 0, 1, 2, ... without end, each as a record with the one field ``iter``."""

    def __init__(self) -> None:
        super().__init__(schema=Struct(("iter", np.int64)))
        self.counter: BlobReference | None = None
        self.should_stop: BlobReference | None = None

    def setup_ex(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        if self.counter is None:
            self.counter = global_init_net.CreateCounter([], init_count=0)
            self.should_stop = false(global_init_net)

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> Any:
        if self.counter is None:
            raise AssertionError("CounterReader reads after setup_ex.")
        net = Net("limited_reader_counter")
        return [net], self.should_stop, [net.CountUp([self.counter], 1)]


class ReaderWithLimitBase(Reader):
    """Reads from another reader as long as a condition holds.

    A kind of limit defines ``setup_limiter`` and ``check_limiter_condition``.

    Args:
        reader: The other reader.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__(schema=reader._schema)
        self.reader = reader
        self.net = Net("reader_with_limit")
        self._data_finished = self.net.AddExternalInput(self.net.NextName("data_finished"))
        self.should_stop: BlobReference | None = None

    def setup_ex(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        false(global_init_net, [self._data_finished])
        self.reader.setup_ex(global_init_net, global_finish_net)
        self.setup_limiter(global_init_net, global_finish_net)

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> Any:
        return self._read_up_to(local_init_net, local_finish_net, None, [])

    def _read_up_to(
        self, init_net: Net, finish_net: Net | None, stop: BlobReference | None, outer: list[BlobReference]
    ) -> Any:
        """As ``read_ex``; inside other limits it ends with the same blob, and for those the data has then ended.

        Args:
            init_net: For what each thread does once, before.
            finish_net: For what each thread does once, after.
            stop: The blob that ends the loop, where there is a limit around.
            outer: The blobs that tell the limits around of the data's end.
        """
        limit_net = Net("limited_reader_condition")
        reached = self.check_limiter_condition(limit_net)
        if stop is None:
            stop = reached
        else:
            _set_where(limit_net, reached, [stop, *outer])
        finished_blobs = [*outer, self._data_finished]
        if isinstance(self.reader, ReaderWithLimitBase):
            nets, _, fields = self.reader._read_up_to(init_net, finish_net, stop, finished_blobs)
        else:
            nets, finished, fields = self.reader.read_ex(init_net, finish_net)
            # The loop looked at the limit before anything was read: here the same blob tells of the data's end.
            done_net = Net("limited_reader_post")
            _set_where(done_net, finished, [stop, *finished_blobs])
            nets = [*nets, done_net]
        self._set_schema(self.reader._schema)
        return [limit_net, *nets], stop, fields

    def setup_limiter(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        """Adds what the limit needs once."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its limit needs.")

    def check_limiter_condition(self, stop_condition_net: Net) -> BlobReference:
        """Adds operators that make a bool, true where the limit is reached."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its limit is.")

    def data_finished(self) -> BlobReference:
        """A bool: whether the reading ended because the data did, and not because of the limit."""
        return self._data_finished


class ReaderWithLimit(ReaderWithLimitBase):
    """Reads a number of batches at most, from all threads together.

    Args:
        reader: The reader to read from.
        num_iter: How many batches; ``None`` for all.
    """

    def __init__(self, reader: Reader, num_iter: int | None = 1) -> None:
        super().__init__(reader)
        self.num_iter = num_iter
        self.counter = None
        if num_iter is not None:
            self.counter = self.net.AddExternalInput(self.net.NextName("counter"))

    def setup_limiter(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        if self.counter is not None:
            global_init_net.CreateCounter([], [self.counter], init_count=int(self.num_iter or 0))

    def check_limiter_condition(self, stop_condition_net: Net) -> BlobReference:
        if self.counter is not None:
            return stop_condition_net.CountDown([self.counter], 1)
        return false(stop_condition_net)


class ReaderWithTimeLimit(ReaderWithLimitBase):
    """Reads for some time; no batch is begun after it.

    Args:
        reader: The reader to read from.
        duration: How many seconds; 0 or ``None`` for as long as there is data.
    """

    def __init__(self, reader: Reader, duration: float | None = 0) -> None:
        super().__init__(reader)
        self.duration = duration
        self.timer: BlobReference | None = None
        self.duration_ns_blob: BlobReference | None = None

    def setup_limiter(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        if not self.duration or self.duration < 0:
            return
        self.timer = global_init_net.TimerBegin([], counter_name="epoch_timer")
        start = global_init_net.TimerGet(self.timer)
        self.duration_ns_blob = global_init_net.ConstantFill(
            [start], value=int(self.duration * 1e9), dtype=caffe2_pb2.TensorProto.INT64
        )
        if global_finish_net is not None:
            global_finish_net.TimerEnd([self.timer], [])

    def check_limiter_condition(self, stop_condition_net: Net) -> BlobReference:
        if not self.duration or self.duration < 0:
            return false(stop_condition_net)
        if self.timer is None:
            raise AssertionError("ReaderWithTimeLimit reads after setup_ex.")
        passed = stop_condition_net.TimerGet([self.timer])
        return stop_condition_net.GE([passed, self.duration_ns_blob], stop_condition_net.NextName("should_stop"))


class ReaderWithDelay(Reader):
    """Waits before each batch; for tests of what depends on time.

    Args:
        reader: The reader to read from.
        delay: How many seconds.
    """

    def __init__(self, reader: Reader, delay: float) -> None:
        super().__init__(schema=reader._schema)
        self.reader = reader
        self.delay = delay

    def setup_ex(self, global_init_net: Net, global_finish_net: Net | None) -> None:
        self.reader.setup_ex(global_init_net, global_finish_net)

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> Any:
        waiting = Net("reader_body")
        waiting.Python(lambda inputs, outputs: time.sleep(self.delay))([], [])
        nets, should_stop, fields = self.reader.read_ex(local_init_net, local_finish_net)
        return [waiting, *nets], should_stop, fields


def CountUntil(num_iter: int) -> ReaderWithLimit:
    """A reader of 0, 1, ... ``num_iter`` - 1."""
    return ReaderWithLimit(CounterReader(), num_iter)
