import pytest

from c2lab import workspace
from c2lab.builder.running import Runner
from tests.builder.canvases import do, lenet, node, refused


@pytest.fixture(autouse=True)
def own_workspace():
    with workspace.WorkspaceGuard("canvas_training"):
        workspace.ResetWorkspace()
        yield


def trained(steps, **options):
    canvas = lenet(runner=Runner())
    reports = []
    canvas.report = reports.append
    do(canvas, "add_optimizer", name="sgd", arguments={"base_learning_rate": 0.01})
    do(canvas, "train", steps=steps, batch=32, **options)
    return canvas, canvas.memory["training"], reports


def test_lenet_learns_on_the_canvas():
    _canvas, training, reports = trained(80)
    training.join(120)
    assert reports[-1]["running"] is False
    assert reports[-1]["error"] == ""
    assert reports[-1]["step"] == 80
    assert training.history[-1][1]["loss"] < 1.8 < training.history[0][1]["loss"]


def test_it_is_paused_stopped_and_edited_on_the_way():
    canvas, training, reports = trained(100_000)
    do(canvas, "train", action="pause")
    step = training.step
    do(canvas, "comment", text="meanwhile", x=0, y=0)
    do(canvas, "set_argument", node=node(canvas, "LearningRate"), name="base_lr", value=-0.001)
    assert "already" in refused(canvas, "train")
    do(canvas, "train", action="go")
    do(canvas, "train", action="stop")
    training.join(60)
    assert not training.running
    assert training.step >= step
    assert reports[-1]["running"] is False


def test_a_loss_that_is_no_number_stops_it():
    canvas, training, reports = trained(100_000)
    do(canvas, "set_argument", node=node(canvas, "LearningRate"), name="base_lr", value=1e30)
    training.join(120)
    assert not training.running
    assert "training was stopped" in reports[-1]["error"]


def test_a_net_that_is_broken_on_the_way_ends_with_the_reason():
    canvas, training, reports = trained(100_000)
    do(canvas, "disconnect", edge=f"{node(canvas, 'FC')}.0")
    training.join(60)
    assert "not wired" in reports[-1]["error"]


def test_closing_ends_it():
    canvas, training, _ = trained(100_000)
    canvas.close()
    training.join(60)
    assert not training.running
