"""MobileNet."""

from __future__ import annotations

from c2lab.brew_layers.networks.mobilenet import create_mobilenet
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_mobilenet, [2, 3, 224, 224])
    assert shape == [2, 1000]
    assert parameters == 4_231_976
    assert types(model) == {"AveragePool": 1, "Conv": 27, "FC": 1, "Relu": 27, "SpatialBN": 27}


def test_half_the_width():
    assert built(create_mobilenet, [2, 3, 64, 64], width=0.5)[2] == 1_331_592
