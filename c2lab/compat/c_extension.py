"""``workspace.C`` (and ``core.C``): the parts of the original's compiled module that Python code touches."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from c2lab import workspace as _workspace
from c2lab.compat.c_workspace import Blob, Net, TensorCPU, Workspace
from c2lab.compat.operator_schema import OpSchema
from c2lab.errors import NotSupported
from c2lab.operators.gradients import make_gradient
from c2lab.proto import caffe2_pb2

__all__ = [
    "Blob",
    "Mode",
    "Net",
    "OpSchema",
    "Predictor",
    "TensorCPU",
    "Workspace",
    "builtin_cpu_supports_avx2",
    "create_db",
    "get_build_options",
    "get_gradient_defs",
    "registered_dbs",
]

# What this machine's original would have been built with.
has_mkldnn = False
use_mkldnn = False
has_fbgemm = False
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


class NotInHere(NotSupported, AttributeError):
    """A name of the compiled module that c2lab does not have; ``hasattr`` says so too."""


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


def Predictor(init_net: Any, predict_net: Any) -> _workspace.Predictor:
    """See ``workspace.Predictor``."""
    return _workspace.Predictor(init_net, predict_net)


def get_gradient_defs(op_def: bytes, output_gradients: list[Any]) -> tuple[list[bytes], list[Any]]:
    """The gradient operators of an operator in wire format, and the gradient of each input."""
    made = make_gradient(caffe2_pb2.OperatorDef.FromString(op_def), output_gradients)
    return [op.SerializeToString() for op in made.ops], list(made.input_gradients)


build_options: dict[str, str] = {}


def get_build_options() -> dict[str, str]:
    """How the original was compiled: there is nothing to say."""
    return build_options


def builtin_cpu_supports_avx2() -> bool:
    """Whether hand-written AVX2 code may run: there is none, XLA finds out for itself."""
    return False


builtin_cpu_supports_avx = builtin_cpu_supports_f16c = builtin_cpu_supports_avx2

# Old spellings of functions of ``workspace`` that take the same arguments.
_SAME = frozenset(
    {
        "blobs", "feed_blob", "fetch_blob", "create_blob", "has_blob", "reset_blob", "run_plan", "create_net",
        "run_net_once", "run_operator_once", "reset_workspace", "switch_workspace", "current_workspace",
        "root_folder", "workspaces", "serialize_blob", "deserialize_blob", "global_init", "registered_operators",
        "benchmark_net", "benchmark_net_once", "num_cuda_devices", "get_blob_size_bytes", "run_plan_in_background",
    }
)  # fmt: skip


def run_net(name: Any, num_iter: int = 1, allow_fail: bool = False) -> bool:
    """Runs a created net."""
    return _workspace.RunNet(name, num_iter, allow_fail)


def __getattr__(name: str) -> Any:
    if name in _SAME:
        return getattr(_workspace, "".join(part.capitalize() for part in name.split("_")))
    raise NotInHere(
        f"caffe2.python._import_c_extension.{name} belongs to the original's compiled code and has no meaning here"
    )
