"""Pooling layers."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
        ("max_pool", "x", {"kernel": 2}, f"MaxPool(x) -> y {REST} kernel=2 order=NCHW @CUDNN"),
        ("average_pool", "x", {"kernel": 2}, f"AveragePool(x) -> y {REST} kernel=2 order=NCHW @CUDNN"),
        ("max_pool", "x", {"use_cudnn": False, "order": "NHWC"}, f"MaxPool(x) -> y {REST} order=NHWC"),
    ],
)
def test_one_operator(layer, inputs, arguments, expected):
    model = ModelHelper("single")
    assert getattr(brew, layer)(model, inputs, "y", **arguments) == "y"
    assert written(model.net) == [expected]
    assert len(model.InitProto().op) == 0


@pytest.mark.parametrize(
    ("layer", "operator"),
    [
        ("max_pool_with_index", "MaxPoolWithIndex"),
    ],
)
def test_operators_that_may_not_be_there(layer, operator):
    model = ModelHelper("single")
    if core.IsOperator(operator):
        getattr(brew, layer)(model, "x", "y")
        assert model.Proto().op[0].type == operator
    else:
        with pytest.raises(AttributeError, match=f"Method {operator} is not a registered operator"):
            getattr(brew, layer)(model, "x", "y")
