"""Reductions against numpy in double precision; ties, empty tensors, messages."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring


def draw(seed, shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# type, formula(x, axes, keepdims), slope(x, axes) that the spread gradient is multiplied by.
BY_AXES = {
    "ReduceSum": (np.sum, lambda x, axes: np.ones_like(x)),
    "ReduceMean": (np.mean, lambda x, axes: np.ones_like(x) / np.prod([x.shape[a] for a in axes])),
    "ReduceMax": (np.max, lambda x, axes: x == np.max(x, axes, keepdims=True)),
    "ReduceMin": (np.min, lambda x, axes: x == np.min(x, axes, keepdims=True)),
    "ReduceL1": (lambda x, axis, keepdims: np.sum(np.abs(x), axis, keepdims=keepdims), lambda x, axes: np.sign(x)),
    "ReduceL2": (
        lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
        lambda x, axes: x / np.sqrt(np.sum(x * x, axes, keepdims=True)),
    ),
}


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize("axes", [None, (0, 2), (-1,)])
@pytest.mark.parametrize("type", BY_AXES)
def test_along_axes(type, axes, keepdims):
    formula, slope = BY_AXES[type]
    x = draw(1, (3, 4, 2))
    arguments = {"keepdims": keepdims} | ({} if axes is None else {"axes": axes})
    whole = tuple(range(3)) if axes is None else tuple(a % 3 for a in axes)
    y = call(type, x, **arguments)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, formula(x.astype(np.float64), axis=whole, keepdims=keepdims), rtol=1e-4, atol=1e-5)
    dy = draw(2, y.shape)
    (dx,) = gradients(type, [x], [dy], **arguments)
    spread = dy.reshape([1 if a in whole else x.shape[a] for a in range(3)])
    np.testing.assert_allclose(dx, spread * slope(x.astype(np.float64), whole), rtol=1e-4, atol=1e-5)


def test_axes_default_to_all_and_stay():
    assert call("ReduceSum", draw(0, (2, 3, 4))).shape == (1, 1, 1)


@pytest.mark.parametrize("type", ["ReduceSum", "ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64])
def test_types_stay_what_they_are(type, dtype):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    assert call(type, x).dtype == dtype
    assert gradients(type, [x], [np.ones((1, 1), dtype)])[0].dtype == dtype


@pytest.mark.parametrize("type", ["ReduceMean", "ReduceL1", "ReduceL2", "SumElements", "LpNorm"])
def test_only_floats(type):
    with pytest.raises(TypeMismatch):
        call(type, np.arange(3))


@pytest.mark.parametrize("type", ["ReduceMax", "ReduceMin"])
def test_ties_all_get_the_gradient(type):
    x = np.ones((2, 3), np.float32)
    (dx,) = gradients(type, [x], [np.float32([[5], [7]])], axes=[1])
    np.testing.assert_array_equal(dx, [[5, 5, 5], [7, 7, 7]])


def test_length_zero_has_gradient_zero():
    (dx,) = gradients("ReduceL2", [np.zeros(3, np.float32)], [np.float32([1])])
    np.testing.assert_array_equal(dx, 0)


@pytest.mark.parametrize("type", ["SumElements", "SumSqrElements"])
def test_the_mean_of_nothing_is_zero(type):
    assert call(type, np.zeros((0, 2), np.float32), average=True) == 0
    np.testing.assert_array_equal(call("ReduceMean", np.zeros((0, 2), np.float32), axes=[0]), [[0, 0]])


def test_nothing_sums_to_zero_but_has_no_largest():
    np.testing.assert_array_equal(call("ReduceSum", np.zeros((0, 2), np.float32), axes=[0]), [[0, 0]])
    with pytest.raises(ShapeMismatch, match=r"X is \(0, 2\); there is no extreme of the 0 values along \(0,\)"):
        call("ReduceMax", np.zeros((0, 2), np.float32), axes=[0])
    assert call("ReduceMax", np.zeros((0, 2), np.float32), axes=[1]).shape == (0, 1)


@pytest.mark.parametrize(
    ("axes", "message"),
    [([2], "axis is 2 but the input has 2 dimensions"), ([0, -2], "each dimension may be named once")],
)
def test_axes_that_are_not_there(axes, message):
    with pytest.raises((ShapeMismatch, BadArgument), match=message):
        call("ReduceSum", draw(0, (2, 3)), axes=axes)


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [True, False])
def test_moments(axes, keepdims):
    x = draw(3, (3, 4, 2))
    mean, variance = call("Moments", x, outputs=2, axes=axes, keepdims=keepdims)
    np.testing.assert_allclose(mean, x.mean(axes, keepdims=keepdims), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance, x.var(axes, keepdims=keepdims), rtol=1e-4, atol=1e-6)
    dmean, dvariance = draw(4, mean.shape), draw(5, mean.shape)
    (dx,) = gradients("Moments", [x], [dmean, dvariance], axes=axes, keepdims=keepdims)
    along = [1 if a in axes else x.shape[a] for a in range(3)]
    count = np.prod([x.shape[a] for a in axes])
    centred = x - x.mean(axes, keepdims=True)
    want = (dmean.reshape(along) + 2 * centred * dvariance.reshape(along)) / count
    np.testing.assert_allclose(dx, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("average", [False, True])
def test_over_all_elements(average):
    x = draw(6, (3, 4))
    share = 1 / 12 if average else 1
    total = call("SumElements", x, average=average)
    assert total.shape == ()
    np.testing.assert_allclose(total, x.sum() * share, rtol=1e-4)
    np.testing.assert_allclose(call("SumSqrElements", x, average=average), (x * x).sum() * share, rtol=1e-4)
    (dx,) = gradients("SumElements", [x], [np.float32(3)], average=average)
    np.testing.assert_allclose(dx, np.full((3, 4), 3 * share), rtol=1e-5)
    for p, norm, slope in ((1, np.abs(x), np.sign(x)), (2, x * x, 2 * x)):
        z = call("LpNorm", x, p=p, average=average)
        assert z.shape == (1,)
        np.testing.assert_allclose(z, [norm.sum() * share], rtol=1e-4)
        (dx,) = gradients("LpNorm", [x], [np.float32([3])], p=p, average=average)
        np.testing.assert_allclose(dx, 3 * slope * share, rtol=1e-4)


def test_over_all_elements_of_integers():
    total = call("SumElementsInt", np.int32([[1, 2], [3, 4]]))
    assert (total, total.dtype, total.shape) == (10, np.int32, ())


def test_only_two_norms():
    with pytest.raises(BadArgument, match="p is 3; it must be 1 or 2"):
        call("LpNorm", draw(0, 3), p=3)


@pytest.mark.parametrize(("type", "axis"), [("RowwiseMax", 2), ("ColwiseMax", 1)])
def test_largest_of_rows_and_columns(type, axis):
    x = np.random.default_rng(7).integers(0, 4, (2, 3, 5)).astype(np.float32)
    np.testing.assert_array_equal(call(type, x), x.max(axis))
    dy = draw(8, x.max(axis).shape)
    (dx,) = gradients(type, [x], [dy])
    np.testing.assert_array_equal(dx, np.where(x == x.max(axis, keepdims=True), np.expand_dims(dy, axis), 0))
    with pytest.raises(ShapeMismatch, match=r"X is \(3, 5\); it must have 3 dimensions"):
        call(type, x[0])


# What the original's gradient makers emit.
@pytest.mark.parametrize("type", BY_AXES)
def test_gradient_wiring_along_axes(type):
    assert wiring(type, 1) == ([(f"{type}Gradient", ["GO0", "I0", "O0"], ["I0_grad"])], ["I0_grad"])


def test_gradient_wiring_of_the_others():
    for type, count, wires in (
        ("ColwiseMax", 1, ["I0", "O0", "GO0"]),
        ("RowwiseMax", 1, ["I0", "O0", "GO0"]),
        ("LpNorm", 1, ["I0", "GO0"]),
        ("SumElements", 1, ["I0", "GO0"]),
        ("Moments", 2, ["GO0", "GO1", "I0", "O0"]),
    ):
        assert wiring(type, 1, count) == ([(f"{type}Gradient", wires, ["I0_grad"])], ["I0_grad"])
    assert wiring("SumSqrElements", 1) == ([], [None])
    with pytest.raises(NoGradient, match="One should not call gradient for operator SumElementsInt"):
        wiring("SumElementsInt", 1)
