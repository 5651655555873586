"""Who runs a net for a canvas: the current workspace, and XLA's analysis of what operators cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab import workspace
from c2lab.graph.shapes import ShapeAndType


class Runner:
    """Runs over the current workspace; a canvas is given one and knows no more of devices and blobs."""

    def shapes(self, blobs: Iterable[str]) -> dict[str, ShapeAndType]:
        """Shapes and types of the blobs that are there."""
        found = {}
        for name in blobs:
            value = workspace.current().blobs.get(name)
            if hasattr(value, "shape") and hasattr(value, "dtype"):
                found[name] = ShapeAndType(tuple(value.shape), str(value.dtype))
        return found


def runner_for() -> Any:
    """The runner over the current workspace."""
    return Runner()
