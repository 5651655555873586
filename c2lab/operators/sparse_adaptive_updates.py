"""Sparse adaptive updates: Adam and its kin on the rows of a parameter that a batch has touched.

Rows that are not named keep their state as it is: nothing decays there.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.operators.adaptive_updates import adadelta_step, ftrl_state, ftrl_weight, storm_rate
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.sparse_updates import INDICES, in_order, row_mean, slices_of, spread
from c2lab.operators.updates import scalar


def _in_place(*names: str) -> str:
    """The in-place pairs of inputs and their outputs: allowed, and demanded."""
    return ", ".join(f"{name} {arrow} output_{name}" for arrow in ("->", "=>") for name in names)


def _corrections(iter, beta1: float, beta2: float, rectified: bool):
    """Adam's bias correction, and for the rectified kind whether the variance is known well enough to divide by."""
    t = scalar(iter).astype(jnp.float32) + 1
    power_1, power_2 = jnp.power(jnp.float32(beta1), t), jnp.power(jnp.float32(beta2), t)
    plain = jnp.sqrt(1 - power_2) / (1 - power_1)
    if not rectified:
        return plain, None, None
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * t * power_2 / (1 - power_2)
    held = jnp.maximum(length, 5)
    rectifier = jnp.sqrt((held - 4) * (held - 2) / held) * np.float32(np.sqrt(limit / ((limit - 4) * (limit - 2))))
    return plain * rectifier, length >= 5, 1 / (1 - power_1)


@operator(
    "SparseAdam",
    outputs="output_param, output_moment_1, output_moment_2, output_grad?",
    gradient="refused",
    inplace=_in_place("param", "moment_1", "moment_2"),
    types=INDICES,
)
def sparse_adam(
    param,
    moment_1,
    moment_2,
    indices,
    grad,
    lr,
    iter,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-5,
    enableRAdam: bool = False,
):
    """Adam, on the rows that are named.

    Adam for each row; with `enableRAdam` the step is ``m' / (1 - b1^t)`` for as long as the variance
    is not known well enough, and rectified from then on.

    Inputs:
        param: The parameter, (rows, ...).
        moment_1: The running mean of gradients, of the same shape.
        moment_2: The running mean of squared gradients, of the same shape.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
        iter: The iteration, one int64.
    Args:
        beta1: How much of the mean gradient is kept.
        beta2: How much of the mean squared gradient is kept.
        epsilon: Keeps the division finite; added after the root.
        enableRAdam: Rectified Adam.
    Outputs:
        output_param: The parameter, in place.
        output_moment_1: The mean gradient, in place.
        output_moment_2: The mean squared gradient, in place.
        output_grad: The step of each named row before it is scaled by lr.
    Example:
        >>> run("SparseAdam", param=[1.0, 1.0], moment_1=[0.0, 0.0], moment_2=[0.0, 0.0], indices=[1], grad=[2.0],
        ...     lr=[-0.5], iter=np.array([0]), epsilon=1e-8)
        param = [1.         0.50000346]
        moment_1 = [0.  0.2]
        moment_2 = [0.    0.004]
    Source:
        Liu et al., On the variance of the adaptive learning rate and beyond, 2020, for the rectified kind.
    """
    (slices,) = slices_of(param, indices, grad=grad)
    correction, known, early = _corrections(iter, beta1, beta2, enableRAdam)

    def step(weights, first, second, slope):
        first = beta1 * first + (1 - beta1) * slope
        second = beta2 * second + (1 - beta2) * jnp.square(slope)
        change = correction * first / (jnp.sqrt(second) + epsilon)
        if enableRAdam:
            change = jnp.where(known, change, first * early)
        return weights + scalar(lr) * change, first, second, change

    *state, change = in_order(indices, (param, moment_1, moment_2), (slices,), step, results=1)
    return *state, change.reshape(grad.shape)


@operator(
    "RowWiseSparseAdam",
    outputs="output_param, output_moment_1, output_moment_2, output_grad?",
    gradient="refused",
    inplace=_in_place("param", "moment_1", "moment_2"),
    types=INDICES,
)
def row_wise_sparse_adam(
    param,
    moment_1,
    moment_2,
    indices,
    grad,
    lr,
    iter,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-5,
):
    """Adam with one variance a row, on the rows that are named.

    As SparseAdam, but ``v' = b2 * v + (1 - b2) * mean(g^2)``, one number a row.

    Inputs:
        param: The parameter, (rows, ...).
        moment_1: The running mean of gradients, of the same shape.
        moment_2: The running mean of squared gradients, one value a row.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
        iter: The iteration, one int64.
    Args:
        beta1: How much of the mean gradient is kept.
        beta2: How much of the mean squared gradient is kept.
        epsilon: Keeps the division finite; added after the root.
    Outputs:
        output_param: The parameter, in place.
        output_moment_1: The mean gradient, in place.
        output_moment_2: The mean squared gradient, in place.
        output_grad: The step of each named row before it is scaled by lr.
    Example:
        >>> run("RowWiseSparseAdam", param=[1.0, 1.0], moment_1=[0.0, 0.0], moment_2=[0.0, 0.0], indices=[1],
        ...     grad=[2.0], lr=[-0.5], iter=np.array([0]), epsilon=1e-8)
        param = [1.         0.50000346]
        moment_1 = [0.  0.2]
        moment_2 = [0.    0.004]
    """
    require_shape(
        moment_2.size == param.shape[0], f"moment_2 is {tuple(moment_2.shape)}; it must have one value a row of param"
    )
    (slices,) = slices_of(param, indices, grad=grad)
    correction, _, _ = _corrections(iter, beta1, beta2, rectified=False)

    def step(weights, first, second, slope):
        first = beta1 * first + (1 - beta1) * slope
        second = beta2 * second + (1 - beta2) * row_mean(jnp.square(slope)).reshape(second.shape)
        change = correction * first / (jnp.sqrt(spread(second, weights)) + epsilon)
        return weights + scalar(lr) * change, first, second, change

    *state, change = in_order(indices, (param, moment_1, moment_2), (slices,), step, results=1)
    return *state, change.reshape(grad.shape)


@operator(
    "SparseAdadelta",
    outputs="output_param, output_moment, output_moment_delta",
    gradient="refused",
    inplace=_in_place("param", "moment", "moment_delta"),
    types=INDICES,
)
def sparse_adadelta(param, moment, moment_delta, indices, grad, lr, *, epsilon: float = 1e-5, decay: float = 0.95):
    """Adadelta, on the rows that are named.

    Inputs:
        param: The parameter, (rows, ...).
        moment: The running mean of squared gradients, of the same shape.
        moment_delta: The running mean of squared steps, of the same shape.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
        decay: How much of the means is kept.
    Outputs:
        output_param: The parameter, in place.
        output_moment: The mean of squared gradients, in place.
        output_moment_delta: The mean of squared steps, in place.
    Example:
        >>> run("SparseAdadelta", param=[1.0, 1.0], moment=[0.0, 0.0], moment_delta=[0.0, 0.0], indices=[1],
        ...     grad=[2.0], lr=[-1.0], decay=0.5, epsilon=2.0)
        param = [ 1.         -0.41421354]
        moment = [0. 2.]
        moment_delta = [0.         0.99999994]
    """
    (slices,) = slices_of(param, indices, grad=grad)

    def step(weights, squared, delta, slope):
        change, squared, delta = adadelta_step(slope, squared, delta, epsilon, decay)
        return weights + scalar(lr) * change, squared, delta

    return in_order(indices, (param, moment, moment_delta), (slices,), step)


@operator(
    "SparseFtrl",
    outputs="output_var, output_n_z",
    gradient="refused",
    inplace=_in_place("var", "n_z"),
    types=INDICES,
)
def sparse_ftrl(
    var,
    n_z,
    indices,
    grad,
    alpha_input=None,
    *,
    alpha: float = 0.005,
    beta: float = 1.0,
    lambda1: float = 0.001,
    lambda2: float = 0.001,
):
    """FTRL-proximal, on the rows that are named.

    Inputs:
        var: The parameter, (rows, ...).
        n_z: Its sums n and z, side by side in one more dimension of size 2.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        alpha_input: The rate, one number, in place of the argument.
    Args:
        alpha: The rate.
        beta: Slows the first steps.
        lambda1: Keeps weights at zero until their z is larger than this.
        lambda2: Pulls weights towards zero.
    Outputs:
        output_var: The parameter, in place.
        output_n_z: The sums, in place.
    Example:
        >>> run("SparseFtrl", var=[0.0, 0.0], n_z=[[0.0, 0.0], [0.0, 0.0]], indices=[1], grad=[2.0], alpha=1.0,
        ...     beta=0.0, lambda1=0.0, lambda2=0.0)
        var = [ 0. -1.]
        n_z = [[0. 0.]
         [4. 2.]]
    """
    require_shape(
        tuple(n_z.shape) == (*var.shape, 2), f"n_z is {tuple(n_z.shape)}; for var {tuple(var.shape)} it must end in 2"
    )
    (slices,) = slices_of(var, indices, grad=grad)
    rate = alpha if alpha_input is None else scalar(alpha_input)

    def step(weights, sums, slope):
        n, z = ftrl_state(weights, sums, slope, rate)
        return ftrl_weight(n, z, rate, beta, lambda1, lambda2), jnp.stack([n, z], axis=-1)

    return in_order(indices, (var, n_z), (slices,), step)


@operator(
    "SparseWngrad",
    outputs="output_param, output_seq_b",
    gradient="refused",
    inplace=_in_place("param", "seq_b"),
    types=INDICES,
)
def sparse_wngrad(param, seq_b, indices, grad, lr, *, epsilon: float = 1e-5):
    """WNGrad, on the rows that are named.

    Inputs:
        param: The parameter, (rows, ...).
        seq_b: What the rate is divided by, one number.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
    Outputs:
        output_param: The parameter, in place.
        output_seq_b: The divisor, in place.
    Example:
        >>> run("SparseWngrad", param=[1.0, 1.0], seq_b=[2.0], indices=[1], grad=[2.0], lr=[-1.0], epsilon=0.0)
        param = [1. 0.]
        seq_b = [4.]
    """
    (slices,) = slices_of(param, indices, grad=grad)
    divisor = scalar(seq_b) + epsilon
    (new,) = in_order(indices, (param,), (slices,), lambda weights, slope: (weights + scalar(lr) * slope / divisor,))
    return new, seq_b + jnp.sum(jnp.square(grad)) / divisor


@operator(
    "SparseStorm",
    outputs="output_param, output_moment, output_grad_sq_sum",
    gradient="refused",
    inplace=_in_place("param", "moment", "grad_sq_sum"),
    types=INDICES,
)
def sparse_storm(param, moment, grad_sq_sum, grad, indices, lr, *, momentum: float = 10.0, beta: float = 0.1):
    """STORM, on the rows that are named.

    Inputs:
        param: The parameter, (rows, ...).
        moment: The momentum, of the same shape.
        grad_sq_sum: The sum of squared gradients so far, one number.
        grad: The gradient of each named row.
        indices: The named rows, int32 or int64.
        lr: The rate, one number, negative for descent.
    Args:
        momentum: How fast the momentum follows the gradient.
        beta: Bounds the first rates.
    Outputs:
        output_param: The parameter, in place.
        output_moment: The momentum, in place.
        output_grad_sq_sum: The sum, in place.
    Example:
        >>> run("SparseStorm", param=[1.0, 1.0], moment=[0.0, 0.0], grad_sq_sum=[0.0], grad=[1.0], indices=[1],
        ...     lr=[-1.0], momentum=1.0, beta=0.0)
        param = [1. 0.]
        moment = [0. 1.]
        grad_sq_sum = [1.]
    """
    (slices,) = slices_of(param, indices, grad=grad)
    total, rate = storm_rate(grad_sq_sum, grad, lr, beta)
    share = 1 - momentum * jnp.square(rate)

    def step(weights, kept, slope):
        kept = slope + share * (kept - slope)
        return weights + rate * kept, kept

    weights, kept = in_order(indices, (param, moment), (slices,), step)
    return weights, kept, total
