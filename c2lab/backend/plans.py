"""Runs the execution steps of a plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from c2lab.errors import BadArgument
from c2lab.proto import caffe2_pb2

RunNet = Callable[[str], object]
ReadBlob = Callable[[str], object]


def run_step(step: caffe2_pb2.ExecutionStep, run_net: RunNet, read_blob: ReadBlob) -> None:
    """Runs one execution step: its substeps or its nets, as often as it says.

    Args:
        step: The step.
        run_net: Runs a created net by name.
        read_blob: Gives the value of a blob, for ``should_stop_blob``.

    Raises:
        BadArgument: The step has nets and substeps, or a stop blob and a number of iterations.
    """
    if step.substep and step.network:
        raise BadArgument(f'execution step "{step.name}" has nets and substeps; it may have one of the two')
    if step.HasField("should_stop_blob") and step.HasField("num_iter"):
        raise BadArgument(
            f'Cannot set both should_stop_blob and num_iter. (execution step "{step.name}"): remove one of them'
        )

    def stop() -> bool:
        return step.HasField("should_stop_blob") and bool(read_blob(step.should_stop_blob))

    def once() -> None:
        if step.network:
            for name in step.network:
                run_net(name)
                if stop():
                    return
        elif step.concurrent_substeps and len(step.substep) > 1:
            with ThreadPoolExecutor(len(step.substep)) as pool:
                waiting = [pool.submit(run_step, substep, run_net, read_blob) for substep in step.substep]
                for future in waiting:
                    future.result()
        else:
            for substep in step.substep:
                run_step(substep, run_net, read_blob)
                if stop():
                    return

    with _reporting(step, run_net):
        if step.HasField("should_stop_blob") and not step.only_once:
            while True:
                once()
                if stop():
                    return
        iterations = step.num_iter if step.HasField("num_iter") and not step.only_once else 1
        for _ in range(iterations):
            once()
            if step.run_every_ms:
                time.sleep(step.run_every_ms / 1000)


class _reporting:
    """Runs a step's report net every ``report_interval`` seconds, and once at the end."""

    def __init__(self, step: caffe2_pb2.ExecutionStep, run_net: RunNet) -> None:
        self.net = step.report_net
        self.interval = step.report_interval or 1
        self.run_net = run_net
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True) if self.net else None

    def _work(self) -> None:
        while not self.done.wait(self.interval):
            self.run_net(self.net)

    def __enter__(self) -> None:
        if self.thread is not None:
            self.thread.start()

    def __exit__(self, *_: object) -> None:
        if self.thread is not None:
            self.done.set()
            self.thread.join()
            self.run_net(self.net)
