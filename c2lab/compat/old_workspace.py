"""Names of the old ``workspace`` that are seldom used, or have no meaning where XLA runs the nets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.errors import NotSupported

logger = logging.getLogger("c2lab.workspace")
is_asan = False


def _absent(name: str, instead: str = "") -> NotSupported:
    return NotSupported(f"workspace.{name} has no meaning where XLA runs the nets{instead and '; '}{instead}")


def CallWithExceptionIntercept(
    func: Callable[..., Any], op_id_fetcher: Callable[[], int], net_name: str, *args: Any, **kwargs: Any
) -> Any:
    """Calls ``func``; errors name their operator and the user's line by themselves."""
    return func(*args, **kwargs)


def ClearGlobalNetObserver() -> None:
    """Nets have no observers, so nothing is cleared."""


def GetStats() -> dict[str, int]:
    """The counters of the original's runtime: there are none."""
    return {}


def IsNUMAEnabled() -> bool:
    """Whether blobs are placed on NUMA nodes: never."""
    return False


def GetNumNUMANodes() -> int:
    """The NUMA nodes that blobs can be placed on: one, the machine."""
    return 1


def GetBlobNUMANode(name: Any) -> int:
    """The NUMA node of a blob: 0 for all."""
    workspace.FetchBlob(name)
    return 0


def FetchTorch(name: Any) -> Any:
    """A copy of a blob as a ``torch.Tensor``; PyTorch must be installed."""
    import torch  # type: ignore[import-not-found] - optional

    return torch.from_numpy(np.asarray(workspace.FetchBlob(name)))


def GetCUDAVersion() -> int:
    """The CUDA version that c2lab was compiled for: 0, as it is not compiled."""
    return 0


def GetCuDNNVersion() -> int:
    """The cuDNN version that c2lab was compiled for: 0, as it is not compiled."""
    return 0


def GetDeviceProperties(x: int) -> Any:
    """Not offered."""
    raise _absent("GetDeviceProperties", f"jax.devices()[{x}] describes a device")


def GetGpuPeerAccessPattern() -> np.ndarray:
    """Which accelerator reaches which other one: all of them, through XLA."""
    count = workspace.NumGpuDevices()
    return np.ones((count, count), bool)


def GetGPUMemoryInfo() -> Any:
    """Not offered."""
    raise _absent("GetGPUMemoryInfo", "utils.GetGPUMemoryUsageStats tells the memory in use")


def StartMint(root_folder: str | None = None, port: int | None = None) -> Any:
    """Not offered."""
    raise _absent("StartMint", "show a net by making it the last line of a notebook cell")


def ApplyTransform(transform_key: str, net: Any) -> Any:
    """Not offered."""
    raise _absent("ApplyTransform", f"XLA optimizes nets by itself, without {transform_key}")


def ApplyTransformIfFaster(transform_key: str, net: Any, init_net: Any, **kwargs: Any) -> Any:
    """Not offered."""
    raise _absent("ApplyTransformIfFaster", f"XLA optimizes nets by itself, without {transform_key}")


def CreateOfflineTensor(name: Any, sizes: Any, data_type: Any) -> Any:
    """Not offered."""
    raise _absent("CreateOfflineTensor", f"feed {name} with its values")
