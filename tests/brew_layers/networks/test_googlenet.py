"""GoogLeNet."""

from __future__ import annotations

from c2lab.brew_layers.networks.googlenet import create_googlenet
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_googlenet, [2, 3, 224, 224])
    assert shape == [2, 1000]
    assert parameters == 6_998_552
    assert types(model) == {
        "AveragePool": 1, "Concat": 9, "Conv": 57, "Dropout": 1, "FC": 1, "LRN": 2, "MaxPool": 13, "Relu": 57,
    }  # fmt: skip
