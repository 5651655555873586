import numpy as np

from c2lab import workspace
from c2lab.training import lenet


def test_the_layers_have_the_shapes_of_lenet():
    trainer = lenet.training_model(learning_rate=0.1, iterations=10)
    workspace.RunNetOnce(trainer.param_init_net)
    shapes = {name: workspace.FetchBlob(name).shape for name in map(str, trainer.GetParams())}
    assert shapes == {
        "conv1_w": (20, 1, 5, 5),
        "conv1_b": (20,),
        "conv2_w": (50, 20, 5, 5),
        "conv2_b": (50,),
        "fc3_w": (500, 800),
        "fc3_b": (500,),
        "pred_w": (10, 500),
        "pred_b": (10,),
    }


def test_the_predicting_model_shares_the_parameters_and_trains_nothing():
    trainer, predictor = lenet.training_model(0.1, 10), lenet.predicting_model()
    assert list(map(str, predictor.GetParams())) == list(map(str, trainer.GetParams()))
    assert not predictor.param_init_net.Proto().op
    assert list(predictor.net.Proto().external_output) == ["softmax"]
    assert [op.type for op in predictor.net.Proto().op] == [
        "Conv", "MaxPool", "Conv", "MaxPool", "FC", "Relu", "FC", "Softmax",
    ]  # fmt: skip


def test_the_learning_rate_falls_to_nothing():
    trainer = lenet.training_model(learning_rate=0.5, iterations=4)
    workspace.RunNetOnce(trainer.param_init_net)
    workspace.FeedBlob("data", np.zeros((2, 1, 28, 28), np.float32))
    workspace.FeedBlob("label", np.zeros(2, np.int32))
    workspace.CreateNet(trainer.net)
    (rate,) = {op.output[0] for op in trainer.net.Proto().op if op.type == "LearningRate"}
    rates = []
    for _ in range(3):
        workspace.RunNet(trainer.net)
        rates.append(abs(float(workspace.FetchBlob(rate))))
    np.testing.assert_allclose(rates, [0.375, 0.25, 0.125], rtol=1e-6)
