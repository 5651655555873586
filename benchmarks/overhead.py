"""What c2lab's own Python adds to calling the compiled function, and to starting Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

from c2lab import core, workspace

FEW, MANY = 4, 204  # blobs read and written in a run


def per_call(rounds: int) -> dict[str, float]:
    """Microseconds that ``RunNet`` adds to the compiled function: for each call, and for each blob on top."""
    few, many = _added(FEW, rounds), _added(MANY, rounds)
    per_blob = (many - few) / (MANY - FEW)
    return {"a call": 1e6 * (few - FEW * per_blob), "a blob": 1e6 * per_blob}


def _added(blobs: int, rounds: int) -> float:
    """Seconds of this thread's own work between ``RunNet`` and the compiled function, over nothing to compute."""
    workspace.ResetWorkspace()
    net = core.Net("overhead")
    for number in range(blobs // 2):
        workspace.FeedBlob(f"x{number}", np.zeros(1, np.float32))
        net.Relu(f"x{number}", f"y{number}")
    workspace.CreateNet(net)
    name = net.Name()
    workspace.RunNet(name)
    (step,) = workspace.current().nets[name][1].observable.steps
    arguments = [workspace.current().blobs[blob] for blob in step.input_names]
    added = []
    for _ in range(rounds):
        ours = _thread_seconds(lambda: workspace.RunNet(name))
        alone = _thread_seconds(lambda: step.compiled.call(*arguments))
        added.append(ours - alone)
    return statistics.median(added)


def _thread_seconds(call: Any, calls: int = 200) -> float:
    started = time.thread_time()
    for _ in range(calls):
        call()
    return (time.thread_time() - started) / calls


def import_seconds(module: str, rounds: int) -> float:
    """The least time that ``import module`` takes in a new process."""
    program = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return min(
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    )
