"""Linear layers and matrix products."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import NoGradient
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator
from c2lab.operators.gradients import GradientWriter


def _axis(name: str, axis: int, X: Any) -> int:
    """``axis`` counted from the front, within the dimensions of X."""
    at = axis + X.ndim if axis < 0 else axis
    require_shape(
        0 <= at < X.ndim, f"axis is {axis} but {name} is {X.shape}; it must be from {-X.ndim} to {X.ndim - 1}"
    )
    return at


def _rows(sizes: tuple[Any, ...]) -> Any:
    """How many rows the leading ``sizes`` make: a number, or a symbolic one."""
    return math.prod(sizes)


def _matrix(name: str, X: Any, axis: int) -> Any:
    """X as a matrix: the dimensions before ``axis`` are its rows, the others its columns."""
    at = _axis(name, axis, X)
    return X.reshape(_rows(X.shape[:at]), _rows(X.shape[at:]))


def _product(A: Any, B: Any) -> Any:
    return jnp.matmul(A, B, preferred_element_type=A.dtype)


# --- fully connected -----------------------------------------------------------------------------


def _check_fc(X: Any, W: Any, axis: int, axis_w: int, transposed: bool) -> tuple[Any, Any]:
    """X as (rows, in) and W as (out, in), or (in, out) where ``transposed``; their sizes fit."""
    require_same_type(X, W)
    rows, weights = _matrix("X", X, axis), _matrix("W", W, axis_w)
    inner = rows.shape[1]
    require_shape(
        weights.shape[0 if transposed else 1] == inner,
        f"X is {X.shape} but W is {W.shape}; W must be "
        f"{(inner, weights.shape[1]) if transposed else (weights.shape[0], inner)}"
        + (f" (axis {axis}, axis_w {axis_w})" if (axis, axis_w) != (1, 1) else ""),
    )
    return rows, weights


def _fully_connected(X: Any, W: Any, b: Any, axis: int, axis_w: int, transposed: bool) -> Any:
    rows, weights = _check_fc(X, W, axis, axis_w, transposed)
    made = weights.shape[1 if transposed else 0]
    require_shape(tuple(b.shape) == (made,), f"b is {b.shape} but W is {W.shape}; b must be ({made},)")
    Y = _product(rows, weights if transposed else weights.T) + b
    return Y.reshape(*X.shape[: _axis("X", axis, X)], made)


def _fully_connected_gradient(
    X: Any, W: Any, dY: Any, axis: int, axis_w: int, transposed: bool, num_outputs: int
) -> tuple[Any, ...]:
    rows, weights = _check_fc(X, W, axis, axis_w, transposed)
    made = weights.shape[1 if transposed else 0]
    flow = dY.reshape(rows.shape[0], made)
    dW = _product(rows.T, flow) if transposed else _product(flow.T, rows)
    dX = _product(flow, weights.T if transposed else weights)
    return (dW.reshape(W.shape), jnp.sum(flow, axis=0, dtype=flow.dtype), dX.reshape(X.shape))[:num_outputs]


@operator("FC", types={"X": "float32"})
def fc(X, W, b, *, axis: int = 1, axis_w: int = 1):
    """Fully connected layer: every output is a weighted sum of all inputs, plus a bias.

    ``Y = X W^T + b``

    Inputs:
        X: ``(N, in)``, or any shape that becomes ``(N, in)`` when cut at ``axis``.
        W: ``(out, in)``, or any shape that becomes this when cut at ``axis_w``.
        b: ``(out,)``.
    Args:
        axis: The dimensions of X from this one on are the ``in`` values of a row; those before it are kept.
        axis_w: The dimensions of W from this one on are the ``in`` weights of an output.
    Outputs:
        Y: ``(N, out)``, or the dimensions of X before ``axis`` and then ``out``.
    Example:
        >>> run("FC", X=[[1.0, 2.0]], W=[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], b=[0.0, 0.0, 10.0])
        Y = [[ 1.  2. 13.]]
    """
    return _fully_connected(X, W, b, axis, axis_w, transposed=False)


@fc.gradient("X, W, dY -> dW, db, dX?")
def _(X, W, dY, *, axis: int = 1, axis_w: int = 1, num_outputs: int):
    """Gradients of a fully connected layer by weights, bias and input."""
    return _fully_connected_gradient(X, W, dY, axis, axis_w, False, num_outputs)


@operator("FCTransposed", types={"X": "float32"})
def fc_transposed(X, W, b, *, axis: int = 1, axis_w: int = 1):
    """Fully connected layer whose weights are stored the other way round.

    ``Y = X W + b``

    Inputs:
        X: ``(N, in)``, or any shape that becomes ``(N, in)`` when cut at ``axis``.
        W: ``(in, out)``, or any shape that becomes this when cut at ``axis_w``.
        b: ``(out,)``.
    Args:
        axis: The dimensions of X from this one on are the ``in`` values of a row; those before it are kept.
        axis_w: The dimensions of W from this one on are the ``out`` weights of an input.
    Outputs:
        Y: ``(N, out)``, or the dimensions of X before ``axis`` and then ``out``.
    Example:
        >>> run("FCTransposed", X=[[1.0, 2.0]], W=[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], b=[0.0, 0.0, 10.0])
        Y = [[ 1.  2. 13.]]
    """
    return _fully_connected(X, W, b, axis, axis_w, transposed=True)


@fc_transposed.gradient("X, W, dY -> dW, db, dX?")
def _(X, W, dY, *, axis: int = 1, axis_w: int = 1, num_outputs: int):
    """Gradients of a transposed fully connected layer by weights, bias and input."""
    return _fully_connected_gradient(X, W, dY, axis, axis_w, True, num_outputs)


# --- matrix products -----------------------------------------------------------------------------


@operator("MatMul", types={"A": "float32", "B": "float32"})
def matmul(A, B, like=None, *, axis_a: int = 1, axis_b: int = 1, trans_a: bool = False, trans_b: bool = False):
    """Matrix product.

    ``Y = A B``, with A, B or both transposed where asked for.

    Inputs:
        A: ``(M, K)``, or any shape that becomes this when cut at ``axis_a``; ``(K, M)`` with ``trans_a``.
        B: ``(K, N)``, or any shape that becomes this when cut at ``axis_b``; ``(N, K)`` with ``trans_b``.
        like: The output takes the shape of this tensor (how gradients get the shape of their blob).
    Args:
        axis_a: The dimensions of A before this one are its rows.
        axis_b: The dimensions of B before this one are its rows.
        trans_a: Transpose A.
        trans_b: Transpose B.
    Outputs:
        Y: ``(M, N)``, or the shape of ``like``.
    Example:
        >>> run("MatMul", A=[[1.0, 2.0]], B=[[3.0, 4.0], [5.0, 6.0]])
        Y = [[13. 16.]]
    """
    left, right = _matrix("A", A, axis_a), _matrix("B", B, axis_b)
    left, right = (left.T if trans_a else left), (right.T if trans_b else right)
    require_shape(
        left.shape[1] == right.shape[0],
        f"A is {A.shape} and B is {B.shape}, as matrices{' (transposed where asked for)' * (trans_a or trans_b)} "
        f"{left.shape} and {right.shape}; B must have {left.shape[1]} rows",
    )
    Y = _product(left, right)
    if like is None:
        return Y
    require_shape(_rows(like.shape) == _rows(Y.shape), f"the product is {Y.shape} but its third input is {like.shape}")
    return Y.reshape(like.shape)


@matmul.gradient_maker
def _(g: GradientWriter) -> list[Any]:
    """Two products, each shaped like the input that its gradient belongs to."""
    trans_a, trans_b = bool(g.argument("trans_a", 0)), bool(g.argument("trans_b", 0))
    A, B, flow = (g.I(0), g.argument("axis_a")), (g.I(1), g.argument("axis_b")), (g.GO(0), None)

    def product(left: Any, right: Any, trans_left: bool, trans_right: bool, index: int) -> Any:
        given = {"axis_a": left[1], "axis_b": right[1], "trans_a": trans_left or None, "trans_b": trans_right or None}
        arguments = {name: int(value) for name, value in given.items() if value is not None}
        inputs = [left[0], right[0], g.I(index)]
        return g.define("MatMul", inputs, [g.GI(index)], copy_arguments=False, **arguments)

    return [
        product(B, flow, trans_b, True, 0) if trans_a else product(flow, B, False, not trans_b, 0),
        product(flow, A, True, trans_a, 1) if trans_b else product(A, flow, not trans_a, False, 1),
    ]


@operator("BatchMatMul", types={"A": "float32", "B": "float32"})
def batch_matmul(A, B, *, trans_a: bool = False, trans_b: bool = False, broadcast: bool = False):
    """Matrix products, one for every entry of the leading dimensions.

    ``Y[n] = A[n] B[n]``, with the last two dimensions of A, B or both swapped where asked for.

    Inputs:
        A: ``(batch..., M, K)``, or ``(batch..., K, M)`` with ``trans_a``.
        B: ``(batch..., K, N)``, or ``(batch..., N, K)`` with ``trans_b``.
    Args:
        trans_a: Swap the last two dimensions of A.
        trans_b: Swap the last two dimensions of B.
        broadcast: Let the batch dimensions differ, by numpy's rules (no gradient then).
    Outputs:
        Y: ``(batch..., M, N)``.
    Example:
        >>> run("BatchMatMul", A=[[[1.0, 2.0]]], B=[[[3.0, 4.0]]], trans_b=1)
        Y = [[[11.]]]
    """
    if not broadcast:
        require_shape(
            A.ndim == B.ndim and A.ndim >= 2 and A.shape[:-2] == B.shape[:-2],
            f"A is {A.shape} and B is {B.shape}; the dimensions before the last two must be equal (or set broadcast=1)",
        )
        if trans_a:
            A = jnp.swapaxes(A, -1, -2)
        if trans_b:
            B = jnp.swapaxes(B, -1, -2)
    else:
        # A vector is a matrix of one row (A) or one column (B), whose dimension the output does not have.
        A = jnp.swapaxes(A, -1, -2) if trans_a and A.ndim > 1 else A
        B = jnp.swapaxes(B, -1, -2) if trans_b and B.ndim > 1 else B
    require_shape(
        A.shape[-1] == B.shape[-2 if B.ndim > 1 else -1],
        f"A is {A.shape} and B is {B.shape} (transposed where asked for); "
        f"A has {A.shape[-1]} columns, so B must have as many rows",
    )
    if broadcast:
        try:
            np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        except ValueError:
            require_shape(
                False, f"A is {A.shape} and B is {B.shape}; their batch dimensions do not broadcast against each other"
            )
    Y = _product(A, B)
    return Y.reshape(1) if Y.ndim == 0 else Y


@batch_matmul.gradient_maker
def _(g: GradientWriter) -> list[Any]:
    """Two batch products; with ``broadcast`` there is no gradient."""
    if g.argument("broadcast", 0):
        raise NoGradient("Gradient is currently not supported with broadcast=1 for BatchMatMul.")
    trans_a, trans_b = bool(g.argument("trans_a", 0)), bool(g.argument("trans_b", 0))

    def product(left: str, right: str, trans_left: bool, trans_right: bool, index: int) -> Any:
        arguments = ({"trans_a": 1} if trans_left else {}) | ({"trans_b": 1} if trans_right else {})
        return g.define("BatchMatMul", [left, right], [g.GI(index)], copy_arguments=False, **arguments)

    A, B, flow = g.I(0), g.I(1), g.GO(0)
    return [
        product(B, flow, trans_b, True, 0) if trans_a else product(flow, B, False, not trans_b, 0),
        product(flow, A, True, trans_a, 1) if trans_b else product(A, flow, not trans_a, False, 1),
    ]


# --- scaled rows and columns ---------------------------------------------------------------------


@operator("ElementwiseLinear", types={"X": "float32", "w": "float32", "b": "float32"})
def elementwise_linear(X, w, b, *, axis: int = 1):
    """A weight and a bias of its own for every column.

    ``Y[n, d] = X[n, d] * w[d] + b[d]``

    Inputs:
        X: ``(N, D)``, or any shape that becomes this when cut at ``axis``.
        w: ``(D,)``.
        b: ``(D,)``.
    Args:
        axis: The dimensions of X from this one on are the ``D`` columns.
    Outputs:
        Y: Same shape as X.
    Example:
        >>> run("ElementwiseLinear", X=[[1.0, 2.0]], w=[10.0, 100.0], b=[1.0, 2.0])
        Y = [[ 11. 202.]]
    """
    rows = _columns(X, w, axis)
    require_shape(b.shape == w.shape, f"w is {w.shape} but b is {b.shape}; both must have one value a column")
    return (rows * w + b).reshape(X.shape)


def _columns(X: Any, w: Any, axis: int) -> Any:
    rows = _matrix("X", X, axis)
    require_shape(
        tuple(w.shape) == (rows.shape[1],),
        f"X is {X.shape} but w is {w.shape}; with axis {axis} w must be ({rows.shape[1]},)",
    )
    return rows


@elementwise_linear.gradient("dY, X, w -> dX, dw, db")
def _(dY, X, w, *, axis: int = 1):
    """Gradients of the columns' weights and biases, and of X."""
    rows = _columns(X, w, axis)
    flow = dY.reshape(rows.shape)
    dw = jnp.sum(flow * rows, axis=0, dtype=w.dtype)
    return (flow * w).reshape(X.shape), dw, jnp.sum(flow, axis=0, dtype=w.dtype)


@operator("RowMul", outputs="output", types={"mat": "float32", "w": "float32"})
def row_mul(mat, w):
    """Every row times its own weight.

    ``output[n, ...] = mat[n, ...] * w[n]``

    Inputs:
        mat: ``(N, ...)``.
        w: ``(N,)``.
    Outputs:
        output: Same shape as mat.
    Example:
        >>> run("RowMul", mat=[[3.0, 4.0]], w=[10.0])
        output = [[30. 40.]]
    """
    require_shape(
        _rows(w.shape) == mat.shape[0], f"mat is {mat.shape} but w is {w.shape}; w must have {mat.shape[0]} values"
    )
    return mat * w.reshape(-1, *(1,) * (mat.ndim - 1))


@row_mul.gradient_maker
def _(g: GradientWriter) -> list[Any]:
    """The weights' gradient is a product summed over each row."""
    product = f"{g.I(1)}_gradbefore_aggregate"
    return [
        g.define("RowMul", [g.GO(0), g.I(1)], [g.GI(0)]),
        g.define("Mul", [g.GO(0), g.I(0)], [product]),
        g.define("ReduceTailSum", [product], [g.GI(1)]),
    ]


@operator("ReduceTailSum", outputs="output", types={"mat": "float32"})
def reduce_tail_sum(mat):
    """The sum over every row, all dimensions after the first.

    ``output[n] = sum over all other dimensions of mat[n, ...]``

    Inputs:
        mat: ``(N, ...)``.
    Outputs:
        output: ``(N,)``.
    Example:
        >>> run("ReduceTailSum", mat=[[1.0, 2.0], [3.0, 4.0]])
        output = [3. 7.]
    """
    return jnp.sum(mat, axis=tuple(range(1, mat.ndim)), dtype=mat.dtype)
