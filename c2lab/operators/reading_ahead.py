"""Examples that are prepared by other threads while the net computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from c2lab.storage import DBReader

Record = tuple[bytes, bytes]


class Preparation:
    """Prepares a net's next batch of records while it works on this one.

    At most one batch lies ready.  What lies ready is only a shortcut: which records make a batch is
    decided when the net asks for it, by reading them then, so the reader's place is always that of
    what the net has had.  The threads end with the net that this belongs to.

    Args:
        prepare: From a record to what is handed to the net; called in several threads.
        threads: How many threads prepare.
    """

    def __init__(self, prepare: Callable[[Record], Any], threads: int) -> None:
        self._prepare = prepare
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="c2lab-examples")
        self._ready: list[tuple[Record, Future[Any]]] = []
        self._asked = 0

    def batch(self, reader: DBReader, count: int) -> list[Any]:
        """The next ``count`` records of the reader, prepared.

        The first batch is prepared when it is asked for, as a net may run once only.
        """
        ready = {id(record): (record, future) for record, future in self._ready}
        self._ready = []
        records = [reader.read() for _ in range(count)]
        futures: list[Future[Any]] = []
        for record in records:
            known, future = ready.get(id(record), (None, None))
            futures.append(future if future and known is record else self._pool.submit(self._prepare, record))
        self._asked += 1
        if self._asked > 1:
            self._ready = [(record, self._pool.submit(self._prepare, record)) for record in reader.peek(count)]
        return [future.result() for future in futures]

    def spread(self, function: Callable[..., Any], *columns: Any) -> list[Any]:
        """``function`` of each row of the columns, in the threads."""
        return list(self._pool.map(function, *columns))
