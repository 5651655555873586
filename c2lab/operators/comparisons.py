"""Comparisons and logic: element by element, with both broadcasting rules."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.broadcasting import Placement, broadcast, lay
from c2lab.operators.definition import operator

ANY = "bool int32 int64 float32 float64"
COMPARED = {"A": ANY, "B": ANY}
LOGIC = {"A": "bool", "B": "bool"}
BITS = {"A": "bool int32 int64", "B": "bool int32 int64"}


@operator("EQ", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def equal(A, B, *, placement: Placement):
    """Where two tensors are equal.

    ``C = A == B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("EQ", A=[1, 2, 3], B=[2])
        C = [False  True False]
    """
    A, B = lay(A, B, placement)
    return A == B


@operator("NE", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def not_equal(A, B, *, placement: Placement):
    """Where two tensors differ.

    ``C = A != B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("NE", A=[1, 2, 3], B=[2])
        C = [ True False  True]
    """
    A, B = lay(A, B, placement)
    return A != B


@operator("LT", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def less(A, B, *, placement: Placement):
    """Where A is less than B.

    ``C = A < B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("LT", A=[1, 2, 3], B=[2])
        C = [ True False False]
    """
    A, B = lay(A, B, placement)
    return A < B


@operator("LE", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def less_or_equal(A, B, *, placement: Placement):
    """Where A is at most B.

    ``C = A <= B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("LE", A=[1, 2, 3], B=[2])
        C = [ True  True False]
    """
    A, B = lay(A, B, placement)
    return A <= B


@operator("GT", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def greater(A, B, *, placement: Placement):
    """Where A is greater than B.

    ``C = A > B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("GT", A=[1, 2, 3], B=[2])
        C = [False False  True]
    """
    A, B = lay(A, B, placement)
    return A > B


@operator("GE", outputs="C", fold=broadcast, gradient="refused", types=COMPARED)
def greater_or_equal(A, B, *, placement: Placement):
    """Where A is at least B.

    ``C = A >= B``

    Inputs:
        A: Values of any shape.
        B: Values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("GE", A=[1, 2, 3], B=[2])
        C = [False  True  True]
    """
    A, B = lay(A, B, placement)
    return A >= B


@operator("And", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=LOGIC)
def logical_and(A, B, *, placement: Placement):
    """Where both are true.

    ``C = A and B``

    Inputs:
        A: Truth values of any shape.
        B: Truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("And", A=[True, False], B=[True, True])
        C = [ True False]
    """
    A, B = lay(A, B, placement)
    return A & B


@operator("Or", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=LOGIC)
def logical_or(A, B, *, placement: Placement):
    """Where at least one is true.

    ``C = A or B``

    Inputs:
        A: Truth values of any shape.
        B: Truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("Or", A=[True, False], B=[False, False])
        C = [ True False]
    """
    A, B = lay(A, B, placement)
    return A | B


@operator("Xor", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=LOGIC)
def logical_xor(A, B, *, placement: Placement):
    """Where exactly one is true.

    ``C = A != B``

    Inputs:
        A: Truth values of any shape.
        B: Truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), bool.
    Example:
        >>> run("Xor", A=[True, False], B=[True, True])
        C = [False  True]
    """
    A, B = lay(A, B, placement)
    return A ^ B


@operator("BitwiseAnd", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=BITS)
def bitwise_and(A, B, *, placement: Placement):
    """The bits that are set in both.

    ``C = A & B``

    Inputs:
        A: Integers or truth values of any shape.
        B: Integers or truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("BitwiseAnd", A=[6, 5], B=[3])
        C = [2 1]
    """
    A, B = lay(A, B, placement)
    return A & B


@operator("BitwiseOr", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=BITS)
def bitwise_or(A, B, *, placement: Placement):
    """The bits that are set in at least one.

    ``C = A | B``

    Inputs:
        A: Integers or truth values of any shape.
        B: Integers or truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("BitwiseOr", A=[6, 5], B=[3])
        C = [7 7]
    """
    A, B = lay(A, B, placement)
    return A | B


@operator("BitwiseXor", outputs="C", fold=broadcast, inplace="A -> C", gradient="refused", types=BITS)
def bitwise_xor(A, B, *, placement: Placement):
    """The bits that are set in exactly one.

    ``C = A ^ B``

    Inputs:
        A: Integers or truth values of any shape.
        B: Integers or truth values of the same type, of a shape that broadcasts.
    Args:
        broadcast: 1 lays the smaller B along A: at its last dimensions, or at ``axis``.
        axis: A's dimension at which B's first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What A's dimensions are called.
    Outputs:
        C: The broadcast shape (A's with broadcast=1), same type.
    Example:
        >>> run("BitwiseXor", A=[6, 5], B=[3])
        C = [5 6]
    """
    A, B = lay(A, B, placement)
    return A ^ B


@operator("Not", gradient="refused", types={"X": "bool"})
def logical_not(X):
    """Turns true into false and false into true.

    Inputs:
        X: Truth values of any shape.
    Outputs:
        Y: Same shape, bool.
    Example:
        >>> run("Not", X=[True, False])
        Y = [False  True]
    """
    return jnp.logical_not(X)
