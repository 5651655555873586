"""Blobs that are no tensors: mutexes, counters, readers, cursors.

Each class says by ``type_name`` what the original calls it (a fetch shows this name), and
those that have a position give it with ``state()`` and take it back with ``restore(state)``.
"""

from __future__ import annotations

import threading
from typing import Any


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
        self.lock = threading.Lock()


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


class AtomicBool(Opaque):
    """A flag that several nets read and set."""

    type_name = "std::unique_ptr<std::atomic<bool> >"

    def __init__(self) -> None:
        self.value = False

    def state(self) -> dict[str, Any]:
        return {"value": self.value}

    def restore(self, state: dict[str, Any]) -> None:
        self.value = bool(state["value"])
