"""Seldom used names of the old workspace module."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import workspace


def test_they_are_found_in_workspace():
    assert workspace.Int8Tensor(np.zeros(1), 0.5, 3).zero_point == 3
    assert workspace.CallWithExceptionIntercept(max, lambda: 0, "net", 1, 2) == 2
    assert workspace.GetStats() == {}
    assert workspace.is_asan is False
    workspace.ClearGlobalNetObserver()


def test_one_machine_is_one_node():
    assert not workspace.IsNUMAEnabled()
    assert workspace.GetNumNUMANodes() == 1
    workspace.FeedBlob("x", np.zeros(1))
    assert workspace.GetBlobNUMANode("x") == 0
    with pytest.raises(RuntimeError, match="Can't find blob"):
        workspace.GetBlobNUMANode("y")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("GetDeviceProperties", [0]),
        ("GetGPUMemoryInfo", []),
        ("StartMint", []),
        ("ApplyTransform", ["t", "net"]),
        ("ApplyTransformIfFaster", ["t", "net", "init"]),
        ("CreateOfflineTensor", ["x", [1], 1]),
    ],
)
def test_what_has_no_meaning_says_so(name, arguments):
    with pytest.raises(NotImplementedError, match=rf"workspace\.{name} has no meaning"):
        getattr(workspace, name)(*arguments)


def test_versions_of_what_is_not_used():
    assert workspace.GetCUDAVersion() == workspace.GetCuDNNVersion() == 0
    count = workspace.NumGpuDevices()
    assert workspace.GetGpuPeerAccessPattern().shape == (count, count)


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = workspace.Nonsense
