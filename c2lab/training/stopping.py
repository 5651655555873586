"""Ending early, when nothing gets better any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class EarlyStopping:
    """Ends a run when a metric has not got better for some epochs.

    Args:
        metric: Of the evaluation where there is one, else of the training steps: ``"loss"``.
        patience: How many epochs in a row may bring nothing.
        least: What counts as better.
        largest: Whether more is better; where left out, for everything whose name says accuracy.

    Example:
        >>> early = EarlyStopping(patience=2)
        >>> [early.ends({"loss": value}) for value in (1.0, 0.5, 0.6, 0.5)]
        [False, False, False, True]
    """

    metric: str = "loss"
    patience: int = 3
    least: float = 0.0
    largest: bool | None = None
    best: float = math.nan
    waited: int = 0

    def ends(self, values: Mapping[str, float]) -> bool:
        """Takes in the values of an epoch; true where it is enough.

        Raises:
            KeyError: There is no such metric.
        """
        if self.metric not in values:
            raise KeyError(f"early stopping waits for {self.metric}; there are {', '.join(values)}")
        value = values[self.metric]
        upwards = "acc" in self.metric.lower() if self.largest is None else self.largest
        gain = value - self.best if upwards else self.best - value
        if math.isnan(self.best) or gain > self.least:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"best": self.best, "waited": self.waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where ``state`` was taken."""
        self.best, self.waited = float(state["best"]), int(state["waited"])
