"""Eight-bit operators in plain numpy and Python numbers: the fixed-point rules once more, value by value.

Nothing here shares code with the operators: rounding is done with exact fractions, and the
real-number references work in float64.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np

from c2lab.storage import QuantizedTensor
from c2lab.workspace import Workspace
from tests.operators.calls import operator_def


def q(data, scale, zero_point, dtype=np.uint8):
    """A quantized tensor."""
    return QuantizedTensor(np.asarray(data, dtype), float(np.float32(scale)), zero_point)


def random_q(rng, shape, scale=None):
    """A quantized tensor with random numbers and a random meaning."""
    scale = rng.uniform(0.001, 0.1) if scale is None else scale
    return q(rng.integers(0, 256, shape), scale, int(rng.integers(0, 256)))


def call(type, *inputs, outputs=1, inplace=False, **arguments):
    """The operator's output, or a list of them where ``outputs`` is more than 1."""
    op = operator_def(type, len(inputs), outputs, inplace=inplace, **arguments)
    workspace = Workspace("calls", seed=0)
    for name, value in zip(op.input, inputs, strict=True):
        workspace.feed(name, value)
    workspace.run_operator(op)
    results = [workspace.fetch(name) for name in op.output]
    return results[0] if outputs == 1 else results


def real(x):
    """What a quantized tensor stands for, float64."""
    return (np.asarray(x.data).astype(np.float64) - x.zero_point) * x.scale


def steps(values, scale, zero_point, low=0):
    """Real numbers as uint8, exactly, as the place between two numbers that they fall on (a float64)."""
    return np.clip(values / np.float64(np.float32(scale)) + zero_point, low, 255)


def away_from_zero(value: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    size = math.floor(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def up(value: Fraction) -> int:
    """The nearest whole number, halves up."""
    return math.floor(value + Fraction(1, 2))


def exact(factor) -> Fraction:
    """The number that a float32 is."""
    return Fraction(float(np.float32(factor)))


def fixed_point(total: int, factor) -> int:
    """A sum times a factor below 1: rounded after 31 bits of product, and again after the shift."""
    multiplier = exact(factor)
    shift = 0
    while multiplier < Fraction(1, 2):  # a multiplier from 1/2 to 1, of 31 bits, and a shift
        multiplier, shift = multiplier * 2, shift + 1
    assert multiplier < 1
    return away_from_zero(Fraction(up(total * multiplier), 2**shift))


def requantized(totals, factor, zero_point, low=0):
    """Sums as uint8 by ``fixed_point``."""
    flat = [min(max(fixed_point(int(t), factor) + zero_point, low), 255) for t in np.asarray(totals).reshape(-1)]
    return np.asarray(flat, np.uint8).reshape(np.shape(totals))


def convolution_sums(x, w, stride, pads, dilation, group):
    """The sums of products of a convolution, int64; x is (N, H, W, C), w (O, kh, kw, C / group)."""
    t, l, b, r = pads
    padded = np.pad(x, [(0, 0), (t, b), (l, r), (0, 0)])
    n, h, width, _ = padded.shape
    out, kh, kw, per_group = w.shape
    rows = (h - dilation * (kh - 1) - 1) // stride + 1
    columns = (width - dilation * (kw - 1) - 1) // stride + 1
    result = np.zeros((n, rows, columns, out), np.int64)
    for o in range(out):
        first = o // (out // group) * per_group
        for y, z, i, j in itertools.product(range(rows), range(columns), range(kh), range(kw)):
            seen = padded[:, y * stride + i * dilation, z * stride + j * dilation, first : first + per_group]
            result[:, y, z, o] += seen @ w[o, i, j]
    return result


def windows(x, kernel, stride, pads, fill):
    """What each window sees: (N, rows, columns, kernel * kernel, C)."""
    t, l, b, r = pads
    padded = np.pad(x, [(0, 0), (t, b), (l, r), (0, 0)], constant_values=fill)
    rows = (padded.shape[1] - kernel) // stride + 1
    columns = (padded.shape[2] - kernel) // stride + 1
    return np.stack(
        [
            np.stack(
                [
                    padded[:, y * stride : y * stride + kernel, z * stride : z * stride + kernel].reshape(
                        len(x), kernel * kernel, -1
                    )
                    for z in range(columns)
                ],
                axis=1,
            )
            for y in range(rows)
        ],
        axis=1,
    )
