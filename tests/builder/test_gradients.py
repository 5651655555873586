import pytest

from c2lab import core, optimizer
from c2lab.builder.gradients import losses_of, model_of, with_gradients, with_optimizer, without_gradients
from c2lab.graph.document import EditRefused
from tests.builder.canvases import do, lenet, node, refused, session


def test_gradients_are_those_of_the_core():
    canvas = lenet()
    net = core.Net("compare")
    net.Proto().op.extend(canvas.net.Proto().op)
    net.AddGradientOperators(["loss"])
    do(canvas, "add_gradients")
    assert list(canvas.net.Proto().op) == list(net.Proto().op)
    assert canvas.model.param_to_grad["conv1_w"] == "conv1_w_grad"


@pytest.mark.parametrize("name", ["sgd", "adam", "adagrad", "rms_prop", "adadelta", "ftrl", "yellowfin"])
def test_optimizers_come_and_go(name):
    canvas = lenet()
    before = canvas.document
    do(canvas, "add_optimizer", name=name)
    assert "add " + name == canvas.history.undo_label
    assert len(canvas.net.Proto().op) > 20
    assert "already" in refused(canvas, "add_optimizer", name="sgd")
    do(canvas, "remove_gradients")
    assert canvas.document.net == before.net
    assert canvas.document.init == before.init
    assert dict(canvas.document.parameters) == dict(before.parameters)


def test_an_optimizer_is_the_one_that_code_builds():
    canvas = lenet()
    model = model_of(with_gradients(canvas.document, ["loss"]))
    optimizer.reset_optimizer_instance_count()
    optimizer.build_sgd(model, base_learning_rate=0.2, momentum=0.5)
    do(canvas, "add_optimizer", name="sgd", arguments={"base_learning_rate": 0.2, "momentum": "0.5"})
    assert list(canvas.net.Proto().op) == list(model.net.Proto().op)


def test_the_menu_has_fields():
    told = do(session(), "optimizers")["optimizers"]
    sgd = next(entry for entry in told if entry["name"] == "sgd")
    assert {"base_learning_rate", "momentum", "policy"} <= {field["name"] for field in sgd["fields"]}
    assert sgd["doc"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"name": "best"}, "no optimizer"), ({"name": "sgd", "arguments": {"speed": 1}}, "takes no 'speed'"),
     ({"name": "sgd", "arguments": {"momentum": "x"}}, "a number"), ({"name": "sgd", "arguments": 3}, "an object")],
)  # fmt: skip
def test_what_is_no_optimizer(fields, why):
    assert why in refused(lenet(), "add_optimizer", **fields)


def test_what_cannot_be_differentiated_says_why():
    assert "no loss" in refused(session({"command": "add", "type": "Relu"}), "add_gradients")
    canvas = lenet()
    assert "no operator writes" in refused(canvas, "add_gradients", loss="nothing")
    do(canvas, "disconnect", edge=f"{node(canvas, 'FC')}.0")
    assert "not wired" in refused(canvas, "add_gradients", loss="loss")
    do(canvas, "undo")
    do(canvas, "add_gradients")
    assert "already" in refused(canvas, "add_gradients")
    assert "no gradients" in refused(lenet(), "remove_gradients")


def test_gradient_operators_are_edited_like_others():
    canvas = lenet()
    do(canvas, "add_gradients")
    relu = node(canvas, "ReluGradient")
    do(canvas, "remove", nodes=[relu], heal=True)
    assert "ReluGradient" not in [op.type for op in canvas.net.Proto().op]
    do(canvas, "undo")
    assert canvas.scene()["nodes"][-1]["gradient"]


def test_losses_are_single_numbers_that_nobody_reads():
    canvas = lenet()
    assert losses_of(canvas.document) == ["loss"]
    do(canvas, "add", type="AveragedLoss", **{"from": node(canvas, "Relu")})
    assert sorted(losses_of(canvas.document)) == ["averagedloss1", "loss"]


def test_documents_are_not_touched():
    document = lenet().document
    grown = with_optimizer(with_gradients(document, ["loss"]), optimizer.build_adam, {"base_learning_rate": 0.1})
    assert len(document.net.op) == 8
    assert without_gradients(grown).net == document.net
    with pytest.raises(EditRefused):
        with_optimizer(document, optimizer.build_sgd, {"base_learning_rate": 0.1})
