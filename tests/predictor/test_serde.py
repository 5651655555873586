import pytest

from c2lab.errors import DamagedFile
from c2lab.predictor import serde
from c2lab.proto import caffe2_pb2


def test_a_message_comes_back():
    net = caffe2_pb2.NetDef(name="n")
    assert serde.deserialize_protobuf_struct(serde.serialize_protobuf_struct(net), caffe2_pb2.NetDef) == net


def test_damaged_bytes_are_refused():
    with pytest.raises(DamagedFile, match="3 bytes are no NetDef"):
        serde.deserialize_protobuf_struct(b"\xff\xff\xff", caffe2_pb2.NetDef)
