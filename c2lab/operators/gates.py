"""Gates: smooth activations that weigh a value by how large it is."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator


@operator("Softplus", inplace="X -> Y", types={"X": "float32"})
def softplus(X):
    """A rectifier with a rounded corner.

    ``Y = log(1 + exp(X))``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Softplus", X=[-100.0, 0.0, 100.0])
        Y = [  0.          0.69314... 100.       ]
    """
    return jnp.logaddexp(X, jnp.zeros((), X.dtype))


@softplus.gradient("Y, dY -> dX", inplace="dY -> dX")
def _(Y, dY):
    """``dY * (1 - exp(-Y))``, which is the sigmoid of the input."""
    return -dY * jnp.expm1(-Y)


@operator("Softsign", inplace="X -> Y", types={"X": "float32"})
def softsign(X):
    """Squeezes every value between -1 and 1, more slowly than tanh.

    ``Y = X / (1 + |X|)``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Softsign", X=[-1.0, 0.0, 3.0])
        Y = [-0.5   0.    0.75]
    """
    return X / (1 + jnp.abs(X))


@softsign.gradient("X, dY -> dX", inplace="dY -> dX")
def _(X, dY):
    """``dY / (1 + |X|) ** 2``."""
    return dY / jnp.square(1 + jnp.abs(X))


@operator("Gelu", gradient="dY, X -> dX", types={"X": "float32"})
def gelu(X, *, fast_gelu: bool = False):
    """Weighs each value by the chance that a normal draw is below it.

    ``Y = X * Phi(X)``, with Phi the normal distribution function.

    Inputs:
        X: Values of any shape, float32.
    Args:
        fast_gelu: Computes Phi by its tanh approximation.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Gelu", X=[-1.0, 0.0, 1.0])
        Y = [-0.15865...  0.          0.84134... ]
    Source:
        Hendrycks, Gimpel, "Gaussian error linear units", 2016.
    """
    return jax.nn.gelu(X, approximate=fast_gelu)


@operator("Swish", types={"X": "float32"})
def swish(X):
    """Weighs each value by its own sigmoid.

    ``Y = X / (1 + exp(-X))``

    Inputs:
        X: Values of any shape, float32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Swish", X=[-1.0, 0.0, 1.0])
        Y = [-0.26894...  0.          0.73105... ]
    Source:
        Ramachandran, Zoph, Le, "Searching for activation functions", 2017.
    """
    return X * jax.nn.sigmoid(X)


@swish.gradient("X, Y, dY -> dX", inplace="dY -> dX")
def _(X, Y, dY):
    """``dY * (Y + sigmoid(X) * (1 - Y))``."""
    return dY * (Y + jax.nn.sigmoid(X) * (1 - Y))


@operator("Mish", gradient="X, Y, dY -> dX", types={"X": "float32 float64"})
def mish(X):
    """Weighs each value by the tanh of its softplus.

    ``Y = X * tanh(log(1 + exp(X)))``

    Inputs:
        X: Values of any shape, float32 or float64.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Mish", X=[-1.0, 0.0, 1.0])
        Y = [-0.30340...  0.          0.86509... ]
    Source:
        Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """
    return X * jnp.tanh(jnp.logaddexp(X, jnp.zeros((), X.dtype)))


@operator("Glu", types={"X": "float32"})
def glu(X, *, dim: int = -1):
    """Gated linear unit: one half of the input opens and closes the other half.

    ``Y = A * sigmoid(B)``, where A and B are the first and second half of X along ``dim``.

    Inputs:
        X: Values of any shape, float32; its size along ``dim`` is even.
    Args:
        dim: The dimension that is halved.
    Outputs:
        Y: X's shape with ``dim`` half as long.
    Example:
        >>> run("Glu", X=[4.0, 2.0, 0.0, 100.0])
        Y = [2. 2.]
    Source:
        Dauphin, Fan, Auli, Grangier, "Language modeling with gated convolutional networks", 2016.
    """
    axis = canonical_axis(dim, X.ndim)
    require_shape(
        X.shape[axis] % 2 == 0, f"X is {X.shape}; its size along dimension {axis} must be even, to be cut in half"
    )
    A, B = jnp.split(X, 2, axis)
    return A * jax.nn.sigmoid(B)


@operator("Logit", inplace="X -> Y", types={"X": "float32"})
def logit(X, *, eps: float = 1e-6):
    """Inverse of the sigmoid: a probability becomes a log of odds.

    ``Y = log(p / (1 - p))`` with ``p = min(max(X, eps), 1 - eps)``

    Inputs:
        X: Probabilities, any shape, float32.
    Args:
        eps: How close to 0 and 1 a probability may come.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("Logit", X=[0.0, 0.5, 0.75], eps=0.25)
        Y = [-1.09861...  0.         1.09861...]
    """
    probability = jnp.clip(X, eps, 1 - eps)
    return jnp.log(probability / (1 - probability))


@logit.gradient("X, dY -> dX")
def _(X, dY, *, eps: float = 1e-6):
    """``dY / (X * (1 - X))``, zero where the probability was moved to the edge."""
    inside = (X >= eps) & (X <= 1 - eps)
    safe = jnp.where(inside, X, jnp.asarray(0.5, X.dtype))
    return jnp.where(inside, dY / (safe * (1 - safe)), 0).astype(dY.dtype)
