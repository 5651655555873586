"""Pictures of runs for papers, by matplotlib, and for saved notebooks."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.training.history import History

COLOURS = ("#2f6fde", "#c8591b", "#2c9150", "#9348c9", "#0b8f8a", "#cc3d66")
_UNSHOWN = ("epoch", "seconds")
_MOST_POINTS = 1500


def smoothed(values: np.ndarray, amount: float) -> np.ndarray:
    """A running average that forgets by ``amount`` a step, without a bias at its beginning.

    Example:
        >>> smoothed(np.array([1.0, 1.0, 4.0]), 0.5)
        array([1.        , 1.        , 2.71428571])
    """
    result = np.array(values, float)
    total = weight = 0.0
    for k, value in enumerate(result.tolist()):
        if math.isfinite(value):
            total, weight = amount * total + (1 - amount) * value, amount * weight + (1 - amount)
            result[k] = total / weight
    return result


def curve_names(histories: Sequence[History]) -> list[str]:
    """What there is to draw, each with its tests: ``loss`` stands for ``test_loss``, too."""
    return list(dict.fromkeys(name for h in histories for name in h.names if name not in _UNSHOWN))


def curves(
    runs: Sequence[Any],
    names: Sequence[str] | None = None,
    *,
    smoothing: float = 0.9,
    logarithmic: Sequence[str] = ("rate",),
) -> Any:
    """Curves of runs, one picture a metric; tests are dots, what somebody did is a dashed line.

    Args:
        runs: Whatever has a ``name`` and a ``history``.
        names: Of the metrics; all where left out.
        smoothing: How much the bold curve forgets slowly.
        logarithmic: Metrics with a logarithmic axis, where all their values are above 0.

    Returns:
        A matplotlib figure that no window or notebook knows of.
    """
    from matplotlib.figure import Figure

    names = list(names or curve_names([run.history for run in runs])) or ["loss"]
    width = 3.6 * len(names) + 0.4
    figure = Figure(figsize=(width, 2.8), layout="constrained")
    for ax, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        for number, run in enumerate(runs):
            _curve(ax, run, name, COLOURS[number % len(COLOURS)], len(runs) > 1, smoothing)
        ax.set_title(name.replace("_", " "), fontsize=10)
        ax.set_xlabel("step", fontsize=9)
        ax.tick_params(labelsize=8)
        ax.grid(True, alpha=0.25, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        values = [run.history.column(name) for run in runs if name in run.history.names]
        if name in logarithmic and values and all((column > 0).all() for column in values):
            ax.set_yscale("log")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=7, frameon=False)
    return figure


def _curve(ax: Any, run: Any, name: str, colour: str, several: bool, smoothing: float) -> None:
    history: History = run.history
    if name in history.names and len(history):
        values = history.column(name)
        steps = np.arange(1, len(values) + 1)
        stride = -(-len(values) // _MOST_POINTS)
        label = run.name if several else ("training" if f"test_{name}" in history.tests else None)
        if len(values) > 30 and name != "rate":
            ax.plot(steps[::stride], values[::stride], color=colour, alpha=0.25, linewidth=0.8)
            values = smoothed(values, smoothing)
        ax.plot(steps[::stride], values[::stride], color=colour, linewidth=1.6, label=label)
    tests = history.tests.get(f"test_{name}")
    if tests:
        ax.plot(*zip(*tests, strict=True), "o", color=colour if several else COLOURS[1], markersize=4,
                label=None if several else "test")  # fmt: skip
    if not several:
        for step, _ in history.markers:
            ax.axvline(step, color="#888", linestyle="--", linewidth=0.7, alpha=0.7)


def as_bytes(figure: Any, format: str) -> bytes:
    """A figure as the bytes of an SVG, PNG or PDF file; the same figure gives the same bytes."""
    import matplotlib

    content = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "c2lab"}):
        figure.savefig(content, format=format, dpi=144, metadata={"Date": None} if format == "svg" else None)
    return content.getvalue()
