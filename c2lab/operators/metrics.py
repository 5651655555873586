"""Metrics: how good predictions are, as numbers without gradients."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator

FLOATS = "float32 float64"


def _labels_in_range(predictions: Any, labels: Any) -> Any:
    """The labels as (N,), checked against predictions (N, D)."""
    require_shape(
        predictions.ndim == 2 and product(labels.shape) == predictions.shape[0],
        f"predictions is {predictions.shape} and labels is {labels.shape}; predictions must be (N, D) and labels (N)",
    )
    classes = predictions.shape[1]
    flat = labels.reshape(-1)
    require(
        (flat >= 0) & (flat < classes),
        f"labels holds a label outside 0 to {classes} - 1, the classes of predictions {predictions.shape}",
        flat,
    )
    return flat


@operator("Accuracy", outputs="accuracy", gradient="refused", types={"predictions": FLOATS, "labels": "int32"})
def accuracy(predictions, labels, *, top_k: int = 1):
    """The share of rows whose label is among the ``top_k`` largest scores.

    Of equal scores, the one with the lower class number ranks higher.

    Inputs:
        predictions: Scores or probabilities (N, D).
        labels: int32 (N) class numbers from 0 to D - 1.
    Args:
        top_k: How many of the largest scores count.
    Outputs:
        accuracy: One number (no dimensions) from 0 to 1.
    Example:
        >>> run("Accuracy", predictions=[[0.2, 0.8], [0.5, 0.5]], labels=[1, 1])
        accuracy = 0.5
    """
    label = _labels_in_range(predictions, labels)[:, None]
    own = jnp.take_along_axis(predictions, label, axis=1, mode="clip")
    ahead = (predictions > own) | ((predictions == own) & (jnp.arange(predictions.shape[1]) < label))
    right = jnp.sum(ahead, axis=1) < top_k
    return jnp.mean(right.astype(jnp.float32))


@operator(
    "MultiClassAccuracy",
    outputs="accuracies, amounts",
    gradient="refused",
    types={"prediction": FLOATS, "labels": "int32"},
)
def multi_class_accuracy(prediction, labels):
    """The accuracy of each class on its own, and how many rows each class has.

    Inputs:
        prediction: Scores (N, D).
        labels: int32 (N) class numbers from 0 to D - 1.
    Outputs:
        accuracies: (D) the share of a class's rows whose largest score is that class; 0 where it has no rows.
        amounts: int32 (D) the number of rows of each class.
    Example:
        >>> run("MultiClassAccuracy", prediction=[[0.2, 0.8], [0.1, 0.9]], labels=[1, 0])
        accuracies = [0. 1.]
        amounts = [1 1]
    """
    label = _labels_in_range(prediction, labels)
    classes = jnp.arange(prediction.shape[1], dtype=jnp.int32)
    member = label[:, None] == classes
    right = member & (jnp.argmax(prediction, axis=1).astype(jnp.int32) == label)[:, None]
    amounts = jnp.sum(member, axis=0, dtype=jnp.int32)
    found = jnp.sum(right, axis=0, dtype=jnp.int32)
    return (found / jnp.maximum(amounts, 1)).astype(prediction.dtype), amounts


@operator("Perplexity", outputs="output", gradient="refused", types={"probabilities": FLOATS})
def perplexity(probabilities):
    """How many equally likely words a language model hesitates between.

    ``output = product of p ** (-1 / N)``

    Inputs:
        probabilities: (N), of the words that came.
    Outputs:
        output: One number (no dimensions).
    Example:
        >>> run("Perplexity", probabilities=[0.25, 0.25])
        output = 4.0
    """
    require_shape(probabilities.ndim == 1, f"probabilities is {probabilities.shape}; it must be one-dimensional")
    count = jnp.maximum(jnp.asarray(product(probabilities.shape), probabilities.dtype), 1)
    return jnp.prod(probabilities ** (-1 / count))


@host_operator("APMeter", outputs="AP", gradient="refused", types={"predictions": FLOATS, "labels": "int32"})
def ap_meter(predictions, labels, *, state, buffer_size: int = 1000):
    """The average precision of each class over the last samples that the operator has seen.

    The samples are ranked by their score; AP is the mean, over those that belong to the class, of the share of
    such samples among all that rank at least as high.

    Inputs:
        predictions: Scores (N, D).
        labels: int32 (N, D), 1 where a sample belongs to a class.
    Args:
        buffer_size: How many samples the operator remembers.
    Outputs:
        AP: (D).
    Example:
        >>> run("APMeter", predictions=[[0.9], [0.8], [0.7]], labels=[[1], [0], [1]])
        AP = [0.8333333]
    """
    require_shape(
        predictions.ndim == 2 and labels.shape == predictions.shape,
        f"predictions is {predictions.shape} and labels is {labels.shape}; both must be (N, D)",
    )
    if buffer_size < 1:
        raise BadArgument(f"buffer_size is {buffer_size}; it must be at least 1")
    for name, new in (("predictions", predictions), ("labels", labels)):
        state[name] = np.concatenate([state.get(name, new[:0]), new])[-buffer_size:]
    order = np.argsort(-state["predictions"], axis=0, kind="stable")
    found = np.take_along_axis(state["labels"], order, axis=0)
    precision = np.cumsum(found, axis=0) / np.arange(1, len(found) + 1)[:, None]
    return ((precision * found).sum(axis=0) / np.maximum(found.sum(axis=0), 1)).astype(predictions.dtype)
