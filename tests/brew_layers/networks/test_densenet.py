"""DenseNet."""

from __future__ import annotations

import pytest

from c2lab.brew_layers.networks.densenet import create_densenet
from tests.brew_layers.networks.built import built, types


def test_layers_and_parameters():
    model, shape, parameters = built(create_densenet, [2, 3, 224, 224])
    assert shape == [2, 1000]
    assert parameters == 7_978_856
    assert types(model)["Conv"] + types(model)["FC"] == 121


def test_other_depths():
    with pytest.raises(ValueError, match="no DenseNet of 100 layers"):
        built(create_densenet, [2, 3, 64, 64], num_layers=100)
