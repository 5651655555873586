import pytest

from c2lab.graph.canvas import InputShape, input_id
from c2lab.nets.devices import DeviceOption
from tests.builder.canvases import do, lenet, node, refused, session


def fields(canvas, name):
    return {field["name"]: field for field in do(canvas, "form", node=name)["fields"]}


def argument(canvas, name, key):
    return next((arg for arg in canvas.document.op(name).arg if arg.name == key), None)


def test_arguments_are_set_and_taken_away():
    canvas = session({"command": "add", "type": "Dropout"})
    name = canvas.document.ids[0]
    do(canvas, "set_argument", node=name, name="ratio", value="0.25")
    assert argument(canvas, name, "ratio").f == 0.25
    assert fields(canvas, name)["ratio"]["value"] == 0.25
    do(canvas, "set_argument", node=name, name="ratio", value=None)
    assert argument(canvas, name, "ratio") is None
    assert fields(canvas, name)["ratio"]["given"] is False


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("kernel", 0, "at least 1"), ("kernel", "x", "whole number"), ("kernel", 1.5, "whole number"),
        ("kernel", [1], "whole number"), ("order", "NCWH", "one of NCHW, NHWC"), ("pad", -1, "at least 0"),
        ("colour", 1, "no argument 'colour'"), ("kernel", 2**70, "64 bits"), ("dim_out", 0, "at least 1"),
        ("dim_out", 10**9, "the most"), ("filter.fill", "rm -rf", "filled by"), ("filter.fill.std", 1, "takes no"),
        ("nothing.fill", "XavierFill", "no parameter"),
    ],
)  # fmt: skip
def test_bad_values_are_refused(name, value, why):
    canvas = lenet()
    assert why in refused(canvas, "set_argument", node=node(canvas, "Conv"), name=name, value=value)


def test_a_new_kernel_is_a_new_filter():
    canvas = lenet()
    do(canvas, "set_argument", node=node(canvas, "Conv"), name="kernel", value=3)
    shapes = {op.output[0]: list(op.arg[0].ints) for op in canvas.document.init.op}
    assert shapes["conv1_w"] == [20, 1, 3, 3]
    assert shapes["fc3_w"][1] == 50 * 4 * 4


def test_inputs_say_their_shape_and_type():
    canvas = session({"command": "add", "kind": "input", "type": "blob"})
    name = input_id("input")
    do(canvas, "set_argument", node=name, name="shape", value="N, 3")
    do(canvas, "set_argument", node=name, name="dtype", value="int32")
    assert canvas.document.canvas.inputs == {"input": InputShape(("N", 3), "int32")}
    assert fields(canvas, name)["shape"]["value"] == "N, 3"
    for key, value in (("shape", "N;3"), ("dtype", "complex64"), ("colour", 1)):
        refused(canvas, "set_argument", node=name, name=key, value=value)
    do(canvas, "set_argument", node=name, name="shape", value="")
    assert canvas.document.canvas.inputs == {}


def test_comments_are_fields_too():
    canvas = session({"command": "comment", "text": "a", "x": 0, "y": 0})
    do(canvas, "set_argument", node="c0", name="text", value="<b>b</b>")
    assert fields(canvas, "c0")["text"]["value"] == "<b>b</b>"
    refused(canvas, "set_argument", node="c0", name="text", value=5)


def test_names_scopes_devices_results():
    canvas = lenet()
    conv = node(canvas, "Conv")
    do(canvas, "rename", blob="conv1", to="first")
    do(canvas, "rename_operator", node=conv, to="mine")
    do(canvas, "set_device", nodes=[conv], device="gpu:1")
    do(canvas, "set_scope", nodes=[conv], scope="s")
    do(canvas, "set_result", node=conv, output=0, on=True)
    op = canvas.net.Proto().op[0]
    assert (op.name, op.output[0], op.device_option) == ("mine", "s/first", DeviceOption(1, 1))
    assert canvas.net.Proto().op[1].input[0] == "s/first"
    assert list(canvas.net.Proto().external_output) == ["s/first"]
    form = do(canvas, "form", node=conv)
    assert (form["device"], form["scope"], form["name"]) == ("gpu:1", "s", "mine")
    assert "no output" in refused(canvas, "set_result", node=conv, output=3)
    while canvas.history.undo_label != "add LeNet":
        do(canvas, "undo")
    assert canvas.net.Proto().op == lenet().net.Proto().op


def test_operators_from_elsewhere_keep_their_arguments():
    canvas = session()
    canvas.net.Proto().op.add(type="NobodyKnows", output=["y"]).arg.add(name="free").i = 3
    canvas.take_over()
    (name,) = canvas.document.ids
    assert fields(canvas, name)["free"]["value"] == 3
    do(canvas, "set_argument", node=name, name="free", value=4)
    assert argument(canvas, name, "free").i == 4
    do(canvas, "set_argument", node=name, name="new", value=None)


def test_the_engine_can_be_set():
    canvas = session({"command": "add", "type": "Relu"})
    do(canvas, "set_argument", node=canvas.document.ids[0], name="engine", value="CUDNN")
    assert canvas.net.Proto().op[0].engine == "CUDNN"
