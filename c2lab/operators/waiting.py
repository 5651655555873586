"""Waits that end: threads that work together stop waiting for each other once one of them has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from c2lab.errors import BadValue

_thread = threading.local()


class WaitEnded(BadValue):
    """A wait, or work, that was given up because something beside it failed."""


class Together:
    """Threads that work together; each of them enters it with ``with``.

    Args:
        around: Threads that these are a part of: when those end, these end too.

    Example:
        >>> group = Together()
        >>> with group:
        ...     group.end()
        ...     wait_for(threading.Condition(), lambda: False)
        Traceback (most recent call last):
        c2lab.operators.waiting.WaitEnded: given up, because something beside it failed
    """

    def __init__(self, around: Together | None = None) -> None:
        self.over = False
        self._lock = threading.RLock()  # a signal may end the group in the middle of any line
        self._waited_on: list[threading.Condition] = []
        self._parts: list[Together] = []
        if around is not None:
            around._adopt(self)

    def _adopt(self, part: Together) -> None:
        with self._lock:
            self._parts.append(part)
            part.over = self.over

    def leave(self, part: Together) -> None:
        """Forgets a part that has come to its end."""
        with self._lock:
            self._parts.remove(part)

    def end(self) -> None:
        """Wakes all who wait, and lets nobody wait any more."""
        with self._lock:
            self.over = True
            waited_on, parts = list(self._waited_on), list(self._parts)
        for part in parts:
            part.end()
        for condition in waited_on:
            with condition:
                condition.notify_all()

    def require_going(self) -> None:
        """Raises ``WaitEnded`` after ``end()``."""
        if self.over:
            raise WaitEnded("given up, because something beside it failed")

    def wait_for(self, condition: threading.Condition, predicate: Callable[[], object], timeout: float | None) -> bool:
        """``condition.wait_for``, which ends with an error after ``end()``."""
        # Under the condition's lock: whoever ends the group from here on finds it among those to notify.
        with self._lock:
            self._waited_on.append(condition)
        try:
            met = condition.wait_for(lambda: self.over or predicate(), timeout)
        finally:
            with self._lock:
                self._waited_on.remove(condition)
        self.require_going()
        return bool(met)

    def __enter__(self) -> Together:
        _stack().append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _stack().pop()


def _stack() -> list[Together]:
    return _thread.__dict__.setdefault("groups", [])


def current_group() -> Together | None:
    """The threads that this one works together with, if any."""
    stack = _stack()
    return stack[-1] if stack else None


def wait_for(condition: threading.Condition, predicate: Callable[[], object], timeout: float | None = None) -> bool:
    """Waits, with the condition's lock held, until ``predicate()``; false after ``timeout`` seconds.

    Raises:
        WaitEnded: A thread that works together with this one has failed, or the user has interrupted it.
    """
    group = current_group()
    if group is not None:
        return group.wait_for(condition, predicate, timeout)
    with Together() as alone:
        return alone.wait_for(condition, predicate, timeout)


def give_up() -> None:
    """Ends what this thread waits for, if it waits: what a signal's handler calls."""
    group = current_group()
    if group is not None:
        group.end()
