"""Layers that join blobs."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
        ("concat", ["a", "b"], {}, f"Concat(a, b) -> y, _y_concat_dims {REST} order=NCHW use_cudnn=1"),
        ("concat", ["a", "b"], {"axis": 0}, f"Concat(a, b) -> y, _y_concat_dims axis=0 {REST} use_cudnn=1"),
        ("depth_concat", ["a", "b"], {}, f"Concat(a, b) -> y, _y_concat_dims {REST} order=NCHW use_cudnn=1"),
    ],
)
def test_one_operator(layer, inputs, arguments, expected):
    model = ModelHelper("single")
    assert getattr(brew, layer)(model, inputs, "y", **arguments) == "y"
    assert written(model.net) == [expected]
    assert len(model.InitProto().op) == 0


def test_scopes_are_put_in_front_once():
    model = ModelHelper("single")
    with core.NameScope("s"):
        x = brew.relu(model, "x", "a")
        brew.concat(model, [x, x], x + "_joined", axis=1)
    assert list(model.Proto().op[1].output) == ["s/a_joined", "_s/a_joined_concat_dims"]
