"""AlexNet."""

from __future__ import annotations

from c2lab.brew_layers.networks.alexnet import create_alexnet
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_alexnet, [2, 3, 224, 224])
    assert shape == [2, 1000]
    assert parameters == 61_100_840
    assert types(model) == {"Conv": 5, "Dropout": 2, "FC": 3, "MaxPool": 3, "Relu": 7}


def test_other_sizes():
    assert built(create_alexnet, [2, 3, 127, 127], image_size=127)[1] == [2, 1000]


def test_predicting():
    model, _, _ = built(create_alexnet, [2, 3, 224, 224], is_test=True)
    dropped = [a.i for op in model.Proto().op for a in op.arg if op.type == "Dropout" and a.name == "is_test"]
    assert dropped == [1, 1]
