"""Workspaces: named blobs, the nets that run on them, and Caffe2's functions over the current one."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from c2lab import events, origins
from c2lab.backend.blobs import on_host
from c2lab.backend.cost import operator_cost
from c2lab.backend.devices import accelerators
from c2lab.backend.predictors import NetPredictor
from c2lab.backend.run import UNINITIALISED
from c2lab.backend.timing import benchmark
from c2lab.backend.workspaces import Workspace
from c2lab.errors import BadArgument, C2LabError, DamagedFile, MissingBlob, QuantizedBlob, if_pointer
from c2lab.graph.ir import Device
from c2lab.graph.shapes import ShapeAndType, infer
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.storage import Int8Tensor, QuantizedTensor

operator_tracebacks = origins.operator_tracebacks
GpuDeviceType = caffe2_pb2.PROTO_CUDA
has_hip_support = False

DATA_TYPES = {
    "float32": caffe2_pb2.TensorProto.FLOAT,
    "int32": caffe2_pb2.TensorProto.INT32,
    "object": caffe2_pb2.TensorProto.STRING,
    "bool": caffe2_pb2.TensorProto.BOOL,
    "uint8": caffe2_pb2.TensorProto.UINT8,
    "int8": caffe2_pb2.TensorProto.INT8,
    "uint16": caffe2_pb2.TensorProto.UINT16,
    "int16": caffe2_pb2.TensorProto.INT16,
    "int64": caffe2_pb2.TensorProto.INT64,
    "float16": caffe2_pb2.TensorProto.FLOAT16,
    "float64": caffe2_pb2.TensorProto.DOUBLE,
}
_NUMPY_TYPES = {int(number): name for name, number in DATA_TYPES.items()}


# The workspaces of this process, one of them current.

_workspaces: dict[str, Workspace] = {"default": Workspace()}
_current = _workspaces["default"]


def current() -> Workspace:
    """The current workspace."""
    return _current


def StringifyProto(obj: Any) -> bytes:
    """The wire format of a message, of an object with ``Proto()``, or of bytes as they are."""
    if isinstance(obj, bytes):
        return obj
    if isinstance(obj, str):
        return obj.encode("utf-8")
    return _message(obj).SerializeToString()


def _message(obj: Any) -> Any:
    # In this order: a net looks for an operator under every name that it does not have.
    if hasattr(obj, "Proto"):
        return obj.Proto()
    if hasattr(obj, "SerializeToString"):
        return obj
    raise ValueError(f"Unexpected argument to StringifyProto of type {type(obj).__name__}: {obj!r}")


def _parsed(kind: Any, content: bytes) -> Any:
    try:
        return kind.FromString(content)
    except DecodeError as error:
        raise DamagedFile(
            f"{len(content)} bytes were given that are no {kind.DESCRIPTOR.name}: {error}. The file may be cut off, "
            f"or of another kind; text (.pbtxt) is read by google.protobuf.text_format.{if_pointer(content)}"
        ) from None


def _net(obj: Any) -> caffe2_pb2.NetDef:
    return _parsed(caffe2_pb2.NetDef, obj) if isinstance(obj, bytes) else _message(obj)


def _operator(obj: Any) -> caffe2_pb2.OperatorDef:
    return _parsed(caffe2_pb2.OperatorDef, obj) if isinstance(obj, bytes) else _message(obj)


def _name(obj: Any) -> str:
    """A blob, net or workspace name from text, bytes or an object that prints as its name."""
    if isinstance(obj, bytes):
        return obj.decode("utf-8")
    return str(obj)


def StringifyBlobName(name: Any, ref_type: str = "BlobReference") -> str:
    """The name of a blob given as text, bytes or ``BlobReference``."""
    return _name(name)


def GetNetName(net: Any) -> str:
    """The name of a net given as name, ``Net`` or ``NetDef``."""
    if isinstance(net, (str, bytes)):
        return _name(net)
    if isinstance(net, caffe2_pb2.NetDef):
        return net.name
    return net.Name() if hasattr(net, "Name") else _name(net)


def StringifyNetName(name: Any) -> str:
    """The name of a net given as name, ``Net`` or ``NetDef``."""
    return GetNetName(name)


def FeedBlob(name: Any, arr: Any, device_option: caffe2_pb2.DeviceOption | None = None) -> bool:
    """Writes a blob of the current workspace; see ``Workspace.feed``.

    Example:
        >>> FeedBlob("x", np.array([1, 2], np.int64))
        True
    """
    device = None
    if device_option is not None:
        device = Device(device_option.device_type, device_option.device_id)
    else:
        scope = importlib.import_module("c2lab.core").CurrentDeviceScope()
        if scope is not None and scope.device_type != caffe2_pb2.PROTO_CPU:
            device = Device(scope.device_type, scope.device_id)
    _current.feed(_name(name), arr, device)
    events.emit("blobs_changed", workspace=_current, names=(_name(name),))
    return True


def FetchBlob(name: Any) -> Any:
    """A copy of a blob of the current workspace; see ``Workspace.fetch``."""
    value = _current.fetch(_name(name))
    if isinstance(value, QuantizedTensor):
        raise QuantizedBlob(f"Use FetchInt8Blob to fetch Int8 Blob {_name(name)}")
    return value


def FetchInt8Blob(name: Any) -> Int8Tensor:
    """A copy of a quantized blob: its numbers, scale and zero point.

    Raises:
        QuantizedBlob: The blob is not quantized.
    """
    value = _current.fetch(_name(name))
    if not isinstance(value, QuantizedTensor):
        raise QuantizedBlob(f"You are not fetching an Int8Blob {_name(name)}. Please use FetchBlob")
    return Int8Tensor(value.data, value.scale, value.zero_point)


def FetchInt8BlobRealVal(name: Any) -> np.ndarray:
    """The real numbers that a quantized blob stands for, float32."""
    return QuantizedTensor(*FetchInt8Blob(name)).real_values()


def FeedInt8Blob(name: Any, data: Any, scale: float, zero_point: int) -> bool:
    """Writes a quantized blob; ``FeedBlob`` with an ``Int8Tensor`` does the same.

    Example:
        >>> FeedInt8Blob("q", np.uint8([127, 129]), 0.5, 128), FetchInt8BlobRealVal("q")
        (True, array([-0.5,  0.5], dtype=float32))
    """
    return FeedBlob(name, Int8Tensor(data, scale, zero_point))


def FetchBlobs(names: Iterable[Any]) -> list[Any]:
    """Copies of several blobs."""
    return [FetchBlob(name) for name in names]


def HasBlob(name: Any) -> bool:
    """Whether the current workspace has a blob of this name."""
    return _name(name) in _current.blobs


def Blobs() -> list[str]:
    """The names of all blobs, sorted."""
    return _current.names()


def CreateBlob(name: Any) -> bool:
    """Makes an empty blob where there is none of this name."""
    _current.blobs.setdefault(_name(name), UNINITIALISED)
    return True


def ResetBlob(name: Any) -> bool:
    """Empties a blob; the name stays.

    Raises:
        MissingBlob: There is no such blob.
    """
    if _name(name) not in _current.blobs:
        raise MissingBlob(f"Can't find blob: {_name(name)}")
    _current.blobs[_name(name)] = UNINITIALISED
    return True


def GetBlobSizeBytes(name: Any) -> int:
    """The bytes that a blob's values take."""
    value = _current.blobs.get(_name(name))
    if value is None:
        raise MissingBlob(f"Can't find blob: {_name(name)}")
    if isinstance(value, np.ndarray):
        return sum(len(item) for item in value.flat)
    return len(value) if isinstance(value, bytes) else int(getattr(value, "nbytes", 0))


def CreateNet(net: Any, overwrite: bool = False, input_blobs: Sequence[Any] | None = None) -> bool:
    """Creates a net in the current workspace; see ``Workspace.create``."""
    _current.create(_net(net), overwrite=overwrite, input_blobs=[_name(b) for b in input_blobs or ()])
    return True


def RunNet(name: Any, num_iter: int = 1, allow_fail: bool = False) -> bool:
    """Runs a created net ``num_iter`` times; with ``allow_fail`` a failure is the result ``False``."""
    try:
        _current.run(GetNetName(name), num_iter)
    except C2LabError:
        if allow_fail:
            return False
        raise
    return True


def RunNetOnce(net: Any) -> bool:
    """Runs a net once without keeping it."""
    _current.run_once(_net(net))
    return True


def RunOperatorOnce(operator: Any) -> bool:
    """Runs one operator."""
    _current.run_operator(_operator(operator))
    return True


def RunOperatorsOnce(operators: Iterable[Any]) -> bool:
    """Runs operators one after the other."""
    for operator in operators:
        RunOperatorOnce(operator)
    return True


def RunOperatorMultiple(operator: Any, num_runs: int) -> bool:
    """Runs one operator several times."""
    for _ in range(num_runs):
        RunOperatorOnce(operator)
    return True


def RunPlan(plan_or_step: Any) -> bool:
    """Runs a plan, or a step as a plan of its own."""
    _current.run_plan(_plan(plan_or_step))
    return True


def _plan(plan_or_step: Any) -> caffe2_pb2.PlanDef:
    if isinstance(plan_or_step, bytes):
        return _parsed(caffe2_pb2.PlanDef, plan_or_step)
    message = plan_or_step if hasattr(plan_or_step, "SerializeToString") else None
    if message is None:
        core = importlib.import_module("c2lab.core")
        if isinstance(plan_or_step, core.ExecutionStep):
            plan = core.Plan(plan_or_step.Name())
            plan.AddStep(plan_or_step)
            plan_or_step = plan
        message = plan_or_step.Proto()
    if isinstance(message, caffe2_pb2.ExecutionStep):
        raise BadArgument(
            "a bare ExecutionStep message names nets that it does not hold; pass core.ExecutionStep or a plan"
        )
    return message


def RunPlanInBackground(plan_or_step: Any) -> Any:
    """Starts a plan in a thread; the result has ``is_done()`` and ``is_succeeded()``."""
    return importlib.import_module("c2lab.backend.background").BackgroundPlan(_current, _plan(plan_or_step))


def GlobalInit(args: Sequence[str] = ()) -> bool:
    """Takes the flags of the original; there is nothing to initialise."""
    return True


# Workspaces


def SwitchWorkspace(name: Any, create_if_missing: bool = False) -> None:
    """Makes another workspace the current one.

    Raises:
        BadArgument: It does not exist and ``create_if_missing`` is false.
    """
    global _current
    key = _name(name)
    if key not in _workspaces:
        if not create_if_missing:
            raise BadArgument(
                f'create_if_missing: there is no workspace "{key}"; SwitchWorkspace("{key}", True) makes it'
            )
        _workspaces[key] = Workspace(key)
    _current = _workspaces[key]


def CurrentWorkspace() -> str:
    """The name of the current workspace."""
    return _current.name


def Workspaces() -> list[str]:
    """The names of all workspaces, sorted."""
    return sorted(_workspaces)


def ResetWorkspace(root_folder: Any = None) -> bool:
    """Forgets all blobs and nets of the current workspace."""
    _current.reset(None if root_folder is None else _name(root_folder))
    events.emit("blobs_changed", workspace=_current, names=())
    return True


def RootFolder() -> str:
    """The folder that relative database paths start from."""
    return _current.root_folder


@contextmanager
def WorkspaceGuard(workspace_name: Any) -> Iterator[None]:
    """Another workspace for the length of a ``with`` block."""
    before = CurrentWorkspace()
    SwitchWorkspace(workspace_name, True)
    try:
        yield
    finally:
        SwitchWorkspace(before)


class _BlobDict:
    """``workspace.blobs[name]``: fetch, and feed by assignment."""

    def __getitem__(self, name: Any) -> Any:
        return FetchBlob(name)

    def __setitem__(self, name: Any, value: Any) -> None:
        FeedBlob(name, value)

    def __len__(self) -> int:
        return len(Blobs())

    def __iter__(self) -> Iterator[str]:
        return iter(Blobs())

    def __contains__(self, name: Any) -> bool:
        return HasBlob(name)


blobs = _BlobDict()


# Looking into nets


def RegisteredOperators() -> list[str]:
    """The types of all registered operators, sorted."""
    return [operator.type for operator in registry.all_operators()]


def InferShapesAndTypes(
    nets: Sequence[Any],
    blob_dimensions: Mapping[Any, Sequence[int]] | None = None,
    nets_proto: bool = False,
    blob_types: Mapping[Any, int] | None = None,
) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Shapes and ``TensorProto`` data types of the blobs of several nets, in order.

    Args:
        nets: ``core.Net`` objects, or ``NetDef`` messages.
        blob_dimensions: Shapes of the blobs that are known; where left out, the workspace's blobs.
        nets_proto: Whether ``nets`` are messages (both are taken in any case).
        blob_types: Data types of the known blobs; FLOAT where left out.

    Returns:
        Two dictionaries by blob name. A blob that is absent is known only after running.
    """
    known: dict[str, ShapeAndType] = {}
    if blob_dimensions is None:
        for name, value in _current.blobs.items():
            if hasattr(value, "shape"):
                known[name] = ShapeAndType.of(value)
    else:
        types = {_name(name): number for name, number in (blob_types or {}).items()}
        for name, dims in blob_dimensions.items():
            number = types.get(_name(name), caffe2_pb2.TensorProto.FLOAT)
            known[_name(name)] = ShapeAndType(tuple(dims), _NUMPY_TYPES[number])
    for net in nets:
        known = infer(_net(net), known).shapes
    return (
        {name: list(found.shape) for name, found in known.items()},
        {name: DATA_TYPES.get(found.dtype, caffe2_pb2.TensorProto.UNDEFINED) for name, found in known.items()},
    )


def FillRandomNetworkInputs(
    net: Any, input_dims: Sequence[Sequence[Sequence[int]]], input_types: Sequence[Sequence[str]]
) -> None:
    """Feeds random values to a net's external inputs, for a benchmark."""
    rng = np.random.default_rng(0)
    for name, (dims, kind) in zip(
        _net(net).external_input,
        ((d, t) for ds, ts in zip(input_dims, input_types, strict=True) for d, t in zip(ds, ts, strict=True)),
        strict=False,
    ):
        is_float = "float" in kind
        FeedBlob(name, rng.random(dims, np.float32) if is_float else rng.integers(0, 10, dims).astype(np.int32))


def BenchmarkNet(name: Any, warmup_runs: int, main_runs: int, run_individual: bool = False) -> list[float]:
    """Milliseconds a run of a created net and, if asked, of each operator; printed and returned."""
    return benchmark(_current, GetNetName(name), warmup_runs, main_runs, run_individual)


def BenchmarkNetOnce(name: Any) -> list[float]:
    """``BenchmarkNet`` with one run and no warm-up."""
    return BenchmarkNet(name, 0, 1, True)


def GetOperatorCost(operator: Any, blobs: Sequence[Any]) -> tuple[int, int]:
    """Floating point operations and bytes written of one operator on the current blobs."""
    cost = operator_cost(_operator(operator), _current.blobs)
    return cost.flops, cost.bytes_written


# Serialisation


def SerializeBlob(name: Any) -> bytes:
    """A blob as the wire format of ``BlobProto``."""
    value = _current.blobs.get(_name(name), UNINITIALISED)
    if value is UNINITIALISED:
        raise MissingBlob(f"Can't find blob: {_name(name)}")
    protos = importlib.import_module("c2lab.storage.blob_protos")
    return protos.serialize(_name(name), on_host(value))


def DeserializeBlob(name: Any, serialized: bytes) -> bool:
    """Writes a blob from the wire format of ``BlobProto``."""
    protos = importlib.import_module("c2lab.storage.blob_protos")
    _current[_name(name)] = protos.deserialize(serialized)
    return True


class Predictor(NetPredictor):
    """A net with its parameters in a workspace of its own; ``run`` takes arrays and returns arrays.

    Args:
        init_net: Fills the parameters: ``Net``, ``NetDef`` or its wire format.
        predict_net: Reads inputs and parameters, names its results as ``external_output``.
    """

    def __init__(self, init_net: Any, predict_net: Any) -> None:
        super().__init__(_net(init_net), _net(predict_net))


# Devices


def NumGpuDevices() -> int:
    """How many accelerators this machine has."""
    return len(accelerators())


NumCudaDevices = NumGpuDevices


def __getattr__(name: str) -> Any:
    # Asking for accelerators starts JAX, which a module that is only imported should not do.
    if name in ("has_gpu_support", "has_cuda_support"):
        return bool(accelerators())
    if name == "C":
        return importlib.import_module("c2lab.compat.c_extension")
    # Seldom used names wait in the room of old names until they are asked for.
    for place in ("c2lab.compat.immediate", "c2lab.compat.old_workspace"):
        if not name.startswith("__") and hasattr(module := importlib.import_module(place), name):
            return getattr(module, name)
    raise AttributeError(f"module 'c2lab.workspace' has no attribute {name!r}")


def GetNameScope() -> str:
    """The current name scope."""
    return importlib.import_module("c2lab.core").CurrentNameScope()
