import json

from c2lab.builder.facts import bytes_of, facts_of, open_size, shape_label
from c2lab.graph.canvas import input_id
from c2lab.graph.live_shapes import symbol
from c2lab.graph.shapes import ShapeAndType
from tests.builder.canvases import do, lenet, node, session


def facts(canvas, **more):
    return facts_of(canvas.document, canvas.version, canvas.scene(), **more)


def test_every_wire_has_its_shape():
    canvas = lenet()
    found = facts(canvas)
    assert set(found["shapes"]) == {edge["id"] for edge in canvas.scene()["edges"]}
    assert found["shapes"]["o0.0"] == "(N,1,28,28)"
    assert found["shapes"][f"{node(canvas, 'SoftmaxWithLoss')}.1"] == "(N) int32"
    assert found["outputs"][input_id("data")] == ["(N,1,28,28)"]
    assert found["totals"]["text"] == "8 operators, 431,080 parameters"
    assert found["version"] == canvas.version
    json.dumps(found)


def test_a_kernel_of_99():
    canvas = lenet()
    do(canvas, "set_argument", node=node(canvas, "Conv"), name="kernel", value=99)
    found = facts(canvas)
    assert [problem["node"] for problem in found["problems"]] == [node(canvas, "Conv")]
    assert "kernel" in found["problems"][0]["message"]
    assert found["grey"] == list(canvas.document.ids[1:])
    do(canvas, "undo")
    assert facts(canvas)["problems"] == []


def test_wires_of_closed_groups_are_labelled():
    canvas = lenet()
    do(canvas, "set_scope", nodes=["o0", "o1"], scope="s")
    do(canvas, "collapse", path="s", collapsed=True)
    found = facts(canvas)
    assert {edge["id"] for edge in canvas.scene()["edges"]} == set(found["shapes"])


def test_shapes_from_the_workspace_help():
    canvas = session()
    canvas.net.Relu("fed", "y")
    canvas.take_over()
    assert facts(canvas)["shapes"] == {}
    more = {"fed": ShapeAndType((2, 3), "float32")}
    assert facts(canvas, more=more)["shapes"] == {"o0.0": "(2,3)"}
    assert facts(canvas, more=more)["outputs"][input_id("fed")] == ["(2,3)"]


def test_sizes():
    known = ShapeAndType((symbol("N"), 4), "int64")
    assert shape_label(known) == "(N,4) int64"
    assert shape_label(ShapeAndType((symbol("N") * 2 + 1,), "float32")) == "(2*N+1)"
    assert shape_label(None) == ""
    assert bytes_of(known) == 32
    assert bytes_of(known, 10) == 320
    assert bytes_of(None) is None
    assert open_size(symbol("N") * 3 + symbol("T"), 2) == 8
