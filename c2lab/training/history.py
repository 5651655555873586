"""The numbers of a run, step by step, in little memory: columns that grow by pieces and never move."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_PIECE = 4096  # rows; a full piece is never copied again


class History:
    """What was measured after each step, and what happened between steps.

    Row ``k`` belongs to step ``k + 1``: every step has one row.

    Args:
        names: Of the columns.

    Attributes:
        tests: ``{metric: [(step, value), ...]}`` of the evaluations.
        markers: ``(step, text)``: what somebody did to the run.

    Example:
        >>> history = History(["loss"])
        >>> history.add([0.5])
        >>> history.add([0.25])
        >>> history.column("loss")
        array([0.5 , 0.25])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.tests: dict[str, list[tuple[int, float]]] = {}
        self.markers: list[tuple[int, str]] = []
        self._pieces: list[np.ndarray] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, values: Sequence[float]) -> None:
        """The row of the next step."""
        within = self._rows % _PIECE
        if within == 0:
            self._pieces.append(np.empty((_PIECE, len(self.names))))
        self._pieces[-1][within] = values
        self._rows += 1

    def rows(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows ``start`` to ``stop``, copied, as (rows, columns)."""
        stop = self._rows if stop is None else min(stop, self._rows)
        parts = [self._pieces[k][max(start - k * _PIECE, 0) : stop - k * _PIECE]
                 for k in range(start // _PIECE, -(-stop // _PIECE))]  # fmt: skip
        return np.concatenate(parts) if parts else np.empty((0, len(self.names)))

    def column(self, name: str) -> np.ndarray:
        """A column, copied."""
        return self.rows()[:, self.names.index(name)]

    def latest(self) -> dict[str, float]:
        """The last row, and the last evaluation."""
        found: dict[str, float] = {}
        if self._rows:
            found.update(zip(self.names, map(float, self.rows(self._rows - 1)[0]), strict=True))
        found.update({name: points[-1][1] for name, points in self.tests.items() if points})
        return found

    def tested(self, step: int, values: dict[str, float]) -> None:
        """Adds an evaluation after ``step``."""
        for name, value in values.items():
            self.tests.setdefault(name, []).append((step, value))

    def cut(self, step: int) -> None:
        """Forgets everything after ``step``."""
        self._rows = min(self._rows, step)
        del self._pieces[-(-self._rows // _PIECE) :]
        self.tests = {name: [p for p in points if p[0] <= step] for name, points in self.tests.items()}
        self.markers = [marker for marker in self.markers if marker[0] <= step]

    def fill(self, step: int) -> None:
        """Rows without numbers up to ``step``, for steps whose rows were lost."""
        while self._rows < step:
            self.add([float("nan")] * len(self.names))

    def csv(self, start: int = 0, *, heading: bool = True) -> str:
        """The rows from ``start`` on as text; each number reads back as the very same number."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if heading:
            writer.writerow(["step", *self.names])
        for step, row in enumerate(self.rows(start).tolist(), start + 1):
            writer.writerow([step, *map(_short, row)])
        return text.getvalue()

    @classmethod
    def read(cls, text: str) -> History:
        """The history that ``csv`` wrote; a last line that was cut off is left out."""
        lines = text.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines.pop()
        table = csv.reader(lines)
        history = cls(next(table, ["step"])[1:])
        for row in _whole(table, len(history.names) + 1):
            history.add(row)
        return history


def _whole(table: Any, width: int) -> Iterator[list[float]]:
    for row in table:
        if len(row) != width:
            return
        yield [float(number) for number in row[1:]]


def _short(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
