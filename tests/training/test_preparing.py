import pytest

from c2lab import brew, model_helper, optimizer
from c2lab.errors import BadArgument
from c2lab.training import lenet
from c2lab.training.preparing import prepare
from tests.training.models import classifier, line


def types(net):
    return [op.type for op in net.op]


def test_a_whole_model_keeps_its_gradients_and_updates():
    model = lenet.training_model(0.05, 100)
    nets = prepare(model)
    own = types(model.Proto())
    assert [kind for kind in types(nets.step) if kind not in ("Mul", "SumSqrElements", "Sum")] == own
    assert (nets.loss, nets.metrics) == ("loss", ["loss", "accuracy"])
    assert (nets.prediction, nets.label) == ("softmax", "label")
    assert nets.inputs == ["data", "label"]
    assert "conv1_w" in nets.parameters
    assert {"conv1_w", "conv1_w_momentum", "optimizer_iteration"} <= set(nets.state)


def test_what_lacks_is_added():
    nets = prepare(classifier(), optimizer="adam", rate=0.01)
    assert {"LabelCrossEntropy", "AveragedLoss", "Accuracy", "Adam", "LearningRate"} <= set(types(nets.step))
    nets = prepare(classifier(), optimizer=lambda model: optimizer.build_rms_prop(model, 0.01))
    assert "RmsProp" in types(nets.step)


def test_one_tests_without_dropout_and_with_kept_means():
    model = model_helper.ModelHelper("tested")
    brew.spatial_bn(model, "data", "normed", dim_in=3)
    brew.dropout(model, "normed", "dropped", is_test=0)
    brew.softmax(model, brew.fc(model, "dropped", "scores", dim_in=3, dim_out=2), "softmax")
    nets = prepare(model)
    for op in nets.forward.op[:2]:
        assert len(op.output) == 1
        assert next(a.i for a in op.arg if a.name == "is_test") == 1
    assert len(nets.step.op[0].output) == 5
    assert any(name.endswith("_riv") for name in nets.state)
    assert not any(name.endswith("_riv") for name in nets.parameters)


def test_every_rate_is_scaled_by_a_blob():
    nets = prepare(line())
    position = types(nets.step).index("LearningRate")
    scale = nets.step.op[position + 1]
    assert (scale.type, list(scale.input), list(scale.output)) == (
        "Mul", [nets.rates[0], "training_rate_scale"], [nets.rates[0]],
    )  # fmt: skip


def test_adding_up_splits_the_step():
    nets = prepare(line(), accumulate=3)
    assert "LearningRate" not in types(nets.step)
    assert "LearningRate" in types(nets.update)
    assert "w_grad_training_sum" in nets.state


def test_sparse_gradients_are_not_added_up():
    model = model_helper.ModelHelper("sparse")
    model.param_init_net.ConstantFill([], "table", shape=[4, 2], value=1.0)
    model.AddParameter(model.param_init_net.GetBlobRef("table"))
    model.net.Gather(["table", "rows"], "found")
    model.net.SquaredL2Distance(["found", "t"], "distance")
    model.net.AveragedLoss("distance", "loss")
    assert "ScatterWeightedSum" in types(prepare(model).step)
    with pytest.raises(BadArgument, match="table has sparse ones"):
        prepare(model, accumulate=2)


def test_a_model_that_is_none():
    with pytest.raises(BadArgument, match="it must be a ModelHelper"):
        prepare(7)
