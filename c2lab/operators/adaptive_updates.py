"""Adaptive updates: optimizers that find each weight's rate from the gradients they have seen."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.updates import require_equal_shapes, scalar


def adadelta_step(grad, moment, delta, epsilon: float, decay: float):
    """The step to scale and add, and both new means."""
    squared = decay * moment + (1 - decay) * jnp.square(grad)
    step = jnp.sqrt(delta + epsilon) / jnp.sqrt(squared + epsilon) * grad
    return step, squared, decay * delta + (1 - decay) * jnp.square(step)


def ftrl_state(param, n_z, grad, alpha):
    """The new sums n and z of FTRL, side by side in the last dimension of ``n_z``."""
    n, z = n_z[..., 0], n_z[..., 1]
    total = n + jnp.square(grad)
    return total, z + grad - (jnp.sqrt(total) - jnp.sqrt(n)) / alpha * param


def ftrl_weight(n, z, alpha, beta: float, lambda1: float, lambda2: float):
    """The weight that FTRL's sums stand for."""
    shrunk = (lambda1 * jnp.sign(z) - z) / ((beta + jnp.sqrt(n)) / alpha + lambda2)
    return jnp.where(jnp.abs(z) <= lambda1, jnp.zeros((), z.dtype), shrunk)


@operator(
    "Adadelta",
    outputs="output_param, output_moment, output_moment_delta",
    gradient="refused",
    inplace="param -> output_param, moment -> output_moment, moment_delta -> output_moment_delta",
)
def adadelta(param, moment, moment_delta, grad, lr, *, epsilon: float = 1e-5, decay: float = 0.95):
    """Adadelta: steps as large as past steps were, relative to the gradients.

    ``h' = decay * h + (1 - decay) * g^2``;  ``s = sqrt(d + epsilon) / sqrt(h' + epsilon) * g``;
    ``d' = decay * d + (1 - decay) * s^2``;  ``w' = w + lr * s``

    Inputs:
        param: The parameter.
        moment: The running mean of squared gradients, h.
        moment_delta: The running mean of squared steps, d.
        grad: The gradient.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
        decay: How much of the means is kept.
    Outputs:
        output_param: The new parameter.
        output_moment: The new mean of squared gradients.
        output_moment_delta: The new mean of squared steps.
    Example:
        >>> run("Adadelta", param=[1.0], moment=[0.0], moment_delta=[0.0], grad=[2.0], lr=[-1.0],
        ...     decay=0.5, epsilon=2.0)
        output_param = [-0.41421354]
        output_moment = [2.]
        output_moment_delta = [0.99999994]
    Source:
        Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    """
    require_equal_shapes(param=param, moment=moment, moment_delta=moment_delta, grad=grad)
    step, squared, delta = adadelta_step(grad, moment, moment_delta, epsilon, decay)
    return param + scalar(lr) * step, squared, delta


@operator(
    "RmsProp",
    outputs="output_grad, output_mean_squares, output_momentum",
    gradient="refused",
    inplace="grad -> output_grad, mean_squares -> output_mean_squares, momentum_blob -> output_momentum",
)
def rms_prop(
    grad, mean_squares, momentum_blob, lr, *, decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-5
):
    """RmsProp: the gradient over the root of its mean square, with momentum; the step is not subtracted here.

    ``ms' = ms + (1 - decay) * (g^2 - ms)``;  ``m' = momentum * m + lr * g / sqrt(ms' + epsilon)``;  ``g' = m'``

    Inputs:
        grad: The gradient.
        mean_squares: The running mean of squared gradients.
        momentum_blob: The momentum.
        lr: The rate, one positive number.
    Args:
        decay: How much of the mean square is kept.
        momentum: How much of the last step is kept.
        epsilon: Keeps the division finite; added under the root.
    Outputs:
        output_grad: The step to subtract.
        output_mean_squares: The new mean square.
        output_momentum: The new momentum.
    Example:
        >>> run("RmsProp", grad=[2.0], mean_squares=[0.0], momentum_blob=[1.0], lr=[1.0], decay=0.0, momentum=0.5)
        output_grad = [1.4999988]
        output_mean_squares = [4.]
        output_momentum = [1.4999988]
    Source:
        Tieleman and Hinton, Lecture 6.5: divide the gradient by a running average of its recent magnitude, 2012.
    """
    require_equal_shapes(grad=grad, mean_squares=mean_squares, momentum_blob=momentum_blob)
    squares = mean_squares + (1 - decay) * (jnp.square(grad) - mean_squares)
    step = momentum * momentum_blob + scalar(lr) * grad / jnp.sqrt(squares + epsilon)
    return step, squares, step


def _require_ftrl(var, n_z, grad) -> None:
    require_equal_shapes(var=var, grad=grad)
    require_shape(
        tuple(n_z.shape) == (*var.shape, 2),
        f"n_z is {tuple(n_z.shape)}, but var is {tuple(var.shape)}; n_z must be {(*var.shape, 2)}",
    )


@operator(
    "Ftrl",
    outputs="output_var, output_n_z",
    gradient="refused",
    inplace="var -> output_var, n_z -> output_n_z",
)
def ftrl(
    var,
    n_z,
    grad,
    alpha_input=None,
    *,
    alpha: float = 0.005,
    beta: float = 1.0,
    lambda1: float = 0.001,
    lambda2: float = 0.001,
):
    """FTRL-proximal: keeps weights that are of little use at exactly zero.

    ``n' = n + g^2``;  ``z' = z + g - (sqrt(n') - sqrt(n)) / alpha * w``;  ``w' = 0`` where ``|z'| <= lambda1``,
    else ``(lambda1 * sign(z') - z') / ((beta + sqrt(n')) / alpha + lambda2)``

    Inputs:
        var: The parameter.
        n_z: Its sums n and z, side by side in one more dimension of size 2.
        grad: The gradient.
        alpha_input: The rate, one number, in place of the argument.
    Args:
        alpha: The rate.
        beta: Slows the first steps.
        lambda1: Keeps weights at zero until their z is larger than this.
        lambda2: Pulls weights towards zero.
    Outputs:
        output_var: The new parameter.
        output_n_z: The new sums.
    Example:
        >>> run("Ftrl", var=[0.0], n_z=[[0.0, 0.0]], grad=[2.0], alpha=1.0, beta=0.0, lambda1=0.0, lambda2=0.0)
        output_var = [-1.]
        output_n_z = [[4. 2.]]
    Source:
        McMahan et al., Ad click prediction: a view from the trenches, 2013.
    """
    _require_ftrl(var, n_z, grad)
    rate = alpha if alpha_input is None else scalar(alpha_input)
    n, z = ftrl_state(var, n_z, grad, rate)
    return ftrl_weight(n, z, rate, beta, lambda1, lambda2), jnp.stack([n, z], axis=-1)


@operator(
    "GFtrl",
    outputs="output_var, output_n_z",
    gradient="refused",
    inplace="var -> output_var, n_z -> output_n_z",
)
def group_ftrl(
    var,
    n_z,
    grad,
    alpha_input=None,
    *,
    alpha: float = 0.005,
    beta: float = 1.0,
    lambda1: float = 0.001,
    lambda2: float = 0.001,
):
    """FTRL by groups: keeps whole columns of weights at exactly zero.

    ``n'``, ``z'`` as in Ftrl;  for each column ``r = |z'|``, ``c = lambda1 * sqrt(rows)``;
    ``w' = 0`` where ``r <= c``, else ``z' * (c / r - 1) / ((beta + sqrt(n')) / alpha + lambda2)``

    Inputs:
        var: The parameter; its first dimension is the rows, the others together the columns.
        n_z: Its sums n and z, side by side in one more dimension of size 2.
        grad: The gradient.
        alpha_input: The rate, one number, in place of the argument.
    Args:
        alpha: The rate.
        beta: Slows the first steps.
        lambda1: Keeps columns at zero until their z is larger than this times the root of the rows.
        lambda2: Pulls weights towards zero.
    Outputs:
        output_var: The new parameter.
        output_n_z: The new sums.
    Example:
        >>> run("GFtrl", var=[0.0], n_z=[[0.0, 0.0]], grad=[2.0], alpha=1.0, beta=0.0, lambda1=0.0, lambda2=0.0)
        output_var = [-1.]
        output_n_z = [[4. 2.]]
    """
    _require_ftrl(var, n_z, grad)
    rate = alpha if alpha_input is None else scalar(alpha_input)
    n, z = ftrl_state(var, n_z, grad, rate)
    norm = jnp.sqrt(jnp.sum(jnp.square(z), axis=0, keepdims=True))
    bound = lambda1 * (var.shape[0] ** 0.5)
    kept = z * (bound / jnp.where(norm > 0, norm, 1) - 1) / ((beta + jnp.sqrt(n)) / rate + lambda2)
    return jnp.where(norm <= bound, jnp.zeros((), z.dtype), kept), jnp.stack([n, z], axis=-1)


@operator(
    "Wngrad",
    outputs="output_param, output_seq_b, output_effective_lr?, output_update?",
    gradient="refused",
    inplace="param -> output_param, seq_b -> output_seq_b",
)
def wngrad(param, seq_b, grad, lr, *, epsilon: float = 1e-5):
    """WNGrad: one rate for all weights, which falls with the gradients' size.

    ``w' = w + lr * g / (b + epsilon)``;  ``b' = b + sum(g^2) / (b + epsilon)``

    Inputs:
        param: The parameter.
        seq_b: What the rate is divided by, one number.
        grad: The gradient.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
    Outputs:
        output_param: The new parameter.
        output_seq_b: The new divisor.
        output_effective_lr: The rate that was used, one number.
        output_update: What was added.
    Example:
        >>> run("Wngrad", param=[1.0], seq_b=[2.0], grad=[2.0], lr=[-1.0], epsilon=0.0)
        output_param = [0.]
        output_seq_b = [4.]
    Source:
        Wu, Ward and Bottou, WNGrad: learn the learning rate in gradient descent, 2018.
    """
    require_equal_shapes(param=param, grad=grad)
    divisor = scalar(seq_b) + epsilon
    rate = scalar(lr) / divisor
    new = seq_b + jnp.sum(jnp.square(grad)) / divisor
    return param + rate * grad, new, rate.reshape(1), rate * grad


def storm_rate(grad_sq_sum, grad, lr, beta: float):
    """The new sum of squared gradients, and the rate that follows from it."""
    total = grad_sq_sum + jnp.sum(jnp.square(grad))
    return total, scalar(lr) * jnp.power(beta + scalar(total), -1.0 / 3.0)


@operator(
    "Storm",
    outputs="output_param, output_moment, output_grad_sq_sum",
    gradient="refused",
    inplace="param -> output_param, moment -> output_moment, grad_sq_sum -> output_grad_sq_sum",
)
def storm(param, moment, grad_sq_sum, grad, lr, *, momentum: float = 10.0, beta: float = 0.1):
    """STORM: momentum that corrects itself, with a rate that needs no tuning.

    ``s' = s + sum(g^2)``;  ``rate = lr * (beta + s')^(-1/3)``;  ``a = momentum * rate^2``;
    ``m' = g + (1 - a) * (m - g)``;  ``w' = w + rate * m'``

    Inputs:
        param: The parameter.
        moment: The momentum.
        grad_sq_sum: The sum of squared gradients so far, one number.
        grad: The gradient.
        lr: The rate, one number, negative for descent.
    Args:
        momentum: How fast the momentum follows the gradient.
        beta: Bounds the first rates.
    Outputs:
        output_param: The new parameter.
        output_moment: The new momentum.
        output_grad_sq_sum: The new sum.
    Example:
        >>> run("Storm", param=[1.0], moment=[0.0], grad_sq_sum=[0.0], grad=[1.0], lr=[-1.0], momentum=1.0, beta=0.0)
        output_param = [0.]
        output_moment = [1.]
        output_grad_sq_sum = [1.]
    Source:
        Cutkosky and Orabona, Momentum-based variance reduction in non-convex SGD, 2019.
    """
    require_equal_shapes(param=param, moment=moment, grad=grad)
    total, rate = storm_rate(grad_sq_sum, grad, lr, beta)
    kept = grad + (1 - momentum * jnp.square(rate)) * (moment - grad)
    return param + rate * kept, kept, total
