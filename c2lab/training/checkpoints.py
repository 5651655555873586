"""Checkpoints: the whole state of a run in one file, which is there wholly or not at all.

A file is written beside its place, forced to the disk, and renamed; then the folder is forced to the disk.
A checksum over everything is its end, so a file that was damaged later is told apart, too. Layout: eight
bytes of magic, the length of the heading, the heading (JSON), the arrays one after the other, SHA-256.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from c2lab.errors import DamagedFile

_MAGIC = b"c2lab\x00\x00\x01"
_LONGEST_HEADING = 64 * 2**20
_DIGEST = 32
_NAME = "step_{:010d}.checkpoint"
_PATTERN = "step_*.checkpoint"


@dataclass
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        step: After which it was taken.
        arrays: Blobs by name.
        facts: Everything else, as JSON has it.
    """

    step: int
    arrays: dict[str, Any]
    facts: dict[str, Any]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint; when this returns, it survives a loss of power.

    Raises:
        OSError: The disk is full, for instance; what was there before is whole.
    """
    arrays = {name: np.asarray(value) for name, value in checkpoint.arrays.items()}
    table, offset = [], 0
    for name, array in arrays.items():
        table.append({"name": name, "type": array.dtype.name, "shape": list(array.shape), "offset": offset})
        offset += array.nbytes
    heading = json.dumps({"step": checkpoint.step, "arrays": table, "facts": checkpoint.facts}).encode()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as file:
            for part in (_MAGIC, len(heading).to_bytes(8, "little"), heading):
                file.write(part)
                digest.update(part)
            for array in arrays.values():
                content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
                file.write(content.data)
                digest.update(content.data)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _force_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _force_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # folders cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> Checkpoint:
    """The checkpoint in a file.

    Raises:
        DamagedFile: It is no checkpoint, was cut off or changed.
    """
    content = path.read_bytes()
    start = len(_MAGIC) + 8
    if len(content) < start + _DIGEST or not content.startswith(_MAGIC):
        raise DamagedFile(f"{path} is no checkpoint of a run")
    body = memoryview(content)[:-_DIGEST]
    if hashlib.sha256(body).digest() != content[-_DIGEST:]:
        raise DamagedFile(f"{path} was cut off or changed: its checksum is not that of its content")
    length = int.from_bytes(content[len(_MAGIC) : start], "little")
    if length > min(_LONGEST_HEADING, len(body) - start):
        raise DamagedFile(f"{path} promises a heading of {length} bytes, more than it has")
    try:
        heading = json.loads(bytes(body[start : start + length]))
        arrays = {entry["name"]: _array(body, start + length, entry) for entry in heading["arrays"]}
        return Checkpoint(int(heading["step"]), arrays, dict(heading["facts"]))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DamagedFile(f"{path} cannot be read as a checkpoint: {type(problem).__name__}: {problem}") from problem


def _array(body: memoryview, start: int, entry: Mapping[str, Any]) -> np.ndarray:
    kind = np.dtype(ml_dtypes.bfloat16) if entry["type"] == "bfloat16" else np.dtype(str(entry["type"]))
    if kind.hasobject:
        raise ValueError(f"{entry['name']} is said to hold Python objects")
    shape = tuple(int(size) for size in entry["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(body, kind, count=count, offset=start + int(entry["offset"])).reshape(shape).copy()


def path_of(folder: Path, step: int) -> Path:
    """The file of the checkpoint after ``step``."""
    return folder / _NAME.format(step)


def all_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob(_PATTERN))


def latest(folder: Path, *, before: int | None = None) -> Checkpoint | None:
    """The newest checkpoint that can be read; damaged ones are passed over.

    Args:
        folder: Where they are.
        before: Only one of this step or earlier.
    """
    for path in reversed(all_in(folder)):
        if before is not None and _step_of(path) > before:
            continue
        with contextlib.suppress(DamagedFile, OSError):
            return read(path)
    return None


def _step_of(path: Path) -> int:
    return int(path.name.split("_")[1].split(".")[0])


class Writer:
    """Writes checkpoints in the background, one after the other.

    Args:
        folder: Made if it is not there.
        keep: How many of the newest stay; those written with ``pinned`` stay anyway.
        before: Called before each is written.
        written: Called with the path as soon as a checkpoint is safe.
        failed: Called with the error where one could not be written; the run goes on.
    """

    def __init__(
        self,
        folder: Path,
        keep: int = 2,
        *,
        before: Callable[[], Any] = lambda: None,
        written: Callable[[Path], Any] = lambda path: None,
        failed: Callable[[OSError], Any] = lambda error: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._keep = folder, keep
        self._before, self._written, self._failed = before, written, failed
        for left in folder.glob(".*.partial"):
            left.unlink(missing_ok=True)
        self._pinned: set[Path] = set()
        self._queue: queue.Queue[tuple[Checkpoint, bool, threading.Event] | None] = queue.Queue()
        self._busy = 0
        self._thread = threading.Thread(target=self._work, name="c2lab-checkpoints", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether one is being written, or waits."""
        return self._busy > 0

    def save(self, checkpoint: Checkpoint, *, pinned: bool = False) -> threading.Event:
        """Begins to write; the event is set when it is safe on the disk or has failed."""
        done = threading.Event()
        self._busy += 1
        self._queue.put((checkpoint, pinned, done))
        return done

    def close(self) -> None:
        """Waits until all are written."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            checkpoint, pinned, done = item
            path = path_of(self.folder, checkpoint.step)
            try:
                self._before()
                write(path, checkpoint)
                if pinned:
                    self._pinned.add(path)
                self._written(path)
                self._clear()
            except OSError as error:
                self._failed(error)
            finally:
                self._busy -= 1
                del item, checkpoint
                done.set()

    def _clear(self) -> None:
        for path in [p for p in all_in(self.folder) if p not in self._pinned][: -self._keep]:
            path.unlink(missing_ok=True)
