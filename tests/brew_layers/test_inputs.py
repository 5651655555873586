"""Layers that read samples."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written


def test_db_input():
    model = ModelHelper("single")
    data, label = brew.db_input(model, ["data", "label"], batch_size=4, db="d.minidb", db_type="minidb")
    assert (data, label) == ("data", "label")
    assert written(model.param_init_net) == ["CreateDB() -> dbreader_d.minidb db=d.minidb db_type=minidb"]
    assert written(model.net) == ["TensorProtosDBInput(dbreader_d.minidb) -> data, label batch_size=4"]


def test_pictures_must_know_whether_they_train():
    with pytest.raises(AssertionError, match="is_test is required"):
        brew.image_input(ModelHelper("single"), "reader", ["data", "label"])


class Recorder:
    """A model whose net takes every operator."""

    init_params = True

    def __init__(self):
        self.net, self.lines = self, []

    def __getattr__(self, operator):
        def add(inputs, outputs, **arguments):
            self.lines.append((operator, inputs, outputs, arguments))
            return outputs

        return add


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {},
            [
                ("ImageInput", "reader", ["data_nhwc", "label"], {"is_test": 1, "crop": 8}),
                ("NHWC2NCHW", "data_nhwc", "data", {}),
            ],
        ),
        ({"order": "NHWC"}, [("ImageInput", "reader", ["data", "label"], {"is_test": 1, "crop": 8})]),
        (
            {"use_gpu_transform": True},
            [("ImageInput", "reader", ["data", "label"], {"use_gpu_transform": 1, "is_test": 1, "crop": 8})],
        ),
    ],
)
def test_image_input(arguments, expected):
    model = Recorder()
    outputs = brew.GetRegisteredHelper("image_input")(
        model, "reader", ["data", "label"], is_test=1, crop=8, **arguments
    )
    assert list(outputs) == ["data", "label"]
    assert model.lines == expected


@pytest.mark.parametrize(
    ("layer", "operator"),
    [
        ("video_input", "VideoInput"),
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
