"""Losses: one number, or one a row, that says how wrong a prediction is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from c2lab.errors import BadArgument
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"
SMALLEST = 1e-20  # a probability below this counts as this, so that its logarithm stays finite


def _label_hits(X: Any, label: Any) -> Any:
    """The label of each row as a mask (N, D)."""
    return jnp.arange(X.shape[1], dtype=jnp.int32) == _labels(X, label)


def _labels(X: Any, label: Any) -> Any:
    """The label of each row as a column (N, 1), required to be that of a column of X."""
    require_shape(
        X.ndim == 2 and product(label.shape) == X.shape[0] and label.ndim in (1, 2),
        f"X is {X.shape} and label is {label.shape}; X must be (N, D) and label (N) or (N, 1)",
    )
    classes = X.shape[1]
    flat = label.reshape(X.shape[0], 1)
    require(
        (flat >= 0) & (flat < classes),
        f"Label seems incorrect: label holds a label outside 0 to {classes} - 1, the columns of X {X.shape}",
        flat,
    )
    return flat


@operator("LabelCrossEntropy", types={"X": FLOATS, "label": "int32"})
def label_cross_entropy(X, label):
    """The cross entropy of each row of probabilities with its label.

    ``Y[i] = -log(max(X[i, label[i]], 1e-20))``

    Inputs:
        X: Probabilities (N, D), as Softmax makes them.
        label: int32 (N) or (N, 1), class numbers from 0 to D - 1.
    Outputs:
        Y: (N) a loss a row.
    Example:
        >>> run("LabelCrossEntropy", X=[[0.5, 0.5], [0.25, 0.75]], label=[1, 0])
        Y = [0.6931472 1.3862944]
    """
    own = jnp.take_along_axis(X, _labels(X, label), axis=1, mode="clip")[:, 0]
    return -jnp.log(jnp.maximum(own, SMALLEST))


@label_cross_entropy.gradient("X, label, dY -> dX", types={"X": FLOATS, "label": "int32"})
def _(X, label, dY):
    """Minus dY over the probability at the label, zero elsewhere."""
    return jnp.where(_label_hits(X, label), -dY.reshape(-1, 1) / jnp.maximum(X, SMALLEST), 0)


def _require_distributions(X: Any, label: Any) -> None:
    require_same_type(X, label)
    require_shape(
        X.ndim == 2 and X.shape == label.shape,
        f"X is {X.shape} and label is {label.shape}; both must be (N, D)",
    )


@operator("CrossEntropy", types={"X": FLOATS})
def cross_entropy(X, label):
    """The cross entropy of each row of probabilities with a distribution over the classes.

    ``Y[i] = -sum_j label[i, j] * log(max(X[i, j], 1e-20))``

    Inputs:
        X: Probabilities (N, D).
        label: The wanted distributions (N, D).
    Outputs:
        Y: (N) a loss a row.
    Example:
        >>> run("CrossEntropy", X=[[0.5, 0.5]], label=[[0.0, 1.0]])
        Y = [0.6931472]
    """
    _require_distributions(X, label)
    return -jnp.sum(label * jnp.log(jnp.maximum(X, SMALLEST)), axis=1)


@cross_entropy.gradient("X, label, dY -> dX", types={"X": FLOATS})
def _(X, label, dY):
    """Minus dY times the wanted share over the probability."""
    _require_distributions(X, label)
    return -dY.reshape(-1, 1) * label / jnp.maximum(X, SMALLEST)


@operator("MakeTwoClass", types={"X": FLOATS})
def make_two_class(X):
    """The probabilities of both classes from that of the second.

    Inputs:
        X: The probability of class 1, any shape.
    Outputs:
        Y: X with a last dimension of two: ``1 - X`` and ``X``.
    Example:
        >>> run("MakeTwoClass", X=[0.25])
        Y = [[0.75 0.25]]
    """
    return jnp.stack([1 - X, X], axis=-1)


@make_two_class.gradient("dY -> dX", types={"dY": FLOATS})
def _(dY):
    """The gradient of class 1 less that of class 0."""
    return dY[..., 1] - dY[..., 0]


@operator("AveragedLoss", outputs="output", gradient="input, doutput -> dinput", types={"input": FLOATS})
def averaged_loss(input):
    """The mean of all values, as one number to be minimised.

    Inputs:
        input: Losses of any shape.
    Outputs:
        output: Their mean (no dimensions); 0 where there are none.
    Example:
        >>> run("AveragedLoss", input=[1.0, 2.0, 6.0])
        output = 3.0
    """
    count = product(input.shape)
    return jnp.sum(input) / jnp.maximum(jnp.asarray(count, input.dtype), 1)


def _log_sigmoid(x: Any) -> Any:
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


def _binary_log_likelihood(x: Any, t: Any, log_D_trick: bool, unjoined: bool) -> Any:
    """How likely the targets are under the logits, as a logarithm."""
    if unjoined:
        return t * x + (1 - t) * _log_sigmoid(-x)
    if log_D_trick:
        return (2 * t - 1) * _log_sigmoid(x)
    positive = (x >= 0).astype(x.dtype)
    return x * (t - positive) - jnp.log1p(jnp.exp(-jnp.abs(x)))  # one logarithm; nothing cancels far from 0


def _binary_slope(x: Any, t: Any, log_D_trick: bool, unjoined: bool) -> Any:
    """The derivative of the log likelihood by the logits."""
    sigmoid = jax.nn.sigmoid(x)
    if unjoined:
        return t - (1 - t) * sigmoid
    if log_D_trick:
        return (2 * t - 1) * (1 - sigmoid)
    return t - sigmoid


def _require_logits(logits: Any, targets: Any, weights: Any = None) -> Any:
    """Demands one shape of all, and returns how many values a row has."""
    for name, other in (("targets", targets), ("weights", weights)):
        if other is not None:
            require_same_type(logits, other)
            require_shape(
                logits.shape == other.shape,
                f"logits is {logits.shape} and {name} is {other.shape}; both must have one shape",
            )
    return logits.shape[-1] if logits.ndim else 1


def _row_mean(values: Any, width: Any) -> Any:
    return jnp.sum(values, axis=-1) / width if values.ndim else values


def _require_one_trick(log_D_trick: bool, unjoined_lr_loss: bool) -> None:
    if log_D_trick and unjoined_lr_loss:
        raise BadArgument("log_D_trick and unjoined_lr_loss are both set; set only one of them")


@operator("SigmoidCrossEntropyWithLogits", outputs="xentropy", types={"logits": FLOATS})
def sigmoid_cross_entropy_with_logits(logits, targets, *, log_D_trick: bool = False, unjoined_lr_loss: bool = False):
    """The cross entropy of yes-or-no targets with the sigmoid of the logits, averaged over each row.

    ``xentropy = -mean(t * log s(x) + (1 - t) * log(1 - s(x)))`` with s the sigmoid.

    Inputs:
        logits: (..., D).
        targets: (..., D), 0 or 1 (or between).
    Args:
        log_D_trick: ``-mean((2 * t - 1) * log s(x))``, which does not fade where a generator is sure to fail.
        unjoined_lr_loss: ``-mean(t * x + (1 - t) * log(1 - s(x)))``, for positives that come as extra rows.
    Outputs:
        xentropy: logits without its last dimension.
    Example:
        >>> run("SigmoidCrossEntropyWithLogits", logits=[[0.0, 0.0]], targets=[[1.0, 0.0]])
        xentropy = [0.6931472]
    """
    width = _require_logits(logits, targets)
    _require_one_trick(log_D_trick, unjoined_lr_loss)
    return -_row_mean(_binary_log_likelihood(logits, targets, log_D_trick, unjoined_lr_loss), width)


@sigmoid_cross_entropy_with_logits.gradient("dxentropy, logits, targets -> dlogits", types={"logits": FLOATS})
def _(dxentropy, logits, targets, *, log_D_trick: bool = False, unjoined_lr_loss: bool = False):
    """Minus the slope of the log likelihood, averaged like the loss."""
    width = _require_logits(logits, targets)
    _require_one_trick(log_D_trick, unjoined_lr_loss)
    return -jnp.expand_dims(dxentropy, -1) / width * _binary_slope(logits, targets, log_D_trick, unjoined_lr_loss)


@operator("WeightedSigmoidCrossEntropyWithLogits", outputs="xentropy", types={"logits": FLOATS})
def weighted_sigmoid_cross_entropy_with_logits(logits, targets, weights):
    """The cross entropy of yes-or-no targets with the sigmoid of the logits, each value with a weight.

    ``xentropy = -mean(w * (t * log s(x) + (1 - t) * log(1 - s(x))))`` over each row, with s the sigmoid.

    Inputs:
        logits: (..., D).
        targets: (..., D), 0 or 1 (or between).
        weights: (..., D).
    Outputs:
        xentropy: logits without its last dimension.
    Example:
        >>> run("WeightedSigmoidCrossEntropyWithLogits", logits=[[0.0]], targets=[[1.0]], weights=[[2.0]])
        xentropy = [1.3862944]
    """
    width = _require_logits(logits, targets, weights)
    return -_row_mean(weights * _binary_log_likelihood(logits, targets, False, False), width)


@weighted_sigmoid_cross_entropy_with_logits.gradient(
    "dxentropy, logits, targets, weights -> dlogits", types={"logits": FLOATS}
)
def _(dxentropy, logits, targets, weights):
    """Minus the weighted slope of the log likelihood, averaged like the loss."""
    width = _require_logits(logits, targets, weights)
    return -jnp.expand_dims(dxentropy, -1) / width * weights * _binary_slope(logits, targets, False, False)


@operator("BernoulliJSD", outputs="L", types={"T": FLOATS})
def bernoulli_jsd(T, X):
    """The Jensen-Shannon divergence of two coins, value by value.

    ``L = H((T + X) / 2) - (H(T) + H(X)) / 2`` with ``H(p) = -p log p - (1 - p) log(1 - p)``.

    Inputs:
        T: Probabilities that a coin shows heads.
        X: Those of the other coin, shaped like T.
    Outputs:
        L: Same shape as T.
    Example:
        >>> run("BernoulliJSD", T=[1.0], X=[0.0])
        L = [0.6931472]
    """
    require_same_type(T, X)
    require_shape(T.shape == X.shape, f"T is {T.shape} and X is {X.shape}; both must have one shape")
    return _coin_entropy((T + X) / 2) - (_coin_entropy(T) + _coin_entropy(X)) / 2


def _coin_entropy(p: Any) -> Any:
    return -p * jnp.log(jnp.maximum(p, SMALLEST)) - (1 - p) * jnp.log(jnp.maximum(1 - p, SMALLEST))


@bernoulli_jsd.gradient("dL, T, X -> dT", types={"T": FLOATS})
def _(dL, T, X):
    """Half the difference of the log odds of T and of the mean coin, times dL."""
    middle = (T + X) / 2
    odds = jnp.log(jnp.maximum(T, SMALLEST)) - jnp.log(jnp.maximum(1 - T, SMALLEST))
    mean_odds = jnp.log(jnp.maximum(middle, SMALLEST)) - jnp.log(jnp.maximum(1 - middle, SMALLEST))
    return dL * (odds - mean_odds) / 2
