"""A training run: a loop in the background that one can watch, steer, stop and resume."""

from __future__ import annotations

import atexit
import importlib
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from c2lab.backend.workspaces import Workspace
from c2lab.errors import BadArgument, BadValue
from c2lab.training import checkpoints
from c2lab.training.control import Control
from c2lab.training.evaluating import Evaluation, Evaluator
from c2lab.training.history import History
from c2lab.training.keeping import Keeper
from c2lab.training.nan_guard import Fault, find_fault
from c2lab.training.pace import Pace
from c2lab.training.prefetch import Prefetcher
from c2lab.training.run_folder import RunFolder
from c2lab.training.sources import Source, readers_state, restore_readers
from c2lab.training.steering import Steered
from c2lab.training.stepping import Stepper
from c2lab.training.stopping import EarlyStopping

Callback = Callable[["TrainingRun"], Any]
_ENDED = ("done", "stopped", "failed")
_running: weakref.WeakSet[TrainingRun] = weakref.WeakSet()


@dataclass
class Settings:
    """How a run goes on; all of it is kept in its folder."""

    name: str = "run"
    epochs: int | None = None
    steps: int | None = None
    batch: int = 64
    accumulate: int = 1
    seed: int = 0
    guard: bool = True
    evaluate_every: int | None = None
    checkpoint_every: int | None = None
    checkpoint_seconds: float | None = 30.0
    depth: int = 2
    notes: dict[str, Any] = field(default_factory=dict)


class TrainingRun(Steered):
    """What ``train`` returns.

    Everything may be called from any thread, and while the run goes on; what is asked happens at the
    end of the running step.

    Attributes:
        name: Of the run.
        folder: Where it is kept, or ``None``.
        history: Every number of every step.
        state: ``"running"``, ``"paused"``, ``"done"``, ``"stopped"`` or ``"failed"``.
        steps_done, epoch: How far it is.
        error: What ended it, where it failed.
        early: Early stopping, or ``None``.
        keeper: What writes the run's folder, or ``None``.
        fault: The first operator and blob that went bad, where the guard stopped it.
        evaluation: The latest evaluation.
    """

    def __init__(
        self,
        settings: Settings,
        stepper: Stepper,
        source: Source,
        *,
        evaluator: Evaluator | None = None,
        folder: Path | None = None,
        callbacks: Sequence[Any] = (),
        early: EarlyStopping | None = None,
        target: Workspace | None = None,
        history: History | None = None,
    ) -> None:
        self.settings, self.name, self.folder = settings, settings.name, folder
        self.history = history or History([*stepper.nets.metrics, "rate", "epoch", "seconds"])
        self.state, self.error, self.fault = "running", None, None
        self.steps_done, self.epoch = 0, 0
        self.evaluation: Evaluation | None = None
        self.stepper, self.source, self.evaluator = stepper, source, evaluator
        self.pace = Pace()
        self.callbacks, self.early, self._target = list(callbacks), early, target
        self._control, self._lock = Control(), threading.RLock()
        self.keeper = Keeper(self, RunFolder(folder, self.history)) if folder is not None else None
        self._source_state: Mapping[str, Any] = source.state()
        self._before_seconds = 0.0
        self._due = {"evaluation": False, "epoch": False}
        self._prefetch: Prefetcher | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"c2lab-{self.name}", daemon=True)

    def start(self) -> TrainingRun:
        """Begins; called once, by ``train`` and ``resume``."""
        _running.add(self)
        self._thread.start()
        return self

    def snapshot(self) -> Path:
        """Writes a checkpoint of now that stays; returns when it is safe on the disk.

        Raises:
            BadArgument: The run is not kept.
            OSError: It could not be written.
        """
        if self.keeper is None:
            raise BadArgument("the run is not kept, so there is no place for a snapshot; start it with keep=True")
        with self._lock:
            checkpoint = self.checkpoint()
        return self.keeper.snapshot(checkpoint)

    def checkpoint(self) -> checkpoints.Checkpoint:
        """The whole state after the last step."""
        blobs = self.stepper.blobs
        facts = {
            "epoch": self.epoch,
            "due": dict(self._due),
            "inputs": self.stepper.inputs,
            "random": self.stepper.workspace.random_state(),
            "source": self._source_state,
            "readers": readers_state(blobs),
            "early": self.early.state() if self.early else None,
            "callbacks": [c.state() if hasattr(c, "state") else None for c in self.callbacks],
            "seconds": self._before_seconds + self.pace.seconds,
        }
        return checkpoints.Checkpoint(self.steps_done, self.stepper.state(), facts)

    def restore(self, checkpoint: checkpoints.Checkpoint) -> None:
        """Goes back to a checkpoint; only before ``start``."""
        facts = checkpoint.facts
        self.stepper.blobs.update({name: _as_blob(value) for name, value in checkpoint.arrays.items()})
        blobs, wanted = self.stepper.blobs, self.stepper.nets.inputs
        brought = facts["inputs"]
        self.stepper.create([name for name in wanted if name not in blobs] if brought is None else brought)
        self.stepper.workspace.restore_random_state(facts["random"])
        restore_readers(self.stepper.blobs, facts["readers"])
        self.source.restore(facts["source"])
        self._source_state = facts["source"]
        self.steps_done, self.epoch = checkpoint.step, int(facts["epoch"])
        self._before_seconds, self._due = float(facts["seconds"]), dict(facts["due"])
        self.history.cut(self.steps_done)
        if self.early is not None and facts["early"] is not None:
            self.early.restore(facts["early"])
        for callback, state in zip(self.callbacks, facts["callbacks"], strict=False):
            if state is not None and hasattr(callback, "restore"):
                callback.restore(state)

    def __repr__(self) -> str:
        planned = f" of {self.steps_planned}" if self.steps_planned else ""
        return f"<TrainingRun {self.name!r}, {self.state}, step {self.steps_done}{planned}>"

    def panel(self) -> Any:
        """The live panel of this run; a notebook shows it for the run itself, too."""
        return importlib.import_module("c2lab.widgets.training_panel").panel(self)

    def _ipython_display_(self) -> None:
        try:
            shown = self.panel()
        except ImportError:  # no anywidget
            print(repr(self))
        else:
            shown._ipython_display_()

    def plot(self) -> Any:
        """The curves as a matplotlib figure, for a paper."""
        from c2lab.training.figures import curves

        return curves([self])

    # ---- the loop ------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            if self.keeper is not None:
                self.keeper.begin()
            self._prefetch = Prefetcher(self.source, self.settings.depth)
            self.state = self._loop()
        except BaseException as error:
            self.error, self.state = error, "failed"
        finally:
            self._end()

    def _loop(self) -> str:
        if (self._due["evaluation"] or self._due["epoch"]) and not self._between_steps():
            return "stopped" if self._control.stopped else "done"
        while not self._complete():
            if self._control.waiting:
                self.state = "paused"
                self.pace.rest()
            if not self._control.next_step():
                return "stopped"
            self.state = "running"
            if not self._one_step():
                return "stopped" if self._control.stopped else "done"
        return "done"

    def _complete(self) -> bool:
        settings = self.settings
        if settings.steps is not None and self.steps_done >= settings.steps:
            return True
        return settings.epochs is not None and self.epoch >= settings.epochs

    def _one_step(self) -> bool:
        """False where there are no more batches, or the run shall end."""
        assert self._prefetch is not None
        self.pace.begin()
        ready = []
        for _ in range(self.settings.accumulate):
            batch = self._prefetch.next(lambda: self._control.stopped)
            if batch is None:
                return False
            ready.append(batch)
        self.pace.waited(self._prefetch.waited)
        with self._lock:
            before, random = self.stepper.state(), self.stepper.workspace.random_state()
            metrics = self.stepper.run([batch.arrays for batch in ready])
            if self.settings.guard and not self.stepper.finite(metrics):
                self._take_back(before, random, [batch.arrays for batch in ready], metrics)
            ends_epoch = any(batch.ends_epoch for batch in ready)
            self.steps_done += 1
            self._source_state = ready[-1].state
            self.pace.end()
            seconds = self._before_seconds + self.pace.seconds
            self.history.add([*metrics.values(), self.stepper.rate() or 0.0, self.epoch + 1, seconds])
            self.epoch += ends_epoch
            every = self.settings.evaluate_every
            self._due = {
                "evaluation": self.evaluator is not None
                and (ends_epoch if every is None else self.steps_done % every == 0),
                "epoch": ends_epoch,
            }
        for callback in self.callbacks:
            if callable(callback):
                callback(self)
        return self._between_steps()

    def _between_steps(self) -> bool:
        """Evaluates and saves what is due; false where the run was stopped meanwhile, or has learnt enough."""
        ends_epoch, enough = self._due["epoch"], False
        if self._due["evaluation"] and self.evaluate() is None:
            return False  # stopped in the middle: resumed, it begins with this evaluation
        self._due = {"evaluation": False, "epoch": False}
        if ends_epoch:
            enough = self.early is not None and self.early.ends(self._epoch_values())
            self._tell("on_epoch")
        if self.keeper is not None:
            self.keeper.after_step(ends_epoch)
        return not enough

    def _epoch_values(self) -> dict[str, float]:
        """What early stopping looks at: the evaluation, else the means over the epoch."""
        if self.evaluation is not None:
            return self.evaluation.values
        rows = self.history.rows()
        rows = rows[rows[:, self.history.names.index("epoch")] == self.epoch]
        return {name: float(rows[:, k].mean()) for k, name in enumerate(self.history.names)}

    def evaluate(self) -> Evaluation | None:
        """Tests the model as it is now; ``None`` where the run was stopped meanwhile.

        Raises:
            BadArgument: The run was started without data for it.
        """
        if self.evaluator is None:
            raise BadArgument("there is nothing to evaluate with; start the run with evaluate=(inputs, labels)")
        with self._lock:
            step, blobs = self.steps_done, dict(self.stepper.blobs)
        inside = threading.current_thread() is self._thread
        found = self.evaluator.run(blobs, self._control.may_go_on if inside else lambda: True)
        if found is not None:
            self.evaluation = found
            values = {f"test_{name}": value for name, value in found.values.items()}
            self.history.tested(step, values)
            if self.keeper is not None:
                self.keeper.folder.event("evaluation", step=step, epoch=self.epoch, values=values)
        return found

    def _take_back(
        self,
        before: Mapping[str, Any],
        random: Mapping[str, Any],
        batches: Sequence[Mapping[str, Any]],
        metrics: Mapping[str, float],
    ) -> None:
        self.fault = find_fault(self.stepper, before, random, batches)
        self.stepper.blobs.update(before)
        self.stepper.workspace.restore_random_state(random)
        step = self.steps_done + 1
        values = ", ".join(f"{name} {value:g}" for name, value in metrics.items())
        where = str(self.fault) if self.fault else f"no operator makes a bad number of good ones, but {values}"
        self.mark(f"stopped before step {step}: {where}")
        raise NotFinite(
            f"step {step} made numbers that are none: {where} ({values}). "
            f"The run was stopped; the state of step {self.steps_done} is kept",
            self.fault,
        )

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            if event and hasattr(callback, event):
                getattr(callback, event)(self)

    def _end(self) -> None:
        try:
            if self._prefetch is not None:
                self._prefetch.close()
            if self._target is not None:
                self._hand_over(self._target)
            if self.keeper is not None:
                self.keeper.end()
            self._tell("on_end")
        except BaseException as error:
            if self.error is None:
                self.error, self.state = error, "failed"
        finally:
            self._ended.set()

    def _hand_over(self, target: Workspace) -> None:
        """Copies what the run has learnt to the workspace from which it was started."""
        for name, value in list(self.stepper.blobs.items()):
            if hasattr(value, "dtype") and not name.startswith("training_") and "_training_" not in name:
                target.feed(name, value)


def running() -> list[TrainingRun]:
    """The runs of this process that have not ended."""
    return [run for run in list(_running) if not run.ended]


class NotFinite(BadValue):
    """A loss or a parameter is no number any more; ``fault`` names where it began."""

    def __init__(self, message: str, fault: Fault | None) -> None:
        super().__init__(message)
        self.fault = fault


def _as_blob(value: np.ndarray) -> Any:
    from c2lab.backend.blobs import to_device

    return to_device(value)


@atexit.register
def _end_all() -> None:
    """Lets running steps end before the process does: XLA must not be cut off in one."""
    for run in list(_running):
        run.stop()
    for run in list(_running):
        run._thread.join(10)
