"""Nets with branches and loops, run both ways: compiled with what is around them, and on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from c2lab import core
from c2lab.backend import run
from c2lab.backend.fallback import FallbackStep
from c2lab.backend.region_nodes import RegionNode
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def op(type: str, inputs: list[str], outputs: list[str], **arguments: Any) -> caffe2_pb2.OperatorDef:
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def net_of(*ops: caffe2_pb2.OperatorDef, **fields: Any) -> caffe2_pb2.NetDef:
    return caffe2_pb2.NetDef(op=ops, **fields)


def proto(net: Any) -> caffe2_pb2.NetDef:
    return net.Proto() if isinstance(net, core.Net) else net


def run_net(net: Any, feeds: dict[str, Any], runs: int = 1) -> tuple[Workspace, Any]:
    """The workspace after some runs on the same feeds, and the created net."""
    workspace = Workspace("regions", seed=0)
    for name, value in feeds.items():
        workspace.feed(name, value)
    executable = workspace.executable(proto(net))
    for _ in range(runs):
        for name, value in feeds.items():
            workspace.feed(name, value)
        executable.run(workspace.blobs)
    return workspace, executable


def tensors(workspace: Workspace) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in workspace.blobs.items() if hasattr(value, "dtype")}


def both_ways(net: Any, feeds: dict[str, Any], *, regions: int | None, compiled: int | None = 1) -> Workspace:
    """Runs a net both ways, and demands the same of every blob.

    Args:
        net: The net.
        feeds: What its blobs hold at first.
        regions: How many operators must be compiled with what is around them, and stay so; any number if None.
        compiled: How many compiled pieces there must be; any number if None.
    """
    workspace, executable = run_net(net, feeds)
    found = [node for step in executable.steps for node in step.nodes if isinstance(node, RegionNode)]
    assert regions is None or len(found) == regions
    assert compiled is None or sum(step.kind == "compiled" for step in executable.steps) == compiled
    assert all(step._host_program is None for step in executable.observable.steps if isinstance(step, FallbackStep))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run, "with_regions", lambda graph, exists, inside=False, pairs=True: graph)
        on_the_host, _ = run_net(net, feeds)
    ours, theirs = tensors(workspace), tensors(on_the_host)
    # What a branch that did not run would have computed on its way is there all the same, as zeros.
    assert ours.keys() >= theirs.keys()
    assert not any(np.any(ours[name]) for name in ours.keys() - theirs.keys())
    for name, value in theirs.items():
        assert (ours[name].shape, ours[name].dtype) == (value.shape, value.dtype), name
        np.testing.assert_allclose(ours[name], value, rtol=1e-6, err_msg=name)
    return workspace
