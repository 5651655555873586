"""Nets: adding operators, names of blobs, what comes from outside."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest

from c2lab import core, errors, origins
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value


@pytest.fixture
def net():
    return core.Net("a_net")


@pytest.fixture
def stand_ins(monkeypatch):
    """Operators that some tests need but whose kernels they do not."""
    from c2lab.operators import registry
    from c2lab.operators.definition import host_operator

    registry.load()
    monkeypatch.setattr(registry, "_operators", dict(registry._operators))
    for kind, outputs in (("Print", ""), ("Unique", "*Y"), ("UnsortedSegmentSum", "Y"), ("UnsortedSegmentMean", "Y")):
        host_operator(kind, outputs=outputs)(lambda *X: X)


def arguments(op):
    return {argument.name: argument_value(argument) for argument in op.arg}


# ---- the net itself ----------------------------------------------------------------------------------


def test_names_are_unique_in_the_process():
    first, second, third = core.Net("twice"), core.Net("twice"), core.Net("twice")
    assert second.Name() == f"{first.Name()}_1"
    assert third.Name() == f"{first.Name()}_2"


def test_names_are_not_scoped():
    with core.NameScope("scope"):
        assert "/" not in core.Net("unscoped").Name()


def test_a_proto_is_copied():
    proto = caffe2_pb2.NetDef(name="from_proto", op=[core.CreateOperator("Relu", "x", "y")], external_input=["x"])
    net = core.Net(proto)
    net.Relu("y", "z")
    assert len(proto.op) == 1
    assert [op.output[0] for op in net.Proto().op] == ["y", "z"]
    assert list(net.Proto().external_input) == ["x"]


def test_a_proto_goes_on_counting_its_blobs():
    op = core.CreateOperator("Relu", "counted_blob_3", "counted_blob_11")
    assert core.Net(caffe2_pb2.NetDef(name="counted", op=[op])).NextName().endswith("_blob_12")


def test_text_is_the_proto_and_repr_is_short(net):
    net.Relu("x", "y")
    assert str(net) == str(net.Proto())
    assert repr(net) == f'<Net "{net.Name()}", 1 operators>'


def test_a_notebook_always_gets_the_text(net, monkeypatch):
    net.Relu("x", "y")
    monkeypatch.setitem(__import__("sys").modules, "c2lab.widgets.net_viewer", None)
    assert net._repr_mimebundle_() == {"text/plain": str(net)}


def test_nets_can_be_copied(net):
    net.Relu("x", "y")
    assert str(copy.deepcopy(net)) == str(net)


# ---- operators by attribute --------------------------------------------------------------------------


def test_an_operator_is_a_method(net):
    y = net.Relu("x", "y", name="first", engine="CUDNN")
    (op,) = net.Proto().op
    assert (op.type, list(op.input), list(op.output), op.name, op.engine) == ("Relu", ["x"], ["y"], "first", "CUDNN")
    assert y == "y"
    assert y.Net() is net


def test_an_unknown_operator_is_an_attribute_error_with_neighbours(net):
    told = r"Method Rellu is not a registered operator. Did you mean: \[.*\bRelu\b.*\]"
    with pytest.raises(AttributeError, match=told) as caught:
        net.Rellu("x", "y")
    assert isinstance(caught.value, errors.UnknownOperator)
    assert not hasattr(net, "Rellu")


def test_dir_lists_the_operators(net):
    assert {"Relu", "AddGradientOperators"} <= set(dir(net))


def test_a_method_has_the_definitions_help(net):
    method = net.LeakyRelu
    assert method.__name__ == "LeakyRelu"
    assert "Inputs:" in inspect.getdoc(method)
    parameters = inspect.signature(method).parameters
    assert list(parameters)[:2] == ["inputs", "outputs"]
    assert parameters["alpha"].default == 0.01
    assert "LeakyRelu(inputs, outputs=None, *, alpha" in repr(method)


def test_outputs_may_be_left_to_the_net(net):
    name = net.Name()
    assert [net.Relu("x"), net.Relu("x"), net.Relu("x")] == [f"{name}/Relu", f"{name}/Relu_2", f"{name}/Relu_3"]


def test_a_number_asks_for_so_many_outputs(net, stand_ins):
    name = net.Name()
    assert net.Split("x", 2) == (f"{name}/Split:0", f"{name}/Split:1")
    assert net.Split("x", 2) == (f"{name}/Split_2:0", f"{name}/Split_2:1")
    assert net.Print("x", 0) is None


def test_several_outputs_are_a_tuple_and_none_is_none(net, stand_ins):
    assert net.Split("x", ["a", "b"]) == ("a", "b")
    assert net.Print("x", []) is None


def test_scopes_apply_to_text_and_not_to_references(net):
    x = net.Relu("x", "outer")
    with core.NameScope("a"), core.NameScope("b"):
        net.Relu("q", "y")
        net.Relu(x, "z")
        automatic = net.Relu(x)
    assert [(op.input[0], op.output[0]) for op in net.Proto().op[1:3]] == [("a/b/q", "a/b/y"), ("outer", "a/b/z")]
    assert automatic == f"a/b/{net.Name()}/Relu"


def test_operators_of_other_types_of_input_are_refused(net):
    with pytest.raises(TypeError, match=r"I/O blob #1 of unsupported type: 3 of type int"):
        net.Add(["x", 3], "y")
    with pytest.raises(TypeError, match=r"Unknown input/output type: 3.5 of type float"):
        net.Relu(3.5, "y")


def test_a_blob_that_claims_to_be_from_here_must_be(net):
    with pytest.raises(AssertionError, match=r'"ghost" is said to be from net'):
        net.Relu(core.BlobReference("ghost", net), "y")


def test_each_operator_has_a_line(net):
    net.Relu("x", "y")
    net.Relu("y", "z")
    lines = origins.operator_tracebacks[net.Name()]
    assert [lines[i].filename for i in (0, 1)] == [__file__, __file__]
    assert lines[1].lineno == lines[0].lineno + 1
    net.PopulateProtoWithFileName()
    assert net.Proto().op[0].name == f"{__file__}:{lines[0].lineno}"


# ---- names -------------------------------------------------------------------------------------------


def test_next_names(net):
    name = net.Name()
    assert [net.NextName(), net.NextName(), net.NextName("pre")] == [f"{name}_blob_0", f"{name}_blob_1", f"{name}/pre"]


def test_next_blobs_are_never_given_twice(net):
    assert [net.NextBlob("p"), net.NextBlob("p"), net.NextBlob("p")] == ["p", "p_auto_0", "p_auto_1"]
    with core.NameScope("s"):
        assert [net.NextScopedBlob("p"), net.NextScopedBlob("p")] == ["s/p", "s/p_auto_0"]
    net.Relu("x", "taken")
    assert net.NextBlob("taken") == "taken_auto_0"
    net.Relu(net.NextBlob("fed"), "y")


def test_references_of_defined_blobs(net):
    net.Relu("x", "y")
    assert net.GetBlobRef("y").Net() is net
    with pytest.raises(AssertionError, match="neither writes a blob"):
        net.GetBlobRef("z")


def test_used_blobs(net):
    net.Relu("x", "y")
    net.AddExternalInput("unused")
    assert net.UsedBlobNames() == {"x", "y"}
    assert net.UsesBlob("x")
    assert not net.UsesBlob("unused")


def test_changes_of_the_proto_are_seen(net):
    proto = net.Proto()
    assert not net.BlobIsDefined("y")
    proto.op.append(core.CreateOperator("Relu", "x", "y"))
    assert net.BlobIsDefined("y")
    net._net.external_input.append("late")
    assert net.is_external_input("late")
    proto = net.Proto()
    proto.op[0].output[0] = "renamed"
    assert net.BlobIsDefined("renamed")
    assert not net.BlobIsDefined("y")


# ---- outside -----------------------------------------------------------------------------------------


def test_undeclared_inputs_become_external(net):
    net.Relu("x", "y")
    net.Add(["y", "z"], "w")
    assert net.external_inputs == ["x", "z"]
    assert net.external_outputs == []


def test_external_inputs_are_declared_once(net):
    assert net.AddExternalInput("a") == "a"
    assert net.AddExternalInputs("b", "c") == ["b", "c"]
    with pytest.raises(AssertionError, match="Net already contains an input named a"):
        net.AddExternalInput("a")
    with pytest.raises(AssertionError, match="Net already contains an input named d"):
        net.AddExternalInput("d", "d")
    assert net.external_inputs == ["a", "b", "c"]


def test_external_outputs_must_be_defined(net):
    y = net.Relu("x", "y")
    net.AddExternalOutput(y)
    net.AddExternalOutputs("x")
    assert net.external_outputs == ["y", "x"]
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        net.AddExternalOutput(core.BlobReference("nowhere"))
    with pytest.raises(AssertionError, match="takes names and BlobReferences"):
        net.AddExternalOutput(3)


def test_scoped_externals(net):
    with core.NameScope("s"):
        assert net.AddScopedExternalInputs("x") == "s/x"
        net.AddScopedExternalOutputs("x")
    assert net.external_outputs == ["s/x"]


# ---- operators with names of their own ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        ([1.0, 2.0], "GivenTensorFill", [1.0, 2.0]),
        ([1, 2], "GivenTensorInt64Fill", [1, 2]),
        (np.array([[1], [2]], np.int32), "GivenTensorIntFill", [1, 2]),
        ([True, False], "GivenTensorBoolFill", [1, 0]),
        (["a", "b"], "GivenTensorStringFill", [b"a", b"b"]),
        (np.array([3], np.float64), "GivenTensorFill", [3.0]),
        (np.array([3], np.uint8), "GivenTensorFill", [3.0]),
    ],
)
def test_constants(net, value, kind, kept):
    assert net.Const(value) == f"{net.Name()}/{kind}:0"
    (op,) = net.Proto().op
    assert op.type == kind
    assert arguments(op) == {"shape": list(np.shape(value)), "values": kept}


def test_constants_have_names_and_types(net):
    assert net.Const(3, "three", dtype=np.float32) == "three"
    assert net.Proto().op[0].type == "GivenTensorFill"
    net.Const(True, "yes")
    assert arguments(net.Proto().op[1]) == {"value": 1, "dtype": core.DataType.BOOL}


def test_log_info_prints(net, stand_ins):
    net.LogInfo("a word", net.Relu("x"))
    assert [op.type for op in net.Proto().op] == ["Relu", "GivenTensorStringFill", "Print", "Print"]


@pytest.mark.parametrize(("aggregator", "kind"), [("sum", "UnsortedSegmentSum"), ("mean", "UnsortedSegmentMean")])
def test_slices_are_made_unique(net, stand_ins, aggregator, kind):
    g = net.DeduplicateGradientSlices(core.GradientSlice("i", "v"), aggregator)
    assert [op.type for op in net.Proto().op] == ["Unique", kind]
    assert isinstance(g, core.GradientSlice)


def test_unknown_aggregators_are_refused(net):
    with pytest.raises(ValueError, match="median is not supported"):
        net.DeduplicateGradientSlices(core.GradientSlice("i", "v"), "median")
    with pytest.raises(AssertionError):
        net.DeduplicateGradientSlices("dense")
