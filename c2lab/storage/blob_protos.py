"""Blobs as protobuf messages: arrays as ``TensorProto``, any blob as ``BlobProto``, large ones in chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from c2lab.errors import DamagedFile, NotSupported, TypeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.storage.kinds import kind_named, kind_of
from c2lab.storage.quantized import QuantizedTensor
from c2lab.storage.reader import DBReader

CHUNK_SIZE = 1_000_000  # elements of a tensor in one record
CHUNK_MARK = "#%"

_Tensor = caffe2_pb2.TensorProto
# Element type -> data type, and the field that holds its values.
_FIELDS: dict[str, tuple[int, str]] = {
    "float32": (_Tensor.FLOAT, "float_data"),
    "int32": (_Tensor.INT32, "int32_data"),
    "object": (_Tensor.STRING, "string_data"),
    "bool": (_Tensor.BOOL, "int32_data"),
    "uint8": (_Tensor.UINT8, "int32_data"),
    "int8": (_Tensor.INT8, "int32_data"),
    "uint16": (_Tensor.UINT16, "int32_data"),
    "int16": (_Tensor.INT16, "int32_data"),
    "int64": (_Tensor.INT64, "int64_data"),
    "float16": (_Tensor.FLOAT16, "int32_data"),
    "float64": (_Tensor.DOUBLE, "double_data"),
}
_TYPES = {number: (np.dtype(name), field) for name, (number, field) in _FIELDS.items()}
_TYPES[_Tensor.BYTE] = (np.dtype(np.uint8), "byte_data")
_STRING_TYPE, _TENSOR_TYPE = "std::string", "Tensor"


def array_to_tensor(array: np.ndarray, name: str = "", segment: tuple[int, int] | None = None) -> _Tensor:
    """An array, or the elements ``segment`` of it, as a ``TensorProto``.

    Raises:
        TypeMismatch: An element type that blobs do not have.

    Example:
        >>> tensor = array_to_tensor(np.float32([1, 2]), "x")
        >>> list(tensor.dims), list(tensor.float_data)
        ([2], [1.0, 2.0])
    """
    array = np.asarray(array)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    if array.dtype.name not in _FIELDS:
        raise TypeMismatch(f"{name or 'an array'} is {array.dtype}, which a TensorProto cannot hold")
    number, field = _FIELDS[array.dtype.name]
    tensor = _Tensor(dims=array.shape, data_type=number)
    if name:
        tensor.name = name
    values = array.reshape(-1)
    if segment is not None:
        tensor.segment.begin, tensor.segment.end = segment
        values = values[segment[0] : segment[1]]
    if array.dtype == np.float16:
        values = values.view(np.uint16)  # its bits
    elif array.dtype == np.bool_:
        values = values.view(np.uint8)
    if field == "string_data":
        tensor.string_data.extend(v.encode("utf-8") if isinstance(v, str) else bytes(v) for v in values)
    else:
        getattr(tensor, field).extend(values.tolist())
    return tensor


def tensor_to_array(tensor: _Tensor) -> np.ndarray:
    """The array that a whole ``TensorProto`` holds.

    Raises:
        DamagedFile: It holds more or fewer values than its dims say.
        NotSupported: Its values lie elsewhere, or its type has no array.

    Example:
        >>> tensor_to_array(array_to_tensor(np.float16([[0.5]])))
        array([[0.5]], dtype=float16)
    """
    values = tensor_values(tensor)
    return _shaped(tensor, [values])


def tensor_values(tensor: _Tensor) -> np.ndarray:
    """The values of a ``TensorProto``, or of its segment, in one dimension."""
    if tensor.data_type not in _TYPES:
        raise NotSupported(f"tensor {tensor.name!r} has data type {tensor.data_type}, for which there is no array")
    dtype, field = _TYPES[tensor.data_type]
    if tensor.storage_type == _Tensor.EXTERNAL or tensor.HasField("external_data"):
        raise NotSupported(f"the values of tensor {tensor.name!r} lie in another file, which is not read here")
    if tensor.HasField("raw_data") and dtype.kind != "O":
        if len(tensor.raw_data) % dtype.itemsize:
            raise DamagedFile(f"tensor {tensor.name!r}: {len(tensor.raw_data)} raw bytes are no whole {dtype} values")
        return np.frombuffer(tensor.raw_data, dtype.newbyteorder("<")).astype(dtype)
    if dtype.itemsize == 1 and tensor.HasField("byte_data"):
        return np.frombuffer(tensor.byte_data, dtype).copy()
    if field == "byte_data":
        field = "int32_data"
    held = getattr(tensor, field)
    if dtype.kind == "O":
        values = np.empty(len(held), object)
        values[:] = list(held)
        return values
    if field in ("float_data", "double_data"):
        # On the wire these stand one behind the other at their full width: read there, not number by number.
        packed = _Tensor()
        getattr(packed, field).MergeFrom(held)
        content = packed.SerializeToString()
        size = len(held) * dtype.itemsize
        return np.frombuffer(content[len(content) - size :], dtype.newbyteorder("<")).astype(dtype)
    stored = {"int32_data": np.int32, "int64_data": np.int64}
    values = np.fromiter(held, stored[field], len(held))
    return values.astype(np.uint16).view(np.float16) if dtype == np.float16 else values.astype(dtype)


def _shaped(tensor: _Tensor, parts: list[np.ndarray]) -> np.ndarray:
    dims = tuple(tensor.dims)
    have = sum(len(part) for part in parts)
    if any(size < 0 for size in dims) or math.prod(dims) != have:
        raise DamagedFile(
            f"tensor {tensor.name!r} claims the shape {dims} of {math.prod(dims)} values, but holds {have}"
        )
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).reshape(dims)


def blob_records(name: str, value: Any, chunk_size: int = CHUNK_SIZE) -> Iterator[tuple[str, bytes]]:
    """The records, key and value, that a database keeps of a blob.

    A tensor is cut into chunks of ``chunk_size`` elements (0: never) under the keys ``name#%0``, ``name#%1``, ...

    Raises:
        NotSupported: The blob is neither a tensor nor text, and cannot be written.
    """
    if not isinstance(value, np.ndarray):
        yield name, serialize(name, value)
        return
    step = chunk_size or max(value.size, 1)
    for chunk, begin in enumerate(range(0, max(value.size, 1), step)):
        tensor = array_to_tensor(value, name, (begin, min(begin + step, value.size)))
        tensor.device_detail.device_type = caffe2_pb2.PROTO_CPU
        proto = caffe2_pb2.BlobProto(name=name, type=_TENSOR_TYPE, tensor=tensor)
        yield f"{name}{CHUNK_MARK}{chunk}", proto.SerializeToString()


def serialize(name: str, value: Any) -> bytes:
    """A whole blob as one ``BlobProto``."""
    if isinstance(value, np.ndarray):
        ((_, content),) = blob_records(name, value, 0)
        return content
    if isinstance(value, (bytes, str)):
        content = value.encode("utf-8") if isinstance(value, str) else value
        return caffe2_pb2.BlobProto(name=name, type=_STRING_TYPE, content=content).SerializeToString()
    if isinstance(value, QuantizedTensor):
        return _quantized_proto(name, value).SerializeToString()
    if isinstance(value, DBReader):
        proto = caffe2_pb2.BlobProto(name=name, type=value.type_name, content=value.serialize())
        return proto.SerializeToString()
    if kind := kind_of(value):
        proto = caffe2_pb2.BlobProto(name=name, type=kind.wire_type)
        kind.write(value, proto)
        return proto.SerializeToString()
    named = getattr(value, "type_name", type(value).__name__)
    raise NotSupported(f"the blob {name} is a {named}, which cannot be written to a file; leave it out")


def _quantized_proto(name: str, value: QuantizedTensor) -> caffe2_pb2.BlobProto:
    data = np.asarray(value.data)
    tensor = caffe2_pb2.QTensorProto(
        name=name,
        dims=data.shape,
        precision=8,
        scale=value.scale,
        bias=value.zero_point,
        is_signed=False,
        data=data.reshape(-1).tolist(),
        data_type=_FIELDS[data.dtype.name][0],
    )
    return caffe2_pb2.BlobProto(name=name, type=value.type_name, qtensor=tensor)


def _quantized(tensor: caffe2_pb2.QTensorProto) -> QuantizedTensor:
    kinds = {_Tensor.UINT8: np.uint8, _Tensor.INT32: np.int32}
    if tensor.data_type not in kinds or tensor.is_signed or tensor.is_multiparam:
        raise NotSupported(
            f"the quantized tensor {tensor.name!r} has data type {tensor.data_type}, signed: {tensor.is_signed}, "
            f"scales by channel: {tensor.is_multiparam}; what is read here is uint8 or int32 with one scale"
        )
    kind = kinds[tensor.data_type]
    values = np.fromiter(tensor.data, np.int32, len(tensor.data))
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) != len(values):
        raise DamagedFile(
            f"the quantized tensor {tensor.name!r} claims {tuple(tensor.dims)}, but holds {len(values)} values"
        )
    if (values.astype(kind) != values).any():
        raise DamagedFile(f"the quantized tensor {tensor.name!r} holds values outside of {kind.__name__}")
    return QuantizedTensor(values.astype(kind).reshape(tuple(tensor.dims)), tensor.scale, int(tensor.bias))


def deserialize(content: bytes) -> Any:
    """The blob in one whole ``BlobProto``.

    Raises:
        DamagedFile: The bytes are no ``BlobProto``, or only one chunk of a tensor.
    """
    assembly = BlobAssembly()
    assembly.add(content)
    return assembly.value()


class BlobAssembly:
    """Puts a blob together from its records, in whatever order they come.

    Example:
        >>> assembly = BlobAssembly()
        >>> for _, content in blob_records("x", np.arange(5), chunk_size=2):
        ...     assembly.add(content)
        >>> assembly.complete, assembly.value()
        (True, array([0, 1, 2, 3, 4]))
    """

    def __init__(self, where: str = "") -> None:
        self._where = f"{where}: " if where else ""
        self._whole: Any = None
        self._parts: dict[int, np.ndarray] = {}
        self._tensor: _Tensor | None = None

    def add(self, content: bytes) -> None:
        """Adds one record.

        Raises:
            DamagedFile: It is no ``BlobProto``, or does not belong to the others.
        """
        proto = caffe2_pb2.BlobProto()
        try:
            proto.ParseFromString(content)
        except DecodeError as error:
            raise DamagedFile(f"{self._where}a record of {len(content)} bytes is no BlobProto") from error
        if kind := kind_named(proto.type):
            try:
                self._whole = kind.read(proto)
            except ValueError as error:
                raise DamagedFile(f"{self._where}blob {proto.name!r} is no {proto.type}: {error}") from error
        elif proto.HasField("tensor"):
            tensor = proto.tensor
            values = tensor_values(tensor)
            begin = tensor.segment.begin if tensor.HasField("segment") else 0
            first = self._tensor or tensor
            if begin in self._parts:
                raise DamagedFile(f"{self._where}the values of {tensor.name!r} from {begin} on are stored twice")
            if tuple(first.dims) != tuple(tensor.dims) or first.data_type != tensor.data_type:
                raise DamagedFile(f"{self._where}the chunks of {tensor.name!r} differ in shape or type")
            self._parts[begin] = values
            self._tensor = _Tensor(name=first.name, dims=first.dims, data_type=first.data_type)
        elif proto.HasField("qtensor"):
            self._whole = _quantized(proto.qtensor)
        elif proto.type == _STRING_TYPE:
            self._whole = proto.content
        elif proto.type == DBReader.type_name:
            self._whole = DBReader.deserialize(proto.content)
        else:
            raise NotSupported(f"{self._where}blob {proto.name!r} is a {proto.type!r}, which cannot be read here")

    @property
    def complete(self) -> bool:
        """Whether every element has come."""
        if self._tensor is None:
            return self._whole is not None
        return sum(map(len, self._parts.values())) == math.prod(self._tensor.dims)

    def value(self) -> Any:
        """The blob: an array, bytes, a reader or one of the registered kinds.

        Raises:
            DamagedFile: Elements are missing, or lie over each other.
        """
        if self._tensor is None:
            return self._whole
        place = 0
        for begin in sorted(self._parts):
            if begin != place:
                raise DamagedFile(f"{self._where}tensor {self._tensor.name!r} lacks its values from {place} on")
            place += len(self._parts[begin])
        return _shaped(self._tensor, [self._parts[begin] for begin in sorted(self._parts)])
