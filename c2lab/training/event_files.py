"""TensorBoard's event files: written beside a run by option, and read as a run.

An event file is a row of records (length, checksum, content, checksum); the content is a protobuf message of
which only the scalars are looked at here: event {1: time (double), 2: step, 5: summary {1: value
{1: tag, 2: simple value (float), 8: tensor {5: floats}}}}.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from c2lab.training.history import History

_PATTERN = "*tfevents*"
_LARGEST_RECORD = 64 * 2**20


def in_folder(folder: Path) -> list[Path]:
    """The event files of a folder, oldest first."""
    return sorted(path for path in folder.glob(_PATTERN) if path.is_file())


class EventWriter:
    """A callback of a run that writes its numbers as event files; needs the package tensorboardX.

    Args:
        folder: Where to; the run's folder where left out.
        every: Write each so many steps.

    Example:
        ``c2.train(model, data, tensorboard=True)``
    """

    def __init__(self, folder: str | Path | None = None, every: int = 1) -> None:
        self._folder, self._every = folder, every
        self._writer: Any = None
        self._tested: dict[str, int] = {}

    def __call__(self, run: Any) -> None:
        """Writes the numbers of the last step."""
        if run.steps_done % self._every == 0:
            for name, value in zip(run.history.names, run.history.rows(run.steps_done - 1)[0].tolist(), strict=True):
                if name not in ("epoch", "seconds"):
                    self._open(run).add_scalar(name, value, run.steps_done)
        self._evaluations(run)

    def _open(self, run: Any) -> Any:
        if self._writer is None:
            try:
                from tensorboardX import SummaryWriter  # type: ignore[import-not-found] - optional
            except ImportError:
                raise ImportError("event files need tensorboardX: pip install tensorboardX") from None
            self._writer = SummaryWriter(str(self._folder or run.folder or "."))
        return self._writer

    def _evaluations(self, run: Any) -> None:
        for name, points in run.history.tests.items():
            for step, value in points[self._tested.get(name, 0) :]:
                self._open(run).add_scalar(name, value, step)
            self._tested[name] = len(points)

    def on_end(self, run: Any) -> None:
        """Closes the file."""
        self._evaluations(run)
        if self._writer is not None:
            self._writer.close()


def read_history(folder: Path) -> History:
    """The scalars of a folder; a step without a number has NaN. Files that are cut off are read as far as they go."""
    scalars: dict[str, dict[int, float]] = {}
    for path in in_folder(folder):
        for record in _records(path.read_bytes()):
            step, values = _event(record)
            for tag, value in values:
                scalars.setdefault(tag, {})[step] = value
    dense = {tag: points for tag, points in scalars.items() if not tag.startswith("test_")}
    history = History(list(dense))
    steps = sorted({step for points in dense.values() for step in points if step > 0})
    for step in range(1, (steps[-1] if steps else 0) + 1):
        history.add([points.get(step, math.nan) for points in dense.values()])
    history.tests = {tag: sorted(points.items()) for tag, points in scalars.items() if tag.startswith("test_")}
    return history


def _records(content: bytes) -> Iterator[bytes]:
    position = 0
    while position + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        start = position + 12
        if length > _LARGEST_RECORD or start + length + 4 > len(content):
            return
        yield content[start : start + length]
        position = start + length + 4


def _event(record: bytes) -> tuple[int, list[tuple[str, float]]]:
    step, values = 0, []
    for number, value in _fields(record):
        if number == 2:
            step = int(value)
        elif number == 5 and isinstance(value, bytes):
            values += [found for n, part in _fields(value) if n == 1 and isinstance(part, bytes)
                       and (found := _scalar(part)) is not None]  # fmt: skip
    return step, values


def _scalar(part: bytes) -> tuple[str, float] | None:
    tag, found = "", None
    for number, value in _fields(part):
        if number == 1 and isinstance(value, bytes):
            tag = value.decode("utf-8", "replace")
        elif number == 2 and isinstance(value, float):
            found = value
        elif number == 8 and isinstance(value, bytes):
            for inner, content in _fields(value):
                if inner in (4, 5) and isinstance(content, bytes) and len(content) == 4:
                    (found,) = struct.unpack("<f", content)
    return (tag, found) if tag and found is not None else None


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values of a message; what is cut off ends it."""
    position = 0
    try:
        while position < len(message):
            key, position = _varint(message, position)
            number, kind = key >> 3, key & 7
            if kind == 0:
                value, position = _varint(message, position)
                yield number, value
            elif kind == 1:
                yield number, struct.unpack_from("<d", message, position)[0]
                position += 8
            elif kind == 5:
                yield number, struct.unpack_from("<f", message, position)[0]
                position += 4
            elif kind == 2:
                length, position = _varint(message, position)
                yield number, message[position : position + length]
                position += length
            else:
                return
    except (IndexError, struct.error):
        return


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128 or shift > 63:
            return value, position
        shift += 7
