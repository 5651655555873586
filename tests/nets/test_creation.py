"""Single operators, and questions about types."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, events
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field, argument_value, make_argument


def test_create_operator_fills_every_field():
    op = core.CreateOperator(
        "Conv", ["x", "w"], "y", name="conv1", control_input=["before"], engine="CUDNN", debug_info="here",
        arg=[make_argument("order", "NHWC")], device_option=core.DeviceOption(caffe2_pb2.CUDA, 1), kernel=3,
    )  # fmt: skip
    assert (op.type, op.name, op.engine, op.debug_info) == ("Conv", "conv1", "CUDNN", "here")
    assert (list(op.input), list(op.output), list(op.control_input)) == (["x", "w"], ["y"], ["before"])
    assert op.device_option.device_id == 1
    assert [(a.name, argument_value(a)) for a in op.arg] == [("order", b"NHWC"), ("kernel", 3)]


@pytest.mark.parametrize(
    ("value", "field", "kept"),
    [
        (True, "i", 1),
        (3, "i", 3),
        (np.int64(3), "i", 3),
        (0.5, "f", 0.5),
        ("text", "s", b"text"),
        (b"bytes", "s", b"bytes"),
        ([1, 2], "ints", [1, 2]),
        ((1.0, 2.0), "floats", [1.0, 2.0]),
        (["a", b"b"], "strings", [b"a", b"b"]),
        (np.array([1, 2]), "ints", [1, 2]),
    ],
)
def test_arguments_go_to_the_field_of_their_type(value, field, kept):
    (argument,) = core.CreateOperator("Any", [], [], a=value).arg
    assert argument_field(argument) == field
    assert argument_value(argument) == kept


def test_mixed_lists_are_a_value_error():
    with pytest.raises(ValueError, match="Unknown iterable argument type"):
        core.CreateOperator("Any", [], [], a=[1, 2.0])


def test_none_leaves_an_argument_out_and_a_seed_goes_to_the_device():
    op = core.CreateOperator("Any", [], [], a=None, random_seed=7)
    assert not op.arg
    assert op.device_option.random_seed == 7


def test_scopes_apply_to_text():
    with core.NameScope("s"):
        op = core.CreateOperator("Any", ["x", core.BlobReference("y")], ["z"], control_input="c")
    assert (list(op.input), list(op.output), list(op.control_input)) == (["s/x", "y"], ["s/z"], ["s/c"])


def test_an_unknown_type_is_found_out_later():
    assert core.CreateOperator("NoSuchThing", "x", "y").type == "NoSuchThing"


def test_listeners_see_new_operators():
    seen = []
    end = events.listen("operator_created", lambda op: seen.append(op))
    try:
        op = core.CreateOperator("Relu", "x", "y")
        net = core.Net("heard")
        net.Relu("x", "y")
        net.AddGradientOperators(["y"])
    finally:
        end()
    assert seen[0] is op
    assert [op.type for op in seen] == ["Relu", "Relu", "ConstantFill", "ReluGradient"]


def test_which_types_there_are():
    assert core.IsOperator("Relu")
    assert not core.IsOperator("Rellu")
    assert core.IsOperatorWithEngine("Relu", "")
    assert not core.IsOperatorWithEngine("Relu", "CUDNN")
    core.RefreshRegisteredOperators()
    assert "Relu" in core._REGISTERED_OPERATORS


def test_engine_preferences_are_taken():
    core.SetEnginePref({}, {})
    core.SetPerOpEnginePref({})
    core.SetGlobalEnginePref({})
    core.SetOpEnginePref("Conv", {})
