import pytest

from c2lab import brew
from c2lab.builder.grafting import graft
from c2lab.builder.inputs import INPUTS, place_input
from c2lab.graph.document import EditRefused, empty_document
from c2lab.graph.edit import add
from c2lab.proto import caffe2_pb2


def two_layers(model, blobs, name):
    first = brew.fc(model, blobs[0], f"{name}_a", 28, 5)
    return brew.fc(model, brew.relu(model, first, first), f"{name}_b", 5, 3)


def base():
    document, (data, _) = place_input(empty_document("n"), INPUTS["digits"], None)
    return document, data


def test_operators_fillers_and_parameters_arrive():
    document, data = base()
    made, placed = graft(document, two_layers, "two", [(data, 0)], at=(1.0, 2.0))
    assert [(op.type, op.input[0], op.output[0]) for op in made.net.op] == [
        ("FC", "data", "two1_a"), ("Relu", "two1_a", "two1_a"), ("FC", "two1_a", "two1_b"),
    ]  # fmt: skip
    assert [op.output[0] for op in made.init.op] == ["two1_a_w", "two1_a_b", "two1_b_w", "two1_b_b"]
    assert made.parameters == {"two1_a_w": "weight", "two1_a_b": "bias", "two1_b_w": "weight", "two1_b_b": "bias"}
    assert made.canvas.positions == {placed[0]: (1.0, 2.0)}


def test_names_are_free_even_where_only_a_part_is_taken():
    document, data = base()
    document, _ = add(document, caffe2_pb2.OperatorDef(type="Relu", output=["two1_b_w"]))
    made, placed = graft(document, two_layers, "two", [(data, 0)])
    assert made.op(placed[0]).output[0] == "two2_a"


def test_without_a_wire_the_input_stays_open():
    made, _ = graft(empty_document("n"), two_layers, "two", [None])
    assert list(made.net.op[0].input) == ["", "two1_a_w", "two1_a_b"]
    assert not any("unwired" in name for name in made.names())


def test_it_goes_into_a_wire():
    document, data = base()
    document, relu = add(document, caffe2_pb2.OperatorDef(type="Relu", output=["r"]), source=(data, 0))
    made, _ = graft(document, two_layers, "two", [None], splice=f"{relu}.0")
    assert [op.type for op in made.net.op] == ["FC", "Relu", "FC", "Relu"]
    assert made.net.op[3].input[0] == "two1_b"
    with pytest.raises(EditRefused, match="no wire"):
        graft(document, two_layers, "two", [None], splice="o9.0")


def test_a_template_whose_names_are_taken_goes_into_a_scope():
    def fixed(model, blobs, name):
        return brew.fc(model, blobs[0], "fc", 28, 5)

    document, data = base()
    document, _ = graft(document, fixed, "piece", [(data, 0)], exact=True)
    document, _ = graft(document, fixed, "piece", [(data, 0)], exact=True)
    assert [op.output[0] for op in document.net.op] == ["fc", "piece1/fc"]
