"""When a run writes what: numbers as they come, checkpoints after epochs and some time."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from c2lab.training import checkpoints, kept_data
from c2lab.training.run_folder import CHECKPOINTS, RunFolder, versions
from c2lab.training.sources import Arrays, ReaderNet

if TYPE_CHECKING:
    from c2lab.training.run import TrainingRun


class Keeper:
    """Writes a run's folder while it goes on.

    Args:
        run: The run.
        folder: Its folder.
    """

    def __init__(self, run: TrainingRun, folder: RunFolder) -> None:
        self.run, self.folder = run, folder
        self._writer: checkpoints.Writer | None = None
        self._saved_at = time.monotonic()
        self._saved_step = -1
        self._failure: OSError | None = None

    @property
    def writer(self) -> checkpoints.Writer:
        """The thread that writes checkpoints, begun when it is first needed."""
        if self._writer is None:
            place = self.folder.path / CHECKPOINTS
            self._writer = checkpoints.Writer(
                place, before=self.folder.force, written=self._written, failed=self._failed
            )
        return self._writer

    def _written(self, path: Path) -> None:
        self._failure = None
        self.folder.event("checkpoint", file=path.name)

    def _failed(self, error: OSError) -> None:
        self._failure = error
        self.folder.event("checkpoint failed", reason=str(error))

    def write_start(self) -> None:
        """What does not change: settings, nets, data."""
        run, nets = self.run, self.run.stepper.nets
        protos = {"init_net": nets.init, "train_net": nets.step, "test_net": nets.forward}
        if nets.update is not None:
            protos["update_net"] = nets.update
        roles = {key: value for key, value in vars(nets).items() if key not in ("init", "step", "update", "forward")}
        config: dict[str, Any] = {
            "settings": dataclasses.asdict(run.settings),
            "columns": list(run.history.names),
            "nets": roles,
            "data": run.source.described(),
            "evaluation": run.evaluator.data.described() if run.evaluator else None,
            "early_stopping": dataclasses.asdict(run.early) if run.early else None,
            "versions": versions(),
            "started": time.time(),
        }
        named = run.settings.notes.get("data_set")
        for part, holder in (("data", run.source), ("evaluation", run.evaluator and run.evaluator.data)):
            if isinstance(holder, Arrays) and not named:
                config[part]["kept"] = kept_data.save(self.folder.path.parent, holder.arrays)
        if isinstance(run.source, ReaderNet):
            protos["data_net"] = run.source.net
            if run.source.init is not None:
                protos["data_init_net"] = run.source.init
        self.folder.write_start(config, protos)

    def begin(self) -> None:
        """A checkpoint of the very beginning, so that there always is one."""
        self.folder.event("started", step=self.run.steps_done)
        self._save()

    def after_step(self, ends_epoch: bool) -> None:
        """Writes what is due; none of it waits for the disk."""
        self.folder.flush()
        settings, run = self.run.settings, self.run
        due = ends_epoch
        if settings.checkpoint_every is not None:
            due = run.steps_done % settings.checkpoint_every == 0
        elif settings.checkpoint_seconds is not None:
            due = due or time.monotonic() - self._saved_at > settings.checkpoint_seconds
        if due and not self.writer.busy:
            self._save()

    def _save(self, *, pinned: bool = False) -> Any:
        self._saved_at, self._saved_step = time.monotonic(), self.run.steps_done
        self.folder.flush(now=True)
        return self.writer.save(self.run.checkpoint(), pinned=pinned)

    def snapshot(self, checkpoint: checkpoints.Checkpoint) -> Path:
        """Writes a checkpoint that stays, and waits for it."""
        self.writer.save(checkpoint, pinned=True).wait()
        if self._failure is not None:
            raise self._failure
        return checkpoints.path_of(self.folder.path / CHECKPOINTS, checkpoint.step)

    def end(self) -> None:
        """The last numbers and the last checkpoint, safe on the disk."""
        run = self.run
        if self._saved_step != run.steps_done:
            self._save()
        self.folder.flush(now=True)
        self.writer.close()
        with contextlib.suppress(OSError):
            self.folder.force()
        self.folder.event(
            "ended", state=run.state, step=run.steps_done, epoch=run.epoch,
            error=f"{type(run.error).__name__}: {run.error}"[:2000] if run.error else None,
        )  # fmt: skip
