"""Batches made ready in the background, so that a step need not wait for them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from c2lab.backend.blobs import to_device
from c2lab.training.sources import Source


class Ready(NamedTuple):
    """A batch on the device, and where the source stands behind it."""

    arrays: dict[str, Any]
    ends_epoch: bool
    state: Mapping[str, Any]


class Prefetcher:
    """Reads ahead in a thread of its own.

    Args:
        source: What gives the batches; nobody else may use it meanwhile.
        depth: How many batches wait at most.

    Attributes:
        waited: Seconds that ``next`` has waited so far.
    """

    def __init__(self, source: Source, depth: int = 2) -> None:
        self.waited = 0.0
        self._source = source
        self._queue: queue.Queue[Ready | BaseException | None] = queue.Queue(depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="c2lab-prefetch", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._closed.is_set():
                batch = self._source.next()
                if batch is None:
                    self._put(None)
                    return
                arrays = {name: to_device(value) for name, value in batch.arrays.items()}
                self._put(Ready(arrays, batch.ends_epoch, self._source.state()))
        except BaseException as error:
            self._put(error)

    def _put(self, item: Ready | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def next(self, given_up: Callable[[], bool] = lambda: False) -> Ready | None:
        """The next batch; ``None`` at the end of the data, or when ``given_up()`` turns true while waiting.

        Raises:
            BaseException: What the source raised.
        """
        started = time.perf_counter()
        try:
            while True:
                try:
                    item = self._queue.get(timeout=0.05)
                    break
                except queue.Empty:
                    if given_up() or (not self._thread.is_alive() and self._queue.empty()):
                        return None
        finally:
            self.waited += time.perf_counter() - started
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        self._thread.join(5)
