"""Curves that grow while a net trains: in a notebook, in a terminal, or straight into a file."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_COLOURS = ("#2f6fde", "#c8591b", "#2c9150", "#9348c9", "#0b8f8a", "#cc3d66")


class TrainingPlot:
    """Live curves of loss, accuracy and whatever else is added.

    One panel holds the losses, another everything whose name says accuracy (0 to 1).  Each curve is
    drawn faint as it comes and bold as a running average.  In a notebook the picture below the cell
    is renewed at most ``rate`` times a second, and less often where drawing is slow; elsewhere nothing
    is drawn until ``save``.

    Used as ``with`` block it ends cleanly however the block ends.  The stop button (or Ctrl-C) ends the
    block without an error: what was drawn stays, the code after the block runs, and ``stopped`` is true.

    Example:
        >>> with TrainingPlot(live=False) as plot:
        ...     for step in plot.steps(range(3)):
        ...         plot.add(step, loss=1.0 / (step + 1))
        >>> plot.history["loss"]
        [(0, 1.0), (1, 0.5), (2, 0.3333333333333333)]
    """

    def __init__(self, *, rate: float = 3.0, smoothing: float = 0.9, title: str = "", live: bool | None = None) -> None:
        self.history: dict[str, list[tuple[float, float]]] = {}
        self.stopped = False
        self.title = title
        self._smoothing = smoothing
        self._pause = self._shortest_pause = 1.0 / rate
        self._last_drawn = 0.0
        self._live = _in_notebook() if live is None else live
        self._handle: Any = None
        self._figure: Any = None

    def __enter__(self) -> TrainingPlot:
        self.stopped = False
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> bool:
        stop = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.stopped = self.stopped or stop
        self.refresh(final=True)
        if stop:
            last = max((points[-1][0] for points in self.history.values() if points), default=0)
            print(f"Stopped after step {last:g}.")
        return stop

    def steps(self, iterable: Iterable[T]) -> Iterator[T]:
        """The items of ``iterable``, until ``stop`` is called."""
        for item in iterable:
            if self.stopped:
                return
            yield item

    def stop(self) -> None:
        """Ends the loop over ``steps`` after the step that is running."""
        self.stopped = True

    def add(self, step: float, **values: Any) -> None:
        """One point of each named curve, and a new picture where the last is old enough."""
        for name, value in values.items():
            self.history.setdefault(name, []).append((step, float(value)))
        if self._live and time.monotonic() - self._last_drawn >= self._pause:
            self.refresh()

    def refresh(self, final: bool = False) -> None:
        """Draws the picture anew in the notebook."""
        if not self._live or not self.history:
            return
        from IPython.core.display import SVG
        from IPython.display import display

        start = time.monotonic()
        picture = SVG(self.svg())
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
        self._last_drawn = time.monotonic()
        # On a slow or busy machine the picture comes less often, so that four fifths of the time are for training.
        self._pause = max(self._shortest_pause, 4 * (self._last_drawn - start))

    def svg(self) -> str:
        """The curves so far as SVG."""
        from io import StringIO

        text = StringIO()
        self.figure().savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()

    def save(self, path: str | Path) -> Path:
        """Writes the curves to ``path``; its ending (``.svg``, ``.png``, ``.pdf``) says how."""
        path = Path(path)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        self.figure().savefig(path, dpi=144, metadata=metadata)
        return path

    def save_csv(self, path: str | Path) -> Path:
        """Writes every point: ``curve,step,value``."""
        path = Path(path)
        lines = ["curve,step,value"]
        lines += [f"{name},{step:g},{value!r}" for name, points in self.history.items() for step, value in points]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def figure(self) -> Any:
        """The curves so far as a matplotlib figure that no window or notebook knows of."""
        from matplotlib.figure import Figure

        shares = {name: points for name, points in self.history.items() if _is_share(name)}
        others = {name: points for name, points in self.history.items() if not _is_share(name)}
        panels = [panel for panel in ((others, False), (shares, True)) if panel[0]] or [({}, False)]
        width, top = 4.1 * len(panels) + 0.5, 0.9 if self.title else 0.96
        figure = Figure(figsize=(width, 3.0))
        # Fixed margins: letting matplotlib find them takes longer than all the rest.
        figure.subplots_adjust(left=0.55 / width, right=1 - 0.15 / width, bottom=0.15, top=top, wspace=0.16)
        if self.title:
            figure.suptitle(self.title, fontsize=11, y=0.985)
        for number, (curves, share) in enumerate(panels, start=1):
            self._panel(figure.add_subplot(1, len(panels), number), curves, share)
        return figure

    def _panel(self, ax: Any, curves: dict[str, list[tuple[float, float]]], share: bool) -> None:
        for (name, points), colour in zip(curves.items(), _COLOURS * (len(curves) // len(_COLOURS) + 1), strict=False):
            steps, values = zip(*_thinned(points), strict=True)
            if len(points) > 30:
                ax.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
                steps, values = zip(*_thinned(smoothed(points, self._smoothing)), strict=True)
            latest = _latest(points)
            ax.plot(steps, values, color=colour, linewidth=1.8, label=f"{name.replace('_', ' ')}  {latest:.4g}")
            if len(points) == 1:
                ax.plot(steps, values, "o", color=colour, markersize=3)
        ax.set_xlabel("step", fontsize=9)
        ax.tick_params(labelsize=8)
        ax.grid(True, alpha=0.25, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        if share:
            low = min((value for points in curves.values() for _, value in points if math.isfinite(value)), default=0)
            ax.set_ylim(max(0.0, min(0.9, low - 0.03)), 1.005)
        elif curves and all(v >= 0 for points in curves.values() for _, v in points if math.isfinite(v)):
            ax.set_ylim(bottom=0)
        if curves:
            ax.legend(fontsize=8, frameon=False, loc="lower right" if share else "upper right")


def smoothed(points: list[tuple[float, float]], amount: float) -> list[tuple[float, float]]:
    """A running average that forgets by ``amount`` a step and has no bias at its beginning.

    Example:
        >>> smoothed([(0, 1.0), (1, 1.0)], 0.9)
        [(0, 1.0), (1, 1.0)]
    """
    total, weight, found = 0.0, 0.0, []
    for step, value in points:
        if math.isfinite(value):
            total = amount * total + (1 - amount) * value
            weight = amount * weight + (1 - amount)
            found.append((step, total / weight))
        else:
            found.append((step, value))
    return found


def _thinned(points: list[tuple[float, float]], most: int = 1500) -> list[tuple[float, float]]:
    """Every n-th point, and the last: more cannot be seen, and would slow the picture down."""
    stride = -(-len(points) // most)
    return points if stride == 1 else [*points[::stride], points[-1]]


def _latest(points: list[tuple[float, float]]) -> float:
    recent = [value for _, value in points[-10:] if math.isfinite(value)]
    return sum(recent) / len(recent) if len(points) > 30 and recent else points[-1][1]


def _is_share(name: str) -> bool:
    return "acc" in name.lower()


def _in_notebook() -> bool:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
