"""Residual networks, layer by layer."""

from __future__ import annotations

import functools

import pytest

from c2lab.brew_layers.networks.resnet import (
    ResNetBuilder,
    create_resnet50,
    create_resnet_32x32,
    create_resnext,
)
from c2lab.model_helper import ModelHelper
from tests.brew_layers.networks.built import built, types

RESNEXT = functools.partial(create_resnext, no_loss=True)


def lines(model: ModelHelper) -> list[str]:
    return [f"{op.type} {' '.join(op.input)} -> {op.output[0]}" for op in model.Proto().op]


def test_the_parameters_of_resnet50():
    model, shape, parameters = built(create_resnet50, [2, 3, 224, 224], no_loss=True, no_bias=1)
    assert shape == [2, 1000]
    assert parameters == 25_557_032
    assert types(model) == {
        "AveragePool": 1, "Conv": 53, "FC": 1, "MaxPool": 1, "Relu": 49, "SpatialBN": 53, "Sum": 16,
    }  # fmt: skip
    assert lines(model)[:4] == [
        "Conv data conv1_w -> conv1",
        "SpatialBN conv1 conv1_spatbn_relu_s conv1_spatbn_relu_b conv1_spatbn_relu_rm conv1_spatbn_relu_riv -> "
        "conv1_spatbn_relu",
        "Relu conv1_spatbn_relu -> conv1_spatbn_relu",
        "MaxPool conv1_spatbn_relu -> pool1",
    ]
    assert lines(model)[-2:] == [
        "AveragePool comp_15_sum_3 -> final_avg",
        "FC final_avg last_out_L1000_w last_out_L1000_b -> last_out_L1000",
    ]
    assert model.GetComputedParams()[:2] == ["conv1_spatbn_relu_rm", "conv1_spatbn_relu_riv"]


@pytest.mark.parametrize(("layers", "groups", "width", "expected"), [(50, 32, 4, 25_028_904), (101, 1, 64, 44_549_160)])
def test_the_parameters_of_its_kin(layers, groups, width, expected):
    model = ModelHelper("kin")
    arguments = {"num_layers": layers, "num_groups": groups, "num_width_per_group": width}
    _, shape, parameters = built(RESNEXT, [2, 3, 224, 224], **arguments)
    assert (shape, parameters) == ([2, 1000], expected)
    with pytest.raises(ValueError, match="no ResNeXt of 51 layers"):
        create_resnext(model, "data", 3, 10, 51, 1, 64)


def test_a_bottleneck():
    model = ModelHelper("block")
    builder = ResNetBuilder(model, "x", no_bias=1, is_test=True)
    assert builder.add_bottleneck(64, 32, 128, stride=2) == 128
    assert [line.split(" ")[0] + " " + line.split(" ")[-1] for line in lines(model)] == [
        "Conv comp_0_conv_1", "SpatialBN comp_0_spatbn_1", "Relu comp_0_spatbn_1",
        "Conv comp_0_conv_2", "SpatialBN comp_0_spatbn_2", "Relu comp_0_spatbn_2",
        "Conv comp_0_conv_3", "SpatialBN comp_0_spatbn_3",
        "Conv shortcut_projection_0", "SpatialBN shortcut_projection_0_spatbn",
        "Sum comp_0_sum_3", "Relu comp_0_sum_3",
    ]  # fmt: skip
    builder.add_bottleneck(128, 32, 128)
    assert lines(model)[-2] == "Sum comp_0_sum_3 comp_1_spatbn_3 -> comp_1_sum_3"
    assert builder.prev_blob == "comp_1_sum_3"


def test_a_simple_block_without_normalization():
    model = ModelHelper("block")
    ResNetBuilder(model, "x", no_bias=0, is_test=True).add_simple_block(
        16, 32, down_sampling=True, spatial_batch_norm=False
    )
    assert lines(model) == [
        "Conv x comp_0_conv_1_w comp_0_conv_1_b -> comp_0_conv_1",
        "Relu comp_0_conv_1 -> comp_0_conv_1",
        "Conv comp_0_conv_1 comp_0_conv_2_w comp_0_conv_2_b -> comp_0_conv_2",
        "Conv x shortcut_projection_0_w shortcut_projection_0_b -> shortcut_projection_0",
        "Sum shortcut_projection_0 comp_0_conv_2 -> comp_0_sum_2",
        "Relu comp_0_sum_2 -> comp_0_sum_2",
    ]


def test_what_comes_out():
    model = ModelHelper("out")
    softmax, loss = create_resnet50(model, "data", 3, 10, label="label")
    assert (softmax, loss) == ("softmax", "loss")
    assert create_resnet50(ModelHelper("out"), "data", 3, 10, is_test=True) == "softmax"


def test_small_pictures():
    def create(model, data, channels, labels):
        return create_resnet_32x32(model, data, channels, num_groups=2, num_labels=labels)

    # The first convolution has no padding, and the last pool is as large as what is left.
    model, shape, _ = built(create, [2, 3, 34, 34])
    assert shape == [2, 1000]
    assert types(model)["Sum"] == 12
    assert lines(model)[-1] == "Softmax last_out -> softmax"
