"""Normalizers ask the model for the layer they stand for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from c2lab.optimizers.normalizers import BatchNormalizer, LayerNormalizer, Normalizer

MODEL = SimpleNamespace(
    BatchNormalization=lambda param, **arguments: ("batch", param, arguments),
    LayerNormalization=lambda param, **arguments: ("layer", param, arguments),
)


def test_batches():
    expected = ("batch", "x", {"momentum": 0.5, "scale_init_value": 2.0})
    assert BatchNormalizer(0.5, scale_init_value=2)(MODEL, "x") == expected


def test_layers():
    arguments = {"epsilon": 1e-3, "use_layer_norm_op": False, "scale_init_value": 1.0}
    assert LayerNormalizer(1e-3, use_layer_norm_op=False)(MODEL, "x") == ("layer", "x", arguments)


def test_a_normalizer_says_what_it_does():
    with pytest.raises(Exception, match="does not say how"):
        Normalizer()(MODEL, "x")
