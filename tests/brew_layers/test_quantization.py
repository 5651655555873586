"""Layers on quantized tables."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper


@pytest.mark.parametrize(
    ("layer", "operator"),
    [
        ("fused_8bit_rowwise_quantized_to_float", "Fused8BitRowwiseQuantizedToFloat"),
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
