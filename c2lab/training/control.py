"""What a person may ask of a running loop: stop, pause, go on, one step; asked from any thread."""

from __future__ import annotations

import threading
from typing import Any


class Control:
    """Asked by anyone, obeyed by the loop between two steps.

    Example:
        >>> control = Control()
        >>> control.pause()
        >>> control.step()
        >>> control.next_step(), control.paused
        (True, True)
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._stopped = False
        self._steps = 0

    @property
    def paused(self) -> bool:
        """Whether the loop waits, or will after this step."""
        return self._paused

    @property
    def stopped(self) -> bool:
        """Whether the loop was told to end."""
        return self._stopped

    def stop(self) -> None:
        """Ends the loop."""
        self._set(_stopped=True)

    def pause(self) -> None:
        """Lets the loop wait."""
        self._set(_paused=True, _steps=0)

    def go(self) -> None:
        """Lets the loop go on."""
        self._set(_paused=False)

    def step(self, steps: int = 1) -> None:
        """Lets the loop make so many steps and wait then."""
        with self._changed:
            self._paused, self._steps = True, self._steps + steps
            self._changed.notify_all()

    def _set(self, **values: Any) -> None:
        with self._changed:
            for name, value in values.items():
                setattr(self, name, value)
            self._changed.notify_all()

    def next_step(self) -> bool:
        """Waits while the loop is to wait; false where it is to end."""
        with self._changed:
            while self._paused and not self._steps and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return False
            if self._paused:
                self._steps -= 1
            return True

    @property
    def waiting(self) -> bool:
        """Whether the loop has nothing to do now."""
        return self._paused and not self._steps and not self._stopped

    def may_go_on(self) -> bool:
        """In the middle of long work: waits while the loop is to wait; false where it is to end."""
        with self._changed:
            while self._paused and not self._steps and not self._stopped:
                self._changed.wait()
            return not self._stopped
