"""Puts what a function of ``brew`` adds to a model onto a canvas: operators, parameters and fillers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import Draft
from c2lab.graph.edit import edge_end
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference
from c2lab.nets.scopes import NameScope
from c2lab.proto import caffe2_pb2

Build = Callable[[ModelHelper, list[BlobReference], str], Any]

_PLACEHOLDER = "c2lab_unwired_"
"""Stands for an input that has no wire, while ``brew`` builds."""


def graft(
    document: Document,
    build: Build,
    stem: str,
    inputs: Sequence[tuple[str, int] | str | None],
    *,
    splice: str | None = None,
    at: tuple[float, float] | None = None,
    exact: bool = False,
) -> tuple[Document, list[str]]:
    """Adds what ``build(model, blobs, name)`` builds; returns the document and the ids of its operators.

    Args:
        document: The document.
        build: Adds operators and parameters to an empty model.
        stem: The beginning of the name that it gets.
        inputs: For each blob that it reads: a box and its output, a blob from outside by its name, or ``None``.
        splice: An edge to be put into; it takes the place of the first input.
        at: The place of the first operator on the canvas.
        exact: Whether the name is ``stem`` itself where that is free.
    """
    draft = Draft(document)
    reader = None
    wired: list[tuple[str | None, str] | None] = []
    for given in inputs:
        if given is None or isinstance(given, str):
            wired.append(None if given is None else (None, given))
        else:
            wired.append(draft.source(*given))
    if splice is not None:
        target, slot = edge_end(document, splice)
        reader = draft.part(target), slot
        wired[0] = reader[0].sources[slot], reader[0].op.input[slot]
    blobs = [f"{_PLACEHOLDER}{k}" for k in range(len(inputs))]
    model = _built(document, build, stem, blobs, exact)
    taken_over = dict(zip(blobs, wired, strict=True))
    placed = _insert(draft, model, taken_over)
    if reader is not None and placed:
        last = draft.part(placed[-1])
        if not last.op.output:
            raise EditRefused("it has no output that could go on")
        draft.wire(reader[0], reader[1], last.id, last.op.output[0])
    if at is not None and placed:
        draft.change_canvas(positions={**draft.canvas.positions, placed[0]: at})
    return draft.document(), placed


def _built(document: Document, build: Build, stem: str, blobs: list[str], exact: bool) -> ModelHelper:
    """A model with what is built, under a name that makes all of its blobs free ones."""
    taken = document.names()
    for number in range(0 if exact else 1, 10_000):
        name = f"{stem}{number}" if number else stem
        if name in taken:
            continue
        model = ModelHelper("canvas_scratch")
        # A template whose names are taken goes into a scope of its own.
        with NameScope(name if exact and number else "", reset=True):
            # References, because text would be put into the name scopes that the function opens.
            build(model, [BlobReference(blob) for blob in blobs], name)
        made = {
            blob
            for net in (model.net.Proto(), model.param_init_net.Proto())
            for op in net.op
            for blob in (*op.input, *op.output)
            if not blob.startswith(_PLACEHOLDER)
        }
        if not made & taken:
            return model
    raise EditRefused(f"there is no free name that begins with {stem!r}")


def _insert(draft: Draft, model: ModelHelper, wired: Mapping[str, tuple[str | None, str] | None]) -> list[str]:
    init = caffe2_pb2.NetDef()
    init.CopyFrom(draft.init)
    init.op.extend(model.param_init_net.Proto().op)
    draft.init = init
    weights, biases = set(map(str, model.weights)), set(map(str, model.biases))
    for blob in map(str, model.params):
        draft.parameters[blob] = "weight" if blob in weights else "bias" if blob in biases else ""
    draft.parameters |= {str(blob): "computed" for blob in model.GetComputedParams("")}
    sources = [source[0] for source in wired.values() if source is not None and source[0] is not None]
    order = [part.id for part in draft.parts]
    behind = max(sources, key=order.index, default=None)
    writer: dict[str, str] = {}
    placed = []
    for op in model.net.Proto().op:
        part = draft.insert(op, [writer.get(name) for name in op.input], behind)
        for slot in reversed(range(len(part.op.input))):
            name = part.op.input[slot]
            if name in wired:
                source = wired[name]
                if source is None:
                    draft.cut(part, slot)
                else:
                    draft.wire(part, slot, *source)
        writer.update(dict.fromkeys(part.op.output, part.id))
        placed.append(part.id)
        behind = part.id
    return placed
