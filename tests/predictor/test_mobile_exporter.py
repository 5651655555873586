import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import MissingBlob, NotSupported
from c2lab.predictor import mobile_exporter
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value


@pytest.fixture
def net():
    """y = relu(x w^T + b), whose parameters are in the workspace."""
    workspace.FeedBlob("w", np.arange(6, dtype=np.float32).reshape(2, 3) - 3)
    workspace.FeedBlob("b", np.array([0.5, -0.5], np.float32))
    net = core.Net("tiny")
    net.FC(["x", "w", "b"], "fc")
    net.Relu("fc", "y")
    return net


def test_both_nets_predict_what_the_net_computes(net):
    init_net, predict_net = mobile_exporter.Export(workspace, net, ["w", "b"])
    assert list(predict_net.external_input) == ["x", "w", "b"]
    assert list(predict_net.external_output) == ["y"]
    x = np.random.RandomState(0).randn(4, 3).astype(np.float32)
    (result,) = workspace.Predictor(init_net, predict_net).run([x])
    expected = np.maximum(x @ workspace.FetchBlob("w").T + workspace.FetchBlob("b"), 0)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_the_init_net_fills_parameters_and_gives_inputs_a_zero(net):
    init_net, _ = mobile_exporter.Export(workspace, net, [core.BlobReference("w"), "b"])
    filled = {op.output[0]: {arg.name: argument_value(arg) for arg in op.arg} for op in init_net.op}
    assert filled["w"] == {"shape": [2, 3], "values": [-3, -2, -1, 0, 1, 2]}
    assert filled["x"] == {"shape": [1, 1], "values": [0]}
    workspace.ResetWorkspace()
    workspace.RunNetOnce(init_net)
    np.testing.assert_array_equal(workspace.FetchBlob("b"), np.array([0.5, -0.5], np.float32))


def test_the_net_itself_is_left_alone(net):
    before = net.Proto().SerializeToString()
    mobile_exporter.Export(workspace, net.Proto(), ["w", "b"])
    assert net.Proto().SerializeToString() == before


def test_a_blob_that_ends_in_place_is_an_output():
    net = core.Net("inplace")
    net.Relu("x", "y")
    net.Relu("y", "y")
    _, predict_net = mobile_exporter.Export(workspace, net, [])
    assert list(predict_net.external_output) == ["y"]
    assert list(predict_net.external_input) == ["x"]


def test_a_missing_parameter_is_named(net):
    workspace.ResetWorkspace()
    with pytest.raises(MissingBlob, match="Can't find blob: w"):
        mobile_exporter.Export(workspace, net, ["w", "b"])


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, -2.0]], np.float32),
        np.array([1.5, -2.0], np.float64),
        np.array([-3, 4], np.int16),
        np.array([-3, 4], np.int32),
        np.array([-(2**40), 4], np.int64),
        np.array([True, False]),
        np.float32(3.0).reshape(()),
        np.zeros((0, 3), np.float32),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}",
)
def test_a_filler_brings_the_value_back(value):
    net = caffe2_pb2.NetDef()
    mobile_exporter.add_tensor(net, "value", value)
    workspace.RunNetOnce(net)
    result = workspace.FetchBlob("value")
    assert result.dtype == value.dtype
    np.testing.assert_array_equal(result, value)


@pytest.mark.parametrize("value", [b"label", "label"])
def test_a_string_comes_back(value):
    net = caffe2_pb2.NetDef()
    mobile_exporter.add_tensor(net, "value", value)
    assert net.op[0].type == "GivenTensorStringFill"
    assert argument_value(net.op[0].arg[1]) == [b"label"]


def test_bytes_are_kept_as_one_string():
    net = caffe2_pb2.NetDef()
    mobile_exporter.add_tensor(net, "value", np.array([[1, 255]], np.uint8))
    assert argument_value(net.op[0].arg[1]) == [b"\x01\xff"]


def test_a_type_without_a_filler_is_refused():
    with pytest.raises(NotSupported, match='parameter "w" is float16, which no filler makes'):
        mobile_exporter.add_tensor(caffe2_pb2.NetDef(), "w", np.zeros(2, np.float16))


def test_quantized_parameters():
    rng = np.random.default_rng(0)
    weights, bias = rng.integers(0, 256, (4, 3)).astype(np.uint8), np.int32([5, -70000, 0, 9])
    workspace.FeedInt8Blob("qw", weights, 0.01, 120)
    workspace.FeedInt8Blob("qb", bias, 0.0002, 0)
    net = core.Net("quantized")
    net.Int8Quantize("x", "qx", Y_scale=0.02, Y_zero_point=100)
    net.Int8FC(["qx", "qw", "qb"], "qy", Y_scale=0.1, Y_zero_point=150)
    net.Int8Dequantize("qy", "y")
    x = rng.uniform(-2, 3, (5, 3)).astype(np.float32)
    workspace.FeedBlob("x", x)
    workspace.RunNetOnce(net)
    wanted = workspace.FetchBlob("y")
    assert np.abs(wanted - np.clip(x @ (0.01 * (weights.T - 120.0)) + 0.0002 * bias, -15, 10.5)).max() < 0.2
    init_net, predict_net = mobile_exporter.Export(workspace, net, ["qw", "qb"])
    assert [op.type for op in init_net.op[:2]] == ["Int8GivenTensorFill", "Int8GivenIntTensorFill"]
    again = [caffe2_pb2.NetDef.FromString(made.SerializeToString()) for made in (init_net, predict_net)]
    (result,) = workspace.Predictor(*again).run([x])
    np.testing.assert_array_equal(result, wanted)
