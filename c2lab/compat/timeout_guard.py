"""Ends the process when something takes too long, saying what every thread was doing."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Iterator


class WatcherThread(threading.Thread):
    """Waits ``timeout_secs`` and ends the process unless ``completed`` was set."""

    def __init__(self, timeout_secs: float) -> None:
        super().__init__(daemon=True)
        self.timeout_secs = timeout_secs
        self.completed = False
        self.condition = threading.Condition()

    def run(self) -> None:
        with self.condition:
            if not self.completed:
                self.condition.wait(self.timeout_secs)
            if self.completed:
                return
        print(f"Call did not finish in time. Timeout: {self.timeout_secs}s PID: {os.getpid()}", file=sys.stderr)
        faulthandler.dump_traceback(all_threads=True)
        sys.stderr.flush()
        os._exit(1)


@contextlib.contextmanager
def CompleteInTimeOrDie(timeout_secs: float) -> Iterator[None]:
    """Ends the process if the ``with`` block takes longer than ``timeout_secs``."""
    watcher = WatcherThread(timeout_secs)
    watcher.start()
    try:
        yield
    finally:
        with watcher.condition:
            watcher.completed = True
            watcher.condition.notify()
        watcher.join()


def EuthanizeIfNecessary(timeout_secs: float = 120) -> None:
    """Ends the process ``timeout_secs`` from now if it is still there, without printing an error."""
    timer = threading.Timer(timeout_secs, os._exit, [0])
    timer.daemon = True
    timer.start()
