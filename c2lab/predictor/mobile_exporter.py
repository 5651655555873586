"""A trained net as two plain nets: one that holds the parameters, one that predicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from c2lab.errors import NotSupported
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.storage import Int8Tensor, QuantizedTensor

_FILLERS = {
    "float32": "GivenTensorFill",
    "float64": "GivenTensorDoubleFill",
    "int16": "GivenTensorInt16Fill",
    "int32": "GivenTensorIntFill",
    "int64": "GivenTensorInt64Fill",
    "bool": "GivenTensorBoolFill",
}


def Export(workspace: Any, net: Any, params: Iterable[Any]) -> tuple[caffe2_pb2.NetDef, caffe2_pb2.NetDef]:
    """The init net and the predict net of a trained net.

    The init net fills every parameter with its present value, and every other input with a
    single zero, so that the predict net can be created at once; whoever predicts feeds the
    inputs.  The predict net's external outputs are the blobs that no operator reads.

    Args:
        workspace: Where the parameters are: the module ``workspace`` or a ``Workspace``.
        net: A ``core.Net`` or a ``NetDef`` without training operators.
        params: Names of the parameters.

    Returns:
        ``(init_net, predict_net)``.

    Raises:
        MissingBlob: A parameter is not in the workspace.
        NotSupported: A parameter's type fits no filler.
    """
    proto = net if isinstance(net, caffe2_pb2.NetDef) else net.Proto()
    names = [str(param) for param in params]
    read, written = _read_and_written(proto)
    inputs = [name for name in read if name not in names]

    init_net = caffe2_pb2.NetDef()
    held = workspace.current() if hasattr(workspace, "current") else workspace
    for name in names:
        add_tensor(init_net, name, held.fetch(name))
    for name in inputs:
        add_tensor(init_net, name, np.zeros((1, 1), np.float32))

    predict_net = caffe2_pb2.NetDef()
    predict_net.CopyFrom(proto)
    declared = [name for name in proto.external_input if name not in inputs and name not in names]
    predict_net.external_input[:] = inputs + names + declared
    predict_net.external_output[:] = written
    return init_net, predict_net


def _read_and_written(net: caffe2_pb2.NetDef) -> tuple[list[str], list[str]]:
    """The blobs that a net reads before it writes them, and those whose last value nothing reads."""
    read_first: dict[str, None] = {}
    unread: dict[str, None] = {}
    written: set[str] = set()
    for op in net.op:
        for name in op.input:
            if name not in written:
                read_first[name] = None
            unread.pop(name, None)
        for name in op.output:
            written.add(name)
            unread[name] = None
    return list(read_first), list(unread)


def add_tensor(net: caffe2_pb2.NetDef, name: str, blob: Any) -> None:
    """Appends to ``net`` the operator that fills ``name`` with the value ``blob``.

    Strings become ``GivenTensorStringFill``; a uint8 tensor is kept as one string of bytes,
    as the original keeps it.  A quantized tensor becomes ``Int8GivenTensorFill`` or, of int32,
    ``Int8GivenIntTensorFill``.

    Raises:
        NotSupported: The type fits no filler.
    """
    if isinstance(blob, (Int8Tensor, QuantizedTensor)):
        numbers = np.asarray(blob.data)
        is_bytes = numbers.dtype == np.uint8
        op = net.op.add(type="Int8GivenTensorFill" if is_bytes else "Int8GivenIntTensorFill", output=[name])
        values: Any = numbers.tobytes() if is_bytes else numbers.ravel().tolist()
        for key, value in (
            ("shape", list(numbers.shape)),
            ("values", values),
            ("Y_scale", float(blob.scale)),
            ("Y_zero_point", int(blob.zero_point)),
        ):
            op.arg.add().CopyFrom(make_argument(key, value))
        return
    if isinstance(blob, (str, bytes)):
        blob = np.array(blob, object)
    shape, values = list(blob.shape), blob.ravel().tolist()
    type = _FILLERS.get(blob.dtype.name)
    if blob.dtype == np.uint8:
        type, shape, values = "GivenTensorStringFill", [1], [blob.tobytes()]
    elif blob.dtype.kind in "OSU":
        type = "GivenTensorStringFill"
    if type is None:
        raise NotSupported(
            f'parameter "{name}" is {blob.dtype.name}, which no filler makes; '
            f"feed it as one of {', '.join(_FILLERS)}, or save it with predictor_exporter.save_to_db"
        )
    op = net.op.add(type=type, output=[name])
    op.arg.add().CopyFrom(make_argument("shape", shape))
    op.arg.add().CopyFrom(make_argument("values", values))
