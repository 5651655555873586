"""Inputs that a canvas offers: blobs from outside with shapes, and where samples for them come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from c2lab.graph.canvas import DTYPES, InputShape
from c2lab.graph.document import Document
from c2lab.graph.edit import add_input


class InputKind(NamedTuple):
    """Blobs that come together."""

    summary: str
    blobs: Mapping[str, InputShape | None]


INPUTS: dict[str, InputKind] = {
    "digits": InputKind(
        "Handwritten digits: pictures of 28 x 28 pixels, and which digit it is.",
        {"data": InputShape(("N", 1, 28, 28)), "label": InputShape(("N",), "int32")},
    ),
    "pictures": InputKind(
        "Colour pictures of 224 x 224 pixels, and their classes.",
        {"data": InputShape(("N", 3, 224, 224)), "label": InputShape(("N",), "int32")},
    ),
    "table": InputKind("Rows of 16 numbers.", {"data": InputShape(("N", 16))}),
    "text": InputKind(
        "Characters as numbers, a sequence a column, and the ones that follow them.",
        {"data": InputShape(("T", "N"), "int32"), "target": InputShape(("T", "N"), "int32")},
    ),
    "blob": InputKind("One blob from outside, whose shape you say.", {"input": None}),
}


def place_input(document: Document, kind: InputKind, at: tuple[float, float] | None) -> tuple[Document, list[str]]:
    """Puts the blobs of an input on the canvas, under free names."""
    placed = []
    for row, (blob, known) in enumerate(kind.blobs.items()):
        name = blob if blob not in document.names() else document.fresh_name(f"{blob}_")
        place = None if at is None else (at[0], at[1] + 60.0 * row)
        document, node = add_input(document, name, known, place)
        placed.append(node)
    return document, placed


def given_values(inputs: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
    """Those inputs of a caller that are arrays, and so have values.

    Example:
        >>> given_values({"x": np.zeros(2), "y": ("N", 3)})
        {'x': array([0., 0.])}
    """
    return {str(blob): np.asarray(given) for blob, given in (inputs or {}).items() if hasattr(given, "__array__")}


def said_inputs(inputs: Mapping[str, Any] | None) -> dict[str, InputShape]:
    """Shapes of inputs as a caller gives them: arrays, shapes (float32 is meant), or pairs of shape and type.

    Raises:
        ValueError: One of them is none of these.

    Example:
        >>> said_inputs({"label": (("N",), "int32")})
        {'label': InputShape(shape=('N',), dtype='int32')}
    """
    found = {}
    for blob, given in (inputs or {}).items():
        shape, dtype = getattr(given, "shape", given), str(getattr(given, "dtype", "float32"))
        if isinstance(shape, (tuple, list)) and len(shape) == 2 and isinstance(shape[0], (tuple, list)):
            shape, dtype = shape[0], str(shape[1])
        if not isinstance(shape, (tuple, list)) or not all(isinstance(size, (int, str)) for size in shape):
            raise ValueError(f"the shape of {blob!r} must be sizes, such as ('N', 1, 28, 28), not {given!r}")
        if dtype not in DTYPES:
            raise ValueError(f"the type of {blob!r} must be one of {', '.join(DTYPES)}, not {dtype}")
        found[str(blob)] = InputShape(tuple(shape), dtype)
    return found
