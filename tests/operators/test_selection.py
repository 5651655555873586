"""Selection by condition, membership and rank."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.bool_])
def test_where(dtype):
    draw = np.random.default_rng(0)
    x, y = (draw.integers(0, 5, (3, 4)).astype(dtype) for _ in range(2))
    c = draw.integers(0, 2, (3, 4)).astype(bool)
    z = call("Where", c, x, y)
    assert z.dtype == dtype
    np.testing.assert_array_equal(z, np.where(c, x, y))
    rows = np.array([True, False, True])
    np.testing.assert_array_equal(call("Where", rows, x, y, broadcast_on_rows=1), np.where(rows[:, None], x, y))


def test_where_says_what_does_not_fit():
    x = np.ones((3, 4), np.float32)
    with pytest.raises(ShapeMismatch, match=r"C is \(3,\) but X is \(3, 4\); they must be equal"):
        call("Where", np.ones(3, bool), x, x)
    with pytest.raises(ShapeMismatch, match=r"with broadcast_on_rows, C must be \(3,\)"):
        call("Where", np.ones(4, bool), x, x, broadcast_on_rows=1)
    with pytest.raises(ShapeMismatch, match=r"X is \(3, 4\) but Y is \(4,\)"):
        call("Where", np.ones((3, 4), bool), x, x[0])
    with pytest.raises(TypeMismatch):
        call("Where", np.ones((3, 4), bool), x, x.astype(np.float64))
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor: int"):
        call("Where", np.ones((3, 4), np.int32), x, x)


def test_conditional_takes_whole_rows():
    t, f = np.arange(6, dtype=np.float32).reshape(2, 3), -np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(call("Conditional", np.array([True, False]), t, f), [t[0], f[1]])
    with pytest.raises(ShapeMismatch, match=r"Condition is \(3,\) but DataT is \(2, 3\); Condition must be \(2,\)"):
        call("Conditional", np.ones(3, bool), t, f)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_membership(dtype):
    x = np.array([[0, 3], [5, -1]], dtype)
    np.testing.assert_array_equal(call("IsMemberOf", x, value=[3, -1, 2**40]), [[False, True], [False, True]])
    np.testing.assert_array_equal(call("IsMemberOf", x, value=3), x == 3)


def test_membership_of_text():
    x = np.array([["cat", "dog"], ["cow", "cat"]])
    np.testing.assert_array_equal(call("IsMemberOf", x, value=["cat", "cow"]), [[True, False], [True, True]])


def test_membership_of_truth_values_and_refusals():
    np.testing.assert_array_equal(call("IsMemberOf", np.array([True, False]), value=[True]), [True, False])
    with pytest.raises(BadArgument, match="give a list of integers"):
        call("IsMemberOf", np.int32([1]), value=["one"])
    with pytest.raises(TypeMismatch):
        call("IsMemberOf", np.float32([1]), value=[1])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("type", "find"), [("ArgMax", np.argmax), ("ArgMin", np.argmin)])
def test_where_the_extreme_is(type, find, dtype):
    x = np.random.default_rng(1).integers(0, 3, (3, 4, 5)).astype(dtype)  # with ties: the first one counts
    for axis in (0, 1, -1):
        found = call(type, x, axis=axis)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, find(x, axis=axis, keepdims=True))
        np.testing.assert_array_equal(call(type, x, axis=axis, keepdims=False), find(x, axis=axis))
    np.testing.assert_array_equal(call(type, x), find(x, axis=-1, keepdims=True))


def test_nothing_to_choose_from():
    with pytest.raises(ShapeMismatch, match="there is nothing to choose from along dimension 1"):
        call("ArgMax", np.ones((2, 0), np.float32))
    with pytest.raises(ShapeMismatch, match="axis is 2 but the input has 2 dimensions"):
        call("ArgMax", np.ones((2, 2), np.float32), axis=2)


def ranked(x, k, axis):
    """The k largest, by a stable sort: values, positions along the axis, positions in x laid out flat."""
    order = np.argsort(-x, axis=axis, kind="stable").take(range(min(k, x.shape[axis])), axis)
    flat = np.take_along_axis(np.arange(x.size).reshape(x.shape), order, axis)
    return np.take_along_axis(x, order, axis), order, flat.ravel()


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("k", [1, 3])
def test_the_largest_values(axis, k):
    x = np.random.default_rng(2).integers(0, 6, (4, 3, 5)).astype(np.float32)  # ties: the first one first
    got = call("TopK", x, outputs=3, k=k, axis=axis)
    for value, want in zip(got, ranked(x, k, axis), strict=True):
        np.testing.assert_array_equal(value, want)
    assert [value.dtype for value in got] == [np.float32, np.int64, np.int64]
    dy = np.random.default_rng(3).normal(size=got[0].shape).astype(np.float32)
    (dx,) = gradients("TopK", [x], [dy, None], k=k, axis=axis)
    want = np.zeros(x.size, np.float32)
    want[got[2]] = dy.ravel()
    np.testing.assert_array_equal(dx, want.reshape(x.shape))


def test_how_many_may_be_an_input():
    x = np.float32([1, 4, 2])
    for given in (np.int32([2]), np.int64([2])):
        np.testing.assert_array_equal(call("TopK", x, given, outputs=2)[0], [4, 2])


def test_more_than_there_are_leaves_the_rest_empty():
    values, indices, flat = call("TopK", np.float32([[3, 5]]), outputs=3, k=3)
    np.testing.assert_array_equal(values, [[5, 3, 0]])
    np.testing.assert_array_equal(indices, [[1, 0, -1]])
    np.testing.assert_array_equal(flat, [1, 0, -1])
    (dx,) = gradients("TopK", [np.float32([[3, 5]])], [np.float32([[1, 2, 4]]), None], k=3)
    np.testing.assert_array_equal(dx, [[2, 1]])


def test_how_many_must_be_given():
    with pytest.raises(BadArgument, match="k is -1; it must be at least 1"):
        call("TopK", np.ones(3, np.float32), outputs=2)


@pytest.mark.parametrize("type", ["Where", "IsMemberOf", "ArgMax", "ArgMin"])
def test_gradient_refused(type):
    with pytest.raises(NoGradient, match=f"One should not call gradient for operator {type}"):
        wiring(type, 3 if type == "Where" else 1)


def test_gradient_wiring():
    assert wiring("Conditional", 3) == ([], [None, None, None])
    assert wiring("TopK", 2, 3) == ([("TopKGradient", ["GO0", "O1", "I0"], ["I0_grad"])], ["I0_grad", None])
