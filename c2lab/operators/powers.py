"""Powers: squares and roots, exponentials and logarithms."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from c2lab.operators.broadcasting import Placement, broadcast, lay
from c2lab.operators.definition import operator

FLOAT = {"X": "float32"}


@operator("Pow", inplace="X -> Y, exponents -> Y", fold=broadcast, types={"X": "float32"})
def power(X, exponents=None, *, exponent: float = 0.0, placement: Placement):
    """Power of a tensor: to one exponent, or element by element to those of a second tensor.

    ``Y = X ** exponent``

    Inputs:
        X: Values of any shape, float32.
        exponents: Exponents, float32, of a shape that broadcasts; instead of the argument.
    Args:
        exponent: The exponent, where there is no second input.
        broadcast: 1 lays the smaller exponents along X: at its last dimensions, or at ``axis``.
        axis: X's dimension at which the exponents' first one lies (with broadcast=1).
        axis_str: The same, as a letter of ``order``.
        order: What X's dimensions are called.
    Outputs:
        Y: The broadcast shape (X's with broadcast=1), same type.
    Example:
        >>> run("Pow", X=[1.0, 2.0, 3.0], exponent=2.0)
        Y = [1. 4. 9.]
    """
    if exponents is None:
        return jnp.power(X, jnp.asarray(exponent, X.dtype))
    return jnp.power(*lay(X, exponents, placement))


@power.gradient_maker
def _(g):
    # In place, the input is gone: it is found again from the output, as far as that goes.
    if len(g.op.input) == 1:
        exponent = g.argument("exponent", 0.0)
        reduced = (exponent - 1) / (exponent + 1e-10) if g.I(0) == g.O(0) else exponent - 1
        source, target = g.I(0), g.GI(0)
        return [
            g.define("Pow", [source], [target], copy_arguments=False, exponent=float(reduced)),
            g.define("Mul", [target, g.GO(0)], [target], copy_arguments=False),
            g.define("Scale", [target], [target], copy_arguments=False, scale=float(exponent)),
        ]
    along = {}
    if g.argument("broadcast", 0):
        along = {name: g.argument(name) for name in ("axis", "axis_str", "order") if g.argument(name) is not None}
        along["broadcast"] = 1
    base, exponents, raised, flowing = g.I(0), g.I(1), g.O(0), g.GO(0)
    base_gradient, exponent_gradient = g.GI(0), g.GI(1)
    stretched = f"{exponent_gradient}_autogen_pre_red"

    def step(type, inputs, output, **arguments):
        return g.define(type, inputs, [output], copy_arguments=False, **arguments)

    ops = [
        step("ConstantFill", [exponents], exponent_gradient, value=1.0),
        step("Sub", [exponents, exponent_gradient], exponent_gradient),
        step("Pow", [base, exponent_gradient], base_gradient, **along),
        step("Mul", [base_gradient, flowing], base_gradient),
        step("Mul", [base_gradient, exponents], base_gradient, **along),
        step("Log", [base], stretched),
        step("Mul", [stretched, raised], stretched),
    ]
    if not along:
        return [*ops, step("Mul", [stretched, flowing], exponent_gradient)]
    like = {name: value for name, value in along.items() if name != "broadcast"}
    return [
        *ops,
        step("Mul", [stretched, flowing], stretched),
        step("SumReduceLike", [stretched, exponents], exponent_gradient, **like),
    ]


@operator("Sqr", inplace="X -> Y", types=FLOAT)
def square(X):
    """The square.

    ``Y = X ** 2``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sqr", X=[-2.0, 3.0])
        Y = [4. 9.]
    """
    return X * X


@square.gradient_maker
def _(g):
    # The gradient that flows in is doubled where it lies.
    return [
        g.define("Scale", [g.GO(0)], [g.GO(0)], scale=2.0),
        g.define("Mul", [g.GO(0), g.I(0)], [g.GI(0)]),
    ]


@operator("Cube", types={"X": "int32 int64 float32 float64"})
def cube(X):
    """The third power.

    ``Y = X ** 3``

    Inputs:
        X: Numbers of any shape.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Cube", X=[-2.0, 3.0])
        Y = [-8. 27.]
    """
    return X * X * X


@cube.gradient("dY, X -> dX")
def _(dY, X):
    """``3 * dY * X ** 2``."""
    return dY * X * X * 3


@operator("Sqrt", inplace="X -> Y", types={"X": "float32 float64"})
def square_root(X):
    """The square root; nan below zero.

    ``Y = X ** (1/2)``

    Inputs:
        X: Values of any shape, float32 or float64.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sqrt", X=[4.0, 9.0])
        Y = [2. 3.]
    """
    return jnp.sqrt(X)


@square_root.gradient_maker
def _(g):
    gradient = g.GI(0)
    return [
        g.define("Scale", [g.GO(0)], [gradient], scale=0.5),
        g.define("Div", [gradient, g.O(0)], [gradient]),
    ]


@operator("Rsqrt", inplace="X -> Y", types=FLOAT)
def reciprocal_square_root(X):
    """One over the square root.

    ``Y = X ** (-1/2)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Rsqrt", X=[4.0, 16.0])
        Y = [0.5  0.25]
    """
    return jax.lax.rsqrt(X)


@reciprocal_square_root.gradient("dY, Y -> dX", inplace="dY -> dX")
def _(dY, Y):
    """``-dY * Y ** 3 / 2``."""
    return dY * Y * Y * Y * -0.5


@operator("Cbrt", inplace="X -> Y", types=FLOAT)
def cube_root(X):
    """The cube root, negative for what is negative.

    ``Y = X ** (1/3)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Cbrt", X=[-8.0, 27.0])
        Y = [-2.  3.]
    """
    return jnp.cbrt(X)


@cube_root.gradient("dY, Y -> dX", inplace="dY -> dX")
def _(dY, Y):
    """``dY / (3 * Y ** 2)``."""
    return dY / (Y * Y * 3)


@operator("Reciprocal", inplace="X -> Y", types=FLOAT)
def reciprocal(X):
    """One over the value.

    ``Y = 1 / X``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Reciprocal", X=[2.0, -4.0])
        Y = [ 0.5  -0.25]
    """
    return 1 / X


@reciprocal.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """``-dY * Y ** 2``."""
    return -dY * Y * Y


@operator("Exp", inplace="X -> Y", types=FLOAT)
def exponential(X):
    """The exponential function.

    ``Y = e ** X``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Exp", X=[0.0, 1.0])
        Y = [1.        2.71828...]
    """
    return jnp.exp(X)


@exponential.gradient_maker
def _(g):
    return [g.define("Mul", [g.O(0), g.GO(0)], [g.GI(0)])]


@operator("Log", inplace="X -> Y", types=FLOAT)
def logarithm(X):
    """The natural logarithm; -inf at zero, nan below.

    ``Y = log(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Log", X=[1.0, 10.0])
        Y = [0.        2.30258...]
    """
    return jnp.log(X)


@logarithm.gradient_maker
def _(g):
    return [g.define("Div", [g.GO(0), g.I(0)], [g.GI(0)])]


@operator("Erf", gradient="X, dY -> dX", types=FLOAT)
def error_function(X):
    """The error function: twice the integral of the bell curve from 0 to X.

    ``Y = erf(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Erf", X=[0.0, 1.0])
        Y = [0.         0.84270...]
    """
    return jax.scipy.special.erf(X)
