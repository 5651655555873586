"""Blobs to messages and back: every element type, chunks, and messages that lie."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import DamagedFile, NotSupported, TypeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.storage.blob_protos import (
    BlobAssembly,
    array_to_tensor,
    blob_records,
    deserialize,
    serialize,
    tensor_to_array,
)

TYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool"]
EXTREMES = {
    "int8": [-128, 127], "int16": [-32768, 32767], "int32": [-(2**31), 2**31 - 1], "int64": [-(2**63), 2**63 - 1],
    "uint8": [0, 255], "uint16": [0, 65535], "bool": [False, True], "float16": [-65504, 6e-8],
    "float32": [-3e38, np.inf], "float64": [1e-300, -np.inf],
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_every_type_comes_back_bit_for_bit(name):
    array = np.array([EXTREMES[name], EXTREMES[name][::-1]], name)
    for back in (tensor_to_array(array_to_tensor(array)), deserialize(serialize("x", array))):
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 1, 3)])
def test_shapes_come_back(shape):
    back = tensor_to_array(array_to_tensor(np.ones(shape, np.float32)))
    assert back.shape == shape
    assert back.dtype == np.float32


def test_text_comes_back():
    words = np.array([[b"cat", b""], [b"\xff\x00", "ü".encode()]], object)
    back = deserialize(serialize("words", words))
    assert back.tolist() == words.tolist()
    assert deserialize(serialize("s", b"\x00raw")) == b"\x00raw"
    assert deserialize(serialize("s", "text")) == b"text"


@pytest.mark.parametrize(
    ("name", "field"),
    [("float16", "int32_data"), ("bool", "int32_data"), ("uint8", "int32_data"), ("int16", "int32_data"),
     ("int64", "int64_data"), ("float64", "double_data"), ("float32", "float_data")],
)  # fmt: skip
def test_values_stand_in_the_fields_of_the_original(name, field):
    tensor = array_to_tensor(np.ones(1, name))
    assert len(getattr(tensor, field)) == 1
    if name == "float16":
        assert tensor.int32_data[0] == 15360


def test_other_writers_fields_are_read():
    raw = caffe2_pb2.TensorProto(dims=[2], data_type=caffe2_pb2.TensorProto.FLOAT)
    raw.raw_data = np.float32([1, 2]).tobytes()
    np.testing.assert_array_equal(tensor_to_array(raw), np.float32([1, 2]))
    pixels = caffe2_pb2.TensorProto(dims=[3], data_type=caffe2_pb2.TensorProto.BYTE, byte_data=b"\x00\x7f\xff")
    np.testing.assert_array_equal(tensor_to_array(pixels), np.uint8([0, 127, 255]))


def test_chunks_in_any_order():
    array = np.arange(10, dtype=np.int64).reshape(5, 2)
    records = list(blob_records("scope/x", array, chunk_size=4))
    assert [key for key, _ in records] == ["scope/x#%0", "scope/x#%1", "scope/x#%2"]
    last = caffe2_pb2.BlobProto.FromString(records[-1][1])
    assert (last.tensor.segment.begin, last.tensor.segment.end) == (8, 10)
    assembly = BlobAssembly()
    for _, content in reversed(records):
        assert not assembly.complete
        assembly.add(content)
    assert assembly.complete
    np.testing.assert_array_equal(assembly.value(), array)


def test_a_large_tensor_is_cut_at_a_million():
    keys = [key for key, _ in blob_records("x", np.zeros(2_500_000, np.uint8))]
    assert keys == ["x#%0", "x#%1", "x#%2"]


def test_missing_and_doubled_chunks_are_found():
    records = [content for _, content in blob_records("x", np.arange(6), chunk_size=2)]
    assembly = BlobAssembly("file")
    assembly.add(records[0])
    assembly.add(records[2])
    assert not assembly.complete
    with pytest.raises(DamagedFile, match="lacks its values from 2"):
        assembly.value()
    with pytest.raises(DamagedFile, match="stored twice"):
        assembly.add(records[2])
    (other,) = (content for _, content in blob_records("x", np.arange(3.0)))
    with pytest.raises(DamagedFile, match="differ in shape or type"):
        BlobAssembly.add(_begun(records[1]), other)


def _begun(record):
    assembly = BlobAssembly()
    assembly.add(record)
    return assembly


def test_a_tensor_that_lies_about_its_size_allocates_nothing():
    tensor = array_to_tensor(np.float32([1, 2]))
    tensor.dims[0] = 2**40
    with pytest.raises(DamagedFile, match="holds 2"):
        tensor_to_array(tensor)
    tensor.dims[0] = -2
    with pytest.raises(DamagedFile):
        tensor_to_array(tensor)
    with pytest.raises(DamagedFile, match="no BlobProto"):
        deserialize(b"\xff\xff\xff")


def test_what_cannot_be_written_says_so():
    with pytest.raises(TypeMismatch, match="complex"):
        array_to_tensor(np.ones(1, complex))
    with pytest.raises(NotSupported, match="leave it out"):
        serialize("m", object())
    outside = caffe2_pb2.TensorProto(dims=[1], data_type=caffe2_pb2.TensorProto.FLOAT)
    outside.storage_type = caffe2_pb2.TensorProto.EXTERNAL
    with pytest.raises(NotSupported, match="another file"):
        tensor_to_array(outside)
