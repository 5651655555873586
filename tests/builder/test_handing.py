import base64

import pytest

from c2lab.builder.handing import opened, still
from c2lab.graph.document import EditRefused
from c2lab.proto import caffe2_pb2
from tests.builder.canvases import do, lenet, refused, session


def encoded(message):
    return base64.b64encode(message.SerializeToString()).decode()


def test_what_is_exported_can_be_opened():
    canvas = lenet()
    for kind in ("pb", "pbtxt"):
        told = do(canvas, "export", format=kind)
        other = session()
        for file in (told, *told["more"]):
            content = file.get("base64") or base64.b64encode(file["text"].encode()).decode()
            do(other, "open", filename=file["filename"], base64=content)
        assert other.net.Proto().op == canvas.net.Proto().op
        assert other.model.param_init_net.Proto().op == canvas.model.param_init_net.Proto().op
        assert other.document.canvas.inputs == canvas.document.canvas.inputs


def test_python_and_pictures():
    canvas = lenet()
    assert do(canvas, "export", format="python")["text"] == do(canvas, "code")["text"] + "\n"
    assert do(canvas, "export", format="svg")["text"] == still(canvas.document)
    assert still(canvas.document).startswith("<svg")
    assert "(N, 20" in still(canvas.document) or "N×20×24×24" in still(canvas.document)
    assert "not 'gif'" in refused(canvas, "export", format="gif")


def test_file_names_are_harmless():
    canvas = session()
    canvas.net.Proto().name = "../../etc/<x>\0"
    canvas.take_over()
    assert do(canvas, "export", format="pb")["filename"] == "_.._etc__x__.pb"


def test_opening_is_one_step():
    canvas = lenet()
    before = canvas.document
    do(canvas, "open", filename="other.pb", base64=encoded(caffe2_pb2.NetDef(name="other", op=[
        caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["y"])])))  # fmt: skip
    assert canvas.net.Proto().name == "other"
    assert not canvas.model.params
    do(canvas, "undo")
    assert canvas.document.same(before)
    assert len(canvas.model.params) == 8


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.pb", b""), ("x.pb", b"\xff" * 100), ("x.pbtxt", b"op {"), ("x.pbtxt", b"\xff\xfe"), ("x.pb", b"version https://git-lfs"),
        ("x.pbtxt", b"op { type: '' }"), ("x.pb", b"\x0a\xff\xff\xff\xff\x0f"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(name, data):
    with pytest.raises(EditRefused):
        opened(name, data)
    refused(lenet(), "open", filename=name, base64=base64.b64encode(data).decode())


@pytest.mark.parametrize("name", ["net.onnx", "net.caffemodel", "net.pt"])
def test_files_of_others_are_named(name):
    assert "are not read" in refused(lenet(), "open", filename=name, base64="AAAA")


def test_plans_of_one_net_are_opened():
    plan = caffe2_pb2.PlanDef(
        name="plan", network=[caffe2_pb2.NetDef(name="n", op=[caffe2_pb2.OperatorDef(type="Relu")])]
    )
    assert opened("plan.pbtxt", str(plan).encode()).name == "n"
    plan.network.add(name="m").op.add(type="Relu")
    with pytest.raises(EditRefused, match="2 nets"):
        opened("plan.pbtxt", str(plan).encode())


def test_unknown_operators_are_shown():
    canvas = session()
    net = caffe2_pb2.NetDef(
        name="n", op=[caffe2_pb2.OperatorDef(type=f"Unknown{k}", output=[f"b{k}"]) for k in range(9)]
    )
    do(canvas, "open", filename="n.pb", base64=encoded(net))
    assert sum(box["unknown"] for box in canvas.scene()["nodes"]) == 9


def test_the_cell_leads_back_to_the_canvas():
    canvas = lenet()
    canvas.memory["key"] = "it's me"
    cell = do(canvas, "code")["cell"]
    compile(cell, "cell", "exec")
    assert cell.splitlines()[-1] == 'builder = c2.build(model, into="it\'s me")'
