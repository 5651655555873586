"""VGG."""

from __future__ import annotations

import pytest

from c2lab.brew_layers.networks.vgg import create_vgg
from tests.brew_layers.networks.built import built, types


@pytest.mark.parametrize(("layers", "expected"), [(11, 132_863_336), (16, 138_357_544), (19, 143_667_240)])
def test_layers_and_parameters(layers, expected):
    model, shape, parameters = built(create_vgg, [2, 3, 224, 224], num_layers=layers)
    assert shape == [2, 1000]
    assert parameters == expected
    assert types(model)["Conv"] + types(model)["FC"] == layers


def test_other_sizes_and_depths():
    assert built(create_vgg, [2, 3, 64, 64], image_size=64)[1] == [2, 1000]
    with pytest.raises(ValueError, match="no VGG of 12 layers"):
        built(create_vgg, [2, 3, 64, 64], num_layers=12)
