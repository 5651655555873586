import json

import pytest

from c2lab.graph.canvas import (
    ARGUMENT,
    Canvas,
    Comment,
    InputShape,
    default_ids,
    fresh_id,
    group_id,
    input_id,
    read_canvas,
    shape_of_text,
    without_canvas,
)
from c2lab.proto import caffe2_pb2


def net_of(count, argument=None):
    net = caffe2_pb2.NetDef(name="n", op=[caffe2_pb2.OperatorDef(type="Relu")] * count)
    if argument is not None:
        net.arg.append(argument)
    return net


def test_a_canvas_comes_back_from_its_argument():
    canvas = Canvas(
        ids=("o3", "o0"),
        positions={"o3": (1.0, -2.5), input_id("data"): (0.0, 7.0)},
        closed=frozenset({"a/b"}),
        opened=frozenset({"c"}),
        comments=(Comment("c0", "look <b>here</b>\n", 5.0, 6.0),),
        inputs={"data": InputShape(("N", 1, 28, 28)), "label": InputShape(("N",), "int32")},
    )
    assert read_canvas(net_of(2, canvas.argument())) == canvas


def test_a_net_that_nobody_arranged_has_no_argument():
    assert Canvas(default_ids(3)).argument() is None
    assert read_canvas(net_of(3)).ids == ("o0", "o1", "o2")


def test_the_argument_is_left_out_of_a_copy():
    argument = Canvas(("o1",)).argument()
    net = net_of(1, argument)
    net.arg.add(name="other").i = 1
    assert [a.name for a in without_canvas(net).arg] == ["other"]
    assert len(net.arg) == 2


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 100_000,
        json.dumps({"ids": ["o0", "o0"], "positions": [1], "comments": {"a": 1}, "inputs": 3}).encode(),
        json.dumps({"ids": ["o0", "<script>"], "positions": {"o0": [1e400, 2], "<b>": [1, 2]}}).encode(),
        json.dumps({"comments": [["x", "y", 1, 2], ["c1", 5, 1, 2]], "inputs": {"d": [["N;", 1], "float32"]}}).encode(),
        json.dumps({"inputs": {"d": [["N"], "pickle"]}, "closed": "abc", "opened": [1, {}]}).encode(),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(text):
    found = read_canvas(net_of(2, caffe2_pb2.Argument(name=ARGUMENT, s=text)))
    assert found.ids == ("o0", "o1")
    assert not found.positions
    assert not found.comments
    assert not found.inputs


def test_places_are_kept_on_the_canvas():
    text = json.dumps({"positions": {"o0": [1e30, -1e30]}}).encode()
    assert read_canvas(net_of(1, caffe2_pb2.Argument(name=ARGUMENT, s=text))).positions == {"o0": (1e6, -1e6)}


@pytest.mark.parametrize("name", ["data", "", "<img src=x>", "\u202e", "x" * 10_000, "\ud800"])
def test_ids_of_inputs_and_groups_are_harmless(name):
    for made in (input_id(name), group_id(name)):
        assert made.isascii()
        assert made.isalnum()
        assert len(made) == 13
    assert input_id(name) != input_id(name + " ")


def test_fresh_ids_are_free_and_never_used_again():
    assert fresh_id("o", []) == "o0"
    assert fresh_id("o", ["o1", "o5", "oops", "c9"]) == "o6"


@pytest.mark.parametrize(
    ("text", "shape"),
    [("N, 1, 28,28", ("N", 1, 28, 28)), ("(5,)", (5,)), ("", ()), ("3×4", (3, 4)), ("[T, N]", ("T", "N"))],
)
def test_shapes_are_read_as_people_write_them(text, shape):
    assert shape_of_text(text) == shape


@pytest.mark.parametrize("text", ["-1", "3.5", "a b", "N*2", "1;2", "x" * 50, ",".join(["1"] * 13), "9" * 30])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(ValueError, match="size"):
        shape_of_text(text)
