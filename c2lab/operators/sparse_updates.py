"""Sparse updates: one step of an optimizer on the rows of a parameter that a batch has touched.

Where an index stands twice, its row is updated twice, in order, as if one after another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from c2lab.errors import NotSupported
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import operator
from c2lab.operators.updates import momentum_step, scalar

INDICES = {"indices": "int32 int64"}


def slices_of(param, indices, **slices) -> tuple[Any, ...]:
    """The slices, one a row that is updated, each of the shape of a row of the parameter."""
    require_shape(len(param.shape) >= 1, "param is one number; it must have rows")
    shaped = []
    for name, value in slices.items():
        want = (*indices.shape, *param.shape[1:])
        require_shape(
            value.size == indices.size * math.prod(param.shape[1:]),
            f"{name} is {tuple(value.shape)}, but {indices.size} rows of param {tuple(param.shape)} are {want}",
        )
        require_same_type(param, value)
        shaped.append(jnp.reshape(value, (indices.size, *param.shape[1:])))
    return tuple(shaped)


def require_rows(indices, rows):
    """The indices in one dimension, each of which must be a row."""
    indices = jnp.reshape(indices, (-1,))
    require(
        (indices >= 0) & (indices < rows),
        f"an index lies outside of the parameter, which has {rows} rows; indices must be from 0 to {rows - 1}",
        indices,
    )
    return indices


def in_order(
    indices, state: Sequence[Any], slices: Sequence[Any], step: Callable[..., tuple[Any, ...]], results: int = 0
) -> tuple[Any, ...]:
    """Applies ``step`` to the rows that ``indices`` name, twice and in order where one is named twice.

    All first mentions are done at once, then all second ones, and so on: no two rows of one
    round are the same, and the order within each row is kept.

    Args:
        indices: Row numbers, one a slice.
        state: Arrays whose rows are read and written.
        slices: What each mention brings: arrays with one row a mention.
        step: Of the rows of each state and of the slices: the new rows, then ``results`` more values a mention.
        results: How many values ``step`` returns besides.

    Returns:
        The new states, then the results, one row a mention.
    """
    rows = state[0].shape[0]
    indices = require_rows(indices, rows)
    count = indices.shape[0]
    if count == 0:
        return (*state, *(jnp.zeros_like(slices[0]) for _ in range(results)))
    order = jnp.argsort(indices, stable=True)
    position = jnp.arange(count)
    sorted_indices = indices[order]
    begins = jnp.concatenate([jnp.ones((1,), bool), sorted_indices[1:] != sorted_indices[:-1]])
    begin = jax.lax.cummax(jnp.where(begins, position, 0))
    mention = jnp.zeros((count,), position.dtype).at[order].set(position - begin)
    last = jnp.max(mention)

    def one_round(carry):
        number, held, found = carry
        now = mention == number
        new = step(*(array[indices] for array in held), *slices)
        target = jnp.where(now, indices, rows)  # rows that are not due lie outside, and are dropped
        held = tuple(
            array.at[target].set(value.astype(array.dtype), mode="drop")
            for array, value in zip(held, new, strict=False)
        )
        found = tuple(
            jnp.where(now.reshape((count,) + (1,) * (value.ndim - 1)), value, before).astype(before.dtype)
            for value, before in zip(new[len(held) :], found, strict=True)
        )
        return number + 1, held, found

    start = (jnp.zeros((), position.dtype), tuple(state), tuple(jnp.zeros_like(slices[0]) for _ in range(results)))
    _, held, found = jax.lax.while_loop(lambda carry: carry[0] <= last, one_round, start)
    return (*held, *found)


def row_mean(value):
    """The mean of each row, (rows,)."""
    return jnp.mean(value, axis=tuple(range(1, value.ndim))) if value.ndim > 1 else value


def spread(value, like):
    """One value a row, shaped so that it meets every element of the row."""
    return value.reshape(value.shape[0], *(1 for _ in like.shape[1:]))


@operator(
    "ScatterWeightedSum",
    outputs="output",
    gradient="refused",
    inplace="X_0 -> output, X_0 => output",
    input_counts=range(5, 100, 2),
    types={"INDICES": "int32 int64"},
)
def scatter_weighted_sum(X_0, Weight_0, INDICES, X_1, Weight_1, *X):
    """Adds weighted slices to some rows of a blob: gradient descent where the gradient is sparse.

    First ``Y[i_k] = w0 * Y[i_k]`` for each k, then ``Y[i_k] = Y[i_k] + w1 * X1[k] + w2 * X2[k] + ...``

    Inputs:
        X_0: The blob, (rows, ...).
        Weight_0: The weight of its own rows, one number.
        INDICES: The row of each slice, 1-D int32 or int64.
        X_1: The slices, (number of indices, ...).
        Weight_1: Their weight, one number.
        X: More slices, each followed by its weight.
    Outputs:
        output: The blob, in place of X_0.
    Example:
        >>> run("ScatterWeightedSum", X_0=[1.0, 2.0], Weight_0=[1.0], INDICES=[1], X_1=[10.0], Weight_1=[0.5])
        X_0 = [1. 7.]
    """
    pairs = (X_1, Weight_1, *X)
    slices = slices_of(X_0, INDICES, **{f"X_{k + 1}": value for k, value in enumerate(pairs[::2])})
    total = sum(value * scalar(weight).astype(X_0.dtype) for value, weight in zip(slices, pairs[1::2], strict=True))
    indices = require_rows(INDICES, X_0.shape[0])
    mentions = jnp.zeros((X_0.shape[0],), X_0.dtype).at[indices].add(1)
    kept = jnp.power(scalar(Weight_0).astype(X_0.dtype), spread(mentions, X_0))
    return (X_0 * kept).at[indices].add(total)


@operator(
    "SparseMomentumSGDUpdate",
    outputs="output_grad, output_moment, output_param",
    gradient="refused",
    inplace="grad -> output_grad, moment -> output_moment, param -> output_param, moment => output_moment, "
    "param => output_param",
    types=INDICES,
)
def sparse_momentum_sgd_update(grad, moment, lr, param, indices, *, momentum: float = 0.0, nesterov: bool = False):
    """Gradient descent with momentum, on the rows that are named.

    MomentumSGDUpdate for each row; rows that are not named keep their momentum.

    Inputs:
        grad: The gradient of each named row.
        moment: The momentum, of the shape of param.
        lr: The learning rate, one positive number.
        param: The parameter, (rows, ...).
        indices: The named rows, int32 or int64.
    Args:
        momentum: How much of a row's last step is kept.
        nesterov: Looks one step ahead.
    Outputs:
        output_grad: The step that was subtracted from each named row.
        output_moment: The momentum, in place.
        output_param: The parameter, in place.
    Example:
        >>> run("SparseMomentumSGDUpdate", grad=[1.0], moment=[0.0, 2.0], lr=[0.5], param=[5.0, 10.0], indices=[1])
        output_grad = [0.5]
        moment = [0.  0.5]
        param = [5.  9.5]
    """
    (slices,) = slices_of(param, indices, grad=grad)

    def step(kept, weights, slope):
        change, kept = momentum_step(slope, kept, scalar(lr), momentum, nesterov)
        return kept, weights - change, change

    kept, weights, change = in_order(indices, (moment, param), (slices,), step, results=1)
    return change.reshape(grad.shape), kept, weights


@operator(
    "SparseAdagrad",
    outputs="output_param, output_moment_1",
    gradient="refused",
    inplace="param -> output_param, moment -> output_moment_1, param => output_param, moment => output_moment_1",
    types=INDICES,
)
def sparse_adagrad(
    param, moment, indices, grad, lr, *, epsilon: float = 1e-5, weight_decay: float = 0.0, decay: float = 1.0
):
    """Adagrad, on the rows that are named.

    ``h' = h + g^2``;  ``w' = w + lr * g / (sqrt(h') + epsilon)``, with ``g`` plus ``weight_decay * w``

    Inputs:
        param: The parameter, (rows, ...).
        moment: The sum of squared gradients so far, of the same shape.
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
        weight_decay: Adds this share of the row to its gradient.
        decay: Only 1.0: rows that are not named could not decay.
    Outputs:
        output_param: The parameter, in place.
        output_moment_1: The sum, in place.
    Example:
        >>> run("SparseAdagrad", param=[1.0, 1.0], moment=[0.0, 0.0], indices=[1], grad=[2.0], lr=[-0.5], epsilon=0.0)
        param = [1.  0.5]
        moment = [0. 4.]
    """
    if decay != 1.0:
        raise NotSupported(f"decay is {decay}; sparse Adagrad has no decay: leave it at 1.0, or use the dense Adagrad")
    (slices,) = slices_of(param, indices, grad=grad)

    def step(weights, total, slope):
        full = slope + weight_decay * weights
        total = total + jnp.square(full)
        return weights + scalar(lr) * full / (jnp.sqrt(total) + epsilon), total

    return in_order(indices, (param, moment), (slices,), step)


@operator(
    "RowWiseSparseAdagrad",
    outputs="output_param, output_moment_1",
    gradient="refused",
    inplace="param -> output_param, moment -> output_moment_1, param => output_param, moment => output_moment_1",
    types=INDICES,
)
def row_wise_sparse_adagrad(param, moment, indices, grad, lr, *, epsilon: float = 1e-5, weight_decay: float = 0.0):
    """Adagrad with one rate a row, on the rows that are named.

    ``h' = h + mean(g^2)``;  ``w' = w + lr * g / (sqrt(h') + epsilon)``, with ``g`` plus ``weight_decay * w``

    Inputs:
        param: The parameter, (rows, ...).
        moment: The sum of mean squared gradients so far, (rows,).
        indices: The named rows, int32 or int64.
        grad: The gradient of each named row.
        lr: The rate, one number, negative for descent.
    Args:
        epsilon: Keeps the division finite.
        weight_decay: Adds this share of the row to its gradient.
    Outputs:
        output_param: The parameter, in place.
        output_moment_1: The sum, in place.
    Example:
        >>> run("RowWiseSparseAdagrad", param=[[1.0, 1.0]], moment=[0.0], indices=[0], grad=[[2.0, 2.0]], lr=[-0.5])
        param = [[0.5000025 0.5000025]]
        moment = [4.]
    """
    require_shape(
        moment.size == param.shape[0], f"moment is {tuple(moment.shape)}; it must have one value a row of param"
    )
    (slices,) = slices_of(param, indices, grad=grad)

    def step(weights, total, slope):
        full = slope + weight_decay * weights
        total = total + row_mean(jnp.square(full)).reshape(total.shape)
        return weights + scalar(lr) * full / (jnp.sqrt(spread(total, weights)) + epsilon), total

    return in_order(indices, (param, moment), (slices,), step)
