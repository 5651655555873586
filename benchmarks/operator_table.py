"""The operators that ``benchmarks.operators`` measures: typical inputs, and the plain JAX expression of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_random = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    """Values around 0."""
    return _random.normal(size=shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    """Values between 0.1 and 1."""
    return _random.uniform(0.1, 1, size=shape).astype(np.float32)


def below(limit: int, *shape: int, dtype: Any = np.int32) -> np.ndarray:
    """Indices from 0 to ``limit`` - 1."""
    return _random.integers(0, limit, shape).astype(dtype)


@dataclass(frozen=True)
class Case:
    """One operator: its inputs by name, its arguments, and what computes the same.

    ``differentiated``: the inputs whose gradients are measured.  ``compared``: how many of the outputs
    the expression gives.  ``outputs_order``: which of the expression's results the gradient comes in by.
    """

    type: str
    values: dict[str, np.ndarray]
    expression: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    differentiated: tuple[str, ...] = ()
    outputs: int = 1
    compared: int = 1
    outputs_order: int = 0
    names: tuple[str, ...] = ()
    torch: Callable[..., Any] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", tuple(self.values))

    @property
    def flows_from(self) -> str:
        """The output that the gradient comes in by."""
        return f"Y{self.outputs_order}"

    @property
    def label(self) -> str:
        """The operator and what is special about this case."""
        return f"{self.type}{f' ({self.note})' if self.note else ''}"


def _unary(type: str, expression: Callable[..., Any], values: Any = normal, **rest: Any) -> Case:
    rest.setdefault("differentiated", ("X",))
    return Case(type, {"X": values(64, 64, 28, 28)}, expression, **rest)


def _binary(type: str, expression: Callable[..., Any], values: Any = normal, **rest: Any) -> Case:
    rest.setdefault("differentiated", ("A", "B"))
    return Case(type, {"A": values(256, 4096), "B": values(256, 4096)}, expression, **rest)


def _conv(X: Any, W: Any, b: Any, stride: int = 1, pad: int = 1, groups: int = 1) -> Any:
    Y = lax.conv_general_dilated(X, W, (stride,) * 2, ((pad, pad),) * 2, feature_group_count=groups)
    return Y + b[:, None, None]


def _pool(X: Any, start: float, joined: Any, kernel: int, stride: int) -> Any:
    return lax.reduce_window(X, start, joined, (1, 1, kernel, kernel), (1, 1, stride, stride), "VALID")


def _normalized(X: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    mean = X.mean(axes, keepdims=True)
    return (X - mean) * lax.rsqrt(X.var(axes, keepdims=True) + epsilon)


def _batch_norm(X: Any, s: Any, b: Any, mean: Any, var: Any) -> Any:
    return (X - mean[:, None, None]) * (s * lax.rsqrt(var + 1e-5))[:, None, None] + b[:, None, None]


def _cross_entropy(X: Any, label: Any) -> Any:
    logs = jax.nn.log_softmax(X)
    return jnp.exp(logs), -jnp.take_along_axis(logs, label[:, None], 1).mean()


def _lrn(X: Any) -> Any:
    around = lax.reduce_window(X * X, 0.0, lax.add, (1, 5, 1, 1), (1, 1, 1, 1), "SAME")
    return X * (1 + 1e-4 / 5 * around) ** -0.75


def _adam(param: Any, m1: Any, m2: Any, grad: Any, lr: Any, it: Any) -> Any:
    t = it[0] + 1
    m1, m2 = 0.9 * m1 + 0.1 * grad, 0.999 * m2 + 0.001 * grad * grad
    scale = lr[0] * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return param + (scale * m1 / (jnp.sqrt(m2) + 1e-5)).astype(jnp.float32)


def _lstm(h: Any, c: Any, gates: Any) -> Any:
    i, f, o, g = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


_IMAGES = (32, 64, 28, 28)
_LENGTHS = np.full(512, 16, np.int32)
_FULL = np.full(64, 8, np.int32)

# One case an entry; sizes are those of a middle layer in the nets of ``benchmarks.nets``.
CASES: tuple[Case, ...] = (
    _unary("Relu", lambda X: jnp.maximum(X, 0), torch=lambda t, X: t.relu(X)),
    _unary("LeakyRelu", lambda X: jnp.where(X >= 0, X, 0.01 * X)),
    _unary("Elu", lambda X: jnp.where(X > 0, X, jnp.expm1(jnp.minimum(X, 0)))),
    _unary("Sigmoid", jax.nn.sigmoid, torch=lambda t, X: t.sigmoid(X)),
    _unary("Tanh", jnp.tanh, torch=lambda t, X: t.tanh(X)),
    _unary("Softplus", jax.nn.softplus),
    _unary("Exp", jnp.exp),
    _unary("Log", jnp.log, positive),
    _unary("Sqrt", jnp.sqrt, positive),
    _unary("Sqr", lambda X: X * X),
    _unary("Abs", jnp.abs),
    _unary("Negative", lambda X: -X),
    _unary("Clip", lambda X: jnp.clip(X, -1.23, 1.23), arguments={"min": -1.23, "max": 1.23}),
    _unary("Scale", lambda X: 0.5 * X, arguments={"scale": 0.5}),
    _unary("Pow", lambda X: X**3, positive, arguments={"exponent": 3.0}),
    Case("PRelu", {"X": normal(*_IMAGES), "slope": positive(64)},
         lambda X, s: jnp.where(X > 0, X, s[:, None, None] * X), differentiated=("X", "slope")),
    _binary("Add", lambda A, B: A + B, torch=lambda t, A, B: A + B),
    _binary("Sub", lambda A, B: A - B),
    _binary("Mul", lambda A, B: A * B, torch=lambda t, A, B: A * B),
    _binary("Div", lambda A, B: A / B, positive),
    Case("Add", {"A": normal(256, 4096), "B": normal(4096)}, lambda A, B: A + B, {"broadcast": 1},
         differentiated=("A", "B"), note="a row"),
    _binary("Sum", lambda A, B: A + B, differentiated=()),
    _binary("Max", jnp.maximum),
    _binary("LT", lambda A, B: A < B, differentiated=()),
    _binary("EQ", lambda A, B: A == B, differentiated=()),
    Case("FC", {"X": normal(64, 1024), "W": normal(1024, 1024), "b": normal(1024)}, lambda X, W, b: X @ W.T + b,
         differentiated=("X", "W", "b"), torch=lambda t, X, W, b: t.nn.functional.linear(X, W, b)),
    Case("MatMul", {"A": normal(256, 512), "B": normal(512, 256)}, lambda A, B: A @ B, differentiated=("A", "B"),
         torch=lambda t, A, B: A @ B),
    Case("BatchMatMul", {"A": normal(32, 64, 64), "B": normal(32, 64, 64)}, lambda A, B: A @ B,
         differentiated=("A", "B"), torch=lambda t, A, B: A @ B),
    Case("Conv", {"X": normal(8, 64, 28, 28), "W": normal(64, 64, 3, 3), "b": normal(64)}, _conv,
         {"kernel": 3, "pad": 1}, ("X", "W", "b"), note="3 x 3",
         torch=lambda t, X, W, b: t.nn.functional.conv2d(X, W, b, padding=1)),
    Case("Conv", {"X": normal(8, 256, 14, 14), "W": normal(64, 256, 1, 1), "b": normal(64)},
         lambda X, W, b: _conv(X, W, b, pad=0), {"kernel": 1}, ("X", "W", "b"), note="1 x 1",
         torch=lambda t, X, W, b: t.nn.functional.conv2d(X, W, b)),
    Case("Conv", {"X": normal(8, 64, 28, 28), "W": normal(64, 1, 3, 3), "b": normal(64)},
         lambda X, W, b: _conv(X, W, b, groups=64), {"kernel": 3, "pad": 1, "group": 64}, ("X", "W", "b"),
         note="depthwise", torch=lambda t, X, W, b: t.nn.functional.conv2d(X, W, b, padding=1, groups=64)),
    Case("ConvTranspose", {"X": normal(8, 32, 14, 14), "W": normal(32, 32, 2, 2), "b": normal(32)},
         lambda X, W, b: lax.conv_transpose(X, W, (2, 2), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW"),
                                            transpose_kernel=True) + b[:, None, None],
         {"kernel": 2, "stride": 2}, ("X", "W", "b")),
    Case("MaxPool", {"X": normal(*_IMAGES)}, lambda X: _pool(X, -jnp.inf, lax.max, 2, 2), {"kernel": 2, "stride": 2},
         ("X",), torch=lambda t, X: t.nn.functional.max_pool2d(X, 2)),
    Case("AveragePool", {"X": normal(*_IMAGES)}, lambda X: _pool(X, 0.0, lax.add, 2, 2) / 4,
         {"kernel": 2, "stride": 2}, ("X",), torch=lambda t, X: t.nn.functional.avg_pool2d(X, 2)),
    Case("AveragePool", {"X": normal(*_IMAGES)}, lambda X: X.mean((2, 3), keepdims=True), {"global_pooling": 1},
         ("X",), note="global"),
    Case("SpatialBN", {"X": normal(*_IMAGES), "s": positive(64), "b": normal(64), "m": normal(64), "v": positive(64)},
         _batch_norm, {"is_test": 1}, note="test"),
    Case("LayerNorm", {"X": normal(256, 1024)}, lambda X: _normalized(X, (1,), 1e-5), {"axis": 1}, ("X",), outputs=3),
    Case("InstanceNorm", {"X": normal(*_IMAGES), "s": positive(64), "b": normal(64)},
         lambda X, s, b: _normalized(X, (2, 3), 1e-5) * s[:, None, None] + b[:, None, None], {}, ("X", "s", "b")),
    Case("LRN", {"X": normal(*_IMAGES)}, _lrn, {"size": 5, "alpha": 1e-4, "beta": 0.75}, ("X",)),
    Case("Softmax", {"X": normal(256, 1024)}, lambda X: jax.nn.softmax(X), {}, ("X",),
         torch=lambda t, X: t.softmax(X, 1)),
    Case("SoftmaxWithLoss", {"X": normal(256, 1024), "label": below(1024, 256)}, _cross_entropy, {}, ("X",),
         outputs=2, compared=2, outputs_order=1,
         torch=lambda t, X, label: t.nn.functional.cross_entropy(X, label.long())),
    Case("LabelCrossEntropy", {"X": positive(256, 1024), "label": below(1024, 256)},
         lambda X, label: -jnp.log(jnp.take_along_axis(X, label[:, None], 1))[:, 0], {}, ("X",)),
    Case("SigmoidCrossEntropyWithLogits", {"X": normal(256, 1024), "T": positive(256, 1024)},
         lambda X, T: (jnp.maximum(X, 0) - X * T + jnp.log1p(jnp.exp(-jnp.abs(X)))).mean(1), {}, ("X",)),
    Case("SquaredL2Distance", {"X": normal(256, 1024), "Z": normal(256, 1024)},
         lambda X, Z: 0.5 * ((X - Z) ** 2).sum(1), {}, ("X", "Z")),
    Case("AveragedLoss", {"X": normal(65536)}, lambda X: X.mean(), {}, ("X",)),
    Case("ReduceSum", {"X": normal(256, 64, 64)}, lambda X: X.sum(1, keepdims=True), {"axes": [1]}, ("X",)),
    Case("ReduceMean", {"X": normal(256, 64, 64)}, lambda X: X.mean(2, keepdims=True), {"axes": [2]}, ("X",)),
    Case("ReduceMax", {"X": normal(256, 64, 64)}, lambda X: X.max(2, keepdims=True), {"axes": [2]}, ("X",)),
    Case("Concat", {"A": normal(*_IMAGES), "B": normal(*_IMAGES)}, lambda A, B: jnp.concatenate([A, B], 1), {"axis": 1},
         ("A", "B"), outputs=2, torch=lambda t, A, B: t.cat([A, B], 1)),
    Case("Split", {"X": normal(*_IMAGES)}, lambda X: jnp.split(X, 2, 1), {"axis": 1}, outputs=2, compared=2),
    Case("Slice", {"X": normal(256, 4096)}, lambda X: X[:, 100:3000], {"starts": [0, 100], "ends": [-1, 3000]}, ("X",)),
    Case("Transpose", {"X": normal(*_IMAGES)}, lambda X: X.transpose(0, 2, 3, 1), {"axes": [0, 2, 3, 1]}, ("X",)),
    Case("Tile", {"X": normal(256, 1024)}, lambda X: jnp.tile(X, (1, 4)), {"tiles": 4, "axis": 1}, ("X",)),
    Case("PadImage", {"X": normal(*_IMAGES)},
         lambda X: jnp.pad(X, ((0, 0), (0, 0), (2, 2), (2, 2))), {"pad": 2}, ("X",)),
    Case("ResizeNearest", {"X": normal(8, 64, 28, 28)}, lambda X: X.repeat(2, 2).repeat(2, 3),
         {"width_scale": 2.0, "height_scale": 2.0}, ("X",)),
    Case("Gather", {"X": normal(10000, 64), "I": below(10000, 4096)}, lambda X, I: X[I]),
    Case("ArgMax", {"X": normal(256, 1024)}, lambda X: jnp.argmax(X, 1, keepdims=True), {"axis": 1}),
    Case("TopK", {"X": normal(256, 1024)}, lambda X: lax.top_k(X, 5)[0], {"k": 5}, outputs=2),
    Case("Cast", {"X": normal(256, 4096)}, lambda X: X.astype(jnp.int32), {"to": 2}),
    Case("Where", {"C": below(2, 256, 4096, dtype=bool), "A": normal(256, 4096), "B": normal(256, 4096)}, jnp.where),
    Case("LengthsSum", {"X": normal(8192, 64), "L": _LENGTHS},
         lambda X, L: jax.ops.segment_sum(X, jnp.repeat(jnp.arange(512), L, total_repeat_length=8192), 512),
         {}, ("X",)),
    Case("SparseLengthsSum", {"X": normal(10000, 64), "I": below(10000, 8192), "L": _LENGTHS},
         lambda X, I, L: jax.ops.segment_sum(
             X[I], jnp.repeat(jnp.arange(512), L, total_repeat_length=8192), 512, indices_are_sorted=True)),
    Case("WeightedSum", {"A": normal(256, 4096), "a": positive(1), "B": normal(256, 4096), "b": positive(1)},
         lambda A, a, B, b: a[0] * A + b[0] * B),
    Case("Adam", {"p": normal(512, 1024), "m1": normal(512, 1024), "m2": positive(512, 1024), "g": normal(512, 1024),
                  "lr": positive(1), "it": np.int64([7])}, _adam, {}, outputs=3),
    Case("LSTMUnit", {"h": normal(1, 64, 256), "c": normal(1, 64, 256), "g": normal(1, 64, 1024), "L": _FULL,
                      "t": np.int32([3])}, lambda h, c, g, L, t: _lstm(h, c, g), {}, outputs=2, compared=2),
)  # fmt: skip
