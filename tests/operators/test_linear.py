"""Fully connected layers and matrix products against numpy, and their gradients' wiring."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from c2lab.errors import NoGradient, ShapeMismatch, TypeMismatch
from c2lab.operators.gradients import make_gradient
from tests.operators.calls import call, gradients, operator_def, wiring

RANDOM = np.random.default_rng(5)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def close(got, want):
    assert got.dtype == np.float32
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("type", ["FC", "FCTransposed"])
@pytest.mark.parametrize(
    ("shape", "axis", "lead", "inner"),
    [
        ((4, 6), 1, (4,), 6),
        ((2, 3, 4), 1, (2,), 12),
        ((2, 3, 4), 2, (2, 3), 4),
        ((2, 3, 4), -1, (2, 3), 4),
        ((6,), 0, (), 6),
        ((0, 6), 1, (0,), 6),
    ],
)
def test_fully_connected(type, shape, axis, lead, inner):
    X, W, b = draw(*shape), draw(inner, 5), draw(5)
    fed = W if type == "FCTransposed" else W.T.copy()
    rows = X.reshape(int(np.prod(lead)), inner)
    close(call(type, X, fed, b, axis=axis), (rows @ W + b).reshape(*lead, 5))
    dY = draw(*lead, 5)
    flow = dY.reshape(-1, 5)
    dX, dW, db = gradients(type, [X, fed, b], [dY], axis=axis)
    close(dX, (flow @ W.T).reshape(shape))
    close(dW, rows.T @ flow if type == "FCTransposed" else flow.T @ rows)
    close(db, flow.sum(0))


def test_weights_of_four_dimensions_are_cut_at_axis_w():
    X, W, b = draw(2, 6), draw(5, 1, 3, 2), draw(5)
    close(call("FC", X, W, b), X @ W.reshape(5, 6).T + b)
    flow = draw(2, 5)
    close(gradients("FC", [X, W, b], [flow])[1], (flow.T @ X).reshape(W.shape))
    W = draw(1, 1, 5, 6)
    close(call("FC", X, W, b, axis_w=3), X @ W.reshape(5, 6).T + b)


@pytest.mark.parametrize(("trans_a", "trans_b"), list(itertools.product([0, 1], [0, 1])))
@pytest.mark.parametrize("deep", [False, True])
def test_matrix_product(trans_a, trans_b, deep):
    A, B = draw(*((3, 4) if trans_a else (4, 3))), draw(*((5, 3) if trans_b else (3, 5)))
    arguments = {"trans_a": trans_a, "trans_b": trans_b}
    if deep:
        A, B = A.reshape(1, A.shape[0], 1, A.shape[1]), B.reshape(B.shape[0], 1, B.shape[1])
        arguments |= {"axis_a": -1, "axis_b": 2}
    a, b = A.reshape(-1, A.shape[-1]), B.reshape(-1, B.shape[-1])
    a, b = (a.T if trans_a else a), (b.T if trans_b else b)
    close(call("MatMul", A, B, **arguments), a @ b)
    flow = draw(4, 5)
    if not deep:
        dA, dB = gradients("MatMul", [A, B], [flow], **arguments)
        want_a, want_b = flow @ b.T, a.T @ flow
        close(dA, (want_a.T if trans_a else want_a).reshape(A.shape))
        close(dB, (want_b.T if trans_b else want_b).reshape(B.shape))


@pytest.mark.parametrize("axis", [1, 2])
def test_gradients_of_products_take_the_shape_of_their_blob(axis):
    A, B = draw(2, 3, 4), draw(*((12, 5) if axis == 1 else (4, 5)))
    rows = A.reshape((2, 12) if axis == 1 else (6, 4))
    flow = draw(len(rows), 5)
    dA, dB = gradients("MatMul", [A, B], [flow], axis_a=axis)
    close(dA, (flow @ B.T).reshape(2, 3, 4))
    close(dB, rows.T @ flow)


@pytest.mark.parametrize(("trans_a", "trans_b"), list(itertools.product([0, 1], [0, 1])))
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_batched_product(trans_a, trans_b, batch):
    A, B = draw(*batch, *((3, 4) if trans_a else (4, 3))), draw(*batch, *((5, 3) if trans_b else (3, 5)))
    a, b = (np.swapaxes(A, -1, -2) if trans_a else A), (np.swapaxes(B, -1, -2) if trans_b else B)
    close(call("BatchMatMul", A, B, trans_a=trans_a, trans_b=trans_b), a @ b)
    flow = draw(*batch, 4, 5)
    dA, dB = gradients("BatchMatMul", [A, B], [flow], trans_a=trans_a, trans_b=trans_b)
    want_a, want_b = flow @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ flow
    close(dA, np.swapaxes(want_a, -1, -2) if trans_a else want_a)
    close(dB, np.swapaxes(want_b, -1, -2) if trans_b else want_b)


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        ((2, 1, 4, 3), (5, 3, 2), (2, 5, 4, 2)),
        ((4, 3), (5, 3, 2), (5, 4, 2)),
        ((3,), (5, 3, 2), (5, 2)),
        ((2, 4, 3), (3,), (2, 4)),
        ((3,), (3,), (1,)),
    ],
)
def test_broadcast_products(a, b, want):
    A, B = draw(*a), draw(*b)
    close(call("BatchMatMul", A, B, broadcast=1), np.matmul(A, B).reshape(want))


def test_elementwise_linear():
    X, w, b = draw(2, 3, 4), draw(12), draw(12)
    close(call("ElementwiseLinear", X, w, b), (X.reshape(2, 12) * w + b).reshape(X.shape))
    dY = draw(2, 3, 4)
    dX, dw, db = gradients("ElementwiseLinear", [X, w, b], [dY])
    close(dX, (dY.reshape(2, 12) * w).reshape(X.shape))
    close(dw, (dY * X).reshape(2, 12).sum(0))
    close(db, dY.reshape(2, 12).sum(0))


def test_row_mul_and_tail_sum():
    mat, w = draw(3, 2, 2), draw(3)
    close(call("RowMul", mat, w), mat * w[:, None, None])
    close(call("ReduceTailSum", mat), mat.sum((1, 2)))
    dY = draw(3, 2, 2)
    dmat, dw = gradients("RowMul", [mat, w], [dY])
    close(dmat, dY * w[:, None, None])
    close(dw, (dY * mat).sum((1, 2)))


@pytest.mark.parametrize("type", ["FC", "FCTransposed"])
def test_wiring_of_fully_connected(type):
    assert wiring(type, 3) == (
        [(f"{type}Gradient", ["I0", "I1", "GO0"], ["I1_grad", "I2_grad", "I0_grad"])],
        ["I0_grad", "I1_grad", "I2_grad"],
    )


@pytest.mark.parametrize(
    ("type", "wires"),
    [
        ("MatMul", [(["GO0", "I1", "I0"], ["I0_grad"]), (["I0", "GO0", "I1"], ["I1_grad"])]),
        ("BatchMatMul", [(["GO0", "I1"], ["I0_grad"]), (["I0", "GO0"], ["I1_grad"])]),
    ],
)
def test_wiring_of_products(type, wires):
    assert wiring(type, 2) == ([(type, *wire) for wire in wires], ["I0_grad", "I1_grad"])


def test_wiring_of_scaled_columns_and_rows():
    assert wiring("ElementwiseLinear", 3)[0] == [
        ("ElementwiseLinearGradient", ["GO0", "I0", "I1"], ["I0_grad", "I1_grad", "I2_grad"])
    ]
    assert wiring("RowMul", 2)[0] == [
        ("RowMul", ["GO0", "I1"], ["I0_grad"]),
        ("Mul", ["GO0", "I0"], ["I1_gradbefore_aggregate"]),
        ("ReduceTailSum", ["I1_gradbefore_aggregate"], ["I1_grad"]),
    ]


@pytest.mark.parametrize(
    ("type", "shapes", "arguments", "message"),
    [
        ("FC", [(64, 1568), (10, 99), (10,)], {}, r"X is \(64, 1568\) but W is \(10, 99\); W must be \(10, 1568\)"),
        ("FCTransposed", [(4, 6), (5, 6), (6,)], {}, r"X is \(4, 6\) but W is \(5, 6\); W must be \(6, 6\)"),
        ("FC", [(4, 6), (5, 6), (4,)], {}, r"b is \(4,\) but W is \(5, 6\); b must be \(5,\)"),
        ("FC", [(6,), (5, 6), (5,)], {}, r"axis is 1 but X is \(6,\); it must be from -1 to 0"),
        ("MatMul", [(2, 3), (4, 5)], {}, "B must have 3 rows"),
        ("MatMul", [(2, 3), (4, 5)], {"trans_a": 1}, "B must have 2 rows"),
        ("BatchMatMul", [(2, 2, 3), (3, 3, 2)], {}, "the dimensions before the last two must be equal"),
        ("BatchMatMul", [(2, 2, 3), (2, 4, 2)], {}, "A has 3 columns, so B must have as many rows"),
        ("BatchMatMul", [(2, 2, 3), (3, 3, 2)], {"broadcast": 1}, "do not broadcast"),
        ("ElementwiseLinear", [(2, 3), (2,), (2,)], {}, r"w must be \(3,\)"),
        ("RowMul", [(2, 3), (3,)], {}, "w must have 2 values"),
    ],
)
def test_mistakes_are_named(type, shapes, arguments, message):
    with pytest.raises(ShapeMismatch, match=message):
        call(type, *(draw(*shape) for shape in shapes), **arguments)


@pytest.mark.parametrize("type", ["MatMul", "BatchMatMul"])
def test_types_are_not_promoted(type):
    with pytest.raises(TypeMismatch):
        call(type, draw(2, 2), draw(2, 2).astype(np.float64))


def test_weights_of_another_type_are_an_error():
    with pytest.raises(TypeMismatch, match="caller expects elements to be float, while tensor contains double"):
        call("FC", draw(2, 2), draw(2, 2).astype(np.float64), draw(2))


def test_broadcast_products_have_no_gradient():
    with pytest.raises(NoGradient, match="broadcast=1"):
        make_gradient(operator_def("BatchMatMul", 2, broadcast=1), ["GO0"])
