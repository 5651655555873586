"""Convolutions against loops in numpy, over all spellings of their arguments."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from c2lab.errors import BadArgument, NotSupported, SchemaError, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(7)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def reference(X, W, b, stride, dilation, pads, group):
    """One output at a time, channels first, float64."""
    rank = X.ndim - 2
    X = np.pad(X.astype(np.float64), [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)])
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, W.shape[2:], strict=True)]
    sizes = [(x - r) // s + 1 for x, r, s in zip(X.shape[2:], reach, stride, strict=True)]
    Y = np.zeros((X.shape[0], W.shape[0], *sizes))
    inner, made = X.shape[1] // group, W.shape[0] // group
    for o in range(W.shape[0]):
        channels = slice(o // made * inner, (o // made + 1) * inner)
        for place in itertools.product(*map(range, sizes)):
            window = tuple(
                slice(p * s, p * s + r, d) for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
            )
            seen = X[(slice(None), channels, *window)]
            Y[(slice(None), o, *place)] = (seen * W[o]).sum(axis=tuple(range(1, X.ndim))) + (0 if b is None else b[o])
    return Y


def last(values):
    """Channels last."""
    return np.moveaxis(values, 1, -1)


# X, filters, kernel, stride, dilation, pads, group: each way that a convolution can be lowered is among them.
CASES = [
    ((2, 3, 7, 8), 4, (3, 2), (1, 2), (1, 1), (0, 1, 2, 0), 1),
    ((2, 4, 9, 9), 6, (3, 3), (2, 2), (2, 2), (1, 1, 1, 1), 2),
    ((1, 6, 8, 8), 6, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 6),  # depthwise
    ((2, 3, 8, 8), 6, (3, 3), (2, 1), (1, 2), (0, 2, 1, 2), 3),  # two filters a channel
    ((2, 6, 12, 12), 5, (5, 5), (1, 1), (1, 1), (0, 0, 0, 0), 1),  # as in LeNet
    ((2, 8, 6, 6), 5, (1, 1), (2, 2), (1, 1), (0, 0, 0, 0), 1),
    ((2, 8, 6, 6), 5, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 1),
    ((2, 5, 11), 3, (4,), (3,), (1,), (2, 0), 1),
    ((2, 2, 5, 6, 5), 4, (2, 3, 1), (1, 2, 1), (1, 1, 1), (0, 1, 0, 1, 0, 1), 2),
    ((0, 3, 6, 6), 2, (3, 3), (1, 1), (1, 1), (0, 0, 0, 0), 1),
    ((2, 2, 5, 5), 3, (1, 1), (1, 1), (1, 1), (1, 1, 1, 1), 1),
]


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_convolution_and_its_gradients(case, order):
    shape, made, kernel, stride, dilation, pads, group = CASES[case]
    X, W, b = draw(*shape), draw(made, shape[1] // group, *kernel), draw(made)
    turn = last if order == "NHWC" else np.asarray
    arguments = {"kernels": kernel, "strides": stride, "dilations": dilation, "pads": pads, "group": group}
    arguments = {k: list(v) if isinstance(v, tuple) else v for k, v in arguments.items()} | {"order": order}
    want = reference(X, W, b, stride, dilation, pads, group)
    Y = call("Conv", turn(X), turn(W), b, **arguments)
    assert Y.dtype == np.float32
    np.testing.assert_allclose(Y, turn(want), rtol=1e-4, atol=1e-4)

    dY = draw(*want.shape)
    dX, dW, db = gradients("Conv", [turn(X), turn(W), b], [turn(dY)], **arguments)
    np.testing.assert_allclose(db, dY.sum(axis=(0, *range(2, dY.ndim))), rtol=1e-4, atol=1e-4)
    # The convolution is linear in X and in W: its gradients are known by their products with directions.
    for _ in range(3):
        towards = draw(*X.shape)
        slope = (reference(towards, W, None, stride, dilation, pads, group) * dY).sum()
        np.testing.assert_allclose((dX * turn(towards)).sum(), slope, rtol=1e-3, atol=1e-3)
        towards = draw(*W.shape)
        slope = (reference(X, towards, None, stride, dilation, pads, group) * dY).sum()
        np.testing.assert_allclose((dW * turn(towards)).sum(), slope, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("type", ["Conv1D", "Conv2D", "Conv3D"])
def test_the_names_with_a_rank_do_the_same(type):
    rank = int(type[4])
    X, W = draw(2, 3, *(5,) * rank), draw(4, 3, *(2,) * rank)
    np.testing.assert_array_equal(call(type, X, W, kernels=[2] * rank), call("Conv", X, W, kernels=[2] * rank))
    for got, want in zip(
        gradients(type, [X, W], [call(type, X, W, kernels=[2] * rank)], kernels=[2] * rank),
        gradients("Conv", [X, W], [call(type, X, W, kernels=[2] * rank)], kernels=[2] * rank),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("arguments", "same"),
    [
        ({"kernel": 3, "pad": 1}, {"kernels": [3, 3], "pads": [1, 1, 1, 1]}),
        ({"kernel_h": 3, "kernel_w": 3, "stride": 2}, {"kernel": 3, "stride_h": 2, "stride_w": 2}),
        ({"kernel": 3, "legacy_pad": 1}, {"kernel": 3}),
        ({"kernel": 3, "legacy_pad": 2}, {"kernel": 3, "pad": 1}),
        ({"kernel": 3, "pad_t": 1, "pad_l": 2, "pad_b": 0, "pad_r": 1}, {"kernel": 3, "pads": [1, 2, 0, 1]}),
        ({"kernel": 3, "exhaustive_search": 1, "use_cudnn": 1}, {"kernel": 3}),
    ],
)
def test_spellings_mean_the_same(arguments, same):
    X, W = draw(1, 2, 7, 7), draw(3, 2, 3, 3)
    np.testing.assert_array_equal(call("Conv", X, W, **arguments), call("Conv", X, W, **same))


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("adj", [0, 1])
def test_transposed_convolution(order, group, stride, adj):
    """It paints: each input value adds its filter to the output."""
    if adj >= stride:
        with pytest.raises(ShapeMismatch, match="adj must be from 0 to below the stride"):
            call("ConvTranspose", draw(1, 4, 5, 4), draw(4, 3, 3, 2), kernels=[3, 2], stride=stride, adj=adj)
        return
    X, W, b = draw(2, 4, 5, 4), draw(4, 3, 3, 2), draw(3 * group)
    pads = [1, 0, 0, 1]
    full = np.zeros((2, 3 * group, 4 * stride + 3 + adj, 3 * stride + 2 + adj))
    for c, y, x in itertools.product(range(4), range(5), range(4)):
        outputs = slice(c * group // 4 * 3, c * group // 4 * 3 + 3)
        full[:, outputs, y * stride : y * stride + 3, x * stride : x * stride + 2] += (
            X[:, c, y, x].reshape(2, 1, 1, 1) * W[c]
        )
    want = full[:, :, 1:, : full.shape[3] - 1] + b.reshape(-1, 1, 1)
    turn = last if order == "NHWC" else np.asarray
    arguments = {
        "kernels": [3, 2], "strides": [stride] * 2, "pads": pads, "adjs": [adj] * 2, "group": group, "order": order
    }  # fmt: skip
    inputs = [turn(X), turn(W), b]
    np.testing.assert_allclose(call("ConvTranspose", *inputs, **arguments), turn(want), rtol=1e-4, atol=1e-4)
    dY = draw(*want.shape)
    dX, dW, db = gradients("ConvTranspose", inputs, [turn(dY)], **arguments)
    back = call("Conv", turn(dY), turn(W), **{k: v for k, v in arguments.items() if k != "adjs"})
    np.testing.assert_allclose(dX, back, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(db, dY.sum(axis=(0, 2, 3)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((dW * turn(W)).sum(), ((want - b.reshape(-1, 1, 1)) * dY).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("type", ["Conv", "Conv1D", "Conv2D", "Conv3D", "ConvTranspose"])
def test_gradients_are_wired_as_in_the_original(type):
    assert wiring(type, 3, kernel=1) == (
        [(f"{type}Gradient", ["I0", "I1", "GO0"], ["I1_grad", "I2_grad", "I0_grad"])],
        ["I0_grad", "I1_grad", "I2_grad"],
    )
    assert wiring(type, 2, kernel=1) == (
        [(f"{type}Gradient", ["I0", "I1", "GO0"], ["I1_grad", "I0_grad"])],
        ["I0_grad", "I1_grad"],
    )
    assert wiring(type, 2, kernel=1, no_gradient_to_input=1) == (
        [(f"{type}Gradient", ["I0", "I1", "GO0"], ["I1_grad"])],
        [None, "I1_grad"],
    )


@pytest.mark.parametrize(
    ("shapes", "arguments", "error", "message"),
    [
        (
            [(2, 3, 8, 8), (4, 2, 3, 3)], {"kernel": 3}, ShapeMismatch,
            r"X is \(2, 3, 8, 8\) but filter is \(4, 2, 3, 3\); .*filter must be \(4, 3, 3, 3\)",
        ),
        ([(2, 3, 8, 8), (4, 3, 5, 5)], {"kernel": 3}, ShapeMismatch, r"filter must be \(4, 3, 3, 3\)"),
        ([(2, 3, 8, 8), (4, 3, 3, 3)], {"kernel": 3, "group": 2}, ShapeMismatch, "group 2 must divide"),
        ([(2, 3, 8, 8), (4, 3, 3, 3), (5,)], {"kernel": 3}, ShapeMismatch, r"bias is \(5,\); .*must be \(4,\)"),
        ([(2, 3, 2, 2), (4, 3, 3, 3)], {"kernel": 3}, ShapeMismatch, "a size of 2 padded by 0 and 0"),
        ([(2, 3, 8), (4, 3, 3)], {"kernel": 3}, BadArgument, "give kernels"),
        ([(2, 3, 8, 8), (4, 3, 3, 3)], {}, BadArgument, r"kernel_\[dim\] > 0"),
        ([(2, 3, 8, 8), (4, 3, 3, 3)], {"kernel": 3.0}, BadArgument, "does not have the right field"),
        ([(2, 3, 8, 8), (4, 3, 3, 3)], {"kernel": 3, "order": "CHWN"}, BadArgument, "must be one of 'NCHW', 'NHWC'"),
        ([(2, 3, 8, 8), (4, 3, 8, 8)], {"global_pooling": 1}, NotSupported, "no meaning for a convolution"),
    ],
)  # fmt: skip
def test_mistakes_are_named(shapes, arguments, error, message):
    with pytest.raises(error, match=message):
        call("Conv", *(draw(*shape) for shape in shapes), **arguments)


def test_only_single_precision():
    with pytest.raises(TypeMismatch, match="X is float64"):
        call("Conv", np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 1, 1)), kernel=1)


def test_one_input_is_too_few():
    with pytest.raises(SchemaError, match="Conv takes 2 to 3"):
        call("Conv", draw(1, 1, 3, 3), kernel=1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kernel": 2, "dilation": 2}, NotSupported, "neither a dilation"),
        ({"kernel": 2, "legacy_pad": 2}, NotSupported, "does not take legacy_pad SAME"),
        ({"kernel": 3}, ShapeMismatch, "filter must have 2 filters of kernel"),
        ({"kernel": 2, "pad": 3}, ShapeMismatch, "leaves nothing of the output"),
    ],
)
def test_mistakes_of_transposed_convolutions(arguments, error, message):
    with pytest.raises(error, match=message):
        call("ConvTranspose", draw(1, 2, 3, 3), draw(2, 2, 2, 2), **arguments)
