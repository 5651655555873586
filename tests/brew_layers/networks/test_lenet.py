"""LeNet: its parts, and that it learns."""

from __future__ import annotations

import numpy as np

from c2lab import optimizer, workspace
from c2lab.brew_layers.networks.lenet import create_lenet
from c2lab.model_helper import ModelHelper
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_lenet, [2, 1, 28, 28])
    assert shape == [2, 1000]
    # The usual 431,080 for ten classes, and 990 classes more.
    assert parameters == 431_080 + 501 * 990
    assert types(model) == {"Conv": 2, "FC": 2, "MaxPool": 2, "Relu": 1}
    assert model.params == [f"{layer}_{kind}" for layer in ("conv1", "conv2", "fc3", "pred") for kind in "wb"]


def test_it_learns_two_pictures():
    model = ModelHelper("lenet_learning")
    scores = create_lenet(model, "data", 1, 2, image_size=16)
    _, loss = model.SoftmaxWithLoss([scores, "label"], ["softmax", "loss"])
    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, 0.005, momentum=0.9)
    model.param_init_net.set_rand_seed(1)
    workspace.FeedBlob("data", np.random.default_rng(0).normal(size=(2, 1, 16, 16)).astype(np.float32))
    workspace.FeedBlob("label", np.array([0, 1], np.int32))
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net)
    workspace.RunNet(model.net.Name(), 30)
    assert workspace.FetchBlob("loss") < 0.05
