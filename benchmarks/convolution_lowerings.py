"""How long each way to compute a convolution and a max pool takes, as a ratio to XLA's own.

``python -m benchmarks.convolution_lowerings [--repeats N]`` prints one line a shape.  The ratios are
of processor time, medians of interleaved runs, so that they mean something on a busy machine; below 1
a way is faster than XLA's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax

from c2lab.operators import convolution_lowerings as ways
from c2lab.operators import pooling
from c2lab.operators.windows import Window, joined

# batch, channels, size, filters, kernel, stride, group: what the shape stands for
CONVOLUTIONS = [
    ((64, 1, 28, 20, 5, 1, 1), "LeNet, first"),
    ((64, 20, 12, 50, 5, 1, 1), "LeNet, second"),
    ((64, 32, 16, 32, 3, 1, 1), "a small net's 3 x 3"),
    ((8, 64, 58, 64, 3, 1, 1), "ResNet-50, early 3 x 3"),
    ((8, 256, 16, 256, 3, 1, 1), "ResNet-50, late 3 x 3"),
    ((8, 256, 56, 64, 1, 1, 1), "ResNet-50, 1 x 1"),
    ((8, 128, 30, 128, 3, 2, 128), "MobileNet, depthwise"),
    ((8, 64, 30, 64, 3, 1, 4), "groups"),
]
POOLS = [((64, 20, 24), 2, 2), ((8, 64, 56), 3, 2), ((8, 192, 28), 3, 1)]  # (batch, channels, size), kernel, stride


def measure(functions: dict[str, Callable[..., Any]], values: tuple[Any, ...], repeats: int) -> dict[str, float]:
    """Median processor seconds of each function, interleaved; the first is the one to compare results with."""
    compiled = {name: jax.jit(function) for name, function in functions.items()}
    results = {name: np.asarray(function(*values)) for name, function in compiled.items()}
    expected = next(iter(results.values()))
    for name, got in results.items():
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-2, err_msg=name)
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in compiled.items():
            begin = time.process_time()
            function(*values).block_until_ready()
            times[name].append(time.process_time() - begin)
    return {name: statistics.median(spent) for name, spent in times.items()}


def told(times: dict[str, float]) -> str:
    """Milliseconds of the first, ratios of the others."""
    (_, base), *others = times.items()
    return f"{1e3 * base:7.2f} ms  " + "  ".join(f"{name} {spent / base:5.2f}" for name, spent in others)


def convolution(shape: tuple[int, ...], repeats: int) -> dict[str, str]:
    """The times of one convolution and its two gradients."""
    batch, channels, size, filters, kernel, stride, group = shape
    random = np.random.default_rng(0)
    place = Window((kernel,) * 2, (stride,) * 2, (1, 1), (0,) * 4).over((size, size))
    X = random.normal(size=(batch, channels, size, size)).astype(np.float32)
    W = random.normal(size=(filters, channels // group, kernel, kernel)).astype(np.float32)
    dY = random.normal(size=(batch, filters, *place.output)).astype(np.float32)
    rest = (place, group, "NCHW")
    candidates = {"xla": ways._by_xla, "patches": ways._by_patches}
    filter_candidates = {"patches": ways._filter_by_patches}
    if group == channels == filters:
        candidates["shifts"] = ways._shifts
        filter_candidates["shifts"] = ways._filter_shifts
    forward = {name: (lambda X, W, dY, f=f: f(X, W, *rest)) for name, f in candidates.items()}
    back = {
        name: (lambda X, W, dY, f=f: ways._transposed(lambda Z: f(Z, W, *rest), X, dY))
        for name, f in candidates.items()
    }
    to_filter = {"xla": lambda X, W, dY: ways._transposed(lambda Z: ways._by_xla(X, Z, *rest), W, dY)}
    to_filter |= {name: (lambda X, W, dY, f=f: f(X, W.shape, dY, *rest)) for name, f in filter_candidates.items()}
    return {
        "forward": told(
            measure({**forward, "c2lab": lambda X, W, dY: ways.convolve(X, W, *rest)}, (X, W, dY), repeats)
        ),
        "by filter": told(
            measure({**to_filter, "c2lab": lambda X, W, dY: ways.filter_gradient(X, W, dY, *rest)}, (X, W, dY), repeats)
        ),
        "by input": told(
            measure({**back, "c2lab": lambda X, W, dY: ways.input_gradient(X, W, dY, *rest)}, (X, W, dY), repeats)
        ),
    }


def pool(shape: tuple[int, int, int], kernel: int, stride: int, repeats: int) -> dict[str, str]:
    """The times of one max pool; its gradient against XLA's, which gives a tie to one element only."""
    batch, channels, size = shape
    window = Window((kernel,) * 2, (stride,) * 2, (1, 1), (0,) * 4)
    place = window.over((size, size))
    random = np.random.default_rng(0)
    X = random.normal(size=(batch, channels, size, size)).astype(np.float32)

    def reduced(X: Any) -> Any:
        steps = (1, 1, stride, stride)
        return lax.reduce_window(X, np.float32(-np.inf), lax.max, (1, 1, kernel, kernel), steps, "VALID")

    Y = np.asarray(reduced(X))
    dY = random.normal(size=Y.shape).astype(np.float32)
    forward = {"xla": reduced, "c2lab": lambda X: joined(X, place, "NCHW", "max")}
    back = {
        "xla": lambda X, Y, dY: jax.vjp(reduced, X)[1](dY)[0],
        "c2lab": lambda X, Y, dY: pooling._max_pool_gradient(X, Y, dY, window, "NCHW"),
    }
    return {"forward": told(measure(forward, (X,), repeats)), "by input": told(measure(back, (X, Y, dY), repeats))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    for shape, meaning in CONVOLUTIONS:
        print(f"{meaning}: batch, channels, size, filters, kernel, stride, group = {shape}")
        for name, line in convolution(shape, repeats).items():
            print(f"  {name:10} xla {line}", flush=True)
    for shape, kernel, stride in POOLS:
        print(f"max pool of {shape}, kernel {kernel}, stride {stride}")
        for name, line in pool(shape, kernel, stride, repeats).items():
            print(f"  {name:10} xla {line}", flush=True)


if __name__ == "__main__":
    main()
