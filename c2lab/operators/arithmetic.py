"""Arithmetic: sums, products, quotients, means and extremes of two tensors or more."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import SchemaError
from c2lab.operators.broadcasting import Placement, broadcast, fold_back, lay, placed
from c2lab.operators.checks import require_same_type, require_shape, require_type
from c2lab.operators.definition import host_operator, operator

NUMBERS = "int32 int64 float32 float64"
BOTH = {"A": NUMBERS, "B": NUMBERS}


@operator("Add", outputs="C", fold=broadcast, inplace="A -> C, B -> C", types=BOTH)
def add(A, B, *, placement: Placement):
    """Sum of two tensors, element by element.

    ``C = A + B``

    Inputs:
        A: Numbers of any shape.
        B: Numbers of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("Add", A=[[1.0, 2.0]], B=[10.0, 20.0])
        C = [[11. 22.]]
    """
    A, B = lay(A, B, placement)
    return A + B


@add.gradient("dC, A, B -> dA, dB", inplace="dC -> dA, dC -> dB")
def _(dC, A, B, *, placement: Placement):
    """The gradient to both, summed over what was broadcast."""
    laid_A, laid_B = lay(A, B, placement)
    return fold_back(dC, A, laid_A), fold_back(dC, B, laid_B)


@operator("Sub", outputs="C", fold=broadcast, inplace="A -> C, B -> C", types=BOTH)
def sub(A, B, *, placement: Placement):
    """Difference of two tensors, element by element.

    ``C = A - B``

    Inputs:
        A: Numbers of any shape.
        B: Numbers of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("Sub", A=[5.0, 6.0], B=[1.0])
        C = [4. 5.]
    """
    A, B = lay(A, B, placement)
    return A - B


@sub.gradient("dC, A, B -> dA, dB", inplace="dC -> dA, dC -> dB")
def _(dC, A, B, *, placement: Placement):
    """The gradient to A and its negative to B, summed over what was broadcast."""
    laid_A, laid_B = lay(A, B, placement)
    return fold_back(dC, A, laid_A), fold_back(-dC, B, laid_B)


@operator("Mul", outputs="C", fold=broadcast, inplace="A -> C, B -> C", types=BOTH)
def mul(A, B, *, placement: Placement):
    """Product of two tensors, element by element.

    ``C = A * B``

    Inputs:
        A: Numbers of any shape.
        B: Numbers of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("Mul", A=[[1.0, 2.0, 3.0]], B=[10.0], broadcast=1, axis=0)
        C = [[10. 20. 30.]]
    """
    A, B = lay(A, B, placement)
    return A * B


@mul.gradient("dC, A, B -> dA, dB", inplace="dC -> dA, dC -> dB")
def _(dC, A, B, *, placement: Placement):
    """The gradient times the other factor, summed over what was broadcast."""
    laid_A, laid_B = lay(A, B, placement)
    return fold_back(dC * laid_B, A, laid_A), fold_back(dC * laid_A, B, laid_B)


@operator("Div", outputs="C", fold=broadcast, inplace="A -> C", types=BOTH)
def div(A, B, *, placement: Placement):
    """Quotient of two tensors, element by element; of integers, cut towards zero.

    ``C = A / B``

    Inputs:
        A: Numbers of any shape.
        B: Numbers of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("Div", A=[-7, 7], B=[2])
        C = [-3  3]
    """
    A, B = jnp.broadcast_arrays(*lay(A, B, placement))
    return jax.lax.div(A, B)


@div.gradient("dC, A?, B, C -> dA, dB", inplace="dC -> dA")
def _(dC, A, B, C, *, placement: Placement):
    """``dC / B`` and ``-dC * C / B``, summed over what was broadcast; A only tells its shape."""
    A = C if A is None else A
    laid_A, laid_B = lay(A, B, placement)
    quotient = jax.lax.div(*jnp.broadcast_arrays(dC, laid_B))
    return fold_back(quotient, A, laid_A), fold_back(-quotient * C, B, laid_B)


@operator("SumReduceLike", outputs="C", types={"A": "float32 float64", "B": "float32 float64"})
def sum_reduce_like(A, B, *, axis: int = -1, axis_str: str = "", order: str = "NCHW"):
    """Sums A to the shape of B: what the gradient of a broadcast needs.

    Inputs:
        A: Values of any shape.
        B: A smaller tensor that lies along A, as in ``Add`` with broadcast=1; only its shape counts.
    Args:
        axis: A's dimension at which B's first one lies; its last dimensions where left out.
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: B's shape, A's type.
    Example:
        >>> run("SumReduceLike", A=[[1.0, 2.0], [3.0, 4.0]], B=[0.0, 0.0])
        C = [4. 6.]
    """
    return fold_back(A, B, lay(A, B, placed(axis, axis_str, order))[1])


def _same_shapes(values: Any, why: str) -> None:
    if not values:
        raise SchemaError(f"Operator def did not pass schema checking: {why} takes at least 1 input, got 0")
    require_same_type(*values)
    for k, value in enumerate(values):
        require_shape(
            value.shape == values[0].shape,
            f"input {k} is {value.shape} but input 0 is {values[0].shape}; {why} takes equal shapes",
        )


@operator("Sum", outputs="C", inplace="X -> C", types={"X": NUMBERS})
def sum_of(*X):
    """Sum of any number of tensors of one shape.

    ``C = X0 + X1 + ...``

    Inputs:
        X: One tensor or more, of one shape and type.
    Outputs:
        C: The shape and type of the inputs.
    Example:
        >>> run("Sum", X=([1.0, 2.0], [10.0, 20.0]))
        C = [11. 22.]
    """
    _same_shapes(X, "Sum")
    total = X[0]
    for value in X[1:]:
        total = total + value
    return total


@sum_of.gradient_maker
def _(g):
    # Every input's gradient is the output's: its name is passed through, nothing is computed.
    for index in range(len(g.op.input)):
        g.set_dense(index, g.GO(0))
    return []


@operator("SumInt", outputs="C", inplace="X -> C", types={"X": "int32"})
def sum_of_integers(*X):
    """Sum of any number of int32 tensors of one shape.

    ``C = X0 + X1 + ...``

    Inputs:
        X: One tensor or more, of one shape, int32.
    Outputs:
        C: The shape of the inputs, int32.
    Example:
        >>> run("SumInt", X=([1, 2], [10, 20]))
        C = [11 22]
    """
    _same_shapes(X, "SumInt")
    return sum(X[1:], X[0])


@operator("Mean", outputs="M", inplace="X -> M", types={"X": "float32 float64"})
def mean_of(*X):
    """Mean of any number of tensors of one shape.

    ``M = (X0 + X1 + ...) / count``

    Inputs:
        X: One tensor or more, of one shape and type.
    Outputs:
        M: The shape and type of the inputs.
    Example:
        >>> run("Mean", X=([1.0, 2.0], [3.0, 6.0]))
        M = [2. 4.]
    """
    _same_shapes(X, "Mean")
    return sum(X[1:], X[0]) * jnp.asarray(1 / len(X), X[0].dtype)


@mean_of.gradient("dM -> dX", inplace=[(0, 0)])
def _(dM, *, num_outputs: int):
    """An equal share of the gradient to each input."""
    return (dM * jnp.asarray(1 / num_outputs, dM.dtype),) * num_outputs


@operator("Max", outputs="M", inplace="X -> M", types={"X": NUMBERS})
def max_of(*X):
    """The largest of any number of tensors, element by element.

    ``M = max(X0, X1, ...)``

    Inputs:
        X: One tensor or more, of one shape and type.
    Outputs:
        M: The shape and type of the inputs.
    Example:
        >>> run("Max", X=([1.0, 5.0], [3.0, 2.0]))
        M = [3. 5.]
    """
    _same_shapes(X, "Max")
    return functools.reduce(jnp.maximum, X)


@operator("Min", outputs="M", inplace="X -> M", types={"X": NUMBERS})
def min_of(*X):
    """The smallest of any number of tensors, element by element.

    ``M = min(X0, X1, ...)``

    Inputs:
        X: One tensor or more, of one shape and type.
    Outputs:
        M: The shape and type of the inputs.
    Example:
        >>> run("Min", X=([1.0, 5.0], [3.0, 2.0]))
        M = [1. 2.]
    """
    _same_shapes(X, "Min")
    return functools.reduce(jnp.minimum, X)


@max_of.gradient("M, dM, X -> dX")
def _(M, dM, *X):
    """The whole gradient to every input that holds the extreme, ties included."""
    return tuple(jnp.where(value == M, dM, 0).astype(dM.dtype) for value in X)


@min_of.gradient("M, dM, X -> dX")
def _(M, dM, *X):
    """The whole gradient to every input that holds the extreme, ties included."""
    return tuple(jnp.where(value == M, dM, 0).astype(dM.dtype) for value in X)


@operator("SquareRootDivide", inplace="X -> Y", types={"X": "float32", "scale": NUMBERS})
def square_root_divide(X, scale):
    """Divides each row by the square root of its own number; a row with 0 stays as it is.

    ``Y[i] = X[i] / sqrt(scale[i])``

    Inputs:
        X: Rows (N, ...), float32.
        scale: One number a row (N,).
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("SquareRootDivide", X=[2.0, 3.0], scale=[4.0, 0.0])
        Y = [1. 3.]
    """
    require_shape(
        X.ndim > 0 and scale.shape == X.shape[:1],
        f"X is {X.shape} but scale is {scale.shape}; scale must be {X.shape[:1]}, one number a row",
    )
    root = jnp.sqrt(jnp.where(scale == 0, 1, scale).astype(X.dtype))
    return X / root.reshape(-1, *(1,) * (X.ndim - 1))


@square_root_divide.gradient_maker
def _(g):
    return [g.define("SquareRootDivide", [g.GO(0), g.I(1)], [g.GI(0)])]


@host_operator("Accumulate", outputs="output", gradient="refused")
def accumulate(input, *, gamma: float = 1.0, op, workspace):
    """A running sum that lives in its own output, and starts over where the shape changes.

    ``output = input + gamma * output``

    Inputs:
        input: Values of any shape, float32.
    Args:
        gamma: How much of the sum so far is kept.
    Outputs:
        output: The sum so far, of the shape of the input.
    Example:
        >>> run("Accumulate", input=[1.0, 2.0])
        output = [1. 2.]
    """
    require_type("input", input, ("float32",))
    name = op.output[0]
    held = np.asarray(workspace[name]) if name in workspace else np.zeros(0)
    if held.shape != input.shape or held.dtype != input.dtype:
        return np.array(input)
    return input + np.asarray(gamma, input.dtype) * held
