"""``runs``: what was trained before, as a table and as curves."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from c2lab.errors import BadArgument, did_you_mean
from c2lab.training import event_files, run_folder
from c2lab.training.figures import as_bytes, curves
from c2lab.training.history import History


class KeptRun:
    """A run on disk; its numbers are read when they are asked for.

    Attributes:
        folder: Where it is.
        config: Settings, versions, data; empty for a folder of TensorBoard.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.config: dict[str, Any] = {}
        if (folder / run_folder.CONFIG).is_file():
            self.config = run_folder.read_config(folder)

    @functools.cached_property
    def history(self) -> History:
        """Its numbers."""
        if self.config:
            return run_folder.read_history(self.folder)
        return event_files.read_history(self.folder)

    @property
    def state(self) -> str:
        """How it ended; ``"interrupted"`` where it did not say so (or is still running)."""
        if not self.config:
            return "TensorBoard"
        for event in reversed(run_folder.read_events(self.folder)):
            if event["event"] == "ended":
                return event["state"]
            if event["event"] in ("started", "resumed"):
                break
        return "interrupted"

    @property
    def metrics(self) -> dict[str, float]:
        """The last numbers."""
        found = self.history.latest()
        return {name: value for name, value in found.items() if name not in ("epoch", "seconds")}

    def plot(self) -> Any:
        """Its curves as a matplotlib figure."""
        return curves([self])

    def __repr__(self) -> str:
        return f"<KeptRun {self.name!r}, {self.state}, {len(self.history)} steps>"


class Runs(Sequence[KeptRun]):
    """Kept runs, newest first: an index or a name gives one, and a notebook shows a table."""

    def __init__(self, found: Sequence[KeptRun]) -> None:
        self._runs = list(found)

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[KeptRun]:
        return iter(self._runs)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            for run in self._runs:
                if run.name == which:
                    return run
            names = [run.name for run in self._runs]
            raise BadArgument(f'there is no run "{which}".{did_you_mean(which, names)}')
        return Runs(self._runs[which]) if isinstance(which, slice) else self._runs[which]

    def table(self) -> list[dict[str, Any]]:
        """A row a run: name, state, steps, settings and the last numbers."""
        rows = []
        for run in self._runs:
            settings = run.config.get("settings", {})
            row = {"run": run.name, "state": run.state, "steps": len(run.history)}
            row |= {name: settings[name] for name in ("batch", "seed") if name in settings}
            rows.append({**row, **run.metrics})
        return rows

    def plot(self, *names: str, smoothing: float = 0.9) -> Any:
        """The curves of all of them over each other, as a matplotlib figure."""
        return curves(self._runs, names or None, smoothing=smoothing)

    def csv(self) -> str:
        """The table as text."""
        rows = self.table()
        heads = _heads(rows)
        lines = [",".join(heads)]
        lines += [",".join(str(row.get(head, "")) for head in heads) for row in rows]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        rows = self.table()
        heads = _heads(rows)
        cells = [heads, *([_cell(row.get(head)) for head in heads] for row in rows)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)

    def _repr_html_(self) -> str:
        rows = self.table()
        heads = _heads(rows)
        top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(row.get(head)))}</td>" for head in heads) + "</tr>"
            for row in rows
        )
        return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_svg_(self) -> str | None:
        shown = [run for run in self._runs if len(run.history)][:6]
        return as_bytes(curves(shown), "svg").decode() if shown else None


def runs(folder: str | Path | None = None, *, match: str = "") -> Runs:
    """The runs in a folder, newest first; folders of TensorBoard's event files count, too.

    Args:
        folder: Where runs are kept, ``C2LAB_RUNS`` or ``runs`` where left out; or the folder of one run.
        match: Only those whose name holds this.
    """
    root = Path(folder) if folder is not None else run_folder.root()
    if not root.is_dir():
        return Runs([])
    places = [root, *(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))]
    found = [p for p in places if (p / run_folder.CONFIG).is_file() or event_files.in_folder(p)]
    found = [path for path in found if match in path.name]
    return Runs([KeptRun(path) for path in sorted(found, key=_time, reverse=True)])


def _time(path: Path) -> tuple[float, str]:
    config = path / run_folder.CONFIG
    return (config if config.is_file() else path).stat().st_mtime, path.name


def _heads(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(["run", "state", "steps", *(name for row in rows for name in row)]))


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
