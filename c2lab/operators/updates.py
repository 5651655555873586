"""Updates: one step of an optimizer on a dense parameter.

Where a rate ``lr`` is *added* (``param + lr * step``) the builders pass it negative; the
momentum operators and RmsProp subtract, and take it positive.
"""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"


def scalar(value):
    """The one number of a rate or a counter, as a float32 or int64 scalar."""
    require_shape(value.size == 1, f"a rate or counter must hold one number, but it is {tuple(value.shape)}")
    return jnp.reshape(value, ())


def require_equal_shapes(**values) -> None:
    """Demands that a parameter, its state and its gradient have one shape and one element type."""
    first, *rest = values.items()
    require_same_type(*values.values())
    for name, value in rest:
        require_shape(
            tuple(value.shape) == tuple(first[1].shape),
            f"{name} is {tuple(value.shape)}, but {first[0]} is {tuple(first[1].shape)}; they must be equal",
        )


def momentum_step(grad, moment, rate, momentum: float, nesterov: bool):
    """The step to subtract, and the new momentum."""
    kept = momentum * moment + rate * grad
    return ((1 + momentum) * kept - momentum * moment if nesterov else kept), kept


def adam_step(grad, moment_1, moment_2, iter, beta1: float, beta2: float, epsilon: float):
    """The step to scale and add, and both new moments."""
    t = scalar(iter).astype(jnp.float32) + 1
    first = beta1 * moment_1 + (1 - beta1) * grad
    second = beta2 * moment_2 + (1 - beta2) * jnp.square(grad)
    correction = jnp.sqrt(1 - jnp.power(jnp.float32(beta2), t)) / (1 - jnp.power(jnp.float32(beta1), t))
    return correction * first / (jnp.sqrt(second) + epsilon), first, second


@operator("WeightedSum", outputs="output", inplace=[(0, 0)])
def weighted_sum(*X):
    """Sums blobs, each times its own weight: plain gradient descent is one such sum.

    ``Y = w0 * X0 + w1 * X1 + ...``

    Inputs:
        X: X0, w0, X1, w1, ...: blobs of one shape, and weights of one number each.
    Outputs:
        output: Of the shape of X0; may overwrite X0.
    Example:
        >>> run("WeightedSum", X=([1.0, 2.0], [1.0], [10.0, 20.0], [0.5]))
        output = [ 6. 12.]
    """
    require_shape(
        len(X) >= 2 and len(X) % 2 == 0, f"the inputs are pairs of a blob and its weight, but there are {len(X)}"
    )
    require_equal_shapes(**{f"X{k}": value for k, value in enumerate(X[::2])})
    total = None
    for value, weight in zip(X[::2], X[1::2], strict=True):
        term = value * scalar(weight).astype(value.dtype)
        total = term if total is None else total + term
    return total


@weighted_sum.gradient("doutput, X -> dX")
def _(doutput, *X, grad_on_w: bool = False):
    """The gradient of a weighted sum: each weight times the gradient, and on demand that of the weights."""
    gradients = [doutput * scalar(weight).astype(doutput.dtype) for weight in X[1::2]]
    if grad_on_w:
        gradients += [
            jnp.sum(doutput * value).reshape(weight.shape).astype(weight.dtype)
            for value, weight in zip(X[::2], X[1::2], strict=True)
        ]
    return tuple(gradients)


@weighted_sum.gradient_maker
def _(g):
    pairs = range(0, len(g.op.input), 2)
    outputs = [g.GI(k) for k in pairs]
    if g.argument("grad_on_w", 0):
        outputs += [g.GI(k + 1) for k in pairs]
    return [g.define("WeightedSumGradient", [g.GO(0), *g.op.input], outputs)]


_MOMENTUM_PAIRS = [(0, 0), (1, 1)]


@operator("MomentumSGD", outputs="output_grad, output_moment", gradient="refused", inplace=_MOMENTUM_PAIRS)
def momentum_sgd(grad, moment, lr, *, momentum: float = 0.0, nesterov: bool = False):
    """Gradient descent with momentum: the step to subtract, without subtracting it.

    ``m' = momentum * m + lr * g``;  ``g' = m'``, with nesterov ``g' = (1 + momentum) * m' - momentum * m``

    Inputs:
        grad: The gradient.
        moment: The momentum, of the gradient's shape; it holds steps, so the rate is in it.
        lr: The learning rate, one positive number.
    Args:
        momentum: How much of the last step is kept.
        nesterov: Looks one step ahead.
    Outputs:
        output_grad: The step.
        output_moment: The new momentum.
    Example:
        >>> run("MomentumSGD", grad=[1.0], moment=[2.0], lr=[0.5], momentum=0.5)
        output_grad = [1.5]
        output_moment = [1.5]
    """
    require_equal_shapes(grad=grad, moment=moment)
    return momentum_step(grad, moment, scalar(lr), momentum, nesterov)


@operator(
    "MomentumSGDUpdate",
    outputs="output_grad, output_moment, output_param",
    gradient="refused",
    inplace="grad -> output_grad, moment -> output_moment, param -> output_param",
)
def momentum_sgd_update(grad, moment, lr, param, *, momentum: float = 0.0, nesterov: bool = False):
    """Gradient descent with momentum.

    ``m' = momentum * m + lr * g``;  ``g' = m'``, with nesterov ``g' = (1 + momentum) * m' - momentum * m``;
    ``w' = w - g'``

    Inputs:
        grad: The gradient.
        moment: The momentum, of the gradient's shape; it holds steps, so the rate is in it.
        lr: The learning rate, one positive number.
        param: The parameter.
    Args:
        momentum: How much of the last step is kept.
        nesterov: Looks one step ahead.
    Outputs:
        output_grad: The step that was subtracted.
        output_moment: The new momentum.
        output_param: The new parameter.
    Example:
        >>> run("MomentumSGDUpdate", grad=[1.0], moment=[2.0], lr=[0.5], param=[10.0], momentum=0.5)
        output_grad = [1.5]
        output_moment = [1.5]
        output_param = [8.5]
    """
    require_equal_shapes(grad=grad, moment=moment, param=param)
    step, kept = momentum_step(grad, moment, scalar(lr), momentum, nesterov)
    return step, kept, param - step


@operator(
    "Adagrad",
    outputs="output_param, output_moment, output_effective_lr?, output_update?",
    gradient="refused",
    inplace="param -> output_param, moment -> output_moment",
)
def adagrad(param, moment, grad, lr, *, epsilon: float = 1e-5, decay: float = 1.0, weight_decay: float = 0.0):
    """Adagrad: each weight's rate falls with the sum of its squared gradients.

    ``h' = decay * h + g^2``;  ``w' = w + lr * g / (sqrt(h') + epsilon)``, with ``g`` plus ``weight_decay * w``

    Inputs:
        param: The parameter.
        moment: The sum of squared gradients so far.
        grad: The gradient.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
        decay: How much of the sum is kept.
        weight_decay: Adds this share of the parameter to the gradient.
    Outputs:
        output_param: The new parameter.
        output_moment: The new sum.
        output_effective_lr: The rate of each weight.
        output_update: What was added.
    Example:
        >>> run("Adagrad", param=[1.0], moment=[0.0], grad=[2.0], lr=[-0.5], epsilon=1e-8)
        output_param = [0.5]
        output_moment = [4.]
    Source:
        Duchi, Hazan and Singer, Adaptive subgradient methods, 2011.
    """
    require_equal_shapes(param=param, moment=moment, grad=grad)
    full = grad + weight_decay * param
    total = decay * moment + jnp.square(full)
    rate = scalar(lr) / (jnp.sqrt(total) + epsilon)
    return param + rate * full, total, rate, rate * full


@operator(
    "Adam",
    outputs="output_param, output_moment_1, output_moment_2, output_grad?",
    gradient="refused",
    inplace="param -> output_param, moment_1 -> output_moment_1, moment_2 -> output_moment_2",
)
def adam(param, moment_1, moment_2, grad, lr, iter, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-5):
    """Adam: steps by the mean gradient over the root of the mean squared gradient.

    ``m' = b1 * m + (1 - b1) * g``;  ``v' = b2 * v + (1 - b2) * g^2``;
    ``w' = w + lr * sqrt(1 - b2^t) / (1 - b1^t) * m' / (sqrt(v') + epsilon)``,  ``t = iter + 1``

    Inputs:
        param: The parameter.
        moment_1: The running mean of gradients.
        moment_2: The running mean of squared gradients.
        grad: The gradient.
        lr: The rate, one number, negative for descent.
        iter: The iteration, one int64.
    Args:
        beta1: How much of the mean gradient is kept.
        beta2: How much of the mean squared gradient is kept.
        epsilon: Keeps the division finite; added after the root.
    Outputs:
        output_param: The new parameter.
        output_moment_1: The new mean gradient.
        output_moment_2: The new mean squared gradient.
        output_grad: The step before it is scaled by lr.
    Example:
        >>> run("Adam", param=[1.0], moment_1=[0.0], moment_2=[0.0], grad=[2.0], lr=[-0.5], iter=[0], epsilon=1e-8)
        output_param = [0.50000346]
        output_moment_1 = [0.2]
        output_moment_2 = [0.004]
    Source:
        Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """
    require_equal_shapes(param=param, moment_1=moment_1, moment_2=moment_2, grad=grad)
    step, first, second = adam_step(grad, moment_1, moment_2, iter, beta1, beta2, epsilon)
    return param + scalar(lr) * step, first, second, step
