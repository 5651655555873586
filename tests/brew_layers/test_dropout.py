"""Dropout."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
        ("dropout", "x", {"is_test": False}, f"Dropout(x) -> y, _y_mask {REST} is_test=0 order=NCHW @CUDNN"),
        (
            "dropout",
            "x",
            {"is_test": True, "ratio": 0.25, "use_cudnn": False},
            f"Dropout(x) -> y, _y_mask {REST} is_test=1 order=NCHW ratio=0.25 @DEFAULT",
        ),
    ],
)
def test_one_operator(layer, inputs, arguments, expected):
    model = ModelHelper("single")
    assert getattr(brew, layer)(model, inputs, "y", **arguments) == "y"
    assert written(model.net) == [expected]
    assert len(model.InitProto().op) == 0


def test_it_must_know_whether_it_trains():
    with pytest.raises(AssertionError, match="is_test is required"):
        brew.dropout(ModelHelper("single"), "x", "y")


def test_scopes_are_put_in_front_once():
    model = ModelHelper("single")
    with core.NameScope("s"):
        x = brew.relu(model, "x", "a")
        brew.dropout(model, x, x + "_dropped", is_test=False)
    assert list(model.Proto().op[1].output) == ["s/a_dropped", "_s/a_dropped_mask"]
