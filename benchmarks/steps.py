"""Steady state and first calls: c2lab against the same net in plain JAX, and in PyTorch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax

from benchmarks import hand_written, nets, timing, torch_written
from c2lab import workspace


def c2lab_runner(executable: Any, program: Any) -> Callable[[], None]:
    """One run of a program of a created net, until its results are there."""
    blobs = workspace.current().blobs
    last = program.steps[-1].output_names[-1]

    def run() -> None:
        program.run(blobs, executable.random_base, executable.runs)
        executable.runs += 1
        blobs[last].block_until_ready()

    return run


def jax_runner(job: nets.Job) -> Callable[[], None]:
    """One run of the hand-written net, until its results are there; the first one traces and compiles."""
    images, labels = (jax.device_put(values) for values in job.samples())
    parameters = hand_written.parameters(job)
    if not job.training:
        infer = jax.jit(hand_written.inference(job))
        return lambda: infer(parameters, images).block_until_ready()
    step = jax.jit(hand_written.training(job), donate_argnums=0)

    def run() -> None:
        nonlocal parameters
        parameters, loss = step(parameters, images, labels)
        loss.block_until_ready()

    return run


def measure(job: nets.Job, rounds: int, budget: float) -> dict[str, Any]:
    """The numbers of one job."""
    workspace.ResetWorkspace()
    by_hand = jax_runner(job)
    first_by_hand = _seconds(by_hand)
    executable = nets.create(job)
    lean = c2lab_runner(executable, executable.lean)
    first = _seconds(lean)
    contestants = {"c2lab": lean, "jax": by_hand, "observable": c2lab_runner(executable, executable.observable)}
    contestants["observable"]()
    if torch_written.installed():
        contestants["torch"] = torch_written.runner(job)
    times = timing.interleaved(contestants, rounds, budget)
    result = {
        "job": job.name,
        "milliseconds": {name: 1e3 * statistics.median(seconds) for name, seconds in times.items()},
        "c2lab / jax": timing.ratio(times, "c2lab", "jax"),
        "observable / jax": timing.ratio(times, "observable", "jax"),
        "rounds": len(times["c2lab"]),
        "first call, seconds": {"c2lab": first, "jax": first_by_hand},
        "first call, c2lab / jax": first / first_by_hand,
    }
    if "torch" in times:
        result["c2lab / torch"] = timing.ratio(times, "c2lab", "torch")
    return result


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
