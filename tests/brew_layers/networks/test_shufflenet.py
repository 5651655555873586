"""ShuffleNet."""

from __future__ import annotations

import pytest

from c2lab.brew_layers.networks.shufflenet import ShuffleNetV2Builder, create_shufflenet
from c2lab.model_helper import ModelHelper
from tests.brew_layers.networks.built import built, types


def test_layers_and_shape():
    model, shape, _ = built(create_shufflenet, [2, 3, 224, 224], no_loss=True)
    assert shape == [2, 1000]
    # Three units that halve the picture and thirteen that do not, between two plain convolutions.
    assert types(model) == {
        "AveragePool": 1, "ChannelShuffle": 16, "Concat": 16, "Conv": 56, "FC": 1, "MaxPool": 1,
        "Relu": 35, "SpatialBN": 54, "Split": 13,
    }  # fmt: skip


def test_what_comes_out():
    assert create_shufflenet(ModelHelper("out"), "data", 3, 10, label="label") == ("softmax", "loss")
    assert create_shufflenet(ModelHelper("out"), "data", 3, 10, is_test=True) == "softmax"


def test_a_basic_unit():
    model = ModelHelper("unit")
    builder = ShuffleNetV2Builder(model, "x", 3, 10, is_test=True)
    builder.add_basic_unit("u", 8)
    assert [f"{op.type} {op.output[0]}" for op in model.Proto().op] == [
        "Split u_left",
        "Conv u_right_conv1", "SpatialBN u_right_conv1_bn", "Relu u_right_conv1_bn",
        "Conv u_right_dwconv", "SpatialBN u_right_dwconv_bn",
        "Conv u_right_conv2", "SpatialBN u_right_conv2_bn", "Relu u_right_conv2_bn",
        "Concat u_concat", "ChannelShuffle u_ch_shuffle",
    ]  # fmt: skip


def test_units_that_see_more():
    model = ModelHelper("unit")
    builder = ShuffleNetV2Builder(model, "x", 3, 10, is_test=True, detection=True)
    builder.add_spatial_ds_unit("u", 4, 8)
    names = [op.output[0] for op in model.Proto().op if op.type == "Conv"]
    assert names == [
        "u_left_detection_conv", "uleft_dwconv", "u_left_conv1",
        "u_right_detection_conv", "u_right_conv1", "u_right_dwconv", "u_right_conv2",
    ]  # fmt: skip


def test_widths():
    with pytest.raises(ValueError, match="no ShuffleNet of width '3x'"):
        ShuffleNetV2Builder(ModelHelper("w"), "x", 3, 10, width="3x")
