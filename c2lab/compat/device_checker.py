"""The same operator or net on several devices, compared with the first."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.proto import caffe2_pb2


class DeviceChecker:
    """Demands that all devices give the same results.

    Args:
        threshold: The largest absolute difference allowed, relative to ``max(|a|, |b|, 1)``.
        device_options: The devices; the first one is the reference.
    """

    def __init__(self, threshold: float, device_options: Sequence[caffe2_pb2.DeviceOption]) -> None:
        self._threshold = threshold
        self._device_options = list(device_options)

    def CheckSimple(
        self,
        op: caffe2_pb2.OperatorDef,
        inputs: Sequence[np.ndarray],
        outputs_to_check: Sequence[int],
        input_device_options: Mapping[str, caffe2_pb2.DeviceOption] | None = None,
    ) -> bool:
        """Whether one operator gives the same outputs on all devices."""
        own = copy.deepcopy(op)
        results = []
        with workspace.WorkspaceGuard("_device_check_"):
            for option in self._device_options:
                own.device_option.CopyFrom(option)
                for name, value in zip(own.input, inputs, strict=False):
                    workspace.FeedBlob(
                        name, np.array(value), device_option=(input_device_options or {}).get(name, option)
                    )
                workspace.RunOperatorOnce(own)
                results.append([workspace.FetchBlob(own.output[i]) for i in outputs_to_check])
            workspace.ResetWorkspace()
        return self._all_close(results, [own.output[i] for i in outputs_to_check])

    def CheckNet(
        self,
        net: Any,
        inputs: Mapping[str, np.ndarray] | None = None,
        blobs_to_check: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
    ) -> bool:
        """Whether a net gives the same blobs on all devices."""
        definition = net.Proto() if hasattr(net, "Proto") else net
        names = list(blobs_to_check or dict.fromkeys(o for op in definition.op for o in op.output))
        names = [name for name in names if name not in (ignore or ())]
        results = []
        with workspace.WorkspaceGuard("_device_check_"):
            for option in self._device_options:
                own = copy.deepcopy(definition)
                own.device_option.CopyFrom(option)
                for name, value in (inputs or {}).items():
                    workspace.FeedBlob(name, value, device_option=option)
                workspace.RunNetOnce(own)
                results.append([workspace.FetchBlob(name) for name in names])
            workspace.ResetWorkspace()
        return self._all_close(results, names)

    def _all_close(self, results: Sequence[Sequence[np.ndarray]], names: Sequence[str]) -> bool:
        fine = True
        for number, other in enumerate(results[1:], start=1):
            for name, mine, theirs in zip(names, results[0], other, strict=True):
                scale = np.maximum(np.maximum(np.abs(mine), np.abs(theirs)), 1)
                worst = float(np.max(np.abs(mine - theirs) / scale, initial=0))
                if worst > self._threshold:
                    fine = False
                    print(f"device {number} differs from device 0 in {name} by {worst:g}")
        return fine
