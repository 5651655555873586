"""Ctrl-C during a step: noted, and raised when the step is over."""

from __future__ import annotations

import _signal  # C functions: signal.signal() is ten times slower
from typing import Any

from c2lab.operators.waiting import WaitEnded, give_up

_SIGINT = int(_signal.SIGINT)


class interrupts_deferred:
    """Notes Ctrl-C instead of raising it: between dispatch and commit it would lose donated blobs.

    ``with interrupts_deferred() as noted:`` gives a list that is no longer empty once Ctrl-C was
    pressed.  Who waits for a queue stops waiting, with an error.  Pressed twice it is raised all the same:
    a host operator may wait for what never comes.
    """

    __slots__ = ("before", "noted")

    def __enter__(self) -> list[int]:
        self.noted: list[int] = []
        self.before: Any = None
        try:  # noqa: SIM105  (passed at each run of a net: contextlib would take as long as all the rest)
            self.before = _signal.signal(_SIGINT, self._note)
        except ValueError:
            pass  # only the main thread has signals, and an embedded interpreter may own them: nothing to note
        return self.noted

    def _note(self, number: int, frame: Any) -> None:
        if self.noted:
            raise KeyboardInterrupt
        self.noted.append(number)
        give_up()

    def __exit__(self, kind: object, error: object, *_: object) -> None:
        if self.before is not None:
            _signal.signal(_SIGINT, self.before)
        if self.noted and isinstance(error, WaitEnded):
            raise KeyboardInterrupt from error
