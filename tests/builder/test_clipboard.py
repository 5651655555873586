import pytest

from c2lab.builder.clipboard import FILLERS, copied, copied_text, duplicated, parsed, pasted
from c2lab.graph.document import EditRefused, empty_document
from c2lab.proto import caffe2_pb2
from tests.builder.canvases import do, lenet, node, session


def test_a_part_goes_to_another_canvas_with_its_fillers():
    canvas = lenet()
    text = copied_text(canvas.document, ["o4", "o5", "o6"])
    made, placed = pasted(empty_document("other"), parsed(text))
    assert [op.type for op in made.net.op] == ["FC", "Relu", "FC"]
    assert [op.output[0] for op in made.init.op] == ["fc3_w", "fc3_b", "pred_w", "pred_b"]
    assert set(made.parameters) == {"fc3_w", "fc3_b", "pred_w", "pred_b"}
    assert list(made.outside().values()) == ["pool2"]
    assert placed == list(made.ids)


def test_in_the_same_net_what_is_written_gets_free_names():
    canvas = lenet()
    made, _ = pasted(canvas.document, copied(canvas.document, ["o4", "o5"]))
    fc, relu = list(made.net.op)[-2:]
    assert list(fc.input) == ["pool2", "fc3_w_2", "fc3_b_2"]
    assert (list(relu.input), list(relu.output)) == (["fc3_2"], ["fc3_2"])


def test_an_in_place_operator_alone_reads_the_original():
    canvas = lenet()
    made, (name,) = duplicated(canvas.document, [node(canvas, "Relu")])
    assert (list(made.op(name).input), list(made.op(name).output)) == (["fc3"], ["fc3_2"])


def test_copies_come_in_the_order_of_what_was_copied():
    canvas = lenet()
    made, placed = duplicated(canvas.document, ["o3", "o1"])
    assert [made.op(name).output[0] for name in placed] == ["pool2_2", "pool1_2"]


@pytest.mark.parametrize(
    "text", ["", "garbage", "op {", "name: 'x'", "op { input: 'a' }", "\x00", "op { type: 'Relu' } op: 7", "{" * 5000]
)
def test_other_texts_are_refused(text):
    with pytest.raises(EditRefused):
        parsed(text)


def test_texts_have_an_end():
    with pytest.raises(EditRefused, match="are the most"):
        parsed("#" * (17 * 2**20))


def test_plain_nets_from_elsewhere_are_pasted_too():
    made, _ = pasted(empty_document("n"), parsed('op { type: "Relu" input: "x" output: "y" } op { type: "Unknown" }'))
    assert [op.type for op in made.net.op] == ["Relu", "Unknown"]


def test_a_fillers_argument_that_is_none_does_no_harm():
    net = caffe2_pb2.NetDef(op=[caffe2_pb2.OperatorDef(type="Relu", output=["y"])])
    net.arg.add(name=FILLERS).i = 3
    made, _ = pasted(empty_document("n"), net)
    assert len(made.net.op) == 1


def test_nothing_selected_is_nothing_copied():
    with pytest.raises(EditRefused, match="no operator"):
        copied(session().document, ["c0"])


def test_pasting_at_a_place():
    canvas = lenet()
    text = do(canvas, "copy", nodes=["o0", "o1"])["text"]
    placed = do(canvas, "paste", text=text, x=1000, y=2000)["placed"]
    boxes = {box["id"]: (box["x"], box["y"]) for box in canvas.scene()["nodes"]}
    assert min(boxes[name][0] for name in placed) == 1000
    assert min(boxes[name][1] for name in placed) == 2000
    do(canvas, "undo")
    assert len(canvas.document.net.op) == 8
