"""c2lab: Caffe2's nets and workspaces for the notebook, run by JAX and XLA.

``from c2lab import core, workspace, brew, model_helper, optimizer`` is Caffe2's spelling;
``import c2lab as c2`` is the short one. Everything is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = ("brew", "core", "model_helper", "optimizer", "plan", "predictor", "proto", "workspace")
_NAMES = {
    "Net": "c2lab.core",
    "Plan": "c2lab.plan",
    "ModelHelper": "c2lab.model_helper",
    "Workspace": "c2lab.workspace",
    "Predictor": "c2lab.workspace",
    "build": "c2lab.widgets.net_builder",
    "diff": "c2lab.widgets.net_builder",
    "operator": "c2lab.operators.definition",
    "host_operator": "c2lab.operators.definition",
    "run": "c2lab.eager",
    "show": "c2lab.widgets.net_viewer",
    "show_images": "c2lab.widgets.patches",
    "summary": "c2lab.graph.summary",
    "train": "c2lab.training.start",
    "resume": "c2lab.training.resuming",
    "runs": "c2lab.training.runs",
    "TrainingPlot": "c2lab.widgets.training_plot",
}

__all__ = [*_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"c2lab.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'c2lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
