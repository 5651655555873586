import numpy as np
import pytest

from c2lab import workspace
from c2lab.builder.running import Runner, runnable, runner_for
from c2lab.graph.document import EditRefused
from c2lab.graph.shapes import ShapeAndType
from tests.builder.canvases import do, lenet, node, session


@pytest.fixture(autouse=True)
def own_workspace():
    with workspace.WorkspaceGuard("canvas_test"):
        workspace.ResetWorkspace()
        yield


def feed(count=3):
    workspace.FeedBlob("data", np.random.RandomState(0).rand(count, 1, 28, 28).astype(np.float32))
    workspace.FeedBlob("label", np.zeros(count, np.int32))


def test_a_run_fills_what_is_missing_and_leaves_what_is_there():
    canvas, runner = lenet(), Runner()
    feed()
    assert runner.run(canvas.document) > 0
    before = workspace.FetchBlob("conv1_w")
    assert before.shape == (20, 1, 5, 5)
    workspace.FeedBlob("conv1_b", np.full(20, 7, np.float32))
    runner.run(canvas.document)
    assert (workspace.FetchBlob("conv1_w") == before).all()
    assert (workspace.FetchBlob("conv1_b") == 7).all()


def test_parameters_of_another_size_are_filled_anew():
    canvas, runner = lenet(), Runner()
    feed()
    runner.run(canvas.document)
    kept = workspace.FetchBlob("pred_w")
    do(canvas, "set_argument", node=node(canvas, "Conv"), name="dim_out", value=4)
    runner.run(canvas.document)
    assert workspace.FetchBlob("conv1_w").shape == (4, 1, 5, 5)
    assert (workspace.FetchBlob("pred_w") == kept).all()


def test_what_is_missing_is_said_before_anything_runs():
    runner = Runner()
    with pytest.raises(EditRefused, match="nothing to run"):
        runner.run(session().document)
    with pytest.raises(EditRefused, match="not wired yet: X"):
        runner.run(session({"command": "add", "type": "Relu"}).document)
    with pytest.raises(EditRefused, match="'data', 'label' has no value"):
        runner.run(lenet().document)
    assert workspace.Blobs() == []


def test_every_version_of_a_blob_can_be_looked_at():
    canvas, runner = lenet(), Runner()
    feed()
    runner.run(canvas.document)
    fc, relu = canvas.document.position(node(canvas, "FC")), canvas.document.position(node(canvas, "Relu"))
    before, after = (runner.value_at(canvas.document, k, "fc3") for k in (fc, relu))
    assert before.min() < 0
    assert (after == np.maximum(before, 0)).all()
    assert (workspace.FetchBlob("fc3") == after).all()
    assert (runner.value_at(canvas.document, None, "data") == workspace.FetchBlob("data")).all()
    with pytest.raises(EditRefused, match="run the net"):
        runner.value_at(canvas.document, 0, "nothing")
    workspace.FeedInt8Blob("numbers", np.uint8([127, 130]), 0.5, 128)
    assert runner.value_at(canvas.document, None, "numbers").tolist() == [-0.5, 1.0]
    assert (runner.value_at(canvas.document, fc, "fc3") == before).all()  # what is quantized is copied too


def test_costs_and_times():
    canvas, runner = lenet(), runner_for()
    op = canvas.document.net.op[6]
    shapes = {"fc3": ShapeAndType((1, 500), "float32"), "pred_w": ShapeAndType((10, 500), "float32"),
              "pred_b": ShapeAndType((10,), "float32")}  # fmt: skip
    assert runner.cost(op, shapes).flops >= 10_000
    assert runner.cost(op, {}).flops is None
    workspace.FeedBlob("mine", np.zeros(3, np.float32))
    times = runner.measure(canvas.document, {"data": ShapeAndType((2, 1, 28, 28), "float32"),
                                             "label": ShapeAndType((2,), "int32")})  # fmt: skip
    assert len(times) == 8
    assert workspace.Blobs() == ["mine"]  # it ran apart
    assert runnable(canvas.document) == canvas.document.net
    assert runner.shapes(["mine", "other"]) == {"mine": ShapeAndType((3,), "float32")}
    assert runner.fetch("other") is None
