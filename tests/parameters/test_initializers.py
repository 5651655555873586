"""What fills parameters."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from c2lab import core
from c2lab.model_helper import ModelHelper
from c2lab.parameters.initializers import (
    ExternalInitializer,
    Initializer,
    PseudoFP16Initializer,
    ReversePseudoFP16Initializer,
    add_filled_parameter,
    layer_initializer,
    update_initializer,
)
from tests.written_nets import written

XAVIER, ZERO = ("XavierFill", {}), ("ConstantFill", {"value": 0.0})


class RecordingNet:
    """Takes every operator, registered or not."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, operator):
        def add(inputs, output, **arguments):
            self.lines.append((operator, inputs and str(inputs), str(output), arguments))
            return core.BlobReference(str(output))

        return add


def test_an_initializer_fills_with_its_operator():
    net = core.Net("filling")
    info = Initializer("GaussianFill", std=0.5).create_param("w", net, [2, 3])
    assert written(net) == ["GaussianFill() -> w shape=[2,3] std=0.5"]
    assert (info.blob, info.shape) == ("w", [2, 3])


def test_the_operator_may_be_named_later_but_once():
    net = core.Net("filling")
    initializer = Initializer()
    with pytest.raises(AssertionError, match="No operator was named"):
        initializer.create_param("w", net, [1])
    initializer.update("ConstantFill", {"value": 0.5})
    initializer.create_param("w", net, [1])
    assert written(net) == ["ConstantFill() -> w shape=[1] value=0.5"]
    with pytest.raises(Exception, match="cannot become XavierFill"):
        initializer.update("XavierFill", {})


def test_half_precision_with_a_master_copy():
    net = RecordingNet()
    info = PseudoFP16Initializer("XavierFill").create_param(core.BlobReference("w"), net, [2])
    assert net.lines == [
        ("XavierFill", [], "w_fp32", {"shape": [2]}),
        ("FloatToHalf", "w_fp32", "w", {}),
    ]
    assert (info.blob, info.blob_copy) == ("w", {core.DataType.FLOAT: "w_fp32"})


def test_float_with_a_copy_in_half_precision():
    net = RecordingNet()
    info = ReversePseudoFP16Initializer("XavierFill").create_param(core.BlobReference("w"), net, [2])
    assert net.lines == [
        ("XavierFill", [], "w", {"shape": [2]}),
        ("FloatToHalf", "w", "w_fp16", {}),
    ]
    assert (info.blob, info.blob_copy) == ("w", {core.DataType.FLOAT16: "w_fp16"})


def test_nothing_is_filled_from_outside():
    net = core.Net("filling")
    with core.NameScope("s"):
        assert ExternalInitializer().create_param("w", net, [2]).blob == "s/w"
        assert ExternalInitializer().create_param(core.BlobReference("w"), net, [2]).blob == "w"
    assert len(net.Proto().op) == 0
    with pytest.raises(TypeError, match="text or a BlobReference"):
        ExternalInitializer().create_param(3, net, [2])


def test_which_initializer_a_layer_uses():
    made = update_initializer(None, None, XAVIER)
    assert (type(made), made.operator_name) == (Initializer, "XavierFill")
    assert update_initializer(None, ZERO, XAVIER).operator_kwargs == {"value": 0.0}
    made = update_initializer(PseudoFP16Initializer, ZERO, XAVIER)
    assert (type(made), made.operator_name) == (PseudoFP16Initializer, "ConstantFill")
    ready, unnamed = Initializer("UniformFill"), Initializer()
    assert update_initializer(ready, None, XAVIER) is ready
    assert ready.operator_name == "UniformFill"
    assert update_initializer(unnamed, None, XAVIER) is unnamed
    assert unnamed.operator_name == "XavierFill"
    for external in (ExternalInitializer, ExternalInitializer()):
        assert isinstance(update_initializer(external, None, XAVIER), ExternalInitializer)


def test_a_model_that_fills_nothing_has_no_say():
    model = SimpleNamespace(init_params=False)
    assert isinstance(layer_initializer(model, Initializer("UniformFill"), None, XAVIER), ExternalInitializer)


def test_parameters_of_the_older_layers_are_filled_each_time():
    model = ModelHelper("older")
    for _ in range(2):
        assert add_filled_parameter(model, "w", [2], ZERO, "WEIGHT") == "w"
    assert written(model.param_init_net) == ["ConstantFill() -> w shape=[2] value=0"] * 2
    assert model.params == model.weights == ["w", "w"]
    outside = ModelHelper("outside", init_params=False)
    with core.NameScope("s"):
        assert add_filled_parameter(outside, "w", [2], ZERO) == "s/w"
    assert len(outside.InitProto().op) == 0
