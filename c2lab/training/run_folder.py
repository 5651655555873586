"""What a run leaves on disk: its nets, its settings, its numbers, what happened, its checkpoints.

``config.json``, ``init_net.pb``, ``train_net.pb`` (and ``.pbtxt``), ``metrics.csv`` (a row a step),
``events.jsonl`` (evaluations, markers, checkpoints, how it ended), ``checkpoints/``.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from c2lab.predictor import files
from c2lab.proto import caffe2_pb2
from c2lab.training.history import History

CONFIG, METRICS, EVENTS, CHECKPOINTS = "config.json", "metrics.csv", "events.jsonl", "checkpoints"
ROOT_VARIABLE = "C2LAB_RUNS"
_PACKAGES = ("jax", "jaxlib", "numpy", "protobuf", "ml_dtypes")


def root() -> Path:
    """Where runs are kept: the folder in ``C2LAB_RUNS``, else ``runs`` in the current one."""
    return Path(os.environ.get(ROOT_VARIABLE) or "runs")


def new_folder(name: str, inside: Path | None = None) -> Path:
    """Makes a folder for a run, named after it and the time."""
    inside = inside or root()
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('.-') or 'run'}-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(1, 10_000):
        folder = inside / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{inside / stem} exists, and so do 9,999 others")


def versions() -> dict[str, str]:
    """Of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in ("c2lab", *_PACKAGES):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = str(getattr(sys.modules.get(package), "__version__", "not installed"))
    return found


class RunFolder:
    """A run's folder; numbers are written in bunches, so that a step costs no file access.

    Args:
        path: The folder.
        history: Whose rows are written.
    """

    def __init__(self, path: Path, history: History) -> None:
        self.path = path
        self._history = history
        self._rows = 0
        self._flushed = 0.0
        self.problem: OSError | None = None

    def write_start(self, config: Mapping[str, Any], nets: Mapping[str, caffe2_pb2.NetDef]) -> None:
        """Writes what does not change any more."""
        for name, net in nets.items():
            files.write_net(self.path / f"{name}.pb", net)
            files.write_net(self.path / f"{name}.pbtxt", net)
        files.write_whole(self.path / CONFIG, json.dumps(config, indent=1).encode())

    def rewrite(self) -> None:
        """Writes the metrics anew, after the history was cut."""
        files.write_whole(self.path / METRICS, self._history.csv().encode())
        self._rows = len(self._history)

    def flush(self, *, now: bool = False, every: float = 0.5) -> None:
        """Appends new rows, at most each ``every`` seconds; a full disk is noted and tried again later."""
        if not now and time.monotonic() - self._flushed < every:
            return
        self._flushed = time.monotonic()
        path = self.path / METRICS
        rows = len(self._history)
        try:
            size = path.stat().st_size if path.exists() else 0
            text = self._history.csv(self._rows, heading=size == 0)
            try:
                with path.open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError:
                os.truncate(path, size)  # half of the rows would be written twice
                raise
        except OSError as error:
            self.problem = error
            return
        self._rows, self.problem = rows, None

    def force(self) -> None:
        """Brings the metrics safely to the disk."""
        path = self.path / METRICS
        if path.exists():
            with path.open("rb") as file:
                os.fsync(file.fileno())

    def event(self, kind: str, **facts: Any) -> None:
        """Notes that something happened."""
        line = json.dumps({"event": kind, "time": round(time.time(), 3), **facts}) + "\n"
        try:
            with (self.path / EVENTS).open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            self.problem = error


def read_config(path: Path) -> dict[str, Any]:
    """The settings of a run.

    Raises:
        FileNotFoundError: The folder is none of a run.
    """
    if not (path / CONFIG).is_file():
        raise FileNotFoundError(f"{path} is no folder of a run: it has no {CONFIG}")
    return json.loads((path / CONFIG).read_text(encoding="utf-8"))


def read_history(path: Path) -> History:
    """The numbers, evaluations and markers of a run's folder."""
    metrics = path / METRICS
    history = History.read(metrics.read_text(encoding="utf-8")) if metrics.is_file() else History([])
    for event in read_events(path):
        if event["event"] == "evaluation":
            history.tested(event["step"], event["values"])
        elif event["event"] == "marker":
            history.markers.append((event["step"], event["text"]))
        elif event["event"] == "resumed":
            kept = History([])
            kept.tests, kept.markers = history.tests, history.markers
            kept.cut(event["step"])
            history.tests, history.markers = kept.tests, kept.markers
    return history


def read_events(path: Path) -> list[dict[str, Any]]:
    """What happened, oldest first; a line that was cut off is left out."""
    events = path / EVENTS
    if not events.is_file():
        return []
    found = []
    for line in events.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            found.append(event)
    return found
