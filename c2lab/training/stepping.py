"""One step of training, and the state that it leaves: nothing is overwritten in place.

The nets run without donating their blobs' memory. So the arrays of the last step are a whole, old state
at no cost: anyone may read them while the next step runs, a checkpoint is written of them without a copy,
and a step that went wrong is taken back by keeping them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from c2lab.backend.run import Executable
from c2lab.backend.workspaces import Workspace
from c2lab.errors import BadArgument, MissingBlob
from c2lab.proto import caffe2_pb2
from c2lab.training.preparing import LOSS_SCALE, RATE_SCALE, SQUARE_SUM, TrainingNets

Batches = Sequence[Mapping[str, Any]]


class Stepper:
    """The nets of a run in a workspace of their own.

    Args:
        nets: The nets.
        found: Blobs that the nets read and do not fill are taken from here.
        seed: Of everything random.
        start: Blobs that win over the init net's fills: a model that has learnt already.

    Attributes:
        inputs: What batches bring, once that is known.
    """

    def __init__(
        self, nets: TrainingNets, found: Mapping[str, Any], seed: int, start: Mapping[str, Any] | None = None
    ) -> None:
        self.nets = nets
        self.workspace = Workspace("training", seed=seed)
        self.blobs = self.workspace.blobs
        self.workspace.run_once(nets.init)
        self.inputs: list[str] | None = None
        for name in self.outside():
            if name not in self.blobs and name in found:
                self.workspace.feed(name, found[name])
            if start is not None and name in start and hasattr(start[name], "shape"):
                self.workspace.feed(name, start[name])
        self._step: Executable | None = None
        self._update: Executable | None = None

    def outside(self) -> list[str]:
        """The blobs that the nets find, in order."""
        nets = [self.nets.step, *([self.nets.update] if self.nets.update else [])]
        return list(dict.fromkeys(name for net in nets for name in _outside(net)))

    def create(self, inputs: Sequence[str]) -> None:
        """Makes the nets ready, for batches that bring ``inputs``.

        Raises:
            MissingBlob: Something that the net reads comes from nowhere.
        """
        missing = [name for name in _outside(self.nets.step) if name not in self.blobs and name not in inputs]
        if missing:
            raise MissingBlob(
                f"the net reads {', '.join(missing)}, which neither its init net fills nor the data brings "
                f"(the data brings {', '.join(inputs) or 'nothing'}), and which is not in the workspace"
            )
        self.inputs = list(inputs)
        self._step = self.workspace.create(self.nets.step, overwrite=True, input_blobs=inputs)
        if self.nets.update is not None:
            made = [name for op in self.nets.step.op for name in op.output]
            self._update = self.workspace.create(self.nets.update, overwrite=True, input_blobs=made)

    def run(self, batches: Batches) -> dict[str, float]:
        """One step over one batch, or over several whose gradients are added up; returns the metrics.

        Raises:
            C2LabError: An operator failed; the state is that before the step.
        """
        if self._step is None:
            self.create(list(batches[0]))
        assert self._step is not None
        before, random = self.state(), self.workspace.random_state()
        try:
            totals = dict.fromkeys(self.nets.metrics, 0.0)
            for batch in batches:
                self.blobs.update(batch)
                self._step.run_beside(self.blobs)
                for name in totals:
                    totals[name] += _number(self.blobs, name)
            if self._update is not None:
                self._update.run_beside(self.blobs)
        except BaseException:
            self.blobs.update(before)
            self.workspace.restore_random_state(random)
            raise
        return {name: total / len(batches) for name, total in totals.items()}

    def finite(self, metrics: Mapping[str, float]) -> bool:
        """Whether the loss and every parameter are numbers still."""
        if not math.isfinite(metrics[self.nets.loss]):
            return False
        held = self.blobs.get(SQUARE_SUM)
        return held is None or not hasattr(held, "shape") or bool(np.isfinite(np.asarray(held)).all())

    def state(self) -> dict[str, Any]:
        """The arrays that the next step starts from; they are never overwritten."""
        return {name: self.blobs[name] for name in self.kept() if hasattr(self.blobs.get(name), "dtype")}

    def kept(self) -> list[str]:
        """The blobs that a checkpoint holds: all that the nets find, without those of a batch."""
        made_by_step = {name for op in self.nets.step.op for name in op.output}
        lasting = set(self.nets.state)
        brought = self.inputs
        if brought is None:
            brought = [name for name in self.nets.inputs if name not in self.blobs]
        return [name for name in self.outside()
                if name not in brought and (name not in made_by_step or name in lasting)]  # fmt: skip

    def rate(self) -> float | None:
        """The learning rate of the last step, or as it was set since; ``None`` where the net has none of its own."""
        held = self.blobs.get(self.nets.rates[0]) if self.nets.rates else None
        return abs(float(np.asarray(held).reshape(-1)[0])) if hasattr(held, "shape") else None

    def scale(self) -> float:
        """What every learning rate is multiplied by."""
        return float(np.asarray(self.blobs[RATE_SCALE]).reshape(-1)[0])

    def set_scale(self, scale: float) -> None:
        """Multiplies every learning rate by ``scale`` from the next step on."""
        if not self.nets.rates:
            raise BadArgument("the net has no LearningRate operator, so there is no rate to set")
        before = self.scale()
        self.workspace.feed(RATE_SCALE, np.full(1, scale, np.float32))
        for name in self.nets.rates if before else ():
            # The step makes its rates anew; until then they say what is set, also to whoever sets it again.
            held = self.blobs.get(name)
            if hasattr(held, "shape"):
                self.workspace.feed(name, np.asarray(held) * np.float32(scale / before))

    def set_loss_scale(self, scale: float) -> None:
        """Multiplies the loss by ``scale`` before the gradients, and divides them by it."""
        if LOSS_SCALE not in self.blobs:
            raise BadArgument("the run has no loss scale; start it with loss_scale=...")
        self.workspace.feed(LOSS_SCALE, np.full(1, scale, np.float32))


def _outside(net: caffe2_pb2.NetDef) -> list[str]:
    made: set[str] = set()
    found: dict[str, None] = {}
    for op in net.op:
        found.update(dict.fromkeys(name for name in op.input if name not in made))
        made.update(op.output)
    return list(found)


def _number(blobs: Mapping[str, Any], name: str) -> float:
    value = np.asarray(blobs[name])
    if value.size != 1:
        raise BadArgument(f"metric {name} has shape {value.shape}; a metric is one number")
    return float(value.reshape(()))
