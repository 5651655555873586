"""A training step of an LSTM against ``lax.scan`` written by hand, and against steps that run on the host.

``python -m benchmarks.recurrent [--rounds N] [--steps T] [--batch N] [--size D]`` prints how long each takes to
compile and how long a step takes, forward and with the gradient of every parameter.  The contestants take turns;
the ratio is the median over the turns.  The gradients are compared before anything is measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ["C2LAB_CACHE"] = "0"

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import interleaved, ratio
from c2lab import core, workspace
from c2lab.backend import regions
from c2lab.model_helper import ModelHelper
from c2lab.sequences.networks import LSTM

PARAMETERS = ("r/i2h_w", "r/i2h_b", "r/gates_t_w", "r/gates_t_b")


def model_of(size: int, name: str) -> tuple[Any, list[str]]:
    """A model whose loss is the mean of squares, and the names of its gradients."""
    model = ModelHelper(name)
    blobs = {blob: core.BlobReference(blob) for blob in ("x", "lengths", "h0", "c0")}
    hidden, *_ = LSTM(model, blobs["x"], blobs["lengths"], [blobs["h0"], blobs["c0"]], size, size, scope="r")
    loss = model.net.AveragedLoss(model.net.Sqr(hidden, "squares"), "loss")
    gradients = model.AddGradientOperators([loss])
    names = [str(gradients[parameter]) for parameter in PARAMETERS]
    model.net.AddExternalOutput("loss", *names)
    return model, names


def contestant(size: int, name: str, wanted: Callable[[Any, list[str]], Any]) -> tuple[Callable[[], Any], float]:
    """A step of c2lab's net, and how long its first one took."""
    model, names = model_of(size, name)
    workspace.CreateNet(model.net)
    executable = workspace.current().nets[model.net.Name()][1]

    def step() -> Any:
        executable.lean.run(workspace.current().blobs, 0, 0)
        return wanted(workspace.current().blobs, names)

    return step, first(step)


def first(step: Callable[[], Any]) -> float:
    """Seconds that the first call takes."""
    started = time.perf_counter()
    jax.block_until_ready(step())
    return time.perf_counter() - started


def by_hand(values: dict[str, Any]) -> Callable[[], Any]:
    """The same step in JAX."""

    def loss(parameters: tuple[Any, ...]) -> Any:
        w_x, b_x, w_h, b_h = parameters
        fed = values["x"] @ w_x.T + b_x

        def step(carry: Any, row: Any) -> Any:
            hidden, cell = carry
            t, gates = row
            i, f, o, g = jnp.split(gates + hidden @ w_h.T + b_h, 4, axis=-1)
            after = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            going = (t < values["lengths"])[:, None]
            hidden = jnp.where(going, jax.nn.sigmoid(o) * jnp.tanh(after), hidden)
            return (hidden, jnp.where(going, after, cell)), hidden

        numbers = jnp.arange(fed.shape[0], dtype=jnp.int32)
        _, states = jax.lax.scan(step, (values["h0"][0], values["c0"][0]), (numbers, fed))
        return (states**2).mean()

    compiled = jax.jit(jax.value_and_grad(loss))
    parameters = tuple(values[name] for name in PARAMETERS)
    return lambda: compiled(parameters)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recurrent", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    size, batch = options.size, options.batch
    random = np.random.default_rng(0)
    shapes = {"x": (options.steps, batch, size), "h0": (1, batch, size), "c0": (1, batch, size)}
    shapes |= {"r/i2h_w": (4 * size, size), "r/gates_t_w": (4 * size, size)}
    shapes |= {"r/i2h_b": (4 * size,), "r/gates_t_b": (4 * size,)}
    values = {name: random.normal(size=shape, scale=0.1).astype(np.float32) for name, shape in shapes.items()}
    values["lengths"] = random.integers(1, options.steps + 1, batch).astype(np.int32)
    for name, value in values.items():
        workspace.FeedBlob(name, value)

    def of(blobs: Any, names: list[str]) -> Any:
        return [blobs[name] for name in names]

    hand = by_hand({name: jnp.asarray(value) for name, value in values.items()})
    jnp.zeros(1).block_until_ready()
    firsts = {"jax": first(hand)}
    ours, firsts["c2lab"] = contestant(size, "compiled", of)
    scans, regions.scans = regions.scans, lambda graph: {}
    host, firsts["host"] = contestant(size, "host", of)
    regions.scans = scans
    for mine, theirs, at_host in zip(ours(), hand()[1], host(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(at_host, theirs, rtol=1e-3, atol=1e-6)
    contestants = {"c2lab": ours, "jax": hand, "host": host}
    waiting = {name: (lambda call=call: jax.block_until_ready(call())) for name, call in contestants.items()}
    times = interleaved(waiting, options.rounds, budget=60.0)
    print(f"LSTM, {options.steps} steps, batch {batch}, size {size}: forward and gradient")
    for name in contestants:
        print(f"  {name:6} first call {firsts[name]:6.2f} s   a step {1e3 * statistics.median(times[name]):8.2f} ms")
    print(f"  c2lab / jax {ratio(times, 'c2lab', 'jax'):.2f}   host / c2lab {ratio(times, 'host', 'c2lab'):.1f}")


if __name__ == "__main__":
    main()
