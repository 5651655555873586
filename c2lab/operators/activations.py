"""Activations: elementwise functions that bend what a layer computed."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator


@operator("Relu", inplace="X -> Y", types={"X": "float32"})
def relu(X):
    """Rectifier: keeps what is positive, makes the rest zero.

    ``Y = max(X, 0)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Relu", X=[-1.0, 0.0, 2.0])
        Y = [0. 0. 2.]
    """
    return jnp.maximum(X, jnp.zeros((), X.dtype))


@relu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """Passes the gradient where the output is positive (zero at zero)."""
    return jnp.where(Y > 0, dY, 0).astype(dY.dtype)


@operator("ReluN", inplace="X -> Y", types={"X": "float32"})
def relu_n(X, *, n: float = 6.0):
    """Rectifier with a ceiling.

    ``Y = min(max(X, 0), n)``

    Inputs:
        X: Values of any shape, float32.
    Args:
        n: The ceiling, positive.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("ReluN", X=[-1.0, 3.0, 9.0])
        Y = [0. 3. 6.]
    """
    return jnp.clip(X, 0, n)


@relu_n.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, n: float = 6.0):
    """Passes the gradient strictly between zero and the ceiling."""
    return jnp.where((Y > 0) & (Y < n), dY, 0).astype(dY.dtype)


@operator("LeakyRelu", inplace="X -> Y", types={"X": "float32"})
def leaky_relu(X, *, alpha: float = 0.01):
    """Rectifier that lets a little of the negative side through.

    ``Y = X where X >= 0, alpha * X elsewhere``

    Inputs:
        X: Values of any shape, float32.
    Args:
        alpha: Slope of the negative side.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("LeakyRelu", X=[-1.0, 2.0], alpha=0.5)
        Y = [-0.5  2. ]
    Source:
        Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """
    return jnp.where(X >= 0, X, alpha * X)


@leaky_relu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, alpha: float = 0.01):
    """Scales the gradient by the slope of the side that the output is on."""
    return jnp.where(Y >= 0, dY, alpha * dY)


@operator("ThresholdedRelu", inplace="X -> Y", types={"X": "float32"})
def thresholded_relu(X, *, alpha: float = 1.0):
    """Rectifier that opens at a threshold.

    ``Y = X where X > alpha, 0 elsewhere``

    Inputs:
        X: Values of any shape, float32.
    Args:
        alpha: The threshold.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("ThresholdedRelu", X=[0.5, 1.0, 1.5])
        Y = [0.  0.  1.5]
    """
    return jnp.where(X > alpha, X, 0).astype(X.dtype)


@thresholded_relu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, alpha: float = 1.0):
    """Passes the gradient where the output is positive."""
    return jnp.where(Y > 0, dY, 0).astype(dY.dtype)


@operator("PRelu", gradient="Y, dY, X, Slope -> dX, dSlope", inplace="X -> Y", types={"X": "float32"})
def prelu(X, Slope, *, order: str = "NCHW"):
    """Rectifier whose negative slope is learned, one for all channels or one a channel.

    ``Y = X where X > 0, Slope * X elsewhere``

    Inputs:
        X: Values (N, C, ...), or (N, ..., C) in NHWC, float32.
        Slope: Slopes (1,) or (C,), float32.
    Args:
        order: Where the channels stand: NCHW or NHWC.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("PRelu", X=[[-1.0, -1.0]], Slope=[0.5, 0.25])
        Y = [[-0.5  -0.25]]
    Source:
        He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    """
    if Slope.size == 1:
        slope = Slope.reshape(())
    else:
        channel = 1 if order == "NCHW" else X.ndim - 1
        require_shape(
            X.ndim > 1 and Slope.ndim == 1 and Slope.shape[0] == X.shape[channel],
            f"Slope is {Slope.shape} but X is {X.shape} in {order}; Slope must be (1,) or one value a channel",
        )
        slope = Slope.reshape([-1 if axis == channel else 1 for axis in range(X.ndim)])
    return jnp.where(X > 0, X, slope * X)


@operator("Elu", inplace="X -> Y", types={"X": "float32"})
def elu(X, *, alpha: float = 1.0):
    """Exponential linear unit: the negative side saturates at ``-alpha``.

    ``Y = X where X > 0, alpha * (exp(X) - 1) elsewhere``

    Inputs:
        X: Values of any shape, float32.
    Args:
        alpha: How deep the negative side goes.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Elu", X=[-100.0, 0.0, 2.0])
        Y = [-1.  0.  2.]
    Source:
        Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by ELUs", 2015.
    """
    return jnp.where(X > 0, X, alpha * jnp.expm1(X))


@elu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, alpha: float = 1.0):
    """One on the positive side, ``Y + alpha`` on the negative one."""
    return jnp.where(Y > 0, dY, dY * (Y + alpha))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@operator("Selu", inplace="X -> Y", types={"X": "float32"})
def selu(X, *, alpha: float = SELU_ALPHA, scale: float = SELU_SCALE):
    """Scaled exponential linear unit, which keeps layers at mean 0 and variance 1.

    ``Y = scale * (X where X > 0, alpha * (exp(X) - 1) elsewhere)``

    Inputs:
        X: Values of any shape, float32.
    Args:
        alpha: How deep the negative side goes.
        scale: Slope of the positive side.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Selu", X=[-100.0, 0.0, 2.0], alpha=1.5, scale=2.0)
        Y = [-3.  0.  4.]
    Source:
        Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", 2017.
    """
    return scale * jnp.where(X > 0, X, alpha * jnp.expm1(X))


@selu.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, alpha: float = SELU_ALPHA, scale: float = SELU_SCALE):
    """``scale`` on the positive side, ``Y + scale * alpha`` on the negative one."""
    return dY * jnp.where(Y > 0, jnp.asarray(scale, Y.dtype), Y + scale * alpha)


@operator("Sigmoid", inplace="X -> Y", types={"X": "float32"})
def sigmoid(X):
    """Logistic function: squeezes every value between 0 and 1.

    ``Y = 1 / (1 + exp(-X))``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Sigmoid", X=[-100.0, 0.0, 100.0])
        Y = [0.  0.5 1. ]
    """
    return jax.nn.sigmoid(X)


@sigmoid.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """``dY * Y * (1 - Y)``."""
    return dY * Y * (1 - Y)


@operator("HardSigmoid", inplace="X -> Y", types={"X": "float32"})
def hard_sigmoid(X, *, alpha: float = 0.2, beta: float = 0.5):
    """A straight line in place of the logistic function, cut at 0 and 1.

    ``Y = min(max(alpha * X + beta, 0), 1)``

    Inputs:
        X: Values of any shape, float32.
    Args:
        alpha: Slope of the line.
        beta: Its value at zero.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("HardSigmoid", X=[-5.0, 0.0, 5.0])
        Y = [0.  0.5 1. ]
    """
    return jnp.clip(alpha * X + beta, 0, 1)


@hard_sigmoid.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY, *, alpha: float = 0.2):
    """``alpha`` strictly between the cuts, zero beyond."""
    return jnp.where((Y > 0) & (Y < 1), alpha * dY, 0).astype(dY.dtype)


@operator("Tanh", inplace="X -> Y", types={"X": "float32"})
def tanh(X):
    """Hyperbolic tangent: squeezes every value between -1 and 1.

    ``Y = tanh(X)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Tanh", X=[-100.0, 0.0, 100.0])
        Y = [-1.  0.  1.]
    """
    return jnp.tanh(X)


@tanh.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """``dY * (1 - Y ** 2)``."""
    return dY * (1 - Y * Y)
