"""Undo and redo: the documents before and after the present one."""

from __future__ import annotations

from typing import NamedTuple

from c2lab.graph.document import Document, EditRefused


class Step(NamedTuple):
    """What was done, and the document before it."""

    label: str
    before: Document


class History:
    """The present document, and the way there and back.

    Example:
        >>> from c2lab.graph.document import empty_document
        >>> history = History(empty_document("n"))
        >>> history.do("name", empty_document("m"))
        >>> history.undo(), history.present.net.name
        ('name', 'n')
    """

    MOST = 2000

    def __init__(self, present: Document) -> None:
        self.present = present
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def undo_label(self) -> str | None:
        """What ``undo`` would take back."""
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        """What ``redo`` would do again."""
        return self._undone[-1].label if self._undone else None

    def do(self, label: str, after: Document) -> None:
        """Makes ``after`` the present; what was undone cannot be done again then."""
        self._done.append(Step(label, self.present))
        del self._done[: -self.MOST]
        self._undone.clear()
        self.present = after

    def steps(self) -> tuple[list[Step], list[Step]]:
        """All steps, for ``restore``."""
        return list(self._done), list(self._undone)

    def restore(self, present: Document, steps: tuple[list[Step], list[Step]]) -> None:
        """Goes on from where ``steps`` was asked, as if nothing had happened since."""
        self.present = present
        self._done, self._undone = list(steps[0]), list(steps[1])

    def undo(self) -> str:
        """Takes the last step back; returns its label.

        Raises:
            EditRefused: There is nothing to take back.
        """
        return self._move(self._done, self._undone, "undo")

    def redo(self) -> str:
        """Does again what was taken back last; returns its label.

        Raises:
            EditRefused: There is nothing to do again.
        """
        return self._move(self._undone, self._done, "redo")

    def _move(self, taken: list[Step], given: list[Step], word: str) -> str:
        if not taken:
            raise EditRefused(f"there is nothing to {word}")
        step = taken.pop()
        given.append(Step(step.label, self.present))
        self.present = step.before
        return step.label
