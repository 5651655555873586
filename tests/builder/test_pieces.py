import pytest

from c2lab.builder.pieces import PIECES, piece_entries, place_piece
from c2lab.graph.document import empty_document
from c2lab.graph.live_shapes import document_shapes
from tests.builder.canvases import do, session


@pytest.mark.parametrize("name", [piece.name for piece in PIECES.values() if piece.kind == "template"])
def test_templates_are_whole_nets_that_can_learn(name):
    document, placed = place_piece(empty_document("n"), PIECES[name])
    live = document_shapes(document)
    assert live.problems == {}
    assert live.incomplete == {}
    assert set(document.ids) <= set(placed)
    canvas = session({"command": "add", "kind": "template", "type": name})
    do(canvas, "add_optimizer", name="sgd")


@pytest.mark.parametrize(
    ("name", "shape"), [("ResNet block", "(N, 3, 224, 224)"), ("Inception block", "(N, 56, 224, 224)")]
)
def test_blocks_take_what_they_are_wired_to(name, shape):
    canvas = session({"command": "add", "kind": "input", "type": "pictures"})
    data = next(iter(canvas.document.outside()))
    do(canvas, "add", kind="block", type=name, **{"from": data})
    live = document_shapes(canvas.document)
    assert live.problems == {}
    assert shape in str(live.outputs[-1][0])
    assert all("/" in op.output[0] for op in canvas.document.net.op)


def test_resnet_18_has_the_known_size():
    document, _ = place_piece(empty_document("n"), PIECES["ResNet-18"])
    convolutions = sum(op.type == "Conv" for op in document.net.op)
    assert convolutions == 20  # 17 on the way, 3 in shortcuts
    total = sum(
        int(__import__("math").prod(arg.ints)) for op in document.init.op for arg in op.arg
        if arg.name == "shape" and document.parameters[op.output[0]] != "computed"
    )  # fmt: skip
    assert total == 11_689_512  # as published for a thousand classes


def test_every_piece_is_in_the_palette():
    assert [entry.type for entry in piece_entries()] == list(PIECES)
