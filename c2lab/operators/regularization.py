"""Regularization: keeps parameters small, clipped or counted, dense or row by row."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.sparse_updates import INDICES, in_order
from c2lab.operators.updates import scalar


@operator("EnsureClipped", outputs="output_param", gradient="refused", inplace="param -> output_param", types=INDICES)
def ensure_clipped(param, indices=None, grad=None, *, min: float | None = None, max: float | None = None):
    """Clips a parameter, or the rows of it that are named.

    ``w' = min(max(w, low), high)``

    Inputs:
        param: The parameter.
        indices: The rows that are clipped; all where absent.
        grad: The gradient of these rows; not read.
    Args:
        min: The lowest value allowed; no bound where absent.
        max: The highest value allowed; no bound where absent.
    Outputs:
        output_param: The clipped parameter.
    Example:
        >>> run("EnsureClipped", param=[-1.0, 0.5, 2.0], min=0.0, max=1.0)
        output_param = [0.  0.5 1. ]
    """
    if indices is None:
        return jnp.clip(param, min, max)
    return in_order(indices, (param,), (), lambda rows: (jnp.clip(rows, min, max),))


@operator(
    "SparseLpRegularizer",
    outputs="output_param",
    inplace="param -> output_param, param => output_param",
    types=INDICES,
)
def sparse_lp_regularizer(param, indices, grad=None, *, p: float = 2.0, reg_lambda: float = 1e-5):
    """Pulls the rows that are named towards zero.

    ``p = 2``: ``w' = (1 - reg_lambda) * w``;  ``p = 1``: ``w' = sign(w) * max(|w| - reg_lambda, 0)``

    Inputs:
        param: The parameter, (rows, ...).
        indices: The named rows, int32 or int64.
        grad: The gradient of these rows; not read.
    Args:
        p: Which norm is kept small: 1.0 or 2.0.
        reg_lambda: How strong the pull is, not negative.
    Outputs:
        output_param: The parameter, in place.
    Example:
        >>> run("SparseLpRegularizer", param=[1.0, 1.0], indices=[1], p=1.0, reg_lambda=0.25)
        param = [1.   0.75]
    """
    if p not in (1.0, 2.0):
        raise BadArgument(f"p is {p}; it must be 1.0 or 2.0")
    if reg_lambda < 0:
        raise BadArgument(f"reg_lambda is {reg_lambda}; it must not be negative")

    def shrink(rows):
        if p == 2.0:
            return (rows * (1 - reg_lambda),)
        return (jnp.sign(rows) * jnp.maximum(jnp.abs(rows) - reg_lambda, 0),)

    return in_order(indices, (param,), (), shrink)


@operator(
    "RowWiseCounter",
    outputs="output_prev_iter, output_update_counter",
    gradient="refused",
    inplace="prev_iter -> output_prev_iter, update_counter -> output_update_counter, "
    "prev_iter => output_prev_iter, update_counter => output_update_counter",
    types={**INDICES, "prev_iter": "int64", "update_counter": "float64", "iter": "int64"},
)
def row_wise_counter(prev_iter, update_counter, indices, iter, *, counter_halflife: int = -1):
    """Counts how often each row was updated of late: old updates count less and less.

    ``c' = 1 + c * 2^(-(t - t_prev) / halflife)``;  ``t_prev' = max(t, t_prev)``

    Inputs:
        prev_iter: The iteration of each row's last update, one int64 a row.
        update_counter: The count of each row, one float64 a row.
        indices: The rows updated now, int32 or int64.
        iter: The iteration, one int64.
    Args:
        counter_halflife: After how many iterations an update counts half; without a positive one nothing is counted.
    Outputs:
        output_prev_iter: The iterations, in place.
        output_update_counter: The counts, in place.
    Example:
        >>> run("RowWiseCounter", prev_iter=np.array([0, 0]), update_counter=np.array([0.0, 4.0]), indices=[1],
        ...     iter=np.array([10]), counter_halflife=10)
        prev_iter = [ 0 10]
        update_counter = [0. 3.]
    """
    require_shape(
        prev_iter.size == update_counter.size,
        f"prev_iter is {tuple(prev_iter.shape)} and update_counter {tuple(update_counter.shape)}; they must be equal",
    )
    if counter_halflife <= 0:
        return prev_iter, update_counter
    now = scalar(iter)

    def count(before, counter):
        passed = jnp.maximum(now - before, 0).astype(jnp.float64)
        return jnp.maximum(now, before), 1 + jnp.exp(-passed * jnp.log(2.0) / counter_halflife) * counter

    state = in_order(indices, (prev_iter.reshape(-1), update_counter.reshape(-1)), (), count)
    return state[0].reshape(prev_iter.shape), state[1].reshape(update_counter.shape)
