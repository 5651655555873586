"""Step control: what bounds, rescales and tunes the steps of an optimizer."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.updates import require_equal_shapes, scalar

_LAST = 2**63 - 1


@operator("Lars", outputs="lr_rescaled", gradient="refused")
def lars(X, dX, wd, trust, lr_max, *, offset: float = 0.5, lr_min: float = 0.02):
    """LARS: a layer's rate, from the sizes of its weights and of their gradient.

    ``rate = clamp(trust / (|dX| / |X| + wd + offset), lr_min, lr_max)``

    Inputs:
        X: The weights of the layer.
        dX: Their gradient.
        wd: The weight decay, one number.
        trust: How far the rate may be trusted, one number.
        lr_max: The highest rate, one number.
    Args:
        offset: Keeps the division finite.
        lr_min: The lowest rate.
    Outputs:
        lr_rescaled: The rate, (1,).
    Example:
        >>> run("Lars", X=[2.0], dX=[1.0], wd=[0.0], trust=[0.5], lr_max=[10.0])
        lr_rescaled = [0.5]
    Source:
        You, Gitman and Ginsburg, Large batch training of convolutional networks, 2017.
    """
    require_equal_shapes(X=X, dX=dX)
    norm, slope = (jnp.sqrt(jnp.sum(jnp.square(value))) for value in (X, dX))
    # Weights that are all zero have no size to go by: their rate stays as it is.
    known = norm > 0
    ratio = slope / jnp.where(known, norm, 1)
    highest = scalar(lr_max)
    rate = jnp.where(known, scalar(trust) / (ratio + scalar(wd) + offset), jnp.asarray(1, slope.dtype))
    return jnp.clip(rate, jnp.asarray(lr_min, rate.dtype), highest).reshape(1)


@operator("LearningRateAdaption", outputs="output_lr", gradient="none", inplace="lr -> output_lr")
def learning_rate_adaption(lr, grad, effgrad, *, lr_alpha: float = 0.01, normalized_lr_adaption: bool = True):
    """Tunes the rate by how well the last step's direction still fits.

    ``lr' = lr * (1 - alpha * cos(grad, effgrad))``, or not normalised ``lr' = lr - alpha * <grad, effgrad>``

    Inputs:
        lr: The rate, one number.
        grad: The gradient.
        effgrad: The direction of the last step.
    Args:
        lr_alpha: How fast the rate is tuned.
        normalized_lr_adaption: Looks at the angle only.
    Outputs:
        output_lr: The new rate.
    Example:
        >>> run("LearningRateAdaption", lr=[1.0], grad=[1.0, 0.0], effgrad=[2.0, 0.0], lr_alpha=0.5)
        output_lr = [0.5]
    Source:
        Baydin et al., Online learning rate adaptation with hypergradient descent, 2018.
    """
    require_equal_shapes(grad=grad, effgrad=effgrad)
    product = jnp.sum(grad * effgrad)
    if not normalized_lr_adaption:
        return lr - lr_alpha * product
    tiny = jnp.asarray(1e-12, grad.dtype)
    lengths = [jnp.sqrt(jnp.maximum(jnp.sum(jnp.square(value)), tiny)) for value in (grad, effgrad)]
    return lr * (1 - lr_alpha * product / (lengths[0] * lengths[1]))


@operator("ClipTensorByScaling", outputs="clipped", gradient="refused", inplace="input_tensor -> clipped")
def clip_tensor_by_scaling(input_tensor, val, additional_threshold=None, *, threshold: float):
    """Scales a blob down where a number, its norm say, is above a threshold.

    ``Y = X * threshold / val`` where ``val > threshold``, else ``Y = X``

    Inputs:
        input_tensor: The blob.
        val: The number that is compared, one float32.
        additional_threshold: Times this the threshold counts, one float32.
    Args:
        threshold: The largest number that needs no scaling.
    Outputs:
        clipped: The scaled blob.
    Example:
        >>> run("ClipTensorByScaling", input_tensor=[3.0, 4.0], val=[5.0], threshold=1.0)
        clipped = [0.6 0.8]
    """
    bound = threshold if additional_threshold is None else threshold * scalar(additional_threshold)
    size = scalar(val)
    return jnp.where(size > bound, input_tensor * (bound / size), input_tensor).astype(input_tensor.dtype)


@operator("WeightScale", outputs="nw", gradient="refused", inplace="w -> nw")
def weight_scale(w, iter, *, stepsize: int = _LAST, upper_bound_iter: int = _LAST, scale: float = 1.0):
    """Scales a blob every so many iterations.

    ``Y = scale * X`` where ``t % stepsize == 0`` and ``t < upper_bound_iter``, else ``Y = X``;  ``t = iter + 1``

    Inputs:
        w: The blob.
        iter: The iteration, one int64.
    Args:
        stepsize: Every how many iterations.
        upper_bound_iter: From here on no more.
        scale: The factor.
    Outputs:
        nw: The scaled blob.
    Example:
        >>> run("WeightScale", w=[1.0, 2.0], iter=np.array([9]), stepsize=10, scale=0.5)
        nw = [0.5 1. ]
    """
    if stepsize <= 0:
        raise BadArgument(f"stepsize is {stepsize}; it must be above 0")
    t = scalar(iter).astype(jnp.int64) + 1
    return jnp.where((t % stepsize == 0) & (t < upper_bound_iter), w * jnp.asarray(scale, w.dtype), w)


@operator(
    "YellowFin",
    outputs="output_param, output_moment, output_lr, output_mu, output_curv_win, output_g_avg, output_g2_avg, "
    "output_scalars_memory",
    gradient="refused",
    inplace=[(k, k) for k in range(8)],
)
def yellow_fin(
    param,
    moment,
    lr,
    mu,
    curv_win,
    g_avg,
    g2_avg,
    scalars_memory,
    grad,
    iter,
    *,
    beta: float = 0.999,
    curv_win_width: int = 20,
    epsilon: float = 1e-6,
    nesterov: bool = False,
    zero_debias: bool = True,
):
    """YellowFin: momentum descent that tunes its own rate and momentum.

    ``m' = mu * m + lr * g``;  ``w' = w - m'``; the rate and the momentum of the next step are those that
    shrink a noisy quadratic the fastest, given the measured curvature range, gradient variance
    and distance to the minimum.

    Inputs:
        param: The parameter.
        moment: The momentum.
        lr: The running mean of the rate, one number.
        mu: The running mean of the momentum, one number.
        curv_win: The last curvatures' logarithms, (curv_win_width,).
        g_avg: The running mean of gradients.
        g2_avg: The running mean of squared gradients.
        scalars_memory: Running means: norm, squared norm, lowest and highest curvature, distance; (5,).
        grad: The gradient.
        iter: The iteration, one int64, 1 at the first step.
    Args:
        beta: How much of the running means is kept.
        curv_win_width: How many curvatures are remembered.
        epsilon: Keeps divisions finite.
        nesterov: Looks one step ahead.
        zero_debias: Corrects the running means for having begun at zero.
    Outputs:
        output_param: The new parameter.
        output_moment: The new momentum.
        output_lr: The new mean rate.
        output_mu: The new mean momentum.
        output_curv_win: The new curvatures.
        output_g_avg: The new mean gradient.
        output_g2_avg: The new mean squared gradient.
        output_scalars_memory: The new running means.
    Example:
        >>> run("YellowFin", param=[1.0], moment=[0.5], lr=[0.5], mu=[0.5], curv_win=[0.0, 0.0], g_avg=[0.0],
        ...     g2_avg=[0.0], scalars_memory=[0.0, 0.0, 0.0, 0.0, 0.0], grad=[2.0], iter=np.array([1]),
        ...     beta=0.5, curv_win_width=2)
        output_param = [-0.25]
        output_moment = [1.25]
        output_lr = [0.5]
        output_mu = [0.5]
        output_curv_win = [1.3862944 0.       ]
        output_g_avg = [1.]
        output_g2_avg = [2.]
        output_scalars_memory = [1.        2.        0.6931472 0.6931472 0.25     ]
    Source:
        Zhang and Mitliagkas, YellowFin and the art of momentum tuning, 2017.
    """
    require_equal_shapes(param=param, moment=moment, grad=grad, g_avg=g_avg, g2_avg=g2_avg)
    require_shape(
        tuple(curv_win.shape) == (curv_win_width,),
        f"curv_win is {tuple(curv_win.shape)}, but curv_win_width is {curv_win_width}",
    )
    require_shape(tuple(scalars_memory.shape) == (5,), f"scalars_memory is {tuple(scalars_memory.shape)}, not (5,)")
    kind, t = param.dtype, scalar(iter).astype(jnp.int64)
    kept = scalar(mu) * moment + scalar(lr) * grad
    step = (1 + scalar(mu)) * kept - scalar(mu) * moment if nesterov else kept

    def mean(average, value):
        return beta * average + (1 - beta) * value

    correction = 1 - jnp.power(jnp.asarray(beta, kind), t.astype(kind)) if zero_debias else jnp.ones((), kind)
    gradient, squared = mean(g_avg, grad), mean(g2_avg, jnp.square(grad))
    size = jnp.maximum(jnp.sum(jnp.square(grad)), epsilon)
    norm, squared_norm = mean(scalars_memory[0], jnp.sqrt(size)), mean(scalars_memory[1], size)
    window = curv_win.at[(t - 1) % curv_win_width].set(jnp.log(size))
    filled = jnp.arange(curv_win_width) < t
    lowest = mean(scalars_memory[2], jnp.min(jnp.where(filled, window, jnp.inf)))
    highest = mean(scalars_memory[3], jnp.max(jnp.where(filled, window, -jnp.inf)))
    distance = mean(scalars_memory[4], norm / squared_norm)
    memory = jnp.stack([norm, squared_norm, lowest, highest, distance])

    h_min = jnp.maximum(jnp.exp(lowest / correction), epsilon)
    h_max = jnp.maximum(jnp.exp(highest / correction), epsilon)
    variance = jnp.maximum(squared_norm / correction - jnp.sum(jnp.square(gradient / correction)), epsilon)
    p = jnp.square(distance / correction * h_min) / (2 * variance)
    # The one real root of (x - 1)^3 + p * x = 0, by Vieta's substitution.
    w3 = (-jnp.sqrt(jnp.square(p) + 4 / 27 * p**3) - p) / 2
    u = jnp.sign(w3) * jnp.cbrt(jnp.abs(w3))
    root = u - p / (3 * u) + 1
    spread = jnp.sqrt(h_max / h_min)
    best_mu = jnp.maximum(jnp.square(root), jnp.square((spread - 1) / (spread + 1)))
    best_lr = jnp.square(1 - jnp.sqrt(best_mu)) / h_min
    tuned = t > 1
    return (
        param - step,
        kept,
        jnp.where(tuned, mean(lr, best_lr), lr),
        jnp.where(tuned, mean(mu, best_mu), mu),
        window,
        gradient,
        squared,
        memory,
    )
