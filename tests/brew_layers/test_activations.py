"""Activation layers."""

from __future__ import annotations

import pytest

from c2lab import brew
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
        ("relu", "x", {}, f"Relu(x) -> y {REST} order=NCHW @CUDNN"),
        ("relu", "x", {"use_cudnn": False}, f"Relu(x) -> y {REST} order=NCHW"),
        ("tanh", "x", {}, f"Tanh(x) -> y {REST} order=NCHW @CUDNN"),
        ("tanh", "x", {"use_cudnn": False}, f"Tanh(x) -> y {REST} order=NCHW"),
    ],
)
def test_one_operator(layer, inputs, arguments, expected):
    model = ModelHelper("single")
    assert getattr(brew, layer)(model, inputs, "y", **arguments) == "y"
    assert written(model.net) == [expected]
    assert len(model.InitProto().op) == 0


def test_prelu():
    model = ModelHelper("single")
    brew.prelu(model, "x", "y")
    brew.prelu(model, "x", "z", num_channels=3, slope_init=("UniformFill", {"max": 0.5}))
    assert written(model.param_init_net) == [
        "ConstantFill() -> y_slope shape=[1] value=0.25",
        "UniformFill() -> z_slope max=0.5 shape=[3]",
    ]
    assert written(model.net) == ["PRelu(x, y_slope) -> y", "PRelu(x, z_slope) -> z"]
    assert model.params == ["y_slope", "z_slope"]
