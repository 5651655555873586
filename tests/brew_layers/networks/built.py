"""A network in a model, with the shapes that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.model_helper import ModelHelper


def built(build: Callable[..., Any], shape: list[int], **arguments: Any) -> tuple[ModelHelper, list[int], int]:
    """The model, the shape of the scores for data of ``shape``, and the number of parameters."""
    model = ModelHelper("built")
    scores = build(model, "data", shape[1], 1000, **arguments)
    shapes, _ = workspace.InferShapesAndTypes([model.param_init_net, model.net], {"data": shape})
    return model, shapes[str(scores)], sum(int(np.prod(shapes[str(param)])) for param in model.params)


def types(model: ModelHelper) -> dict[str, int]:
    """How often each operator appears."""
    found = [op.type for op in model.Proto().op]
    return {kind: found.count(kind) for kind in sorted(set(found))}
