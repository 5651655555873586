"""Learning rate: how the rate changes with the iterations.

Each policy is one function of the iteration; its keywords are the arguments that it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, did_you_mean
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.schema import REQUIRED, ArgumentSpec, signature_arguments
from c2lab.proto import caffe2_pb2

Factor = Callable[..., Any]
POLICIES: dict[str, Factor] = {}


def _policy(name: str) -> Callable[[Factor], Factor]:
    def wrap(function: Factor) -> Factor:
        POLICIES[name] = function
        return function

    return wrap


@_policy("fixed")
def _fixed(t):
    return jnp.float64(1)


@_policy("step")
def _step(t, *, stepsize: int, gamma: float):
    _demand(stepsize > 0, f"stepsize is {stepsize}; it must be above 0")
    return jnp.power(gamma, (t // stepsize).astype(jnp.float64))


@_policy("exp")
def _exp(t, *, gamma: float):
    return jnp.power(gamma, t.astype(jnp.float64))


@_policy("inv")
def _inv(t, *, gamma: float, power: float):
    return jnp.power(1 + gamma * t.astype(jnp.float64), -power)


@_policy("poly")
def _poly(t, *, max_iter: int, power: float):
    _demand(max_iter > 0, f"max_iter is {max_iter}; it must be above 0")
    return jnp.power(1 - t / max_iter, power)


@_policy("gate")
def _gate(t, *, multiplier_1: float = 1.0, multiplier_2: float = 1.0, num_iter: int = 0):
    return jnp.where(t < num_iter, multiplier_1, multiplier_2)


@_policy("alter")
def _alter(t, *, active_period: int, inactive_period: int, active_first: bool = True):
    period = active_period + inactive_period
    _demand(
        active_period >= 0 and inactive_period >= 0 and period > 0,
        f"active_period is {active_period} and inactive_period {inactive_period}; "
        "neither may be negative, and one must be above 0",
    )
    place = t % period
    return jnp.where(place < active_period if active_first else place >= inactive_period, 1.0, 0.0)


@_policy("linearWarmup")
def _linear_warmup(t, *, num_iter: int, start_multiplier: float = 0.0):
    _demand(num_iter > 0, f"num_iter is {num_iter}; it must be above 0")
    return jnp.where(t < num_iter, start_multiplier + (1 - start_multiplier) * (t / num_iter), 1.0)


@_policy("constantWarmup")
def _constant_warmup(t, *, num_iter: int, multiplier: float = 0.5):
    return jnp.where(t < num_iter, multiplier, 1.0)


@_policy("pieceWarmup")
def _piece_warmup(t, *, m1: float = 0.5, n1: int = 0, m2: float = 0.5, n2: int = 0, m3: float = 0.5):
    return jnp.where(t < n1, m1, jnp.where(t < n2, m2, m3))


@_policy("hill")
def _hill(t, *, num_iter: int, gamma: float, power: float, start_multiplier: float = 0.0, end_multiplier: float = 0.0):
    rising = _linear_warmup(t, num_iter=num_iter, start_multiplier=start_multiplier)
    falling = _inv(jnp.maximum(t - num_iter, 0), gamma=gamma, power=power)
    return jnp.where(t < num_iter, rising, jnp.maximum(end_multiplier, falling))


@_policy("slope")
def _slope(t, *, num_iter_1: int, multiplier_1: float, num_iter_2: int, multiplier_2: float):
    _demand(num_iter_2 > num_iter_1, f"num_iter_2 is {num_iter_2}; it must be above num_iter_1, which is {num_iter_1}")
    steepness = (multiplier_2 - multiplier_1) / (num_iter_2 - num_iter_1)
    sloping = jnp.maximum(multiplier_2, multiplier_1 + (t - num_iter_1) * jnp.float64(steepness))
    return jnp.where(t < num_iter_1, multiplier_1, sloping)


@_policy("cyclical")
def _cyclical(t, *, base_lr: float, stepsize: int, max_lr: float = 0.005, decay: float = 1.0):
    _demand(stepsize > 0, f"stepsize is {stepsize}; it must be above 0")
    cycle = t // (2 * stepsize)
    distance = jnp.abs(t / stepsize - 2 * (cycle + 1) + 1)
    height = abs(max_lr / base_lr) - 1
    return 1 + height * jnp.maximum(0, 1 - distance) * jnp.power(decay, cycle.astype(jnp.float64))


@_policy("cosine")
def _cosine(
    t, *, max_lr: float = 0.5, min_lr: float = 0.1, period: int = 50, t_mult: float = 1.0, lr_shrink: float = 0.99
):
    _demand(max_lr >= min_lr, f"max_lr is {max_lr}; it must not be below min_lr, which is {min_lr}")
    _demand(period > 0, f"period is {period}; it must be above 0")
    if t_mult == 1.0:
        cycle, length = t // period, period
        place = t - period * cycle
    else:
        cycle = jnp.floor(jnp.log(1 - t / period * (1 - t_mult)) / np.log(t_mult))
        length = jnp.power(t_mult, cycle) * period
        place = t - (1 - jnp.power(t_mult, cycle)) / (1 - t_mult) * period
    shrink = jnp.power(lr_shrink, cycle.astype(jnp.float64))
    return shrink * (min_lr + 0.5 * (max_lr - min_lr) * (1 + jnp.cos(jnp.pi * place / length)))


@_policy("constantThenLinearWarmup")
def _constant_then_linear_warmup(
    t,
    *,
    start_warmup_multiplier: float = 0.1,
    constant_warmup_num_iter: int = 10_000_000,
    linear_warmup_num_iter: int = 10_000_000,
):
    rising = (t - constant_warmup_num_iter) / linear_warmup_num_iter
    sloping = start_warmup_multiplier + (1 - start_warmup_multiplier) * rising
    after = jnp.where(t >= constant_warmup_num_iter + linear_warmup_num_iter, 1.0, sloping)
    return jnp.where(t < constant_warmup_num_iter, start_warmup_multiplier, after)


@_policy("compositeCosine")
def _composite_cosine(
    t,
    *,
    start_warmup_multiplier: float = 0.1,
    constant_warmup_num_iter: int = 10_000_000,
    linear_warmup_num_iter: int = 10_000_000,
    cosine_max_lr: float = 0.5,
    cosine_min_lr: float = 0.1,
    cosine_period: int = 50,
    cosine_t_mult: float = 1.0,
    cosine_lr_shrink: float = 0.99,
):
    warmup = constant_warmup_num_iter + linear_warmup_num_iter
    return jnp.where(
        t < warmup,
        _constant_then_linear_warmup(
            t,
            start_warmup_multiplier=start_warmup_multiplier,
            constant_warmup_num_iter=constant_warmup_num_iter,
            linear_warmup_num_iter=linear_warmup_num_iter,
        ),
        _cosine(
            jnp.maximum(t - warmup, 0),
            max_lr=cosine_max_lr,
            min_lr=cosine_min_lr,
            period=cosine_period,
            t_mult=cosine_t_mult,
            lr_shrink=cosine_lr_shrink,
        ),
    )


@_policy("compositeCyclical")
def _composite_cyclical(
    t,
    *,
    base_lr: float,
    start_warmup_multiplier: float = 0.1,
    constant_warmup_num_iter: int = 10_000_000,
    linear_warmup_num_iter: int = 10_000_000,
    cyclical_max_lr: float = 0.05,
    cyclical_step_size: int = 1_000_000,
    cyclical_decay: float = 0.999,
):
    warmup = constant_warmup_num_iter + linear_warmup_num_iter
    return jnp.where(
        t < warmup,
        _constant_then_linear_warmup(
            t,
            start_warmup_multiplier=start_warmup_multiplier,
            constant_warmup_num_iter=constant_warmup_num_iter,
            linear_warmup_num_iter=linear_warmup_num_iter,
        ),
        _cyclical(
            jnp.maximum(t - warmup, 0),
            base_lr=base_lr,
            stepsize=cyclical_step_size,
            max_lr=cyclical_max_lr,
            decay=cyclical_decay,
        ),
    )


def _demand(ok: bool, message: str) -> None:
    if not ok:
        raise BadArgument(message)


def _settings(policy: str, op: caffe2_pb2.OperatorDef, prefix: str, base_lr: float) -> dict[str, Any]:
    """The keywords of a policy, read from the arguments ``<prefix><keyword>`` of ``op``."""
    stored = {argument.name: argument for argument in op.arg}
    settings: dict[str, Any] = {}
    for spec in signature_arguments(POLICIES[policy]).values():
        if spec.name == "base_lr":
            settings["base_lr"] = base_lr
        elif prefix + spec.name in stored:
            settings[spec.name] = replace(spec, name=prefix + spec.name).read(stored[prefix + spec.name])
        elif spec.required:
            raise BadArgument(f'policy "{policy}" needs the argument {prefix}{spec.name} ({spec.kind})')
        else:
            settings[spec.name] = spec.default
    return settings


def _factor(t: Any, policy: str, op: caffe2_pb2.OperatorDef, base_lr: float, prefix: str = "") -> Any:
    if policy not in POLICIES:
        raise BadArgument(
            f"policy is {policy!r}; it must be one of composite, {', '.join(POLICIES)}.{did_you_mean(policy, POLICIES)}"
        )
    return POLICIES[policy](t, **_settings(policy, op, prefix, base_lr))


def _composite(t: Any, op: caffe2_pb2.OperatorDef, base_lr: float, num_iters: tuple[int, ...]) -> Any:
    """Policies one after another; each sees the iteration of the whole, not its own."""
    _demand(len(num_iters) > 0, 'policy "composite" needs sub_policy_num_iters: the iterations of each sub-policy')
    stored = {argument.name: argument for argument in op.arg}
    factor, start = None, 1
    for k, num_iter in enumerate(num_iters):
        prefix = f"sub_policy_{k}_"
        policy, scale = (
            ArgumentSpec(name, kind, default).read(stored[name]) if name in stored else default
            for name, kind, default in ((f"{prefix}policy", "str", "fixed"), (f"{prefix}lr_scale", "float", 1.0))
        )
        _demand(policy != "composite", f"{prefix}policy is composite; a sub-policy may not be composite itself")
        piece = scale * _factor(t, policy, op, base_lr, prefix)
        factor = piece if factor is None else jnp.where(t >= start, piece, factor)
        start += num_iter
    return factor


@operator("LearningRate", outputs="output", gradient="none", types={"input": "int64"})
def learning_rate(
    input, *, op, base_lr: float, policy: str, sub_policy_num_iters: tuple[int, ...] = (), **settings: Any
):
    """The learning rate of an iteration.

    ``lr = base_lr * factor(iter)``

    | policy | factor |
    |---|---|
    | fixed | 1 |
    | step | gamma ^ (iter // stepsize) |
    | exp | gamma ^ iter |
    | inv | (1 + gamma * iter) ^ -power |
    | poly | (1 - iter / max_iter) ^ power |
    | gate | multiplier_1 before num_iter, then multiplier_2 |
    | alter | 1 for active_period iterations, 0 for inactive_period, again and again |
    | linearWarmup | from start_multiplier up to 1 over num_iter iterations |
    | constantWarmup | multiplier before num_iter, then 1 |
    | pieceWarmup | m1 before n1, m2 before n2, then m3 |
    | hill | linearWarmup, then inv, never below end_multiplier |
    | slope | multiplier_1 before num_iter_1, then a line to multiplier_2 at num_iter_2 |
    | cyclical | up to max_lr / base_lr and back every 2 * stepsize iterations, times decay ^ cycle |
    | cosine | from max_lr to min_lr along a cosine every period iterations, times lr_shrink ^ cycle |
    | constantThenLinearWarmup | start_warmup_multiplier, then a line up to 1 |
    | compositeCosine, compositeCyclical | constantThenLinearWarmup, then cosine or cyclical |
    | composite | sub_policy_0_policy for sub_policy_num_iters[0] iterations, then sub_policy_1_policy, ... |

    Inputs:
        input: The iteration, one int64.
    Args:
        base_lr: What the factor scales; negative for operators that add `lr * step`.
        policy: Which factor, see the table.
        sub_policy_num_iters: composite: how many iterations each sub-policy holds; its settings are
            named `sub_policy_<k>_<setting>`, its own scale `sub_policy_<k>_lr_scale`.
        gamma: step, exp, inv, hill: the base of the fall.
        power: inv, poly, hill: the exponent.
        stepsize: step, cyclical: iterations a step, or half a cycle.
        max_iter: poly: the iteration at which the factor is 0.
        num_iter: gate, linearWarmup, constantWarmup, hill: the iteration of the change.
        multiplier: constantWarmup: the first factor.
        multiplier_1: gate, slope: the first factor.
        multiplier_2: gate, slope: the last factor.
        num_iter_1: slope: where the line begins.
        num_iter_2: slope: where the line ends.
        start_multiplier: linearWarmup, hill: the factor at iteration 0.
        end_multiplier: hill: the lowest factor.
        active_period: alter: iterations with factor 1.
        inactive_period: alter: iterations with factor 0.
        active_first: alter: whether it begins with the active ones.
        m1: pieceWarmup: the factor before n1.
        n1: pieceWarmup: where m2 begins.
        m2: pieceWarmup: the factor before n2.
        n2: pieceWarmup: where m3 begins.
        m3: pieceWarmup: the factor after n2.
        max_lr: cyclical, cosine: the highest rate or factor.
        min_lr: cosine: the lowest factor.
        decay: cyclical: the factor from cycle to cycle.
        period: cosine: the length of the first cycle.
        t_mult: cosine: how much longer each cycle is than the last.
        lr_shrink: cosine: the factor from cycle to cycle.
        start_warmup_multiplier: the composite warmups: the first factor.
        constant_warmup_num_iter: the composite warmups: iterations at the first factor.
        linear_warmup_num_iter: the composite warmups: iterations of the line to 1.
        cosine_max_lr: compositeCosine: as max_lr.
        cosine_min_lr: compositeCosine: as min_lr.
        cosine_period: compositeCosine: as period.
        cosine_t_mult: compositeCosine: as t_mult.
        cosine_lr_shrink: compositeCosine: as lr_shrink.
        cyclical_max_lr: compositeCyclical: as max_lr.
        cyclical_step_size: compositeCyclical: as stepsize.
        cyclical_decay: compositeCyclical: as decay.
    Outputs:
        output: The rate, one float32.
    Example:
        >>> run("LearningRate", input=[20], base_lr=0.5, policy="step", stepsize=10, gamma=0.5)
        output = 0.125
    """
    require_shape(input.size == 1, f"the iteration must be one number, but the input is {tuple(input.shape)}")
    t = jnp.reshape(input, ())
    if policy == "composite":
        factor = _composite(t, op, base_lr, sub_policy_num_iters)
    else:
        factor = _factor(t, policy, op, base_lr)
    return (base_lr * factor).astype(jnp.float32)


# The schema names every policy's settings: all optional, since which are read depends on the policy.
for _function in POLICIES.values():
    for _spec in signature_arguments(_function).values():
        if _spec.name not in learning_rate.arguments:
            learning_rate.arguments[_spec.name] = replace(
                _spec, default=None if _spec.default is REQUIRED else _spec.default
            )
