"""Blocks and templates: parts of nets, and whole nets, that are placed at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from c2lab import brew
from c2lab.brew_layers.networks.lenet import create_lenet
from c2lab.brew_layers.networks.resnet import ResNetBuilder
from c2lab.builder.grafting import graft
from c2lab.builder.inputs import INPUTS, InputKind, place_input
from c2lab.builder.layers import input_sizes
from c2lab.builder.palette_entry import Entry
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import Document
from c2lab.graph.edit import edge_end
from c2lab.graph.live_shapes import document_shapes, output_shape
from c2lab.model_helper import ModelHelper, ParameterTags
from c2lab.nets.blobs import BlobReference
from c2lab.nets.scopes import NameScope
from c2lab.parameters.initializers import Initializer
from c2lab.proto import caffe2_pb2

Blobs = list[BlobReference]


@dataclass(frozen=True)
class Piece:
    """A block, which is wired to what is there, or a template, which brings its own inputs."""

    name: str
    kind: str
    summary: str
    stem: str
    build: Callable[[ModelHelper, Blobs, str, int, int], Any]
    """``build(model, blobs, name, channels, width)``, as for a layer."""
    inputs: InputKind | None = None


def _resnet_block(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    with NameScope(name):
        builder = ResNetBuilder(model, blobs[0], no_bias=1, is_test=False)
        builder.add_simple_block(channels, channels)


def _inception_block(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    with NameScope(name):
        paths = [_conv_relu(model, blobs[0], "one", channels, 16, 1)]
        narrow = _conv_relu(model, blobs[0], "three_reduce", channels, 16, 1)
        paths.append(_conv_relu(model, narrow, "three", 16, 24, 3))
        narrow = _conv_relu(model, blobs[0], "five_reduce", channels, 8, 1)
        paths.append(_conv_relu(model, narrow, "five", 8, 8, 5))
        pooled = brew.max_pool(model, blobs[0], "pool", kernel=3, stride=1, pad=1)
        paths.append(_conv_relu(model, pooled, "pool_proj", channels, 8, 1))
        brew.concat(model, paths, "joined")


def _conv_relu(model: ModelHelper, blob: Any, name: str, channels: int, out: int, kernel: int) -> BlobReference:
    made = brew.conv(model, blob, name, channels, out, kernel=kernel, pad=kernel // 2)
    return brew.relu(model, made, made)


def _lstm(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    """One step: gates from the input and the last hidden state, then the unit."""
    units = 32
    with NameScope(name):
        read, hidden, cell = blobs
        gates_in = brew.fc(model, read, "gates_in", channels if width == 1 else width, 4 * units, axis=2)
        gates_hidden = brew.fc(model, hidden, "gates_hidden", units, 4 * units, axis=2)
        gates = brew.sum(model, [gates_in, gates_hidden], "gates")
        step = model.net.ConstantFill([], "step", shape=[1], value=0, dtype=caffe2_pb2.TensorProto.INT32)
        model.net.LSTMUnit([hidden, cell, gates, step], ["hidden", "cell"], sequence_lengths=False)


_STEPS, _CHARACTERS = 8, 64


def _character_rnn(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    """An LSTM over eight characters, written out step by step; all steps share their weights."""
    units = 64
    table = model.create_param("embedding", [_CHARACTERS, 32], Initializer("GaussianFill", std=0.1))
    embedded = model.net.Gather([table, blobs[0]], "embedded")
    from_input = brew.fc(model, embedded, "gates_in", 32, 4 * units, axis=2)
    parts = model.net.Split(from_input, [f"gates_in_{t}" for t in range(_STEPS)], axis=0)
    weight = model.create_param("gates_w", [4 * units, units], Initializer("XavierFill"), tags=ParameterTags.WEIGHT)
    bias = model.create_param("gates_b", [4 * units], Initializer("ConstantFill", value=0.0), tags=ParameterTags.BIAS)
    first = model.net.Split(parts[0], [f"first_{k}" for k in range(4)], axis=2)
    hidden = model.net.ConstantFill(first[0], "hidden_start", value=0.0)
    cell = model.net.ConstantFill(first[1], "cell_start", value=0.0)
    states = []
    for t in range(_STEPS):
        with NameScope(f"step{t}"):
            gates = model.net.FC([hidden, weight, bias], "from_hidden", axis=2)
            gates = model.net.Sum([gates, parts[t]], "gates")
            step = model.net.ConstantFill([], "number", shape=[1], value=t, dtype=caffe2_pb2.TensorProto.INT32)
            hidden, cell = model.net.LSTMUnit([hidden, cell, gates, step], ["hidden", "cell"], sequence_lengths=False)
        states.append(hidden)
    model.net.ZeroGradient(cell, [])  # nobody reads the last cell, and a unit asks for both gradients
    together = brew.concat(model, states, "states", axis=0)
    scores = brew.fc(model, together, "scores", units, _CHARACTERS, axis=2)
    rows, _ = model.net.Reshape(scores, ["score_rows", "_score_rows_shape"], shape=[-1, _CHARACTERS])
    labels, _ = model.net.Reshape(blobs[1], ["targets", "_targets_shape"], shape=[-1])
    model.net.SoftmaxWithLoss([rows, labels], ["softmax", "loss"])


def _lenet(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    scores = create_lenet(model, blobs[0])
    model.net.SoftmaxWithLoss([scores, blobs[1]], ["softmax", "loss"])


_RESNET_18 = ((64, 2), (128, 2), (256, 2), (512, 2))


def _resnet18(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    conv = brew.conv(model, blobs[0], "conv1", 3, 64, kernel=7, stride=2, pad=3, no_bias=1,
                     weight_init=("MSRAFill", {}))  # fmt: skip
    normal = brew.spatial_bn(model, conv, "conv1_bn", 64, is_test=False)
    builder = ResNetBuilder(model, brew.relu(model, normal, normal), no_bias=1, is_test=False)
    builder.prev_blob = brew.max_pool(model, builder.prev_blob, "pool1", kernel=3, stride=2, pad=1)
    held = 64
    for stage, (filters, blocks) in enumerate(_RESNET_18):
        for block in range(blocks):
            with NameScope(f"stage{stage + 1}_{block + 1}"):
                builder.comp_count = 0
                builder.add_simple_block(held, filters, down_sampling=stage > 0 and block == 0)
            held = filters
    average = brew.average_pool(model, builder.prev_blob, "final_avg", global_pooling=True)
    scores = brew.fc(model, average, "pred", 512, 1000)
    model.net.SoftmaxWithLoss([scores, blobs[1]], ["softmax", "loss"])


def _unet(model: ModelHelper, blobs: Blobs, name: str, channels: int, width: int) -> None:
    widths = (16, 32, 64)
    blob, held, skips = blobs[0], 1, []
    for depth, filters in enumerate(widths):
        with NameScope(f"down{depth + 1}"):
            blob = _double_conv(model, blob, held, filters)
            skips.append(blob)
            blob = brew.max_pool(model, blob, "pool", kernel=2, stride=2)
        held = filters
    with NameScope("bottom"):
        blob = _double_conv(model, blob, held, 128)
    held = 128
    for depth, filters in reversed(list(enumerate(widths))):
        with NameScope(f"up{depth + 1}"):
            blob = brew.conv_transpose(model, blob, "wide", held, filters, 2, stride=2)
            joined = brew.concat(model, [skips[depth], blob], "joined")
            blob = _double_conv(model, joined, 2 * filters, filters)
        held = filters
    scores = brew.conv(model, blob, "scores", held, 1, kernel=1)
    model.net.Sigmoid(scores, "mask")
    loss = model.net.SigmoidCrossEntropyWithLogits([scores, blobs[1]], "xent")
    model.net.AveragedLoss(loss, "loss")


def _double_conv(model: ModelHelper, blob: Any, channels: int, filters: int) -> BlobReference:
    first = _conv_relu(model, blob, "conv_a", channels, filters, 3)
    return _conv_relu(model, first, "conv_b", filters, filters, 3)


PIECES: dict[str, Piece] = {
    piece.name: piece
    for piece in (
        Piece("ResNet block", "block", "Two 3x3 convolutions with a shortcut around them.", "res", _resnet_block,
              InputKind("", {"data": None})),
        Piece("Inception block", "block", "Convolutions of several sizes side by side, joined.", "inception",
              _inception_block, InputKind("", {"data": None})),
        Piece("LSTM", "block", "One step of a long short-term memory of 32 units.", "lstm", _lstm,
              InputKind("", {"input": None, "hidden_prev": None, "cell_prev": None})),
        Piece("LeNet", "template", "Reads handwritten digits: two convolutions and two layers.", "lenet", _lenet,
              INPUTS["digits"]),
        Piece("ResNet-18", "template", "Residual network of 18 layers for pictures of 224 x 224.", "resnet18",
              _resnet18, INPUTS["pictures"]),
        Piece("U-Net", "template", "Says for every pixel whether it belongs to the object.", "unet", _unet,
              InputKind("", {"data": InputShape(("N", 1, 128, 128)), "target": InputShape(("N", 1, 128, 128))})),
        Piece("Character RNN", "template", "Learns which character follows: an LSTM over eight steps.", "characters",
              _character_rnn, InputKind("", {"data": InputShape((_STEPS, "N"), "int32"),
                                             "target": InputShape((_STEPS, "N"), "int32")})),
    )
}  # fmt: skip
"""By the name in the palette."""


def piece_entries() -> list[Entry]:
    """The palette's entries of blocks and templates."""
    return [
        Entry(
            piece.name,
            piece.kind,
            f"{piece.kind}s",
            piece.summary,
            f"{piece.name} {piece.kind} {piece.summary}".lower(),
        )
        for piece in PIECES.values()
    ]


def place_piece(
    document: Document,
    piece: Piece,
    *,
    source: tuple[str, int] | None = None,
    splice: str | None = None,
    at: tuple[float, float] | None = None,
) -> tuple[Document, list[str]]:
    """Puts a block or a template on the canvas; a template brings its inputs along."""
    placed: list[str] = []
    blobs = list(piece.inputs.blobs) if piece.inputs is not None else []
    wires: list[tuple[str, int] | str | None] = [None] * len(blobs)
    if piece.kind == "template" and piece.inputs is not None:
        document, placed = place_input(document, piece.inputs, at)
        wires = [(node, 0) for node in placed]
        at = None if at is None else (at[0] + 150.0, at[1])
    elif wires:
        wires[0] = source
    channels, width = input_sizes(_shape(document, wires[0] if wires else None, splice))

    def build(model: ModelHelper, given: Blobs, name: str) -> Any:
        return piece.build(model, given, name, channels, width)

    document, operators = graft(document, build, piece.stem, wires, splice=splice, at=at, exact=True)
    return document, [*placed, *operators]


def _shape(document: Document, source: Any, splice: str | None) -> tuple[Any, ...] | None:
    if splice is not None:
        target, slot = edge_end(document, splice)
        known = document_shapes(document).inputs[document.position(target)][slot]
    else:
        known = output_shape(document, *source) if source is not None else None
    return tuple(known.shape) if known is not None else None
