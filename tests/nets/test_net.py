"""Nets: adding operators by attribute, operators with names of their own, and what is done to whole nets."""

from __future__ import annotations

import copy
import inspect
import sys

import numpy as np
import pytest

from c2lab import core, errors, events, origins
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


# ---- the net itself ---


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


def test_as_text_it_is_its_name_and_repr_is_short(net):
    net.Relu("x", "y")
    assert str(net) == net.Name()
    assert repr(net) == f'<Net "{net.Name()}", 1 operators>'


def test_a_notebook_always_gets_the_text(net, monkeypatch):
    net.Relu("x", "y")
    monkeypatch.setitem(sys.modules, "c2lab.widgets.net_viewer", None)
    assert net._repr_mimebundle_() == {"text/plain": str(net.Proto())}


def test_nets_can_be_copied(net):
    net.Relu("x", "y")
    assert copy.deepcopy(net).Proto() == net.Proto()


# ---- operators by attribute ---


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
    assert net.Proto().op[0].name == f"{__file__}:{lines[0].lineno}:test_each_operator_has_a_line"


def test_whoever_listens_hears_of_each_operator(net):
    heard = []
    end = events.listen("operator_added", lambda net, position: heard.append((net.Name(), position)))
    try:
        net.AddGradientOperators([net.Relu("x", "y")])
    finally:
        end()
    net.Relu("y", "z")
    assert heard == [(net.Name(), position) for position in range(3)]


# ---- operators with names of their own ---


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


# ---- whole nets ---


@pytest.fixture
def chain():
    net = core.Net("whole")
    net.Relu("x", "h")
    net.Relu("h", "y")
    net.Relu("h", "z")
    net.AddExternalOutput("y")
    return net


def wiring(net):
    return [f"{' '.join(op.input)} -> {' '.join(op.output)}" for op in net.Proto().op]


def test_appending_a_net(chain):
    other = core.Net("other")
    other.Relu("y", "w")
    other.Relu("v", "u")
    other.AddExternalOutput("w", "u")
    assert chain.AppendNet(other, core.DeviceOption(caffe2_pb2.CUDA, 2)) is chain
    assert wiring(chain)[3:] == ["y -> w", "v -> u"]
    assert list(chain.Proto().external_input) == ["x", "v"]
    assert list(chain.Proto().external_output) == ["y", "w", "u"]
    assert [op.device_option.device_id for op in chain.Proto().op[3:]] == [2, 2]
    assert not other.Proto().op[0].HasField("device_option")
    with pytest.raises(AssertionError, match=r"AppendNet takes a core.Net"):
        chain.AppendNet(other.Proto())


def test_inserting_an_operator(chain):
    chain.insert_op_at_idx(core.CreateOperator("Add", ["h", "bias"], "h"), 1)
    assert wiring(chain)[:2] == ["x -> h", "h bias -> h"]
    assert chain.is_external_input("bias")
    with pytest.raises(AssertionError, match="op_idx is -1"):
        chain.insert_op_at_idx(chain.Proto().op[0], -1)


def test_rerouting_a_blob(chain):
    normalize = core.CreateOperator("Add", ["h", "bias"], "h_shifted")
    assert chain.reroute_tensor("h", normalize, [chain.Proto().op[1]]) == 1
    assert wiring(chain) == ["x -> h", "h bias -> h_shifted", "h_shifted -> y", "h -> z"]
    assert chain.reroute_tensor("x", core.CreateOperator("Relu", "x", "x_clean")) == 1
    assert wiring(chain)[:2] == ["x -> x_clean", "x_clean -> h"]
    with pytest.raises(AssertionError, match="does not read q"):
        chain.reroute_tensor("q", normalize)


def test_ready_operators(chain):
    chain.extend_ops([core.CreateOperator("Relu", "z", "w")])
    assert chain.BlobIsDefined("w")


# ---- options ---


def test_seeds(chain):
    chain.set_rand_seed(10)
    assert [op.device_option.random_seed for op in chain.Proto().op] == [10, 11, 12]
    chain.set_rand_seed(10, sequence_seed=False)
    assert [op.device_option.random_seed for op in chain.Proto().op] == [10, 10, 10]
    chain.set_rand_seed(10, sequence_seed=False, seed_on_op_def=True)
    assert len({op.device_option.random_seed for op in chain.Proto().op}) == 3
    with pytest.raises(AssertionError, match="cannot be both set"):
        chain.set_rand_seed(1, True, True)


def test_devices(chain):
    chain.RunAllOnGPU(3, use_cudnn=True)
    assert chain.Proto().device_option == core.DeviceOption(caffe2_pb2.CUDA, 3)
    assert {op.engine for op in chain.Proto().op} == {"CUDNN"}
    chain.RunAllOnIDEEP()
    assert chain.Proto().device_option.device_type == caffe2_pb2.IDEEP
    chain.RunAllOnMKL()
    assert chain.Proto().device_option.device_type == caffe2_pb2.MKLDNN


def test_arguments_of_a_net(chain):
    chain.AddArgument("depth", 3)
    assert [(a.name, a.i) for a in chain.Proto().arg] == [("depth", 3)]


def test_observers_are_not_offered(chain):
    assert chain.NumObservers() == 0
    with pytest.raises(errors.NotSupported):
        chain.AddObserver("TimeObserver")
