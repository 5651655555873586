"""Softmax, and the losses that are computed together with it."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp

from c2lab.errors import NotSupported, TypeMismatch
from c2lab.operators.axes import canonical_axis, product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
SMALLEST = 1e-20  # a probability below this counts as this, so that its logarithm stays finite


def _row_softmax(X: Any, axes: tuple[int, ...]) -> Any:
    top = jnp.max(X, axis=axes, keepdims=True, initial=-jnp.inf)
    raised = jnp.exp(X - top)
    return raised / jnp.sum(raised, axis=axes, keepdims=True)


@operator("Softmax", types={"X": FLOATS})
def softmax(X, *, axis: int = 1):
    """Turns each row of scores into probabilities that sum to one.

    ``Y[i] = exp(X[i]) / sum_j exp(X[j])``, where a row is everything from ``axis`` on: a (2, 3, 4)
    input with axis 1 has two rows of twelve.

    Inputs:
        X: Scores, at least ``axis + 1`` dimensions.
    Args:
        axis: Where a row begins; -1 is the last dimension alone.
    Outputs:
        Y: Same shape and type as X, each row summing to one.
    Example:
        >>> run("Softmax", X=[[0.0, 0.0, 0.0, 0.0]])
        Y = [[0.25 0.25 0.25 0.25]]
    """
    return _row_softmax(X, tuple(range(canonical_axis(axis, X.ndim), X.ndim)))


@softmax.gradient("Y, dY -> dX", types={"Y": FLOATS, "dY": FLOATS})
def _(Y, dY, *, axis: int = 1):
    """Y times what dY exceeds its mean under Y by, row by row."""
    axes = tuple(range(canonical_axis(axis, Y.ndim), Y.ndim))
    return Y * (dY - jnp.sum(Y * dY, axis=axes, keepdims=True))


def _as_rows(logits: Any, axis: int) -> tuple[Any, Any, Any]:
    """The logits as (rows, classes), and these two sizes."""
    cut = canonical_axis(axis, logits.ndim)
    rows, classes = product(logits.shape[:cut]), product(logits.shape[cut:])
    return logits.reshape(rows, classes), rows, classes


def _row_targets(logits: Any, labels: Any, axis: int, label_prob: bool) -> tuple[Any, Any]:
    """The target probabilities of each row: the given ones, or one at the label."""
    X, rows, classes = _as_rows(logits, axis)
    if label_prob:
        require_same_type(logits, labels)
        require_shape(
            product(labels.shape) == rows * classes,
            f"labels is {labels.shape} but logits is {logits.shape}; with label_prob both must have one shape",
        )
        targets = labels.reshape(rows, classes)
        require(
            targets >= 0, "labels holds a negative probability; with label_prob every value must be at least 0", targets
        )
        require(
            jnp.abs(jnp.sum(targets, axis=1) - 1) < 1e-4,
            "labels holds a row that does not sum to 1; with label_prob every row must be a distribution",
        )
        return X, targets
    if labels.dtype != jnp.int32:
        raise TypeMismatch(f"labels is {labels.dtype}; it must be int32 (or probabilities, with label_prob=1)")
    require_shape(
        product(labels.shape) == rows,
        f"logits is {logits.shape}, which is {rows} rows of {classes}, but labels is {labels.shape}; "
        f"labels must hold {rows} numbers",
    )
    flat = labels.reshape(rows)
    require(
        (flat >= 0) & (flat < classes),
        f"Label seems incorrect: labels holds a label outside 0 to {classes} - 1, the classes of logits {logits.shape}",
        flat,
    )
    return X, (jnp.arange(classes, dtype=jnp.int32) == flat[:, None]).astype(X.dtype)


def _row_weights(X: Any, weight: Any, rows: Any) -> tuple[Any, Any]:
    """The weights of the rows, and what they sum to."""
    if weight is None:
        return jnp.ones(rows, X.dtype), jnp.asarray(rows, X.dtype)
    require_same_type(X, weight)
    require_shape(
        product(weight.shape) == rows,
        f"weight_tensor is {weight.shape}; it must hold one weight for each of {rows} rows",
    )
    weights = weight.reshape(rows)
    return weights, jnp.sum(weights)


def _per_weight(total: Any, weight: Any) -> Any:
    """``total / weight``, or zero where there is no weight at all."""
    return jnp.where(weight == 0, 0, total / jnp.where(weight == 0, 1, weight)).astype(total.dtype)


@operator(
    "SoftmaxWithLoss",
    outputs="softmax, loss, losses?",
    output_counts=(2, 3),
    types={"logits": FLOATS},
)
def softmax_with_loss(
    logits,
    labels,
    weight_tensor=None,
    *,
    num_outputs: int,
    label_prob: bool = False,
    axis: int = 1,
    scale: float = 1.0,
    average_by_batch_size: bool = False,
    order: Literal["NCHW", "NHWC"] = "NCHW",
):
    """Softmax and its cross entropy with the labels, in one numerically stable step.

    ``loss = scale * sum_i w[i] * -log softmax[i, labels[i]] / sum_i w[i]``

    Inputs:
        logits: Scores (N, D); everything from ``axis`` on is one row.
        labels: int32 (N) class numbers from 0 to D - 1; with ``label_prob`` a distribution a row, (N, D).
        weight_tensor: A weight a row, (N); all one where absent.
    Args:
        label_prob: Whether labels are probabilities.
        axis: Where a row of logits begins.
        scale: Factor of the loss and of its gradient.
        average_by_batch_size: Divide by N instead of the sum of weights.
        order: Accepted; it changes nothing here.
    Outputs:
        softmax: Probabilities, shaped like logits.
        loss: One number (no dimensions).
        losses: Not made on the CPU; naming it is an error.
    Example:
        >>> run("SoftmaxWithLoss", logits=[[0.0, 0.0]], labels=[1])
        softmax = [[0.5 0.5]]
        loss = 0.6931471824645996
    """
    if num_outputs > 2:
        raise NotSupported("SoftmaxWithLoss makes two outputs on the CPU (softmax, loss); leave out the third")
    X, targets = _row_targets(logits, labels, axis, label_prob)
    rows = X.shape[0]
    weights, total_weight = _row_weights(X, weight_tensor, rows)
    probabilities = _row_softmax(X, (1,))
    if label_prob:
        logs = jnp.log(jnp.maximum(probabilities, SMALLEST))
    else:
        shifted = X - jnp.max(X, axis=1, keepdims=True, initial=-jnp.inf)
        logs = shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=1, keepdims=True))
    losses = -jnp.sum(jnp.where(targets > 0, targets * logs, 0), axis=1) * weights
    divisor = jnp.asarray(rows, X.dtype) if average_by_batch_size else total_weight
    loss = jnp.where(total_weight == 0, 0, _per_weight(jnp.sum(losses) * scale, divisor)).astype(X.dtype)
    return probabilities.reshape(logits.shape), loss


@softmax_with_loss.gradient(
    "logits, labels, weight_tensor, softmax, dloss -> dlogits", types={"logits": FLOATS, "softmax": FLOATS}
)
def _(
    logits,
    labels,
    weight_tensor,
    softmax,
    dloss,
    *,
    label_prob: bool = False,
    axis: int = 1,
    scale: float = 1.0,
    average_by_batch_size: bool = False,
):
    """The probabilities minus the targets, weighted and averaged like the loss."""
    X, targets = _row_targets(logits, labels, axis, label_prob)
    rows = X.shape[0]
    weights, total_weight = _row_weights(X, weight_tensor, rows)
    divisor = jnp.asarray(rows, X.dtype) if average_by_batch_size else total_weight
    factor = _per_weight(dloss.reshape(()) * scale, divisor)
    return ((softmax.reshape(X.shape) - targets) * weights[:, None] * factor).reshape(logits.shape)


@operator("SpatialSoftmaxWithLoss", outputs="softmax, loss", types={"logits": FLOATS, "labels": "int32"})
def spatial_softmax_with_loss(
    logits, labels, weight_tensor=None, *, scale: float = 1.0, order: Literal["NCHW", "NHWC"] = "NCHW"
):
    """Softmax over the channels of every pixel, and its cross entropy with a label map.

    ``loss = scale * sum_p w[p] * -log softmax[p, labels[p]] / sum_p w[p]`` over the pixels whose label is
    not -1 (which means: do not care).

    Inputs:
        logits: Scores (N, C, H, W).
        labels: int32 (N, H, W) class numbers, -1 where the pixel does not count.
        weight_tensor: A weight a pixel, (N, H, W); all one where absent.
    Args:
        scale: Factor of the loss and of its gradient.
        order: Only NCHW.
    Outputs:
        softmax: Probabilities, shaped like logits.
        loss: One number (no dimensions).
    Example:
        >>> run("SpatialSoftmaxWithLoss", logits=[[[[3.0]]]], labels=[[[-1]]])
        softmax = [[[[1.]]]]
        loss = 0.0
    """
    targets, weights = _pixel_targets(logits, labels, weight_tensor, order)
    total_weight = jnp.sum(weights)
    probabilities = _row_softmax(logits, (1,))
    likelihood = jnp.sum(probabilities * targets, axis=1)
    losses = -jnp.log(jnp.maximum(likelihood, SMALLEST)) * weights
    loss = _per_weight(jnp.sum(jnp.where(weights != 0, losses, 0)) * scale, total_weight)
    return probabilities, loss.astype(logits.dtype)


@spatial_softmax_with_loss.gradient(
    "logits, labels, weight_tensor, softmax, dloss -> dlogits", types={"logits": FLOATS, "labels": "int32"}
)
def _(logits, labels, weight_tensor, softmax, dloss, *, scale: float = 1.0, order: Literal["NCHW", "NHWC"] = "NCHW"):
    """The probabilities minus the targets of every pixel that counts."""
    targets, weights = _pixel_targets(logits, labels, weight_tensor, order)
    factor = _per_weight(dloss.reshape(()) * scale, jnp.sum(weights))
    return (softmax - targets) * weights[:, None] * factor


def _pixel_targets(logits: Any, labels: Any, weight: Any, order: str) -> tuple[Any, Any]:
    """One-hot targets (N, C, H, W) and weights (N, H, W), zero where the label is -1."""
    require_shape(order == "NCHW", "SpatialSoftmaxWithLoss knows order NCHW only; transpose logits with NHWC2NCHW")
    require_shape(
        logits.ndim == 4 and tuple(labels.shape) == (logits.shape[0], *logits.shape[2:]),
        f"logits is {logits.shape} and labels is {labels.shape}; logits must be (N, C, H, W) and labels (N, H, W)",
    )
    classes = logits.shape[1]
    require(
        (labels >= -1) & (labels < classes),
        f"labels holds a label outside -1 (do not care) to {classes} - 1, the channels of logits {logits.shape}",
        labels,
    )
    counts = (labels >= 0).astype(logits.dtype)
    if weight is not None:
        require_same_type(logits, weight)
        require_shape(
            product(weight.shape) == product(labels.shape),
            f"weight_tensor is {weight.shape}; it must be shaped like labels, {labels.shape}",
        )
        counts = counts * weight.reshape(labels.shape)
    channels = jnp.arange(classes, dtype=labels.dtype)[:, None, None]
    return (channels == labels[:, None]).astype(logits.dtype), counts
