"""Sharing memory between blobs: accepted and left to XLA, which plans memory itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from c2lab.proto import caffe2_pb2


class Statistics(NamedTuple):
    """Bytes before and after, which are the same here."""

    baseline_nbytes: int
    optimized_nbytes: int


def _copy(net: Any) -> caffe2_pb2.NetDef:
    result = caffe2_pb2.NetDef()
    result.CopyFrom(net.Proto() if hasattr(net, "Proto") else net)
    return result


def share_grad_blobs(
    net: Any,
    losses: Iterable[Any],
    param_grads: Iterable[Any],
    namescope: Any,
    dont_share_blobs: Iterable[Any] | None = None,
    share_activations: bool = False,
    blob_shapes: Any = None,
) -> caffe2_pb2.NetDef:
    """The net as it is: compiled, its gradients share memory anyway."""
    return _copy(net)


def optimize_inference_for_dag(net: Any, input_blobs: Iterable[Any], namescope: str = "") -> caffe2_pb2.NetDef:
    """The net as it is: compiled, its blobs share memory anyway."""
    return _copy(net)


def release_blobs_when_used(netproto: Any, dont_free_blobs: Iterable[str], selector_fun: Any = None) -> Any:
    """The net as it is: a lean run keeps no intermediate blob."""
    return _copy(netproto)


def estimate_memory_usage(protos: Any, shapes: Any, types: Any, devicescope: Any) -> tuple[int, int]:
    """Bytes of all blobs of several nets, and of those under the device scope (all of them)."""
    sizes = {1: 4, 2: 4, 5: 1, 6: 1, 7: 1, 8: 2, 9: 2, 10: 8, 12: 2, 13: 8}
    total = 0
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        total += count * sizes.get(types.get(name, 1), 4)
    return total, total
