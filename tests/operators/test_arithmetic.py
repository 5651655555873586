"""Arithmetic of two tensors and more: both broadcasting rules, gradients, types, messages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from c2lab.errors import BadArgument, SchemaError, ShapeMismatch, TypeMismatch
from c2lab.workspace import Workspace
from tests.operators.calls import call, gradients, operator_def, wiring

BINARY = {
    "Add": (np.add, lambda a, b: (1, 1)),
    "Sub": (np.subtract, lambda a, b: (1, -1)),
    "Mul": (np.multiply, lambda a, b: (b, a)),
    "Div": (np.divide, lambda a, b: (1 / b, -a / b**2)),
}

NUMPY_RULE = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 2)),
    ((2, 2), ()),
    ((4, 1, 3), (2, 1)),
    ((0, 3), (3,)),
]
# A's shape, B's shape, arguments, B's shape as numpy sees it.
OLD_RULE = [
    ((2, 3, 4, 5), (4, 5), {}, (4, 5)),
    ((2, 3, 4, 5), (5,), {}, (5,)),
    ((2, 3, 4, 5), (3, 4), {"axis": 1}, (3, 4, 1)),
    ((2, 3, 4, 5), (2,), {"axis": 0}, (2, 1, 1, 1)),
    ((2, 3, 4, 5), (1, 4, 1), {"axis": 1}, (1, 4, 1)),
    ((2, 3, 4, 5), (3,), {"axis_str": "C"}, (3, 1, 1)),
    ((2, 3, 4, 5), (5,), {"axis_str": "C", "order": "NHWC"}, (5,)),
    ((2, 3), (1,), {}, (1,)),
    ((2, 3), (), {}, ()),
    ((2, 3), (1, 1, 1), {}, ()),
    ((2, 3), (2, 3), {}, (2, 3)),
]


def draw(seed, *shapes):
    source = np.random.default_rng(seed)
    return [(source.uniform(0.5, 2, s) * source.choice([-1, 1], s)).astype(np.float32) for s in shapes]


def folded(gradient, shape):
    """Sums to a shape that broadcasts to the gradient's."""
    gradient = np.asarray(gradient, np.float64)
    gradient = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(axis, keepdims=True)
    return gradient


def check(type, a, b, laid, arguments):
    formula, slopes = BINARY[type]
    wide_b = b.astype(np.float64).reshape(laid)
    want = formula(a.astype(np.float64), wide_b)
    np.testing.assert_allclose(call(type, a, b, **arguments), want, rtol=1e-4)
    (dc,) = draw(9, want.shape)
    da, db = gradients(type, [a, b], [dc], **arguments)
    assert (da.shape, db.shape) == (a.shape, b.shape)
    slope_a, slope_b = slopes(a.astype(np.float64), wide_b)
    np.testing.assert_allclose(da, folded(dc * slope_a, a.shape), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(db, folded(dc * slope_b, laid).reshape(b.shape), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("shape_a", "shape_b"), NUMPY_RULE)
@pytest.mark.parametrize("type", BINARY)
def test_broadcasting_by_numpys_rule(type, shape_a, shape_b):
    a, b = draw(1, shape_a, shape_b)
    check(type, a, b, b.shape, {})


@pytest.mark.parametrize(("shape_a", "shape_b", "arguments", "laid"), OLD_RULE)
@pytest.mark.parametrize("type", ["Add", "Mul"])
def test_broadcasting_by_the_older_rule(type, shape_a, shape_b, arguments, laid):
    a, b = draw(2, shape_a, shape_b)
    check(type, a, b, laid, {"broadcast": 1, **arguments})


@pytest.mark.parametrize("type", ["Sub", "Div"])
def test_the_older_rule_holds_for_all(type):
    a, b = draw(3, (2, 3, 4), (3,))
    check(type, a, b, (3, 1), {"broadcast": 1, "axis": 1})


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "arguments", "message"),
    [
        ((2, 3), (4,), {}, r"A is \(2, 3\) but B is \(4,\); counted from the last dimension"),
        ((2, 3), (2,), {"broadcast": 1}, r"B's sizes must equal A's from dimension 1 on: \(3,\)"),
        ((3,), (2, 3), {"broadcast": 1}, "B may not have more dimensions than A"),
        ((2, 3, 4), (3, 2), {"broadcast": 1, "axis": 1}, r"from dimension 1 on: \(3, 4\)"),
        ((2, 3, 4), (4, 5), {"broadcast": 1, "axis": 2}, r"from dimension 2 on: \(4,\)"),
        ((2, 3), (2,), {"broadcast": 1, "axis": 5}, "axis is 5 but the input has 2 dimensions"),
        # Inside B a size 1 matches only a size 1.
        ((2, 3, 4), (2, 1, 4), {"broadcast": 1}, r"from dimension 0 on: \(2, 3, 4\)"),
    ],
)
def test_shapes_that_do_not_fit_are_told(shape_a, shape_b, arguments, message):
    with pytest.raises(ShapeMismatch, match=message):
        call("Add", *draw(0, shape_a, shape_b), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axis": 1}, "add broadcast=1, or leave them out"),
        ({"axis_str": "C"}, "add broadcast=1, or leave them out"),
        ({"broadcast": 1, "axis": 1, "axis_str": "C"}, "are both given; give one"),
        ({"broadcast": 1, "axis_str": "Q"}, "it must be one letter of the order NCHW"),
    ],
)
def test_arguments_that_contradict_each_other_are_told(arguments, message):
    with pytest.raises(BadArgument, match=message):
        call("Mul", *draw(0, (2, 3), (3,)), **arguments)


@pytest.mark.parametrize("type", BINARY)
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_types_stay_what_they_are(type, dtype):
    a, b = np.array([7, -7, 6], dtype), np.array([2, 2, 3], dtype)
    c = call(type, a, b)
    assert c.dtype == dtype
    if type != "Div":
        np.testing.assert_array_equal(c, BINARY[type][0](a, b))
    assert [g.dtype for g in gradients(type, [a, b], [np.ones(3, dtype)])] == [dtype] * 2


def test_division_of_integers_is_cut_towards_zero():
    np.testing.assert_array_equal(call("Div", np.int32([-7, 7, -7]), np.int32([2, 2, -2])), [-3, 3, 3])


@pytest.mark.parametrize("type", [*BINARY, "Sum", "Max"])
def test_types_are_not_mixed(type):
    with pytest.raises(TypeMismatch, match="caller expects elements to be float, while tensor contains int"):
        call(type, np.ones(2, np.float32), np.ones(2, np.int32))


@pytest.mark.parametrize("type", [*BINARY, "Sum", "Max", "Mean"])
def test_half_floats_are_only_stored(type):
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor: c10::Half"):
        call(type, np.ones(2, np.float16), np.ones(2, np.float16))


def test_division_in_place_still_has_its_gradient():
    """Its gradient reads the output, and of A only the shape."""
    a, b = draw(4, (2, 3), (3,))
    (dc,) = draw(5, (2, 3))
    for got, want in zip(gradients("Div", [a, b], [dc], inplace=True), gradients("Div", [a, b], [dc]), strict=True):
        np.testing.assert_array_equal(got, want)


def test_gradient_of_division_also_comes_without_its_first_input():
    a, b = draw(6, (4,), (4,))
    da, db = call("DivGradient", np.ones(4, np.float32), b, a / b, outputs=2)
    np.testing.assert_allclose(da, 1 / b, rtol=1e-5)
    np.testing.assert_allclose(db, -a / b**2, rtol=1e-4)


COUNTS = [1, 2, 3]
REDUCED = {"Sum": sum, "Mean": lambda xs: sum(xs) / len(xs), "Max": np.maximum.reduce, "Min": np.minimum.reduce}


@pytest.mark.parametrize(("type", "count"), list(itertools.product(REDUCED, COUNTS)))
def test_any_number_of_tensors(type, count):
    xs = draw(count, *[(3, 4)] * count)
    np.testing.assert_allclose(call(type, *xs), REDUCED[type](xs), rtol=1e-5)
    (dy,) = draw(7, (3, 4))
    found = gradients(type, xs, [dy])
    for x, dx in zip(xs, found, strict=True):
        want = {"Sum": 1, "Mean": 1 / count}.get(type, x == REDUCED[type](xs))
        np.testing.assert_allclose(dx, want * dy, rtol=1e-5)


@pytest.mark.parametrize("type", ["Max", "Min"])
def test_a_tie_gives_the_whole_gradient_to_every_one(type):
    x = np.float32([1, 2])
    for dx in gradients(type, [x, x.copy()], [np.float32([3, 4])]):
        np.testing.assert_array_equal(dx, [3, 4])


@pytest.mark.parametrize("type", REDUCED)
def test_tensors_must_have_one_shape(type):
    with pytest.raises(ShapeMismatch, match=rf"input 1 is \(2,\) but input 0 is \(3,\); {type} takes equal shapes"):
        call(type, np.ones(3, np.float32), np.ones(2, np.float32))


def test_no_tensors_at_all_is_no_sum():
    with pytest.raises(SchemaError, match="Sum takes at least 1 input, got 0"):
        call("Sum")


def test_sum_of_integers():
    assert call("SumInt", np.int32([1]), np.int32([2])).dtype == np.int32
    with pytest.raises(TypeMismatch):
        call("SumInt", np.float32([1]))


def test_rows_divided_by_a_root():
    x = np.float32([[2, 4], [3, 5]])
    np.testing.assert_array_equal(call("SquareRootDivide", x, np.float32([4, 0])), [[1, 2], [3, 5]])
    np.testing.assert_array_equal(call("SquareRootDivide", x, np.int32([4, 1])), [[1, 2], [3, 5]])
    dx, dscale = gradients("SquareRootDivide", [x, np.float32([4, 0])], [x])
    np.testing.assert_array_equal(dx, [[1, 2], [3, 5]])
    assert dscale is None
    with pytest.raises(ShapeMismatch, match=r"scale must be \(2,\), one number a row"):
        call("SquareRootDivide", x, np.float32([4]))


@pytest.mark.parametrize(("shape_a", "shape_b", "arguments", "laid"), OLD_RULE)
def test_a_sum_in_the_shape_of_another(shape_a, shape_b, arguments, laid):
    a, b = draw(8, shape_a, shape_b)
    want = folded(np.broadcast_to(a, shape_a), laid).reshape(shape_b)
    np.testing.assert_allclose(call("SumReduceLike", a, b, **arguments), want, rtol=1e-4, atol=1e-4)


def test_a_running_sum_lives_in_its_output():
    workspace = Workspace("sums")
    op = operator_def("Accumulate", 1, gamma=0.5)
    for value, want in ([1.0, 2.0], [1, 2]), ([1.0, 2.0], [1.5, 3]), ([5.0], [5]):
        workspace.feed("I0", np.float32(value))
        workspace.run_operator(op)
        np.testing.assert_array_equal(workspace.fetch("O0"), want)


GRADS = ["I0_grad", "I1_grad"]


@pytest.mark.parametrize("type", ["Add", "Sub", "Mul"])
def test_gradient_wiring(type):
    assert wiring(type, 2) == ([(f"{type}Gradient", ["GO0", "I0", "I1"], GRADS)], GRADS)


def test_gradient_wiring_of_the_others():
    assert wiring("Div", 2) == ([("DivGradient", ["GO0", "I0", "I1", "O0"], GRADS)], GRADS)
    assert wiring("Sum", 2) == ([], ["GO0", "GO0"])
    assert wiring("Mean", 2) == ([("MeanGradient", ["GO0"], GRADS)], GRADS)
    assert wiring("Max", 2) == ([("MaxGradient", ["O0", "GO0", "I0", "I1"], GRADS)], GRADS)
    assert wiring("Min", 1) == ([("MinGradient", ["O0", "GO0", "I0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("SquareRootDivide", 2) == ([("SquareRootDivide", ["GO0", "I1"], ["I0_grad"])], ["I0_grad", None])
    assert wiring("SumReduceLike", 2) == ([], [None, None])
    assert wiring("SumInt", 2) == ([], [None, None])
