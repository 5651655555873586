"""What one may ask of a run while it goes on: steering it, and looking at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from c2lab.errors import BadArgument
from c2lab.training.control import Control
from c2lab.training.history import History
from c2lab.training.keeping import Keeper
from c2lab.training.pace import Pace
from c2lab.training.profiling import Profile, profile
from c2lab.training.stepping import Stepper

if TYPE_CHECKING:
    from c2lab.training.run import Settings
    from c2lab.training.sources import Source


class Steered:
    """The part of a run that others use; the loop is in ``TrainingRun``."""

    settings: Settings
    stepper: Stepper
    source: Source
    history: History
    keeper: Keeper | None
    pace: Pace
    steps_done: int
    error: BaseException | None
    _control: Control
    _lock: threading.RLock
    _ended: threading.Event

    # ---- steering ------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ends the run after the running step, with a checkpoint; ``resume`` goes on from there."""
        self._control.stop()

    def pause(self) -> None:
        """Waits after the running step."""
        self._control.pause()

    def go(self) -> None:
        """Goes on after a pause."""
        self._control.go()

    def step(self, steps: int = 1) -> None:
        """Makes so many steps, then pauses."""
        if steps < 1:
            raise BadArgument(f"steps is {steps}; it must be at least 1")
        self._control.step(steps)

    @property
    def rate(self) -> float | None:
        """The learning rate of the last step, or as it was set since."""
        return self.stepper.rate()

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate from the next step on; a policy goes on from there. It compiles nothing.

        Raises:
            BadArgument: It is below 0 or no number, or the net has no learning rate.
        """
        if not np.isfinite(rate) or rate < 0:
            raise BadArgument(f"rate is {rate}; it must be a number from 0 on")
        with self._lock:
            now, scale = self.stepper.rate(), self.stepper.scale()
            if now is None or now == 0 or scale == 0:
                now, scale = self.settings.notes.get("base_rate") or now, 1.0
            if not now:
                raise BadArgument("the learning rate is not known before the first step of this net")
            self.stepper.set_scale(rate / now * scale)
            self.mark(f"rate {rate:g}")

    def set_loss_scale(self, scale: float) -> None:
        """Sets what the loss is multiplied by before the gradients. It compiles nothing."""
        with self._lock:
            self.stepper.set_loss_scale(scale)
            self.mark(f"loss scale {scale:g}")

    def mark(self, text: str) -> None:
        """Notes something at this step; plots show it."""
        self.history.markers.append((self.steps_done, text))
        if self.keeper is not None:
            self.keeper.folder.event("marker", step=self.steps_done, text=text)

    # ---- looking -------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether no step will come."""
        return self._ended.is_set()

    @property
    def steps_planned(self) -> int | None:
        """How many steps there will be, where that is known."""
        if self.settings.steps is not None:
            return self.settings.steps
        if self.settings.epochs is not None and self.source.batches is not None:
            return self.settings.epochs * self.source.batches // self.settings.accumulate
        return None

    @property
    def metrics(self) -> dict[str, float]:
        """The latest numbers, those of the latest evaluation among them."""
        return self.history.latest()

    def curve(self, name: str) -> np.ndarray:
        """A column of the history: ``"loss"``, ``"rate"``, ..., one value a step."""
        return self.history.column(name)

    def fetch(self, blob: str) -> np.ndarray:
        """A copy of a blob, as the last step left it."""
        with self._lock:
            return self.stepper.workspace.fetch(str(blob))

    def fetch_all(self, blobs: Sequence[str]) -> dict[str, np.ndarray]:
        """Copies of several blobs of one and the same step."""
        with self._lock:
            return {str(name): self.stepper.workspace.fetch(str(name)) for name in blobs}

    def figures(self) -> dict[str, float | None]:
        """Steps and samples a second, seconds left, and the share of the time that was waited for data."""
        planned, speed = self.steps_planned, self.pace.steps_a_second()
        left = (planned - self.steps_done) / speed if planned is not None and speed else None
        return {
            "steps_a_second": speed,
            "samples_a_second": speed * self.settings.batch * self.settings.accumulate,
            "seconds_left": left,
            "input_wait": self.pace.input_wait(),
        }

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the end; false where it has not come within ``seconds``.

        Raises:
            BaseException: What made the run fail.
        """
        if not self._ended.wait(seconds):
            return False
        if self.error is not None:
            raise self.error
        return True

    def wait_until(self, condition: Callable[[Any], bool], seconds: float = 60.0) -> bool:
        """Waits until ``condition(run)`` holds, or the run ends; false where neither came."""
        until = time.monotonic() + seconds
        while not condition(self) and not self.ended:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def profile(self, runs: int = 3) -> Profile:
        """Time, FLOPs and bytes of each operator of a step, on the blobs of the last one; the run is not changed."""
        with self._lock:
            blobs = dict(self.stepper.blobs)
        nets = [self.stepper.nets.step, *([self.stepper.nets.update] if self.stepper.nets.update else [])]
        return profile(nets, blobs, runs=runs)
