"""Gradient flow: operators that leave values alone and change what comes back."""

from __future__ import annotations

from c2lab.operators.definition import operator


@operator("ZeroGradient", outputs="")
def zero_gradient(X):
    """Gives its input a gradient of zeros, where nothing else would give it one.

    It has no output: it only stands in the net so that the gradient of X exists.

    Inputs:
        X: Values of any shape.
    Example:
        >>> run("ZeroGradient", X=[1.0, 2.0])
    """
    return ()


@zero_gradient.gradient_maker
def _(g):
    return [g.define("ConstantFill", [g.I(0)], [g.GI(0)])]


@operator("NegateGradient", inplace="X -> Y")
def negate_gradient(X):
    """Passes values on and turns the sign of the gradient: gradient ascent below, descent above.

    ``Y = X``, and ``dX = -dY``.

    Inputs:
        X: Values of any shape and type.
    Outputs:
        Y: The values of X.
    Example:
        >>> run("NegateGradient", X=[1.0, 2.0])
        Y = [1. 2.]

    Source:
        Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", 2015.
    """
    return X


@negate_gradient.gradient_maker
def _(g):
    return [g.define("Negative", [g.GO(0)], [g.GI(0)])]
