"""Fully connected networks."""

from __future__ import annotations

from c2lab.brew_layers.networks.mlp import create_mlp
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_mlp, [2, 784], hidden=(30, 20))
    assert shape == [2, 1000]
    assert parameters == 784 * 30 + 30 + 30 * 20 + 20 + 20 * 1000 + 1000
    assert types(model) == {"FC": 3, "Relu": 2}


def test_no_hidden_layer():
    model, _, parameters = built(create_mlp, [2, 784], hidden=())
    assert parameters == 785 * 1000
    assert types(model) == {"FC": 1}
