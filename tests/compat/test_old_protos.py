"""Small functions of the old utils."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat import old_protos
from c2lab.proto import caffe2_pb2


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64", "uint8", "bool", "float16", "float64"])
def test_tensors_travel_as_messages(dtype):
    array = np.array([[0, 1], [1, 0]], dtype)
    message = old_protos.NumpyArrayToCaffe2Tensor(array, "x")
    assert message.name == "x"
    back = old_protos.Caffe2TensorToNumpyArray(message)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, array)


def test_blobs_of_caffe():
    old = SimpleNamespace(num=1, channels=2, height=1, width=1, data=[3, 4])
    assert old_protos.CaffeBlobToNumpyArray(old).shape == (1, 2, 1, 1)
    new = SimpleNamespace(num=0, channels=0, shape=SimpleNamespace(dim=[2]), data=[3, 4])
    np.testing.assert_array_equal(old_protos.CaffeBlobToNumpyArray(new), [3, 4])


def test_text_or_wire_format(tmp_path):
    net = caffe2_pb2.NetDef(name="n")
    for content in (str(net), net.SerializeToString()):
        assert old_protos.TryReadProtoWithClass(caffe2_pb2.NetDef, content) == net
    names = {caffe2_pb2.NetDef: lambda message: message.name}
    assert old_protos.GetContentFromProto(net, names) == "n"
    assert old_protos.GetContentFromProtoString(net.SerializeToString(), names) == "n"
    (tmp_path / "net.pbtxt").write_text(str(net))
    old_protos.ConvertProtoToBinary(caffe2_pb2.NetDef, str(tmp_path / "net.pbtxt"), str(tmp_path / "net.pb"))
    assert caffe2_pb2.NetDef.FromString((tmp_path / "net.pb").read_bytes()) == net
    with pytest.raises(RuntimeError, match="neither text nor wire format"):
        old_protos.TryReadProtoWithClass(caffe2_pb2.NetDef, b"\xff\xff\xff")


def test_operators_compared():
    a, b = (core.CreateOperator("Relu", "x", "y", name=name) for name in "ab")
    assert not old_protos.OpAlmostEqual(a, b)
    assert old_protos.OpAlmostEqual(a, b, ["name"])
    op = core.CreateOperator("Relu", "x", "y", alpha=0.5, k=[1, 2], s="t")
    assert old_protos.ArgsToDict(op.arg) == {"alpha": 0.5, "k": [1, 2], "s": b"t"}


def test_layouts():
    array = np.arange(24).reshape(1, 2, 3, 4)
    assert old_protos.NCHW2NHWC(array).shape == (1, 3, 4, 2)
    np.testing.assert_array_equal(old_protos.NHWC2NCHW(old_protos.NCHW2NHWC(array)), array)
    with pytest.raises(ValueError, match="at least one spatial axis"):
        old_protos.NCHW2NHWC(np.zeros(3))


def test_small_things():
    old_protos.raiseIfNotEqual(1, 1, "same")
    with pytest.raises(Exception, match=r"differ\. 1 != 2"):
        old_protos.raiseIfNotEqual(1, 2, "differ")
    workspace.FeedBlob("x", np.zeros(1))
    old_protos.ResetBlobs(["x"])
    assert b"uninitialized" in workspace.FetchBlob("x")
    assert old_protos.DebugMode.run(lambda: 3) == 3
    assert set(old_protos.GetGPUMemoryUsageStats()) == {"total_by_gpu", "max_by_gpu", "total"}
