"""Training from the canvas: a plain loop in the background, between whose steps the net can be edited."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from c2lab.builder.feeding import sample_inputs
from c2lab.builder.session import Session
from c2lab.graph.document import EditRefused
from c2lab.graph.draft import is_backward

_PAUSE = 0.1
"""Seconds between two reports."""


class Training:
    """Steps of a net that has gradients and updates; reports go to ``session.report``.

    Args:
        session: Whose net is trained. Each step holds its lock, so edits come in between.
        runner: Who runs it.
        steps: How many steps.
        batch: Samples a step.
        feed: Feeds a batch: ``feed(session, batch)``.
    """

    def __init__(
        self, session: Session, runner: Any, steps: int, batch: int, feed: Callable[[Session, int], Any]
    ) -> None:
        self.session, self.runner, self.steps, self.batch, self._feed = session, runner, steps, batch, feed
        self.step = 0
        self.history: list[tuple[int, dict[str, float]]] = []
        self._stopped = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._thread = threading.Thread(target=self._loop, name="c2lab-canvas-training", daemon=True)

    @property
    def running(self) -> bool:
        """Whether steps are still to come."""
        return self._thread.is_alive() and not self._stopped.is_set()

    def start(self) -> None:
        """Checks that there is something to train, and begins.

        Raises:
            EditRefused: The net has no updates, no wires, or no values to learn from.
        """
        document = self.session.document
        if not any(is_backward(op) for op in document.net.op):
            raise EditRefused("the net has no gradients; add an optimizer first")
        if not any(name in document.parameters for op in document.net.op for name in op.output):
            raise EditRefused("nothing updates the parameters; add an optimizer first")
        if not self._digits():
            self.runner.require_ready(document)
        else:
            self.runner.require_wired(document)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the step that is running."""
        self._stopped.set()
        self._going.set()

    def pause(self) -> None:
        """Waits after the step that is running."""
        self._going.clear()

    def go(self) -> None:
        """Goes on after a pause."""
        self._going.set()

    def join(self, seconds: float | None = None) -> None:
        """Waits until it has ended."""
        self._thread.join(seconds)

    def _digits(self) -> bool:
        return sample_inputs(dict(self.session.document.canvas.inputs)) is not None

    def _loop(self) -> None:
        told, started, error = 0.0, time.monotonic(), ""
        try:
            while self.step < self.steps and not self._stopped.is_set():
                self._going.wait()
                if self._stopped.is_set():
                    break
                with self.session.lock:
                    if self._digits():
                        self._feed(self.session, self.batch)
                    self.runner.run(self.session.document)
                    self.step += 1
                    now = time.monotonic()
                    last = self.step == self.steps
                    if now - told > _PAUSE or last:
                        told = now
                        values = self._values()
                        self.history.append((self.step, values))
                        self._report(values, self.step / max(now - started, 1e-9), "")
                        bad = next((name for name, value in values.items() if not math.isfinite(value)), None)
                        if bad is not None:
                            error = f"{bad} is {values[bad]} after step {self.step}; training was stopped"
                            break
                while self.session.waiting and not self._stopped.is_set():
                    time.sleep(0.001)  # commands come in between the steps
        except Exception as failure:
            error = getattr(failure, "message", "") or f"{type(failure).__name__}: {failure}"
        self._stopped.set()
        self._report(self._values() if not error else {}, 0.0, error, ended=True)

    def _values(self) -> dict[str, float]:
        """The numbers of the net that say how it goes: single values that no operator reads forwards."""
        document, found = self.session.document, {}
        for op in document.net.op:
            if is_backward(op):
                continue
            for name in op.output:
                if "loss" in name.lower() or "accuracy" in name.lower():
                    value = self.runner.fetch(name)
                    if isinstance(value, np.ndarray) and value.size == 1:
                        found[name] = float(value.reshape(()))
        return found

    def _report(self, values: dict[str, float], rate: float, error: str, ended: bool = False) -> None:
        self.session.report(
            {
                "event": "train",
                "step": self.step,
                "steps": self.steps,
                "values": {name: value if math.isfinite(value) else str(value) for name, value in values.items()},
                "steps_a_second": round(rate, 2),
                "running": not ended,
                "error": error[:2000],
            }
        )
