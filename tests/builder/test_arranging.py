from c2lab.graph.canvas import input_id
from tests.builder.canvases import do, lenet, node, refused, session


def places(canvas):
    return {box["id"]: (box["x"], box["y"]) for box in canvas.scene()["nodes"]}


def test_what_was_moved_stays_and_layout_forgets_it():
    canvas = lenet()
    still = places(canvas)
    do(canvas, "move", positions={input_id("data"): [-300, 40.26], "o3": [5, 6]})
    assert places(canvas)[input_id("data")] == (-300.0, 40.3)
    do(canvas, "layout")
    assert places(canvas) == still
    do(canvas, "undo")
    do(canvas, "undo")
    assert places(canvas) == still
    for positions in ({}, [], {"o99": [1, 2]}, {"o0": [1]}, {"o0": [1, "x"]}):
        refused(canvas, "move", positions=positions)


def test_boxes_line_up():
    canvas = lenet()
    do(canvas, "align", nodes=["o0", "o1", "o2"], how="left")
    assert len({places(canvas)[name][0] for name in ("o0", "o1", "o2")}) == 1
    do(canvas, "align", nodes=["o0", "o1"], how="center")
    assert "two boxes" in refused(canvas, "align", nodes=["o0"], how="left")


def test_groups_close_and_open_and_this_is_undone_too():
    canvas = lenet()
    do(canvas, "set_scope", nodes=["o0", "o1"], scope="s")
    do(canvas, "collapse", path="s", collapsed=True)
    assert [box["kind"] for box in canvas.scene()["nodes"]].count("group") == 1
    (group,) = canvas.groups()
    do(canvas, "move", positions={group: [70, 80]})
    assert places(canvas)[group] == (70.0, 80.0)
    do(canvas, "undo")
    do(canvas, "undo")
    assert canvas.groups() == {}


def test_copies_stand_beside_and_have_their_own_parameters():
    canvas = lenet()
    conv, pool = node(canvas, "Conv"), node(canvas, "MaxPool")
    before = places(canvas)
    first, second = do(canvas, "duplicate", nodes=[conv, pool])["placed"]
    ops = {name: canvas.document.op(name) for name in (first, second)}
    assert list(ops[first].input) == ["data", "conv1_w_2", "conv1_b_2"]
    assert ops[second].input[0] == ops[first].output[0]
    assert places(canvas)[first] == (before[conv][0] + 40, before[conv][1] + 40)
    assert {"conv1_w_2", "conv1_b_2"} <= set(map(str, canvas.model.params))
    assert canvas.selected == [first, second]


def test_comments():
    canvas = session({"command": "comment", "text": "one", "x": 1, "y": 2})
    do(canvas, "comment", text="two", node="c0")
    assert canvas.scene()["nodes"][0]["text"] == "two"
    do(canvas, "remove", nodes=["c0"])
    assert canvas.scene()["nodes"] == []
    do(canvas, "undo")
    assert canvas.scene()["nodes"][0]["text"] == "two"


def test_selecting_is_no_step():
    canvas = lenet()
    do(canvas, "select", nodes=["o1"])
    assert canvas.selected == ["o1"]
    assert canvas.history.undo_label == "add LeNet"
