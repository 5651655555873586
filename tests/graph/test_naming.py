import pytest

from c2lab.graph import naming
from c2lab.graph.canvas import InputShape, input_id
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.sources import Source
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef


def op(type, inputs, outputs, *arguments):
    return OperatorDef(type=type, input=inputs, output=outputs, arg=arguments)


def document(*ops, init=()):
    net = caffe2_pb2.NetDef(name="n", op=ops, external_input=["x"], external_output=["y"])
    return Document.of(Source(net, caffe2_pb2.NetDef(op=init)))


FC = (op("FC", ["x", "w", "b"], ["y"]), op("Relu", ["y"], ["y"]), op("Copy", ["y"], ["z"]))
FILLERS = (op("XavierFill", [], ["w"]), op("ConstantFill", [], ["b"]))


def test_a_blob_is_renamed_wherever_it_is_used():
    made = naming.rename_blob(document(*FC), "y", "fc")
    assert [(list(o.input), list(o.output)) for o in made.net.op] == [
        (["x", "w", "b"], ["fc"]), (["fc"], ["fc"]), (["fc"], ["z"]),
    ]  # fmt: skip
    assert list(made.net.external_output) == ["fc"]


def test_a_parameter_is_renamed_in_the_init_net_too():
    made = naming.rename_blob(document(*FC, init=FILLERS), "w", "weights")
    assert made.init.op[0].output[0] == "weights"
    assert "weights" in made.parameters
    assert "w" not in made.parameters


def test_an_input_keeps_its_shape_and_its_place():
    before = document(*FC).with_canvas(inputs={"x": InputShape((3,))}, positions={input_id("x"): (1.0, 2.0)})
    made = naming.rename_blob(before, "x", "data")
    assert made.canvas.inputs == {"data": InputShape((3,))}
    assert made.canvas.positions == {input_id("data"): (1.0, 2.0)}


def test_nets_inside_of_operators_are_followed():
    inner = caffe2_pb2.NetDef(op=[op("Relu", ["y"], ["inside"])], external_input=["y"])
    made = naming.rename_blob(document(*FC, op("If", ["z"], [], make_argument("then_net", inner))), "y", "q")
    assert made.net.op[3].arg[0].n.op[0].input[0] == "q"
    assert made.net.op[3].arg[0].n.external_input[0] == "q"


@pytest.mark.parametrize(("blob", "to"), [("y", "z"), ("y", ""), ("nobody", "q"), ("y", "x" * 30_000), ("y", "w")])
def test_names_that_cannot_be_are_refused(blob, to):
    with pytest.raises(EditRefused):
        naming.rename_blob(document(*FC), blob, to)


@pytest.mark.parametrize("name", ["<script>", "\u202eabc", "a b", "ä", "'\"", "x" * 10_000])
def test_hostile_names_are_names(name):
    made = naming.rename_blob(document(*FC), "y", name)
    assert made.net.op[0].output[0] == name
    assert naming.rename_operator(made, "o0", name).net.op[0].name == name


def test_operators_have_names_that_can_be_taken_away():
    named = naming.rename_operator(document(*FC), "o1", "mine")
    assert named.net.op[1].name == "mine"
    assert not naming.rename_operator(named, "o1", "").net.op[1].HasField("name")


@pytest.mark.parametrize(
    ("text", "type", "number"), [("cpu", 0, 0), ("GPU", 1, 0), ("cuda:2", 1, 2), ({"type": "gpu", "id": 3}, 1, 3)]
)
def test_devices(text, type, number):
    made = naming.set_device(document(*FC, init=FILLERS), ["o0"], text)
    option = made.net.op[0].device_option
    assert (option.device_type, option.device_id) == (type, number)
    assert made.init.op[0].device_option == option
    assert not made.net.op[1].HasField("device_option")
    assert not naming.set_device(made, ["o0"], "").net.op[0].HasField("device_option")


@pytest.mark.parametrize("text", ["tpu", "gpu:x", "gpu:-1", "gpu:99999999", 7])
def test_what_is_no_device_is_refused(text):
    with pytest.raises(EditRefused, match="a device is"):
        naming.set_device(document(*FC), ["o0"], text)


def test_a_scope_renames_outputs_and_own_parameters():
    made = naming.set_scope(document(*FC, init=FILLERS), ["o0", "o1"], "block/one")
    assert list(made.net.op[0].input) == ["x", "block/one/w", "block/one/b"]
    assert made.net.op[2].input[0] == "block/one/y"
    assert made.init.op[0].output[0] == "block/one/w"
    back = naming.set_scope(made, ["o0", "o1"], "")
    assert back.net == document(*FC, init=FILLERS).net


def test_parameters_that_others_read_keep_their_names():
    shared = (*FC, op("FC", ["z", "w", "b"], ["q"]))
    assert list(naming.set_scope(document(*shared), ["o0"], "s").net.op[0].input) == ["x", "w", "b"]


def test_scopes_that_would_mix_names_are_refused():
    with pytest.raises(EditRefused, match="already"):
        naming.set_scope(document(op("Relu", ["x"], ["a/y"]), op("Relu", ["x"], ["b/y"])), ["o0", "o1"], "c")
    with pytest.raises(EditRefused, match="no scope"):
        naming.set_scope(document(*FC), ["o0"], "a//b")


def test_results():
    made = naming.set_result(document(*FC), "z", True)
    assert list(made.net.external_output) == ["y", "z"]
    assert list(naming.set_result(made, "y", False).net.external_output) == ["z"]
