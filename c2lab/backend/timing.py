"""How long created nets and their operators take."""

from __future__ import annotations

import time
from collections.abc import Callable

import jax

from c2lab.backend.workspaces import Workspace
from c2lab.errors import MissingNet
from c2lab.proto import caffe2_pb2


def benchmark(workspace: Workspace, name: str, warmup: int, runs: int, each_operator: bool) -> list[float]:
    """Milliseconds a run of a created net and, if asked, of each of its operators; printed and returned.

    Raises:
        MissingNet: No net of this name was created.
    """
    if name not in workspace.nets:
        raise MissingNet(f"Can't find net {name}")
    net, executable = workspace.nets[name]

    def run_net() -> None:
        executable.run(workspace.blobs)
        _settle(workspace, net)

    result = [_milliseconds(run_net, warmup, runs)]
    print(f"{name}: {result[0]:.4f} ms a run, {1000 / max(result[0], 1e-9):.1f} runs a second")
    for index, op in enumerate(net.op if each_operator else ()):
        single = caffe2_pb2.NetDef(name=f"{name}/{index}", external_output=list(op.output))
        single.op.add().CopyFrom(op)
        alone = workspace.executable(single)

        def run_one(alone=alone, single=single) -> None:
            alone.run(workspace.blobs)
            _settle(workspace, single)

        result.append(_milliseconds(run_one, warmup, runs))
        print(f"  operator {index} {op.type} {op.name}: {result[-1]:.4f} ms")
    return result


def _milliseconds(run: Callable[[], None], warmup: int, runs: int) -> float:
    for _ in range(warmup):
        run()
    started = time.perf_counter()
    for _ in range(runs):
        run()
    return (time.perf_counter() - started) * 1000 / max(runs, 1)


def _settle(workspace: Workspace, net: caffe2_pb2.NetDef) -> None:
    """Waits for what the net wrote: a compiled net returns before it has finished."""
    for op in net.op:
        for name in op.output:
            value = workspace.blobs.get(name)
            if isinstance(value, jax.Array):
                value.block_until_ready()
