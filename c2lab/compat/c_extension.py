"""``workspace.C`` (and ``core.C``): the parts of the original's compiled module that Python code touches."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from c2lab import workspace as _workspace
from c2lab.errors import NotSupported
from c2lab.proto import caffe2_pb2

has_mkldnn = False
use_mkldnn = False
is_asan = False
has_cuda_support = False
has_hip_support = False
has_gpu_support = False
cuda_version = 0
cudnn_version = 0
define_caffe2_no_operator_schema = False
CPU = caffe2_pb2.PROTO_CPU
CUDA = caffe2_pb2.PROTO_CUDA
HIP = caffe2_pb2.PROTO_HIP


class Mode(IntEnum):
    """How a database is opened."""

    read = 0
    write = 1
    new = 2


def create_db(db_type: str, path: str, mode: Mode) -> Any:
    """Opens a database; it has ``new_transaction()`` with ``put`` and ``commit``, and ``new_cursor()``."""
    from c2lab.storage import open_db

    return open_db(path, db_type, Mode(mode).name)


def registered_dbs() -> list[str]:
    """The kinds of database that can be opened."""
    from c2lab import storage

    return list(storage.db_types())


class Workspace:
    """A workspace of its own: ``run(net)``, ``blobs``, ``create_blob(name)``.

    Example:
        >>> ws = Workspace()
        >>> ws.create_blob("x").feed(np.float32([1]))
        True
        >>> ws.blobs["x"].fetch()
        array([1.], dtype=float32)
    """

    current: Workspace

    def __init__(self, parent: Workspace | None = None, *, over: _workspace.Workspace | None = None) -> None:
        self._own = over or _workspace.Workspace("local")
        if parent is not None:
            self._own.blobs.update(parent._own.blobs)

    @property
    def blobs(self) -> dict[str, Blob]:
        """All blobs by name."""
        return {name: Blob(self._own, name) for name in self._own.names()}

    @property
    def nets(self) -> dict[str, Any]:
        """All created nets by name."""
        return {name: net for name, (net, _) in self._own.nets.items()}

    def create_blob(self, name: str) -> Blob:
        """An empty blob."""
        self._own.blobs.setdefault(name, _workspace.UNINITIALISED)
        return Blob(self._own, name)

    def fetch_blob(self, name: str) -> Any:
        """A copy of a blob."""
        return self._own.fetch(name)

    def has_blob(self, name: str) -> bool:
        """Whether there is a blob of this name."""
        return name in self._own

    def create_net(self, definition: Any, overwrite: bool = False) -> Any:
        """Creates a net."""
        net = _workspace._net(definition)
        self._own.create(net, overwrite=overwrite)
        return net

    def run(self, obj: Any) -> None:
        """Runs a net, an operator or a plan, given as object, message or bytes."""
        message = obj if hasattr(obj, "SerializeToString") or isinstance(obj, bytes) else obj.Proto()
        if isinstance(message, bytes):
            for kind in (caffe2_pb2.NetDef, caffe2_pb2.PlanDef, caffe2_pb2.OperatorDef):
                try:
                    message = kind.FromString(obj)
                    break
                except Exception:  # protobuf's DecodeError differs between its runtimes; try the next kind
                    continue
        if isinstance(message, caffe2_pb2.OperatorDef):
            self._own.run_operator(message)
        elif isinstance(message, caffe2_pb2.PlanDef):
            self._own.run_plan(message)
        else:
            self._own.run_once(message)


class Blob:
    """One blob of a workspace: ``feed``, ``fetch``, ``tensor``, ``to_numpy``."""

    def __init__(self, workspace: _workspace.Workspace, name: str) -> None:
        self._workspace = workspace
        self.name = name

    def feed(self, value: Any, device_option: Any = None) -> bool:
        """Writes the blob."""
        self._workspace.feed(self.name, value)
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

    def serialize(self, name: str) -> bytes:
        """The blob as wire format under another name."""
        from c2lab.storage import blob_protos

        return blob_protos.serialize(name, self._workspace[self.name])

    def deserialize(self, content: bytes) -> None:
        """Writes the blob from wire format."""
        from c2lab.storage import blob_protos

        self._workspace[self.name] = blob_protos.deserialize(content)


class TensorCPU:
    """The tensor in a blob: ``data``, ``shape``, ``feed``, ``reshape``, ``fetch``."""

    def __init__(self, workspace: _workspace.Workspace | None = None, name: str = "") -> None:
        self._workspace = workspace or _workspace.Workspace("tensor")
        self._name = name or "tensor"

    @property
    def data(self) -> np.ndarray:
        """A copy of the values."""
        return self._workspace.fetch(self._name)

    @property
    def shape(self) -> list[int]:
        """The sizes."""
        return list(self._workspace[self._name].shape)

    _shape = shape

    def feed(self, value: np.ndarray, device_option: Any = None) -> None:
        """Writes the values."""
        self._workspace.feed(self._name, value)

    def fetch(self) -> np.ndarray:
        """A copy of the values."""
        return self.data

    def reshape(self, shape: Sequence[int]) -> None:
        """The same values in another shape, or zeros where the number differs."""
        held = self._workspace.blobs.get(self._name)
        count = int(np.prod(shape))
        if held is not None and hasattr(held, "size") and held.size == count:
            self._workspace[self._name] = np.asarray(held).reshape(shape)
        else:
            self._workspace[self._name] = np.zeros(shape, np.float32)


def __getattr__(name: str) -> Any:
    if name == "current":
        return Workspace(over=_workspace.current())
    same = {
        "blobs", "feed_blob", "fetch_blob", "create_blob", "has_blob", "run_net", "run_plan", "create_net",
        "reset_workspace", "switch_workspace", "current_workspace", "root_folder", "workspaces",
        "serialize_blob", "deserialize_blob", "global_init", "registered_operators", "benchmark_net",
    }  # fmt: skip
    if name in same:
        spelled = "".join(part.capitalize() for part in name.split("_"))
        return getattr(_workspace, spelled)
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotSupported(
        f"caffe2.python._import_c_extension.{name} belongs to the original's compiled code and has no meaning here"
    )


def Predictor(init_net: Any, predict_net: Any) -> _workspace.Predictor:
    """See ``workspace.Predictor``."""
    return _workspace.Predictor(init_net, predict_net)
