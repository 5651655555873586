import json

import numpy as np
import pytest

import c2lab as c2
from c2lab import brew, core, workspace
from c2lab.graph.canvas import InputShape
from c2lab.model_helper import ModelHelper
from c2lab.operators import registry
from c2lab.operators.definition import operator
from c2lab.proto import caffe2_pb2
from c2lab.widgets import net_builder
from c2lab.widgets.net_builder import NetBuilder, build, diff


def types(builder):
    return [node["type"] for node in builder.scene["nodes"] if node["kind"] == "operator"]


def test_an_empty_canvas_is_returned_and_nothing_is_displayed(capsys):
    builder = c2.build()
    assert isinstance(builder, NetBuilder)
    assert builder.scene["nodes"] == []
    assert capsys.readouterr().out == ""


def test_what_the_canvas_does_shows_in_the_net():
    builder = build()
    builder.do("add", type="Relu")
    assert 'type: "Relu"' in str(builder.net.Proto())
    assert builder.scene["nodes"][0]["incomplete"]
    assert builder.facts["incomplete"] == {"o0": "X has no wire"}
    assert builder.facts["version"] == builder.scene["version"] == 1


def test_what_code_does_shows_on_the_canvas():
    builder = build()
    builder.net.Relu("x", "y")
    assert types(builder) == ["Relu"]
    builder.net.Tanh("y", "z")
    brew.fc(builder.model, "z", "fc", 3, 4)
    assert types(builder) == ["Relu", "Tanh", "FC"]
    assert [pill["blob"] for pill in builder.scene["nodes"][-1]["pills"]] == ["fc_w", "fc_b"]
    builder.do("undo")
    assert len(builder.net.Proto().op) < 3


def test_changes_without_an_event_show_when_somebody_asks():
    builder = build()
    builder.net.Relu("x", "y")
    assert types(builder) == ["Relu"]
    builder.net.Proto().op[0].type = "Tanh"
    builder.refresh()
    assert types(builder) == ["Tanh"]


def test_many_operators_by_code_are_not_drawn_one_by_one(monkeypatch):
    builder = build()
    drawn = []
    monkeypatch.setattr(builder._session, "scene", lambda scene=builder._session.scene: drawn.append(1) or scene())
    for k in range(300):
        builder.net.Relu(f"b{k}", f"b{k + 1}")
    assert len(builder.scene["nodes"]) > 1
    assert builder.scene["operators"] == 300
    assert len(drawn) < 150


def test_nets_models_messages_and_files_are_opened(tmp_path):
    net, model = core.Net("opened"), ModelHelper("opened_model")
    net.Relu("x", "y")
    brew.fc(model, "x", "y", 3, 4)
    assert build(net).net is net
    assert build(model).model is model
    assert types(build(model)) == ["FC"]
    assert types(build(net.Proto())) == ["Relu"]
    path = tmp_path / "net.pb"
    path.write_bytes(net.Proto().SerializeToString())
    opened = build(path)
    assert types(opened) == ["Relu"]
    assert opened.net.Proto() == net.Proto()
    for wrong in (3, tmp_path / "nothing.pb"):
        with pytest.raises((TypeError, FileNotFoundError)):
            build(wrong)
    (tmp_path / "bad.pb").write_bytes(b"\xff" * 50)
    with pytest.raises(RuntimeError, match=r"bad\.pb"):
        build(tmp_path / "bad.pb")


def test_opening_changes_nothing():
    net = core.Net("untouched")
    net.Relu("x", "y")
    before = net.Proto().SerializeToString()
    build(net).do("facts")
    assert net.Proto().SerializeToString() == before


def test_shapes_of_inputs_are_said():
    net = core.Net("shaped")
    net.Relu("x", "y")
    builder = build(net, inputs={"x": ("N", 3)})
    builder.do("facts")
    assert builder.facts["shapes"] == {"o0.0": "(N,3)"}
    assert build(net, inputs={"x": np.zeros((2, 5), np.int32)})._session.document.canvas.inputs == {
        "x": InputShape((2, 5), "int32")
    }


def test_shapes_of_fed_blobs_are_known():
    from c2lab import workspace

    workspace.FeedBlob("fed_for_canvas", np.zeros((2, 3), np.float32))
    net = core.Net("fed")
    net.Relu("fed_for_canvas", "y")
    builder = build(net)
    builder.do("facts")
    assert builder.facts["shapes"] == {"o0.0": "(2,3)"}


def test_messages_are_answered(monkeypatch):
    builder = build()
    sent = []
    monkeypatch.setattr(builder, "send", lambda content, buffers=None: sent.append((content, buffers)))
    builder._receive(builder, {"id": 5, "command": "add", "type": "Relu"}, [])
    builder._receive(builder, {"id": 6, "command": "add", "type": "Nothing"}, [])
    builder._receive(builder, "nonsense", [])
    builder._receive(builder, {"id": 7, "command": "bundle"}, [])
    assert sent[0][0] == {"reply": 5, "ok": True, "placed": ["o0"]}
    assert (sent[1][0]["reply"], sent[1][0]["ok"]) == (6, False)
    assert sent[2][0]["ok"] is False
    assert len(sent[3][1]) == len(sent[3][0]["files"]) == 2


def test_state_is_small_and_plain():
    builder = build()
    builder.do("add", kind="template", type="LeNet")
    state = {name: value for name, value in builder.get_state().items() if name not in ("_esm", "layout")}
    assert len(json.dumps(state)) < 60_000


def test_an_operator_that_is_defined_now_is_offered(monkeypatch):
    builder = build()
    sent = []
    monkeypatch.setattr(builder, "send", sent.append)
    before = len(builder.do("palette")["entries"])
    try:

        @operator("BuilderTestTwice")
        def twice(X):
            """Twice as much."""
            return 2 * X

        assert sent == [{"event": "palette"}]
        assert len(builder.do("palette")["entries"]) == before + 1
        builder.do("add", kind="input", type="table")
        (node,) = builder.do("add", type="BuilderTestTwice", **{"from": builder.scene["nodes"][0]["id"]})["placed"]
        assert builder.facts["outputs"][node] == ["(N,16)"]

        @operator("BuilderTestTwice")
        def pair(X):
            """Both halves."""
            return X[:, :8]

        assert builder.scene["version"] >= 2
        assert builder.facts["outputs"][node] == ["(N,8)"]
    finally:
        registry._operators.pop("BuilderTestTwice", None)
        builder.close()


def test_a_cell_that_is_run_again_goes_into_its_builder():
    builder = build(into="test_cell")
    builder.do("add", kind="template", type="LeNet")
    cell = builder.do("code")["cell"]
    assert 'into="test_cell"' in cell
    names = {}
    exec(cell.replace("kernel=5", "kernel=3"), names)
    assert names["builder"] is builder
    kernels = [dict(node["arguments"])["kernel"] for node in builder.scene["nodes"] if node["type"] == "Conv"]
    assert kernels == ["3", "3"]
    assert builder.do("undo")["label"] == "run cell"
    assert [dict(n["arguments"])["kernel"] for n in builder.scene["nodes"] if n["type"] == "Conv"] == ["5", "5"]


def test_the_still_picture_stands_beside_the_canvas():
    builder = build()
    builder.do("add", type="Relu")
    data, _ = builder._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert builder.snapshot().svg == data["image/svg+xml"]


def test_looking_only():
    net = core.Net("only_looked_at")
    net.Relu("x", "y")
    viewer = build(net, readonly=True)
    assert viewer.readonly
    assert "looking only" in viewer.do("add", type="Relu")["error"]
    assert viewer.do("find", text="relu")["found"]


def test_moving_boxes_while_looking_leaves_the_net_alone():
    net = core.Net("left_alone")
    net.Relu("s/x", "s/y")
    before = net.Proto().SerializeToString()
    viewer = build(net, readonly=True)
    assert viewer.do("move", positions={"o0": [5, 6]})["ok"]
    assert viewer.do("collapse", path="s", collapsed=True)["ok"]
    assert net.Proto().SerializeToString() == before


def test_the_difference_of_two_nets():
    old, new = core.Net("old"), core.Net("new")
    old.Relu("x", "y")
    new.Tanh("x", "y")
    found = c2.diff(old, new)
    assert {node["type"]: node["diff"] for node in found.scene["nodes"]} == {
        "x": None,
        "Relu": "removed",
        "Tanh": "added",
    }
    assert found.readonly
    assert diff(old, old).scene["nodes"][1]["diff"] is None
    assert [op.type for op in old.Proto().op] == ["Relu"]


def test_a_large_net_starts_folded():
    net = core.Net("large")
    for k in range(400):
        net.Relu(f"stage{k // 40}/b{k}", f"stage{(k + 1) // 40}/b{k + 1}")
    builder = build(net)
    assert len(builder.scene["nodes"]) <= 61
    group = next(node for node in builder.scene["nodes"] if node["kind"] == "group")
    assert builder.do("collapse", path=group["path"], collapsed=False)["ok"]
    assert group["id"] not in {node["id"] for node in builder.scene["nodes"]}
    assert len(build(net, fold_above=10_000).scene["nodes"]) == 401


def test_without_the_bundle_the_canvas_says_how_to_build_it():
    assert 'setAttribute("role", "alert")' in net_builder._MISSING


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\u202e" * 3, "x" * 10_000, "</script>", "\x00"])
def test_hostile_names_stay_text(name):
    net = caffe2_pb2.NetDef(name=name, op=[caffe2_pb2.OperatorDef(type="Relu", input=[name], output=["y"], name=name)])
    builder = build(net)
    builder.do("facts")
    data, _ = builder._repr_mimebundle_()
    assert "<img" not in data["image/svg+xml"]
    assert "</script>" not in data["image/svg+xml"]
    assert builder.scene["nodes"][0]["type"] == name


def test_an_array_that_is_given_as_input_is_what_runs():
    net = core.Net("given_input")
    net.Scale("given_x", "given_y", scale=2.0)
    builder = c2.build(net, inputs={"given_x": np.float32([[1, 2]])})
    assert builder.do("run")["ok"]
    np.testing.assert_array_equal(workspace.FetchBlob("given_y"), [[2, 4]])
