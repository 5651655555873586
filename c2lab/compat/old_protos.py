"""Small functions of the old ``utils``: tensors as messages, messages as text, layouts of arrays."""

from __future__ import annotations

import copy
import functools
import pdb
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message

from c2lab import workspace
from c2lab.errors import DamagedFile
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value
from c2lab.storage import blob_protos


def OpAlmostEqual(op_a: Message, op_b: Message, ignore_fields: Sequence[str] | str | None = None) -> bool:
    """Whether two operators are equal but for some fields.

    Example:
        >>> a, b = caffe2_pb2.OperatorDef(type="Relu", name="a"), caffe2_pb2.OperatorDef(type="Relu")
        >>> OpAlmostEqual(a, b, "name")
        True
    """
    fields = [ignore_fields] if isinstance(ignore_fields, str) else list(ignore_fields or ())
    mine, theirs = copy.deepcopy(op_a), copy.deepcopy(op_b)
    for name in fields:
        mine.ClearField(name)
        theirs.ClearField(name)
    return mine == theirs


def Caffe2TensorToNumpyArray(tensor: caffe2_pb2.TensorProto) -> np.ndarray:
    """The array in a ``TensorProto``."""
    return blob_protos.tensor_to_array(tensor)


def NumpyArrayToCaffe2Tensor(arr: np.ndarray, name: str | None = None) -> caffe2_pb2.TensorProto:
    """An array as a ``TensorProto``.

    Example:
        >>> list(NumpyArrayToCaffe2Tensor(np.float32([1, 2]), "x").dims)
        [2]
    """
    tensor = blob_protos.array_to_tensor(np.asarray(arr))
    if name:
        tensor.name = str(name)
    return tensor


def CaffeBlobToNumpyArray(blob: Any) -> np.ndarray:
    """The array in a Caffe v1 ``BlobProto``, old (num, channels, height, width) or new (shape)."""
    if blob.num != 0 or blob.channels != 0:
        shape = [blob.num, blob.channels, blob.height, blob.width]
    else:
        shape = list(blob.shape.dim)
    return np.asarray(blob.data, np.float32).reshape(shape)


def TryReadProtoWithClass(cls: type[Message], s: bytes) -> Message:
    """A message of class ``cls`` from text or wire format.

    Raises:
        DamagedFile: It is neither.
    """
    message = cls()
    try:
        text_format.Parse(s, message)
    except (text_format.ParseError, UnicodeDecodeError):
        message.Clear()
        try:
            message.ParseFromString(s)
        except DecodeError as error:
            raise DamagedFile(f"neither text nor wire format of {cls.DESCRIPTOR.full_name}: {error}") from None
    return message


def GetContentFromProto(obj: Message, function_map: Mapping[type[Message], Callable[[Any], Any]]) -> Any:
    """Applies the function that the map holds for the message's class."""
    for cls, function in function_map.items():
        if type(obj) is cls:
            return function(obj)
    return None


def GetContentFromProtoString(s: bytes, function_map: Mapping[type[Message], Callable[[Any], Any]]) -> Any:
    """Reads a message as the first class that fits, and applies the function for that class.

    Raises:
        DamagedFile: No class fits.
    """
    for cls, function in function_map.items():
        try:
            return function(TryReadProtoWithClass(cls, s))
        except DamagedFile:
            continue
    raise DamagedFile("Cannot find a fit protobuf class for these bytes")


def ConvertProtoToBinary(proto_class: type[Message], filename: str, out_filename: str) -> None:
    """Rewrites a text message file as wire format."""
    from c2lab.predictor.files import write_whole

    with open(filename, "rb") as source:
        write_whole(out_filename, TryReadProtoWithClass(proto_class, source.read()).SerializeToString())


def GetGPUMemoryUsageStats() -> dict[str, dict[Any, Any]]:
    """Memory in use on the accelerators, in bytes, by their number."""
    from c2lab.backend.devices import accelerators

    stats = [device.memory_stats() or {} for device in accelerators()]
    return {
        "total_by_gpu": {i: s.get("bytes_in_use", 0) for i, s in enumerate(stats)},
        "max_by_gpu": {i: s.get("peak_bytes_in_use", 0) for i, s in enumerate(stats)},
        "total": sum(s.get("bytes_in_use", 0) for s in stats),  # type: ignore[dict-item] - a number, as in the original
    }


def ResetBlobs(blobs: Iterable[Any]) -> None:
    """Empties several blobs."""
    for name in blobs:
        workspace.ResetBlob(name)


def raiseIfNotEqual(a: Any, b: Any, msg: str) -> None:
    """Demands equality.

    Raises:
        Exception: With both values.
    """
    if a != b:
        raise Exception(f"{msg}. {a} != {b}")


class DebugMode:
    """Opens the debugger where a function raises, while ``DebugMode.debug`` is set."""

    debug = False

    @classmethod
    def run(cls, func: Callable[[], Any]) -> Any:
        """Calls ``func``."""
        try:
            return func()
        except KeyboardInterrupt:
            raise
        except Exception:
            if cls.debug:
                traceback.print_exc()
                pdb.post_mortem(sys.exc_info()[2])
                return None
            raise


def debug(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that runs under ``DebugMode``."""

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        DebugMode.debug = True
        return DebugMode.run(lambda: f(*args, **kwargs))

    return wrapped


def EnumClassKeyVals(cls: type) -> dict[str, Any]:
    """The public class attributes by name: the values of an old-style enumeration.

    Example:
        >>> class Colour:
        ...     RED = 1
        >>> EnumClassKeyVals(Colour)
        {'RED': 1}
    """
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, (classmethod, staticmethod))
    }


def ArgsToDict(args: Iterable[caffe2_pb2.Argument]) -> dict[str, Any]:
    """Arguments as a dictionary of Python values."""
    return {argument.name: argument_value(argument) for argument in args}


def NHWC2NCHW(tensor: np.ndarray) -> np.ndarray:
    """Channels last to channels second, for any number of spatial axes.

    Example:
        >>> NHWC2NCHW(np.zeros((1, 4, 5, 3))).shape
        (1, 3, 4, 5)
    """
    _check_rank(tensor)
    return np.moveaxis(tensor, -1, 1)


def NCHW2NHWC(tensor: np.ndarray) -> np.ndarray:
    """Channels second to channels last."""
    _check_rank(tensor)
    return np.moveaxis(tensor, 1, -1)


def _check_rank(tensor: np.ndarray) -> None:
    if tensor.ndim < 3:
        raise ValueError(f"the array is {tensor.shape}; it must have batch, channels and at least one spatial axis")
