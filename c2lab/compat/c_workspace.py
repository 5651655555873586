"""``workspace.C.Workspace`` and what it holds: nets, blobs and tensors as objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab import workspace as _workspace
from c2lab.errors import MissingBlob, TypeMismatch
from c2lab.graph.ir import Device
from c2lab.proto import caffe2_pb2


class _HasCurrent(type):
    @property
    def current(cls) -> Workspace:
        """The current workspace as an object."""
        return Workspace(over=_workspace.current())


class Workspace(metaclass=_HasCurrent):
    """A workspace of its own: ``run(net)``, ``blobs``, ``nets``, ``create_blob(name)``.

    ``Workspace.current`` is the current one.

    Example:
        >>> ws = Workspace()
        >>> ws.create_blob("x").feed(np.float32([1]))
        True
        >>> ws.blobs["x"].fetch()
        array([1.], dtype=float32)
    """

    def __init__(self, parent: Workspace | None = None, *, over: _workspace.Workspace | None = None) -> None:
        self._own = over or (parent._own.child() if parent is not None else _workspace.Workspace("local"))

    @property
    def blobs(self) -> dict[str, Blob]:
        """All blobs by name."""
        return {name: Blob(self._own, name) for name in self._own.names()}

    @property
    def nets(self) -> dict[str, Net]:
        """All created nets by name."""
        return {name: Net(self._own, name) for name in self._own.nets}

    def create_blob(self, name: Any) -> Blob:
        """The blob of this name; an empty one where there was none."""
        self._own.blobs.setdefault(str(name), _workspace.UNINITIALISED)
        return Blob(self._own, str(name))

    def feed_blob(self, name: Any, arr: Any, device_option: caffe2_pb2.DeviceOption | None = None) -> bool:
        """Writes a blob."""
        return self.create_blob(name).feed(arr, device_option)

    def fetch_blob(self, name: Any) -> Any:
        """A copy of a blob."""
        return self._own.fetch(str(name))

    def has_blob(self, name: Any) -> bool:
        """Whether there is a blob of this name."""
        return str(name) in self._own

    def remove_blob(self, blob: Any) -> None:
        """Forgets a blob."""
        self._own.blobs.pop(str(blob), None)

    def create_net(self, net: Any, overwrite: bool = False) -> Net:
        """Creates a net, which can then be ``run()``.

        Raises:
            TypeError: It is no net.
        """
        definition = caffe2_pb2.NetDef.FromString(net) if isinstance(net, bytes) else _message(net)
        if not isinstance(definition, caffe2_pb2.NetDef):
            raise TypeError(f"a net is a core.Net or a NetDef, not {type(net).__name__}")
        self._own.create(definition, overwrite=overwrite)
        return Net(self._own, definition.name)

    def run(self, obj: Any) -> bool:
        """Runs a net, an operator or a plan, given as object or message.

        Raises:
            ValueError: It is none of these.
        """
        message = _message(obj)
        if isinstance(message, caffe2_pb2.OperatorDef):
            self._own.run_operator(message)
        elif isinstance(message, caffe2_pb2.PlanDef):
            self._own.run_plan(message)
        elif isinstance(message, caffe2_pb2.NetDef):
            self._own.run_once(message)
        else:
            raise ValueError(f"a workspace runs nets, operators and plans, not {type(obj).__name__}")
        return True


def _message(obj: Any) -> Any:
    return obj.Proto() if hasattr(obj, "Proto") else obj


class Net:
    """A created net."""

    def __init__(self, workspace: _workspace.Workspace, name: str) -> None:
        self._workspace, self.name = workspace, name

    def run(self) -> bool:
        """Runs it once."""
        self._workspace.run(self.name)
        return True


class Blob:
    """One blob of a workspace: ``feed``, ``fetch``, ``tensor``, ``to_numpy``."""

    def __init__(self, workspace: _workspace.Workspace, name: str) -> None:
        self._workspace = workspace
        self.name = name

    def feed(self, arg: Any, device_option: caffe2_pb2.DeviceOption | None = None) -> bool:
        """Writes the blob."""
        device = None if device_option is None else Device(device_option.device_type, device_option.device_id)
        self._workspace.feed(self.name, arg, device)
        return True

    _feed = feed

    def fetch(self) -> Any:
        """A copy of the blob's value."""
        return self._workspace.fetch(self.name)

    def is_tensor(self) -> bool:
        """Whether the blob holds an array."""
        return hasattr(self._workspace.blobs[self.name], "shape")

    def tensor(self) -> TensorCPU:
        """The blob as a ``TensorCPU`` object."""
        return TensorCPU(self._workspace, self.name)

    as_tensor = tensor

    def to_numpy(self) -> np.ndarray:
        """A copy of the values."""
        return np.asarray(self.fetch())

    def serialize(self, name: str) -> bytes:
        """The blob as wire format under another name."""
        from c2lab.storage import blob_protos

        return blob_protos.serialize(name, self._workspace[self.name])

    def deserialize(self, content: bytes) -> None:
        """Writes the blob from wire format."""
        from c2lab.storage import blob_protos

        self._workspace[self.name] = blob_protos.deserialize(content)


class _WrittenThrough(np.ndarray):
    """The values of a blob; assigning to elements writes the blob."""

    _tensor: TensorCPU | None = None
    _whole: _WrittenThrough | None = None

    def __array_finalize__(self, source: Any) -> None:
        # Rows and slices of the values belong to the same blob; copies and results of computations do not.
        if isinstance(source, _WrittenThrough) and self.base is not None:
            self._tensor, self._whole = source._tensor, source._whole

    def __setitem__(self, where: Any, value: Any) -> None:
        super().__setitem__(where, value)
        if self._tensor is not None and self._whole is not None:
            self._tensor.feed(np.array(self._whole))


class TensorCPU:
    """The tensor in a blob: ``data``, ``shape``, ``init``, ``feed``, ``reshape``, ``fetch``.

    Example:
        >>> ws = Workspace()
        >>> ws.create_blob("x").tensor().feed(np.float32([1, 2]))
        >>> ws.blobs["x"].tensor().data[0] = 5
        >>> ws.blobs["x"].fetch()
        array([5., 2.], dtype=float32)
    """

    def __init__(self, workspace: _workspace.Workspace | None = None, name: str = "tensor") -> None:
        self._workspace = workspace or _workspace.Workspace("tensor")
        self._name = name

    @property
    def data(self) -> np.ndarray:
        """The values; what is assigned to their elements is written to the blob."""
        values = np.array(self._workspace.fetch(self._name)).view(_WrittenThrough)
        values._tensor, values._whole = self, values
        return values

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return tuple(np.shape(self._workspace[self._name]))

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.shape

    def init(self, dims: Sequence[int], caffe_type: int) -> None:
        """Makes zeros of these sizes and this ``TensorProto`` data type.

        Raises:
            TypeMismatch: The type is STRING, or none.
        """
        kind = {number: name for name, number in _workspace.DATA_TYPES.items()}.get(int(caffe_type))
        if kind in (None, "object"):
            raise TypeMismatch(f"a tensor of data type {caffe_type} cannot be made from its sizes; feed the values")
        self.feed(np.zeros(tuple(dims), kind))

    def feed(self, value: np.ndarray, device_option: Any = None) -> None:
        """Writes the values."""
        self._workspace.feed(self._name, np.asarray(value))

    def fetch(self) -> np.ndarray:
        """A copy of the values."""
        return np.asarray(self._workspace.fetch(self._name))

    def reshape(self, shape: Sequence[int]) -> None:
        """The same values in another shape, or zeros where the number differs."""
        try:
            held = self.fetch()
        except MissingBlob:
            held = np.zeros(0, np.float32)
        if held.dtype.kind == "S":  # the description of an empty blob
            held = np.zeros(0, np.float32)
        count = int(np.prod(shape))
        self.feed(held.reshape(shape) if held.size == count else np.zeros(shape, held.dtype))
