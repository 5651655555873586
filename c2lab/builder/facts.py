"""What follows from a scene once shapes are known: texts for edges, problems at their cause, totals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from c2lab.graph.document import Document
from c2lab.graph.live_shapes import LiveShapes, document_shapes
from c2lab.graph.shapes import ShapeAndType
from c2lab.graph.view import shape_text

_LONGEST = 2000


def shape_label(known: ShapeAndType | None) -> str:
    """A shape as it stands at a wire: ``(N,20,24,24)``, with the type where that is not float32.

    Example:
        >>> shape_label(ShapeAndType((2, 3), "int32"))
        '(2,3) int32'
    """
    if known is None:
        return ""
    sizes = ",".join(str(size).replace(" ", "") for size in known.shape)
    return f"({sizes})" + ("" if known.dtype == "float32" else f" {known.dtype}")


def facts_of(
    document: Document, version: int, scene: Mapping[str, Any], more: Mapping[str, ShapeAndType] | None = None
) -> dict[str, Any]:
    """The facts that go with a scene.

    Args:
        document: The document.
        version: The scene's version.
        scene: The scene; its edges are labelled.
        more: Shapes known from elsewhere (the workspace), by blob.
    """
    live = document_shapes(document, more)
    place = {node: k for k, node in enumerate(document.ids)}
    outside = document.outside()
    known_inputs = {node: live_input(live, document, blob) or (more or {}).get(blob) for node, blob in outside.items()}
    shapes = {}
    for edge in scene["edges"]:
        target, _, slot = edge["id"].rpartition(".")
        if target in place and slot.isdecimal() and int(slot) < len(live.inputs[place[target]]):
            label = shape_label(live.inputs[place[target]][int(slot)])
        elif edge["count"] == 1 and edge["source"] in place:
            label = shape_label(live.outputs[place[edge["source"]]][edge["output"]])
        else:
            label = shape_label(live.blobs.get(edge["blob"])) if edge["count"] == 1 else ""
        if label:
            shapes[edge["id"]] = label
    outputs = {
        node: [shape_label(shape) for shape in live.outputs[k]] for node, k in place.items() if any(live.outputs[k])
    }
    outputs.update({node: [shape_label(shape)] for node, shape in known_inputs.items() if shape is not None})
    ids = document.ids
    return {
        "version": version,
        "shapes": shapes,
        "outputs": outputs,
        "problems": [
            {"node": ids[k], "message": message[:_LONGEST], "cause": True}
            for k, message in sorted(live.problems.items())
        ],
        "incomplete": {ids[k]: message[:_LONGEST] for k, message in live.incomplete.items()},
        "grey": [ids[k] for k in sorted(live.grey)],
        "totals": totals(document, live),
    }


def live_input(live: LiveShapes, document: Document, blob: str) -> ShapeAndType | None:
    """The shape of a blob from outside, as its first reader finds it."""
    for op, inputs in zip(document.net.op, live.inputs, strict=True):
        for name, shape in zip(op.input, inputs, strict=True):
            if name == blob:
                return shape
        if blob in op.output:
            break
    return live.blobs.get(blob)


def totals(document: Document, live: LiveShapes) -> dict[str, Any]:
    """Counts of the whole net: operators, parameters and the numbers in them."""
    values = 0
    known = True
    for name in document.parameters:
        shape = live.blobs.get(name)
        if shape is None or not all(isinstance(size, int) for size in shape.shape):
            known = False
        else:
            values += math.prod(shape.shape)
    return {
        "operators": len(document.net.op),
        "parameters": len(document.parameters),
        "values": values if known or values else None,
        "values_complete": known,
        "text": _totals_text(len(document.net.op), values),
    }


def _totals_text(operators: int, values: int) -> str:
    told = f"{operators} operator{'s' * (operators != 1)}"
    return f"{told}, {values:,} parameters" if values else told


def bytes_of(known: ShapeAndType | None, batch: int = 1) -> int | None:
    """The bytes of a blob, with ``batch`` for the sizes that are open; ``None`` where the shape is not known."""
    if known is None:
        return None
    import numpy as np

    count = math.prod(size if isinstance(size, int) else open_size(size, batch) for size in known.shape)
    return count * np.dtype(known.dtype).itemsize


def open_size(size: Any, batch: int) -> int:
    """A size with symbols in it, where each of them is ``batch``."""
    names = {str(name): batch for term in str(size).replace("*", " ").split() for name in [term] if name.isidentifier()}
    return int(size._evaluate(names))


__all__ = ["bytes_of", "facts_of", "open_size", "shape_label", "shape_text", "totals"]
