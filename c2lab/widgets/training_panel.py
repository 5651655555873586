"""The panel of a training run: curves that grow, and what one may do to the run while it goes on."""

from __future__ import annotations

import contextlib
import html
import threading
import weakref
from pathlib import Path
from typing import Any

import anywidget
import numpy as np

from c2lab.errors import C2LabError
from c2lab.training.blob_pictures import grid, histogram
from c2lab.training.figures import as_bytes, curve_names, curves
from c2lab.training.run import TrainingRun
from c2lab.training.runs import runs

_STATIC = Path(__file__).parent / "static"
_FILES = ("training_panel.js", "training_panel.css")
PANEL_BUILT = (_STATIC / _FILES[0]).exists()
"""Whether the browser's side is here; a checkout builds it."""

_MISSING = """
export default { render({ el }) {
  const told = document.createElement("p");
  told.setAttribute("role", "alert");
  told.textContent = "The panel of c2lab was not built. In a checkout, run: python hatch_build.py";
  el.append(told);
} };
"""
_PAUSE = 0.1  # seconds between two looks at the run: ten messages a second at most
_PIN_PAUSE = 10  # looks between two of a pinned blob
_MOST_ROWS = 20_000  # of one message; a longer past is thinned

_panels: weakref.WeakKeyDictionary[TrainingRun, TrainingPanel] = weakref.WeakKeyDictionary()


class TrainingPanel(anywidget.AnyWidget):
    """Shows a run and steers it; nothing of the stream is a trait, so nothing of it is stored.

    Numbers go to the browser as binary columns, ten times a second at most. A thread looks at the run;
    the run knows nothing of it.

    Args:
        run: The run.
    """

    _esm = _STATIC / _FILES[0] if PANEL_BUILT else _MISSING
    _css = _STATIC / _FILES[1] if (_STATIC / _FILES[1]).exists() else ""

    def __init__(self, run: TrainingRun) -> None:
        super().__init__()
        self.run = run
        self._sent, self._markers, self._tests, self._evaluation = 0, 0, -1, None
        self._state: dict[str, Any] = {}
        self._pins: list[str] = []
        self._turn = 0
        self._display: Any = None
        self._sending = threading.RLock()
        self._closed = threading.Event()
        self.on_msg(self._receive)
        self._thread = threading.Thread(target=self._follow, name="c2lab-panel", daemon=True)
        self._thread.start()

    # ---- to the browser --------------------------------------------------------------------------

    def _follow(self) -> None:
        while not self._closed.wait(_PAUSE):
            ended = self.run.ended
            with contextlib.suppress(Exception):  # a browser that is gone is no reason to stop
                self.refresh()
            if ended:
                self._leave_picture()
                return

    def refresh(self) -> None:
        """Sends what is new."""
        with self._sending:
            history, rows = self.run.history, len(self.run.history)
            if rows < self._sent:
                self._sent = 0
            if rows > self._sent:
                self._send_rows(self._sent, rows)
                self._sent = rows
            if len(history.markers) != self._markers:
                self._markers = len(history.markers)
                self.send({"kind": "markers", "markers": list(history.markers)})
            tests = sum(map(len, history.tests.values()))
            if tests != self._tests:
                self._tests = tests
                self.send({"kind": "tests", "tests": {name: list(points) for name, points in history.tests.items()}})
            if self.run.evaluation is not self._evaluation:
                self._evaluation = self.run.evaluation
                self._send_evaluation()
            state = self.state()
            if state != self._state:
                self._state = state
                self.send({"kind": "state", **state})
            if self._turn % _PIN_PAUSE == 0 or self.run.ended:
                for blob in self._pins:
                    self._send_pin(blob)
            self._turn += 1

    def state(self) -> dict[str, Any]:
        """How the run stands, as the browser is told."""
        run = self.run
        return {
            "name": run.name,
            "state": run.state,
            "step": run.steps_done,
            "planned": run.steps_planned,
            "epoch": run.epoch,
            "rate": run.rate,
            "steered": bool(run.stepper.nets.rates),
            "kept": run.folder is not None,
            "error": str(run.error)[:2000] if run.error else "",
            **run.figures(),
        }

    def _send_rows(self, start: int, stop: int) -> None:
        rows = self.run.history.rows(start, stop)
        stride = -(-len(rows) // _MOST_ROWS)
        steps = np.arange(start + 1, stop + 1, dtype=np.float64)
        if stride > 1:
            rows, steps = rows[::stride], steps[::stride]
        names = curve_names([self.run.history])
        chosen = [rows[:, self.run.history.names.index(name)] for name in names]
        content = np.ascontiguousarray(np.stack([steps, *chosen]))
        head = {"kind": "rows", "names": names, "count": len(steps), "first": start == 0}
        self.send(head, [content.tobytes()])

    def _send_evaluation(self) -> None:
        found = self._evaluation
        if found is None or found.confusion is None:
            return
        images, shape = self._worst_images([entry[0] for entry in found.worst])
        self.send(
            {"kind": "evaluation", "confusion": found.confusion.tolist(), "worst": found.worst, "shape": shape},
            [images],
        )

    def _worst_images(self, samples: list[int]) -> tuple[bytes, list[int]]:
        """Bytes of gray or coloured pictures of the samples, and (number, height, width, channels)."""
        data = self.run.evaluator.data.arrays if self.run.evaluator else {}
        pictures = next((array for array in data.values() if array.ndim == 4 and array.shape[1] in (1, 3)), None)
        if pictures is None or not samples:
            return b"", []
        return grid(pictures[samples])

    def _send_pin(self, blob: str) -> None:
        try:
            value = self.run.fetch(blob)
        except C2LabError:
            return
        if not hasattr(value, "dtype") or value.dtype.kind not in "fiu" or value.size == 0:
            self.send({"kind": "pin", "blob": blob, "problem": f"{blob} holds no numbers"}, [b"", b""])
            return
        counts, low, high, norm = histogram(value)
        pictures, shape = grid(value)
        head = {
            "kind": "pin", "blob": blob, "step": self.run.steps_done, "low": low, "high": high, "norm": norm,
            "dims": list(value.shape), "shape": shape,
        }  # fmt: skip
        self.send(head, [counts.astype(np.float32).tobytes(), pictures])

    # ---- from the browser ------------------------------------------------------------------------

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        if not isinstance(message, dict):
            return
        try:
            self.do(str(message.get("command", "")), message.get("value"))
        except (C2LabError, OSError, ValueError, TypeError) as error:
            self.send({"kind": "problem", "text": str(error)[:500]})

    def do(self, command: str, value: Any = None) -> None:
        """Does what a button of the panel does.

        Raises:
            ValueError: There is no such command.
        """
        run = self.run
        if command == "hello":
            self._greet()
        elif command in ("stop", "pause", "go", "step"):
            getattr(run, command)()
        elif command == "rate":
            run.set_rate(float(value))
        elif command == "snapshot":
            self.send({"kind": "told", "text": f"saved {run.snapshot().name}"})
        elif command == "csv":
            self.send({"kind": "csv", "name": f"{run.name}.csv"}, [run.history.csv().encode()])
        elif command == "pin":
            self._pin(str(value))
        elif command == "unpin":
            self._pins = [blob for blob in self._pins if blob != value]
        elif command == "overlay":
            self._overlay(str(value))
        else:
            raise ValueError(f"there is no command {command!r}")

    def _greet(self) -> None:
        """A view has opened: it gets everything."""
        with self._sending:
            self._sent, self._markers, self._tests, self._evaluation, self._state = 0, 0, -1, None, {}
            blobs = sorted(
                name for name, value in list(self.run.stepper.blobs.items())
                if hasattr(value, "shape") and "training_" not in name
            )  # fmt: skip
            others = []
            if self.run.folder is not None:
                others = [kept.name for kept in runs(self.run.folder.parent) if kept.folder != self.run.folder][:50]
            self.send({"kind": "known", "blobs": blobs, "runs": others})
            self._turn = 0
            self.refresh()

    def _pin(self, blob: str) -> None:
        if blob not in self.run.stepper.blobs:
            raise ValueError(f"there is no blob {blob!r}")
        if blob not in self._pins:
            self._pins = [*self._pins, blob][-6:]
        self._send_pin(blob)

    def _overlay(self, name: str) -> None:
        if self.run.folder is None:
            raise ValueError("the run is not kept, so there are no runs beside it")
        history = runs(self.run.folder.parent)[name].history
        stride = max(1, -(-len(history) // _MOST_ROWS))
        names = curve_names([history])
        rows = history.rows()[::stride]
        steps = np.arange(1, len(history) + 1, dtype=np.float64)[::stride]
        content = np.stack([steps, *(rows[:, history.names.index(n)] for n in names)])
        self.send({"kind": "overlay", "run": name, "names": names, "count": len(rows)}, [content.tobytes()])

    # ---- still pictures --------------------------------------------------------------------------

    def _still(self) -> dict[str, Any]:
        """What remains where no kernel is: an SVG, a PNG, and text."""
        bundle: dict[str, Any] = {"text/plain": repr(self.run)}
        if len(self.run.history):
            figure = curves([self.run])
            bundle["image/svg+xml"] = as_bytes(figure, "svg").decode()
            bundle["image/png"] = as_bytes(figure, "png")
            bundle["text/plain"] += f" {html.unescape(str(self.run.metrics))}"
        return bundle

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        live = super()._repr_mimebundle_(**kwargs)
        data, metadata = live if isinstance(live, tuple) else (live, {})
        try:
            return {**(data or {}), **self._still()}, metadata
        except ImportError:  # no matplotlib, no picture
            return data, metadata

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        self._display = display(data, metadata=metadata, raw=True, display_id=True)
        if self.run.ended:
            self._leave_picture()

    def _leave_picture(self) -> None:
        """The curves as they are at the end, in place of those at the beginning."""
        if self._display is not None:
            with contextlib.suppress(Exception):
                data, metadata = self._repr_mimebundle_()
                self._display.update(data, metadata=metadata, raw=True)

    def close(self) -> None:
        """Ends the panel; the run goes on."""
        self._closed.set()
        super().close()


def panel(run: TrainingRun) -> TrainingPanel:
    """The panel of a run; there is one, however often it is asked for."""
    if run not in _panels:
        _panels[run] = TrainingPanel(run)
    return _panels[run]
