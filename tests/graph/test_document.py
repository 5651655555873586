import pytest

from c2lab.graph.canvas import ARGUMENT, input_id
from c2lab.graph.document import Document, EditRefused, changed_by_code, empty_document, matching_ids
from c2lab.graph.sources import Source
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef


def op(type, inputs, outputs, **fields):
    return OperatorDef(type=type, input=inputs, output=outputs, **fields)


def document(*ops, init=(), external=()):
    net = caffe2_pb2.NetDef(name="n", op=ops, external_input=external)
    return Document.of(Source(net, caffe2_pb2.NetDef(name="n_init", op=init)))


def test_a_document_gives_the_net_back_unchanged():
    net = caffe2_pb2.NetDef(name="n", op=[op("Relu", ["x"], ["y"])], type="dag", external_input=["x", "z"])
    assert Document.of(Source(net)).written() == net


def test_boxes_from_outside_are_what_is_read_or_declared_and_no_parameter():
    found = document(op("FC", ["x", "w", "b"], ["y"]), external=["x", "w", "b", "label"])
    assert list(found.outside().values()) == ["x", "label"]
    assert found.outside()[input_id("label")] == "label"
    assert set(found.parameters) == {"w", "b"}


def test_what_the_init_net_makes_has_no_box():
    filled = document(op("Add", ["x", "moment"], ["y"]), init=[op("ConstantFill", [], ["moment"])])
    assert list(filled.outside().values()) == ["x"]


def test_free_names_are_free_in_both_nets():
    found = document(op("Relu", ["conv1"], ["y"]), init=[op("ConstantFill", [], ["conv2"])])
    assert found.fresh_name("conv") == "conv3"
    assert found.fresh_name("fc", ["fc1"]) == "fc2"


def test_an_unknown_id_is_refused():
    with pytest.raises(EditRefused, match="no operator 'o7'"):
        empty_document("n").op("o7")


def test_code_that_appends_leaves_ids_and_places():
    before = document(op("Relu", ["x"], ["y"])).with_canvas(ids=("o5",), positions={"o5": (1.0, 2.0)})
    net = before.written()
    net.op.append(op("Tanh", ["y"], ["z"]))
    after = changed_by_code(before, net, before.init)
    assert after.ids == ("o5", "o6")
    assert after.canvas.positions == {"o5": (1.0, 2.0)}


def test_code_that_writes_another_canvas_is_followed():
    before = document(op("Relu", ["x"], ["y"])).with_canvas(ids=("o5",))
    net = before.written()
    net.arg[0].s = b'{"ids":["o9"]}'
    assert net.arg[0].name == ARGUMENT
    assert changed_by_code(before, net, before.init).ids == ("o9",)


@pytest.mark.parametrize(
    ("after", "ids"),
    [
        ([op("Relu", ["x"], ["a"]), op("Tanh", ["a"], ["b"])], ("p", "q")),
        ([op("Tanh", ["x"], ["b"])], ("q",)),
        ([op("Copy", ["x"], ["x2"]), op("Relu", ["x2"], ["a"]), op("Tanh", ["a"], ["b"])], ("o0", "p", "q")),
        ([op("Relu", ["x"], ["a"]), op("Tanh", ["a"], ["renamed"])], ("p", "q")),
        ([], ()),
    ],
)
def test_operators_are_known_again(after, ids):
    before = [op("Relu", ["x"], ["a"]), op("Tanh", ["a"], ["b"])]
    assert matching_ids(before, ("p", "q"), after) == ids


def test_ids_stay_different_from_each_other():
    before = [op("Relu", ["x"], ["x"])] * 3
    found = matching_ids(before, ("o0", "o1", "o2"), [*before, *before])
    assert len(set(found)) == 6
