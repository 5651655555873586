from c2lab.builder.costs import cost_rows, cost_totals, heat
from c2lab.builder.running import Runner
from c2lab.graph.live_shapes import document_shapes
from tests.builder.canvases import do, lenet, node, refused, session


def test_costs_of_lenet():
    canvas = lenet(runner=Runner())
    told = do(canvas, "cost", on=True)
    rows = {row["name"]: row for row in told["rows"]}
    conv = rows["Conv conv1"]
    # 20 filters of 5 x 5 over 24 x 24 places: a multiplication and an addition each, and the bias.
    assert abs(conv["flops"] - 2 * 20 * 25 * 24 * 24) < 0.05 * conv["flops"]
    assert conv["parameters"] == 520
    assert conv["activations"] == 4 * 20 * 24 * 24
    assert rows["FC pred"]["flops"] >= 2 * 500 * 10
    assert told["totals"]["parameters"] == 431_080
    assert told["totals"]["complete"]
    assert told["totals"]["ms"] is None
    assert canvas.memory["overlay"]["heat"][node(canvas, "Conv")] <= 1
    double = do(canvas, "cost", on=True, batch=2)["totals"]
    assert 1.9 < double["flops"] / told["totals"]["flops"] < 2.1
    do(canvas, "cost", on=False)
    assert "overlay" not in canvas.memory


def test_measured_times():
    canvas = lenet(runner=Runner())
    rows = do(canvas, "cost", on=True, measure=True, batch=4)["rows"]
    assert all(row["ms"] > 0 for row in rows)
    assert max(canvas.memory["overlay"]["heat"].values()) == 1.0


def test_without_anybody_to_ask_shapes_still_say_something():
    canvas = lenet()
    told = do(canvas, "cost", on=True)
    assert not told["totals"]["complete"]
    assert told["totals"]["activations"] > 0
    assert "nobody" in refused(canvas, "cost", on=True, measure=True)
    assert "batch" in refused(canvas, "cost", on=True, batch=0)


def test_what_cannot_be_counted_is_said():
    canvas = session({"command": "add", "type": "Relu"}, runner=Runner())
    live = document_shapes(canvas.document)
    rows = cost_rows(canvas.document, live, canvas.runner, 1, {})
    assert rows[0]["flops"] is None
    assert rows[0]["activations"] is None
    assert cost_totals(rows, canvas.document, live)["complete"] is False
    assert heat(rows) == {canvas.document.ids[0]: 0.0}
