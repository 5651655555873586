"""SqueezeNet."""

from __future__ import annotations

from c2lab.brew_layers.networks.squeezenet import create_squeezenet
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_squeezenet, [2, 3, 224, 224])
    assert shape == [2, 1000, 1, 1]
    assert parameters == 1_235_496
    assert types(model) == {"AveragePool": 1, "Concat": 8, "Conv": 26, "Dropout": 1, "MaxPool": 3, "Relu": 26}
