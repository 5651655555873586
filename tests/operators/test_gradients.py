"""Gradient makers and what they work with."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.errors import NoGradient
from c2lab.operators.gradients import GradientSlice, GradientWriter, make_gradient
from c2lab.proto import caffe2_pb2


def test_refusals_are_said():
    with pytest.raises(NoGradient, match=r"creating gradient for \[Accuracy\].*One should not call gradient"):
        make_gradient(core.CreateOperator("Accuracy", ["p", "l"], "a"), ["a_grad"])
    with pytest.raises(NoGradient, match="should have a gradient but is not implemented yet"):
        make_gradient(core.CreateOperator("Floor", "x", "y"), ["y_grad"])


def test_what_stops_gradients_emits_nothing():
    found = make_gradient(core.CreateOperator("StopGradient", "x", "y"), ["y_grad"])
    assert found.ops == []
    assert found.input_gradients == [None]


def test_gradient_operators_inherit_device_engine_and_arguments():
    option = core.DeviceOption(caffe2_pb2.CUDA, 1)
    op = core.CreateOperator("LeakyRelu", "x", "y", name="named", alpha=0.25, device_option=option, engine="E")
    (gradient,) = make_gradient(op, ["g"]).ops
    assert gradient.device_option == option
    assert gradient.engine == "E"
    assert gradient.arg[0].f == 0.25
    assert gradient.is_gradient_op
    assert not gradient.name


def test_the_writer():
    writer = GradientWriter(core.CreateOperator("Sum", ["a", "b"], "c"), [None])
    assert (writer.I(1), writer.O(0), writer.GI(0)) == ("b", "c", "a_grad")
    assert not writer.has_GO(0)
    with pytest.raises(NoGradient, match="which has none"):
        writer.GO(0)
    assert writer.GI_slice(1) == ("b_grad_indices", "b_grad_values")
    assert writer.input_gradients == ["a_grad", GradientSlice("b_grad_indices", "b_grad_values")]
    sparse = GradientWriter(core.CreateOperator("Relu", "a", "c"), [GradientSlice("i", "v")])
    with pytest.raises(NoGradient, match="sparse"):
        sparse.GO(0)
