"""Layers of ``brew`` as the palette offers them: each drops its operators, parameters and fillers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from c2lab import brew
from c2lab.builder.grafting import graft
from c2lab.builder.palette_entry import Entry
from c2lab.graph.document import Document
from c2lab.graph.edit import edge_end
from c2lab.graph.live_shapes import document_shapes, output_shape
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference

Shape = tuple[Any, ...]


@dataclass(frozen=True)
class Layer:
    """A layer: how many blobs it reads, and the call that adds it.

    ``build(model, blobs, name, channels, width)`` gets, of the first blob, the channels and the values a
    sample; 1 where they are not known yet.
    """

    name: str
    stem: str
    build: Callable[[ModelHelper, list[BlobReference], str, int, int], Any]
    reads: int = 1


def _conv(m: ModelHelper, b: list[BlobReference], name: str, channels: int, width: int) -> Any:
    return brew.conv(m, b[0], name, channels, 20, kernel=5)


def _with_input_dim(layer: str, **arguments: Any) -> Callable[..., Any]:
    def build(m: ModelHelper, b: list[BlobReference], name: str, channels: int, width: int) -> Any:
        return getattr(brew, layer)(m, b[0], name, channels, **arguments)

    return build


def _plain(layer: str, **arguments: Any) -> Callable[..., Any]:
    def build(m: ModelHelper, b: list[BlobReference], name: str, channels: int, width: int) -> Any:
        return getattr(brew, layer)(m, b[0] if len(b) == 1 else b, name, **arguments)

    return build


LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer("conv", "conv", _conv),
        Layer("max_pool", "pool", _plain("max_pool", kernel=2, stride=2)),
        Layer("average_pool", "pool", _plain("average_pool", kernel=2, stride=2)),
        Layer("fc", "fc", lambda m, b, name, channels, width: brew.fc(m, b[0], name, width, 10)),
        Layer("relu", "relu", _plain("relu")),
        Layer("tanh", "tanh", _plain("tanh")),
        Layer("prelu", "prelu", lambda m, b, name, channels, width: brew.prelu(m, b[0], name, num_channels=channels)),
        Layer("softmax", "softmax", _plain("softmax")),
        Layer("spatial_bn", "bn", _with_input_dim("spatial_bn", is_test=False)),
        Layer("instance_norm", "in", _with_input_dim("instance_norm")),
        Layer("lrn", "lrn", _plain("lrn", size=5, alpha=1e-4, beta=0.75)),
        Layer("dropout", "dropout", _plain("dropout", ratio=0.5, is_test=0)),
        Layer("conv_transpose", "deconv",
              lambda m, b, name, channels, width: brew.conv_transpose(m, b[0], name, channels, 20, 2, stride=2)),
        Layer("group_conv", "conv",
              lambda m, b, name, channels, width: brew.group_conv(m, b[0], name, channels, 20, 3, group=1, pad=1)),
        Layer("concat", "concat", _plain("concat"), reads=2),
        Layer("depth_concat", "concat", _plain("depth_concat"), reads=2),
        Layer("sum", "sum", _plain("sum"), reads=2),
        Layer("transpose", "transpose", _plain("transpose", axes=[0, 2, 3, 1])),
        Layer("accuracy", "accuracy", _plain("accuracy"), reads=2),
    )
}  # fmt: skip
"""By the name that they have in ``brew``."""


def layer_entries() -> list[Entry]:
    """The palette's entries of layers."""
    found = []
    for name in LAYERS:
        doc = inspect.getdoc(getattr(brew, name)) or ""
        summary = doc.partition("\n")[0]
        found.append(Entry(name, "layer", "layers", summary, f"{name} layer brew {doc}".lower()[:600]))
    return found


def place_layer(
    document: Document,
    layer: Layer,
    *,
    source: tuple[str, int] | None = None,
    splice: str | None = None,
    at: tuple[float, float] | None = None,
) -> tuple[Document, list[str]]:
    """Puts a layer on the canvas; its parameters are as large as its input asks for."""
    channels, width = input_sizes(_read_shape(document, source, splice))

    def build(model: ModelHelper, blobs: list[BlobReference], name: str) -> Any:
        return layer.build(model, blobs, name, channels, width)

    inputs: list[tuple[str, int] | str | None] = [source, *[None] * (layer.reads - 1)]
    return graft(document, build, layer.stem, inputs, splice=splice, at=at)


def _read_shape(document: Document, source: tuple[str, int] | None, splice: str | None) -> Shape | None:
    if splice is not None:
        target, slot = edge_end(document, splice)
        known = document_shapes(document).inputs[document.position(target)][slot]
    else:
        known = output_shape(document, *source) if source is not None else None
    return tuple(known.shape) if known is not None else None


def input_sizes(shape: Shape | None) -> tuple[int, int]:
    """Channels, and values a sample, of a blob; 1 where they are not known."""
    if shape is None or len(shape) < 2 or not all(isinstance(size, int) for size in shape[1:]):
        return 1, 1
    return int(shape[1]), math.prod(shape[1:])
