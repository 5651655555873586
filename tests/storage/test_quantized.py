"""Quantized blobs: fed, fetched, saved, run through nets."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import DamagedFile, NotSupported, TypeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.storage import Int8Tensor, QuantizedTensor, quantized_tensor
from c2lab.storage.blob_protos import deserialize, serialize

NUMBERS = np.uint8([[1, 128], [255, 0]])


@pytest.fixture(autouse=True)
def empty():
    workspace.ResetWorkspace()


def test_fed_and_fetched():
    workspace.FeedBlob("q", workspace.Int8Tensor(NUMBERS, 0.5, 128))
    found = workspace.FetchInt8Blob("q")
    assert isinstance(found, tuple)
    assert isinstance(found, workspace.Int8Tensor)
    np.testing.assert_array_equal(found.data, NUMBERS)
    assert (found.data.dtype, found.scale, found.zero_point) == (np.uint8, 0.5, 128)
    np.testing.assert_array_equal(workspace.FetchInt8BlobRealVal("q"), np.float32([[-63.5, 0], [63.5, -64]]))
    with pytest.raises(TypeError, match="Use FetchInt8Blob to fetch Int8 Blob q"):
        workspace.FetchBlob("q")
    workspace.FeedBlob("x", np.uint8([1]))
    with pytest.raises(AssertionError, match=r"You are not fetching an Int8Blob x\. Please use FetchBlob"):
        workspace.FetchInt8Blob("x")


def test_what_is_fed_is_a_copy():
    numbers = NUMBERS.copy()
    workspace.FeedInt8Blob("q", numbers, 0.1, 3)
    numbers[:] = 7
    workspace.FetchInt8Blob("q").data[:] = 9
    np.testing.assert_array_equal(workspace.FetchInt8Blob("q").data, NUMBERS)
    assert workspace.FetchInt8Blob("q").scale == np.float32(0.1)
    with pytest.raises(TypeMismatch, match="float32; it must be uint8"):
        workspace.FeedInt8Blob("q", np.float32([1]), 0.1, 3)


@pytest.mark.parametrize("kind", [np.uint8, np.int32])
def test_as_a_message(kind):
    data = NUMBERS.astype(kind) - (0 if kind is np.uint8 else 70000)
    workspace.FeedInt8Blob("q", data, 0.1, 3)
    content = workspace.SerializeBlob("q")
    proto = caffe2_pb2.BlobProto.FromString(content)
    assert list(proto.qtensor.data) == data.reshape(-1).tolist()
    assert (proto.qtensor.scale, proto.qtensor.bias, proto.qtensor.precision) == (np.float32(0.1), 3, 8)
    workspace.DeserializeBlob("again", content)
    again = workspace.FetchInt8Blob("again")
    np.testing.assert_array_equal(again.data, data)
    assert (again.data.dtype, again.scale, again.zero_point) == (kind, np.float32(0.1), 3)


def test_through_a_file(tmp_path):
    workspace.FeedInt8Blob("q", NUMBERS, 0.1, 3)
    path = str(tmp_path / "model.minidb")
    save = core.CreateOperator("Save", ["q"], [], db=path, db_type="minidb", absolute_path=1)
    workspace.RunOperatorOnce(save)
    workspace.ResetWorkspace()
    load = core.CreateOperator("Load", [], ["q"], db=path, db_type="minidb", absolute_path=1)
    workspace.RunOperatorOnce(load)
    np.testing.assert_array_equal(workspace.FetchInt8Blob("q").data, NUMBERS)
    workspace.RunOperatorOnce(core.CreateOperator("Int8Dequantize", "q", "x"))
    np.testing.assert_allclose(workspace.FetchBlob("x"), (NUMBERS.astype(int) - 3) * np.float32(0.1), rtol=1e-6)


def test_damaged_messages():
    good = caffe2_pb2.BlobProto.FromString(serialize("q", QuantizedTensor(NUMBERS, 0.5, 1)))
    for change, error, words in (
        ({"dims": [9]}, DamagedFile, "holds 4 values"),
        ({"data": [1, 2, 3, 256]}, DamagedFile, "outside of uint8"),
        ({"is_signed": True}, NotSupported, "one scale"),
        ({"data_type": caffe2_pb2.TensorProto.FLOAT}, NotSupported, "data type 1"),
    ):
        proto = caffe2_pb2.BlobProto()
        proto.CopyFrom(good)
        for field, value in change.items():
            proto.qtensor.ClearField(field)
            proto.qtensor.MergeFrom(caffe2_pb2.QTensorProto(**{field: value}))
        with pytest.raises(error, match=words):
            deserialize(proto.SerializeToString())


def quantized_net():
    net = core.Net("quantized")
    net.Int8Quantize("x", "q", Y_scale=0.02, Y_zero_point=128)
    net.Int8Conv(["q", "w", "b"], "c", kernel=3, pad=1, order="NHWC", Y_scale=0.05, Y_zero_point=100)
    net.Int8Relu("c", "c", Y_scale=0.05, Y_zero_point=100)
    net.Int8Flatten("c", "f", Y_scale=0.05, Y_zero_point=100)
    net.Int8Dequantize("f", "y")
    return net


def feed_layer():
    rng = np.random.default_rng(0)
    workspace.FeedBlob("x", rng.normal(size=(1, 4, 4, 3)).astype(np.float32))
    workspace.FeedBlob("w", Int8Tensor(rng.integers(0, 256, (2, 3, 3, 3)).astype(np.uint8), 0.01, 127))
    workspace.FeedBlob("b", Int8Tensor(np.int32([5, -700]), 0.0002, 0))


def test_a_whole_net_is_one_compiled_piece():
    feed_layer()
    net = quantized_net()
    workspace.CreateNet(net)
    workspace.RunNet(net, 3)
    (step,) = workspace.current().nets[net.Name()][1].steps
    assert step.kind == "compiled"
    x, w = workspace.FetchInt8BlobRealVal("q"), workspace.FetchInt8BlobRealVal("w")
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    want = workspace.FetchInt8BlobRealVal("b") + np.zeros((1, 4, 4, 2))
    for i in range(3):
        for j in range(3):
            want += padded[:, i : i + 4, j : j + 4] @ w[:, i, j].T
    np.testing.assert_allclose(workspace.FetchBlob("y"), np.clip(want, 0, 7.75).reshape(1, -1), atol=0.026)
    assert workspace.InferShapesAndTypes([net])[0]["f"] == [1, 32]


def test_another_meaning_of_the_same_numbers_is_another_program():
    net = core.Net("meaning")
    net.Int8Dequantize("q", "y")
    workspace.FeedInt8Blob("q", NUMBERS, 0.5, 0)
    workspace.CreateNet(net)
    for scale, zero_point in ((0.5, 0), (0.25, 0), (0.25, 1), (0.5, 0)):
        workspace.FeedInt8Blob("q", NUMBERS, scale, zero_point)
        workspace.RunNet(net)
        np.testing.assert_array_equal(workspace.FetchBlob("y"), (NUMBERS.astype(np.float32) - zero_point) * scale)


def test_plain_operators_refuse_quantized_blobs():
    workspace.FeedInt8Blob("q", NUMBERS, 0.5, 0)
    with pytest.raises(TypeMismatch, match="q is a quantized tensor, and Relu reads plain ones; Int8Dequantize"):
        workspace.RunOperatorOnce(core.CreateOperator("Relu", "q", "y"))


@pytest.mark.parametrize("condition", [True, False])
def test_inside_a_branch(condition):
    workspace.FeedInt8Blob("q", NUMBERS, 0.5, 128)
    workspace.FeedInt8Blob("y", NUMBERS, 0.5, 128)
    workspace.FeedBlob("condition", np.array(condition))
    then, other = core.Net("then"), core.Net("other")
    then.Int8Relu("q", "y")
    other.Int8Transpose("q", "y")
    net = core.Net("branches")
    net.If(["condition", "q"], "y", then_net=then.Proto(), else_net=other.Proto())
    workspace.RunNetOnce(net)
    want = np.maximum(NUMBERS, 128) if condition else NUMBERS.T
    np.testing.assert_array_equal(workspace.FetchInt8Blob("y").data, want)
    assert workspace.FetchInt8Blob("y")[1:] == (0.5, 128)


def test_a_net_that_fails_leaves_quantized_blobs_as_they_were():
    workspace.FeedInt8Blob("q", NUMBERS, 0.5, 128)
    net = core.Net("fails")
    net.Int8Relu("q", "q")
    net.Print("q", [])
    net.CheckDatasetConsistency("q", [], fields=["x", "y"])
    with pytest.raises(Exception, match="columns"):
        workspace.RunNetOnce(net)
    np.testing.assert_array_equal(workspace.FetchInt8Blob("q").data, NUMBERS)


def test_values():
    tensor = quantized_tensor(np.uint8([[1, 2]]), 0.5, 1)
    assert (tensor.shape, tensor.ndim, tensor.dtype, tensor.nbytes) == ((1, 2), 2, np.uint8, 2)
    assert tensor.real_values().tolist() == [[0, 0.5]]
