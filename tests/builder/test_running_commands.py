import base64
import io

import numpy as np
import pytest

from c2lab import workspace
from c2lab.builder.running import Runner
from c2lab.graph.canvas import InputShape, input_id
from tests.builder.canvases import do, lenet, node, refused, session


@pytest.fixture(autouse=True)
def own_workspace():
    with workspace.WorkspaceGuard("canvas_commands"):
        workspace.ResetWorkspace()
        yield


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return base64.b64encode(file.getvalue()).decode()


def test_digits_are_fed_by_themselves_and_everything_can_be_looked_at():
    canvas = lenet(runner=Runner())
    assert do(canvas, "run")["ms"] > 0
    assert workspace.FetchBlob("data").shape == (16, 1, 28, 28)
    for edge in canvas.scene()["edges"]:
        told = do(canvas, "peek", edge=edge["id"])
        assert told["stats"]["count"] > 0
        assert told["stale"] is False
    assert do(canvas, "peek", edge=f"{node(canvas, 'MaxPool')}.0")["image"]
    assert do(canvas, "peek", node=node(canvas, "SoftmaxWithLoss"), output=1)["shape"] == "()"
    assert do(canvas, "peek", node=input_id("label"))["dtype"] == "int32"
    assert do(canvas, "peek", blob="conv1_w")["shape"] == "(20, 1, 5, 5)"
    do(canvas, "comment", text="x", x=0, y=0)
    assert do(canvas, "peek", blob="conv1_w")["stale"] is True


def test_arrays_are_fed_where_they_fit():
    canvas = lenet(runner=Runner())
    do(canvas, "feed", blob="data", base64=npy(np.zeros((2, 1, 28, 28), np.float32)))
    do(canvas, "feed", blob="label", base64=npy(np.zeros(2, np.int32)))
    do(canvas, "run")
    assert workspace.FetchBlob("softmax").shape == (2, 10)
    for value in (np.zeros((2, 3, 28, 28), np.float32), np.zeros((2, 1, 28, 28), np.int32), np.array(["a"])):
        refused(canvas, "feed", blob="data", base64=npy(value))
    assert "no input" in refused(canvas, "feed", blob="conv1", base64="")
    assert "count" in refused(canvas, "feed", blob="data", sample="digits", count=10**6)
    assert do(canvas, "feed", blob="data", sample="digits", count=5)["fed"]["label"] == "(5,)"


def test_an_input_without_a_shape_takes_that_of_its_value():
    canvas = session({"command": "add", "kind": "input", "type": "blob"}, runner=Runner())
    do(canvas, "feed", blob="input", base64=npy(np.zeros((4, 7), np.float32)))
    assert canvas.document.canvas.inputs == {"input": InputShape(("N", 7))}
    assert "digits need" in refused(canvas, "feed", blob="input", sample="digits")


def test_what_was_not_run_cannot_be_looked_at():
    canvas = lenet(runner=Runner())
    assert "run the net" in refused(canvas, "peek", edge="o1.0")
    assert "no blob" in refused(canvas, "peek", blob="nothing")
    assert "no output" in refused(canvas, "peek", node="o1", output=4)
    assert "nobody" in refused(lenet(), "run")


def test_an_operator_that_fails_says_so():
    canvas = lenet(runner=Runner())
    workspace.FeedBlob("data", np.zeros((2, 1, 5, 5), np.float32))
    workspace.FeedBlob("label", np.zeros(2, np.int32))
    assert refused(canvas, "run")


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"action": "stop"}, "nothing is being trained"), ({}, "no gradients"), ({"steps": 0}, "steps"),
     ({"batch": 0}, "batch"), ({"action": "fly"}, "nothing is being trained")],
)  # fmt: skip
def test_training_needs_something_to_train(fields, why):
    assert why in refused(lenet(runner=Runner()), "train", **fields)
