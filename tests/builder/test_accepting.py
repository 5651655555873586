from c2lab.builder.accepting import accepting_types, operator_fits
from c2lab.graph.live_shapes import symbol
from c2lab.graph.shapes import ShapeAndType
from c2lab.operators import registry
from tests.builder.canvases import do, lenet, node, session


def offered(canvas, name):
    return {entry["type"] for entry in accepting_types(canvas.document, name, 0)}


def test_only_what_takes_the_shape_is_offered():
    canvas = lenet()
    scores = next(
        n for n, op in zip(canvas.document.ids, canvas.document.net.op, strict=True) if op.output[0] == "pred"
    )
    found = offered(canvas, scores)
    assert {"SoftmaxWithLoss", "Softmax", "Relu", "FC", "fc"} <= found
    assert not {"Conv", "MaxPool", "conv", "max_pool", "LSTMUnit"} & found
    assert {"conv", "max_pool", "MaxPool", "Conv"} <= offered(canvas, node(canvas, "Conv"))


def test_labels_go_where_labels_go():
    canvas = lenet()
    label = next(n for n, blob in canvas.document.outside().items() if blob == "label")
    found = offered(canvas, label)
    assert "OneHot" in found or "Cast" in found
    assert not {"Conv", "Softmax", "conv"} & found


def test_everything_usual_is_offered_where_the_shape_is_not_known():
    canvas = session({"command": "add", "type": "Relu"})
    assert {"Relu", "Conv", "conv"} <= offered(canvas, canvas.document.ids[0])


def test_what_is_offered_fits_indeed():
    canvas = lenet()
    scores = next(
        n for n, op in zip(canvas.document.ids, canvas.document.net.op, strict=True) if op.output[0] == "pred"
    )
    for entry in accepting_types(canvas.document, scores, 0)[:40]:
        do(canvas, "add", **entry, **{"from": scores})
        do(canvas, "undo")


def test_one_operator():
    picture = ShapeAndType((symbol("N"), 3, 8, 8), "float32")
    assert operator_fits(registry.find("Conv"), picture)
    assert operator_fits(registry.find("FC"), picture)
    assert not operator_fits(registry.find("Conv"), ShapeAndType((symbol("N"), 3), "float32"))
    assert not operator_fits(registry.find("Relu"), ShapeAndType((3,), "int32"))
    assert not operator_fits(registry.find("LSTMUnit"), picture)
