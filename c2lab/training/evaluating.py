"""How well a model does on data that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from c2lab.backend.workspaces import Workspace
from c2lab.training.preparing import TrainingNets
from c2lab.training.sources import Arrays

_WORST = 16


@dataclass
class Evaluation:
    """What one pass over the test data found.

    Attributes:
        values: Means of the metrics, each sample counting the same.
        confusion: Of a classifier: rows are true classes, columns are guesses.
        worst: Of a classifier: (sample, true class, guess, probability of the true class), worst first.
    """

    values: dict[str, float]
    confusion: np.ndarray | None = None
    worst: list[tuple[int, int, int, float]] = field(default_factory=list)


class Evaluator:
    """Runs the forward part over test data, with the parameters of a run as they are now.

    Args:
        nets: The nets of the run.
        arrays: The test data by blob name.
        batch: Samples at a time.
    """

    def __init__(self, nets: TrainingNets, arrays: Mapping[str, Any], batch: int) -> None:
        self.nets = nets
        self.data = Arrays(arrays, batch, shuffle=False, whole=False)
        self._workspace = Workspace("evaluating", seed=0)
        self._executable: Any = None

    def run(self, blobs: Mapping[str, Any], may_go_on: Callable[[], bool] = lambda: True) -> Evaluation | None:
        """One pass.

        Args:
            blobs: Those of the run, of which none is changed.
            may_go_on: Asked before each batch; where it is false, the result is ``None``.
        """
        self.data.restore({"epoch": 0, "position": 0})
        mine = self._workspace.blobs
        made = {name for op in self.nets.forward.op for name in op.output}
        found = {name: blobs[name] for op in self.nets.forward.op for name in op.input if name in blobs}
        self._workspace.blobs.update({k: v for k, v in found.items() if k not in made or k in self.nets.state})
        if self._executable is None:
            self._executable = self._workspace.create(self.nets.forward, input_blobs=list(self.data.arrays))
        metrics = [name for name in self.nets.metrics if name in made]
        totals = dict.fromkeys(metrics, 0.0)
        guesses: list[np.ndarray] = []
        for start in range(0, self.data.samples, self.data.batch):
            if not may_go_on():
                return None
            batch = self.data.next()
            assert batch is not None
            size = min(self.data.batch, self.data.samples - start)
            for name, value in batch.arrays.items():
                self._workspace.feed(name, value)
            self._executable.run_beside(mine)
            for name in metrics:
                totals[name] += float(np.asarray(mine[name]).reshape(())) * size
            if self.nets.prediction is not None:
                guesses.append(np.asarray(mine[self.nets.prediction]))
        values = {name: total / self.data.samples for name, total in totals.items()}
        return self._classified(values, guesses)

    def _classified(self, values: dict[str, float], guesses: list[np.ndarray]) -> Evaluation:
        label = self.nets.label
        if not guesses or label not in self.data.arrays or any(part.ndim != 2 for part in guesses):
            return Evaluation(values)
        scores = np.concatenate(guesses)
        truth = self.data.arrays[label].reshape(-1)
        return Evaluation(values, confusion_matrix(truth, scores.argmax(1), scores.shape[1]), worst(truth, scores))


def confusion_matrix(truth: np.ndarray, guesses: np.ndarray, classes: int) -> np.ndarray:
    """How often class (row) was taken for class (column).

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
        array([[1, 0],
               [1, 1]])
    """
    counts = np.bincount(truth.astype(np.int64) * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes)


def worst(truth: np.ndarray, scores: np.ndarray, most: int = _WORST) -> list[tuple[int, int, int, float]]:
    """The mistakes with the least probability for the truth: (sample, true class, guess, that probability).

    Example:
        >>> worst(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
        [(1, 1, 0, 0.25)]
    """
    guesses = scores.argmax(1)
    right = scores[np.arange(len(truth)), truth]
    wrong = np.flatnonzero(guesses != truth)
    order = wrong[np.argsort(right[wrong], kind="stable")][:most]
    return [(int(k), int(truth[k]), int(guesses[k]), float(right[k])) for k in order]
