"""How fast a run goes, and how much of it is waiting for data."""

from __future__ import annotations

import time
from collections import deque

_LATEST = 50  # steps that the speed is a mean of


class Pace:
    """Times of steps; pauses do not count.

    Attributes:
        seconds: That the steps took so far, the waiting for their data included.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._latest: deque[float] = deque(maxlen=_LATEST)
        self._waits = 0.0
        self._started: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """A step begins where the last one ended, so that all between two steps counts."""
        self._started = time.perf_counter() if self._ended is None else self._ended

    def waited(self, seconds: float) -> None:
        """How long was waited for data, in all."""
        self._waits = seconds

    def end(self) -> None:
        """A step ends."""
        self._ended = time.perf_counter()
        assert self._started is not None
        self._latest.append(self._ended - self._started)
        self.seconds += self._latest[-1]

    def rest(self) -> None:
        """A pause: what follows does not count until the next step."""
        self._ended = None

    def steps_a_second(self) -> float:
        """Of the latest steps; the first, which compiles, counts only while there is no other."""
        latest = list(self._latest)
        latest = latest[1:] if 1 < len(latest) < _LATEST else latest
        return len(latest) / sum(latest) if latest and sum(latest) > 0 else 0.0

    def input_wait(self) -> float:
        """The share of the time that steps waited for their batch."""
        return min(self._waits / self.seconds, 1.0) if self.seconds else 0.0
