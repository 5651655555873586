"""A scale and a shift for each feature."""

from __future__ import annotations

from c2lab import brew
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


def test_elementwise_linear():
    model = ModelHelper("single")
    brew.elementwise_linear(model, "x", "y", 3)
    assert written(model.param_init_net) == [
        "ConstantFill() -> y_w shape=[3] value=1",
        "ConstantFill() -> y_b shape=[3] value=0",
    ]
    assert written(model.net) == [f"ElementwiseLinear(x, y_w, y_b) -> y {REST} order=NCHW use_cudnn=1"]
    assert (model.weights, model.biases) == (["y_w"], ["y_b"])


def test_fills_of_ones_own():
    model = ModelHelper("single")
    fill = ("ConstantFill", {"value": 0.5})
    brew.elementwise_linear(model, "x", "y", 3, weight_init=fill, bias_init=fill)
    assert [line.split(" ")[-1] for line in written(model.param_init_net)] == ["value=0.5"] * 2
