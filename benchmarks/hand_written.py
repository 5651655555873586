"""The nets that are measured, as one would write them in plain JAX.

ResNet-50 is written channels last, which is how c2lab's backend runs it on a CPU; LeNet channels first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.nets import LEARNING_RATE, Job

Parameters = dict[str, Any]
STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))  # blocks, channels inside, stride


def parameters(job: Job) -> Parameters:
    """Random parameters of the net."""
    random = np.random.default_rng(1)
    shapes = dict({"mlp": _mlp_shapes, "lenet": _lenet_shapes, "resnet50": _resnet50_shapes}[job.net]())
    values = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            values[name] = np.full(shape, name.endswith(("scale", "variance")), np.float32)
        else:
            scale = np.sqrt(2 / np.prod(shape[1:] if job.net == "lenet" else shape[:-1]))
            values[name] = (random.normal(size=shape) * scale).astype(np.float32)
    return {name: jnp.asarray(value) for name, value in values.items()}


def inference(job: Job) -> Callable[[Parameters, Any], Any]:
    """``f(parameters, images)``: the probabilities of the classes."""
    forward = _forwards[job.net]
    return lambda p, images: jax.nn.softmax(forward(p, images, False)[0])


def training(job: Job) -> Callable[[Parameters, Any, Any], tuple[Parameters, Any]]:
    """``f(parameters, images, labels)``: the parameters after a step of gradient descent, and the loss."""
    forward = _forwards[job.net]

    def loss(p: Parameters, images: Any, labels: Any) -> Any:
        scores, state = forward(p, images, True)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1)
        return -jnp.mean(chosen), state

    def step(p: Parameters, images: Any, labels: Any) -> tuple[Parameters, Any]:
        (value, state), slopes = jax.value_and_grad(loss, has_aux=True)(p, images, labels)
        stepped = {name: p[name] - LEARNING_RATE * slopes[name] for name in p}
        return {**stepped, **state}, value

    return step


# --- nets ----------------------------------------------------------------------------------------


def _mlp_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    for number, (inputs, outputs) in enumerate(((784, 128), (128, 64), (64, 10))):
        yield f"w{number}", (inputs, outputs)
        yield f"b{number}", (outputs,)


def _mlp(p: Parameters, x: Any, training: bool) -> tuple[Any, Parameters]:
    for number in range(2):
        x = jax.nn.relu(x @ p[f"w{number}"] + p[f"b{number}"])
    return x @ p["w2"] + p["b2"], {}


def _lenet_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from (("conv1", (20, 1, 5, 5)), ("conv1_b", (20,)), ("conv2", (50, 20, 5, 5)), ("conv2_b", (50,)))
    yield from (("fc3", (500, 800)), ("fc3_b", (500,)), ("pred", (10, 500)), ("pred_b", (10,)))


def _lenet(p: Parameters, x: Any, training: bool) -> tuple[Any, Parameters]:
    for name in ("conv1", "conv2"):
        x = lax.conv_general_dilated(x, p[name], (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = x + p[name + "_b"][:, None, None]
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = jax.nn.relu(x.reshape(x.shape[0], -1) @ p["fc3"].T + p["fc3_b"])
    return x @ p["pred"].T + p["pred_b"], {}


def _convolutions() -> Iterator[tuple[str, int, int, int, int]]:
    """Name, inputs, outputs, kernel and stride of every convolution of ResNet-50 but the first."""
    inputs = 64
    for stage, (blocks, inner, stride) in enumerate(STAGES):
        for block in range(blocks):
            name, step = f"s{stage}b{block}", stride if block == 0 else 1
            yield f"{name}c0", inputs, inner, 1, 1
            yield f"{name}c1", inner, inner, 3, step
            yield f"{name}c2", inner, 4 * inner, 1, 1
            if block == 0:
                yield f"{name}short", inputs, 4 * inner, 1, step
            inputs = 4 * inner


def _resnet50_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, inputs, outputs, kernel, _ in (("first", 3, 64, 7, 2), *_convolutions()):
        yield name, (kernel, kernel, inputs, outputs)
        yield from ((f"{name}_{part}", (outputs,)) for part in ("scale", "bias", "mean", "variance"))
    yield from (("last", (2048, 1000)), ("last_b", (1000,)))


def _resnet50(p: Parameters, x: Any, training: bool) -> tuple[Any, Parameters]:
    state: Parameters = {}
    strides = {name: stride for name, _, _, _, stride in _convolutions()}

    def convolved(x: Any, name: str, stride: int | None = None) -> Any:
        pad = p[name].shape[0] // 2
        step = (stride or strides[name],) * 2
        x = lax.conv_general_dilated(
            x, p[name], step, ((pad, pad), (pad, pad)), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        mean, variance = p[f"{name}_mean"], p[f"{name}_variance"]
        if training:
            now, spread = jnp.mean(x, (0, 1, 2)), jnp.var(x, (0, 1, 2))
            state[f"{name}_mean"] = 0.9 * mean + 0.1 * now
            state[f"{name}_variance"] = 0.9 * variance + 0.1 * spread
            mean, variance = now, spread
        factor = p[f"{name}_scale"] * lax.rsqrt(variance + 1e-5)
        return x * factor + (p[f"{name}_bias"] - mean * factor)

    # The channels come last: one turn of the images at the door, as in c2lab.
    x = jax.nn.relu(convolved(jnp.transpose(x, (0, 2, 3, 1)), "first", 2))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
    for stage, (blocks, _, _) in enumerate(STAGES):
        for block in range(blocks):
            name = f"s{stage}b{block}"
            y = jax.nn.relu(convolved(x, f"{name}c0"))
            y = jax.nn.relu(convolved(y, f"{name}c1"))
            y = convolved(y, f"{name}c2")
            x = jax.nn.relu(y + (convolved(x, f"{name}short") if block == 0 else x))
    return jnp.mean(x, (1, 2)) @ p["last"] + p["last_b"], state


_forwards = {"mlp": _mlp, "lenet": _lenet, "resnet50": _resnet50}
