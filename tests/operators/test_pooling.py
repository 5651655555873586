"""Pools against loops in numpy, ties and padding included."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from c2lab.errors import BadArgument, NotSupported, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(11)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def windows(sizes, kernel, stride, pads, output):
    """For each place: its index, and the part of the input that its window sees."""
    for place in itertools.product(*map(range, output)):
        begins = [p * s - low for p, s, low in zip(place, stride, pads, strict=False)]
        yield place, tuple(slice(max(b, 0), min(b + k, size)) for b, k, size in zip(begins, kernel, sizes, strict=True))


def sizes_of(sizes, kernel, stride, pads):
    rank = len(sizes)
    return [(size + pads[i] + pads[i + rank] - kernel[i]) // stride[i] + 1 for i, size in enumerate(sizes)]


def pooled(X, kernel, stride, pads, rule):
    output = sizes_of(X.shape[2:], kernel, stride, pads)
    Y = np.zeros((*X.shape[:2], *output))
    for place, window in windows(X.shape[2:], kernel, stride, pads, output):
        seen = X[(..., *window)].astype(np.float64)
        Y[(..., *place)] = rule(seen.reshape(*X.shape[:2], int(np.prod(seen.shape[2:]))))
    return Y


CASES = [
    ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0, 0, 0)),  # blocks side by side
    ((2, 3, 7, 9), (2, 3), (2, 3), (0, 0, 0, 0)),  # blocks, with a rest
    ((2, 3, 7, 7), (2, 2), (2, 2), (1, 1, 1, 1)),  # blocks, padded
    ((2, 2, 9, 8), (3, 3), (2, 2), (0, 0, 1, 1)),
    ((1, 2, 6, 6), (3, 2), (1, 1), (1, 0, 2, 1)),
    ((2, 2, 5, 7), (2, 2), (3, 3), (0, 0, 0, 0)),  # windows apart
    ((2, 2, 5, 7), (5, 7), (1, 1), (0, 0, 0, 0)),  # one window
    ((2, 3, 10), (3,), (2,), (1, 2)),
    ((1, 2, 4, 5, 4), (2, 3, 2), (2, 1, 2), (1, 0, 0, 0, 1, 0)),
    ((0, 2, 5, 5), (3, 3), (1, 1), (0, 0, 0, 0)),
]
every_case = pytest.mark.parametrize(("shape", "kernel", "stride", "pads"), CASES)
every_order = pytest.mark.parametrize("order", ["NCHW", "NHWC"])


def spelled(kernel, stride, pads, order):
    return {"kernels": list(kernel), "strides": list(stride), "pads": list(pads), "order": order}


def turned(order):
    return (lambda values: np.moveaxis(values, 1, -1)) if order == "NHWC" else np.asarray


@every_case
@every_order
def test_max_pool_gives_every_tie_the_whole_gradient(shape, kernel, stride, pads, order):
    X = RANDOM.integers(-2, 3, size=shape).astype(np.float32)  # few values: many ties
    turn, arguments = turned(order), spelled(kernel, stride, pads, order)
    want = pooled(X, kernel, stride, pads, lambda seen: seen.max(-1))
    np.testing.assert_array_equal(call("MaxPool", turn(X), **arguments), turn(want).astype(np.float32))
    dY, dX = draw(*want.shape), np.zeros(shape)
    for place, window in windows(shape[2:], kernel, stride, pads, want.shape[2:]):
        at = (..., *(slice(p, p + 1) for p in place))
        dX[(..., *window)] += (X[(..., *window)] == want[at]) * dY[at]
    (got,) = gradients("MaxPool", [turn(X)], [turn(dY)], **arguments)
    np.testing.assert_allclose(got, turn(dX), rtol=1e-4, atol=1e-5)


@every_case
@every_order
@pytest.mark.parametrize("count_include_pad", [0, 1])
def test_average_pool_and_its_divisor(shape, kernel, stride, pads, order, count_include_pad):
    turn, arguments = turned(order), spelled(kernel, stride, pads, order)
    X, whole = draw(*shape), np.prod(kernel)
    want = pooled(X, kernel, stride, pads, lambda s: s.sum(-1) / (whole if count_include_pad else s.shape[-1]))
    got = call("AveragePool", turn(X), **arguments, count_include_pad=count_include_pad)
    np.testing.assert_allclose(got, turn(want), rtol=1e-4, atol=1e-5)
    dY, dX = draw(*want.shape), np.zeros(shape)
    for place, window in windows(shape[2:], kernel, stride, pads, want.shape[2:]):
        seen = dX[(..., *window)]
        flow = dY[(..., *(slice(p, p + 1) for p in place))]
        seen += flow / (whole if count_include_pad else np.prod(seen.shape[2:]))
    (got,) = gradients("AveragePool", [turn(X)], [turn(dY)], **arguments, count_include_pad=count_include_pad)
    np.testing.assert_allclose(got, turn(dX), rtol=1e-4, atol=1e-5)


@every_order
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_lp_pool(order, p):
    turn, arguments = turned(order), spelled((3, 2), (2, 1), (1, 0, 1, 1), order)
    X = draw(2, 2, 6, 5)
    want = pooled(X, (3, 2), (2, 1), (1, 0, 1, 1), lambda seen: (abs(seen) ** p).sum(-1) ** (1 / p))
    np.testing.assert_allclose(call("LpPool", turn(X), **arguments, p=p), turn(want), rtol=1e-4, atol=1e-5)
    dY, dX = draw(*want.shape), np.zeros(X.shape)
    for place, window in windows((6, 5), (3, 2), (2, 1), (1, 0), want.shape[2:]):
        at = (..., *(slice(q, q + 1) for q in place))
        seen = X[(..., *window)].astype(np.float64)
        dX[(..., *window)] += dY[at] * np.sign(seen) * abs(seen) ** (p - 1) * want[at] ** (1 - p)
    (got,) = gradients("LpPool", [turn(X)], [turn(dY)], **arguments, p=p)
    np.testing.assert_allclose(got, turn(dX), rtol=1e-4, atol=1e-5)


def test_lp_pool_of_zeros_has_no_slope():
    (dX,) = gradients("LpPool", [np.zeros((1, 1, 2, 2), np.float32)], [np.ones((1, 1, 1, 1), np.float32)], kernel=2)
    np.testing.assert_array_equal(dX, 0)


@pytest.mark.parametrize(("type", "rule"), [("MaxPool", np.max), ("AveragePool", np.mean)])
@every_order
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_global_pooling_overrides_the_kernel(type, rule, order, rank):
    X = draw(2, 3, *(4, 5, 3)[:rank])
    turn = turned(order)
    want = rule(X, axis=tuple(range(2, X.ndim)), keepdims=True)
    got = call(type, turn(X), kernel=0, global_pooling=1, order=order)
    np.testing.assert_allclose(got, turn(want), rtol=1e-5, atol=1e-7)  # a mean near 0 is only so near, in float32
    dY = draw(*want.shape)
    (dX,) = gradients(type, [turn(X)], [turn(dY)], kernel=0, global_pooling=1, order=order)
    share = (want == X) if type == "MaxPool" else np.full(X.shape, 1 / np.prod(X.shape[2:]))
    np.testing.assert_allclose(dX, turn(share * dY), rtol=1e-5, atol=1e-6)


def test_caffes_rounding_up():
    X = draw(1, 1, 7, 7)
    Y = call("MaxPool", X, kernel=2, stride=2, legacy_pad=3)
    assert Y.shape == (1, 1, 4, 4)
    np.testing.assert_array_equal(Y[..., 3, 3], X[..., 6, 6])
    mean = call("AveragePool", X, kernel=2, stride=2, legacy_pad=3)
    np.testing.assert_allclose(mean[..., 3, 0], X[..., 6, :2].mean(), rtol=1e-5)
    (dX,) = gradients("MaxPool", [X], [np.ones_like(Y)], kernel=2, stride=2, legacy_pad=3)
    assert dX.sum() == 16


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_names_with_a_rank_do_the_same(kind, rank):
    X = draw(2, 2, *(6,) * rank)
    Y = call(kind, X, kernels=[3] * rank, strides=[2] * rank)
    np.testing.assert_array_equal(call(f"{kind}{rank}D", X, kernels=[3] * rank, strides=[2] * rank), Y)
    (one,) = gradients(kind, [X], [Y], kernels=[3] * rank, strides=[2] * rank)
    (other,) = gradients(f"{kind}{rank}D", [X], [Y], kernels=[3] * rank, strides=[2] * rank)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "type", [f"{kind}Pool{rank}" for kind in ("Max", "Average") for rank in ("", "1D", "2D", "3D")] + ["LpPool"]
)
def test_gradients_are_wired_as_in_the_original(type):
    assert wiring(type, 1, kernel=2) == ([(f"{type}Gradient", ["I0", "O0", "GO0"], ["I0_grad"])], ["I0_grad"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kernel": 2, "pad": 2}, BadArgument, "each pad must be smaller than its kernel"),
        ({"kernel": 2, "dilation": 2}, NotSupported, "pools have no dilation"),
        ({"kernel": 9}, ShapeMismatch, "a size of 5 padded by 0 and 0 is smaller"),
        ({"global_pooling": 1, "pad": 1}, BadArgument, "global_pooling covers the whole input"),
        ({"kernels": [2]}, BadArgument, "1 dimensions but X has 2 spatial"),
        ({}, BadArgument, r"kernel_\[dim\] > 0"),
    ],
)
@pytest.mark.parametrize("type", ["MaxPool", "AveragePool", "LpPool"])
def test_mistakes_are_named(type, arguments, error, message):
    with pytest.raises(error, match=message):
        call(type, draw(1, 1, 5, 5), **arguments)


def test_only_single_precision():
    with pytest.raises(TypeMismatch, match="X is int32"):
        call("MaxPool", np.zeros((1, 1, 3, 3), np.int32), kernel=2)
