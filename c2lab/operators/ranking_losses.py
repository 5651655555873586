"""Ranking losses: how wrong the order is in which scores put things."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import operator

FLOATS = "float32 float64"


def _require_equal_shapes(**values: Any) -> None:
    shapes = {name: tuple(value.shape) for name, value in values.items()}
    require_shape(
        len(set(shapes.values())) == 1,
        ", ".join(f"{name} is {shape}" for name, shape in shapes.items()) + "; all must have one shape",
    )


@operator("MarginRankingCriterion", outputs="loss", types={"X1": FLOATS, "Y": "int32"})
def margin_ranking_criterion(X1, X2, Y, *, margin: float = 1.0):
    """Demands that one score is above the other by a margin.

    ``loss = max(0, -Y * (X1 - X2) + margin)``

    Inputs:
        X1: Scores of any shape.
        X2: Scores, shaped like X1.
        Y: int32, 1 where X1 should be above, -1 where X2 should.
    Args:
        margin: By how much.
    Outputs:
        loss: Same shape as X1.
    Example:
        >>> run("MarginRankingCriterion", X1=[2.0, 2.0], X2=[1.5, 1.5], Y=[1, -1])
        loss = [0.5 1.5]
    """
    require_same_type(X1, X2)
    _require_equal_shapes(X1=X1, X2=X2, Y=Y)
    return jnp.maximum(-Y.astype(X1.dtype) * (X1 - X2) + jnp.asarray(margin, X1.dtype), 0)


@margin_ranking_criterion.gradient("X1, X2, Y, dloss -> dX1, dX2", types={"X1": FLOATS, "Y": "int32"})
def _(X1, X2, Y, dloss, *, margin: float = 1.0):
    """Pushes both scores apart where the margin is not kept."""
    sign = Y.astype(X1.dtype)
    slope = jnp.where(-sign * (X1 - X2) + jnp.asarray(margin, X1.dtype) < 0, 0, sign * dloss)
    return -slope, slope


@operator("CosineEmbeddingCriterion", outputs="loss", types={"S": FLOATS, "Y": "int32"})
def cosine_embedding_criterion(S, Y, *, margin: float = 0.0):
    """Demands that pairs which belong together are similar, and that others are not.

    ``loss = 1 - S`` where Y is 1, and ``max(0, S - margin)`` elsewhere.

    Inputs:
        S: Cosine similarities of any shape.
        Y: int32, 1 where a pair belongs together, -1 where not.
    Args:
        margin: How similar a pair that does not belong together may be.
    Outputs:
        loss: Same shape as S.
    Example:
        >>> run("CosineEmbeddingCriterion", S=[0.75, 0.75], Y=[1, -1])
        loss = [0.25 0.75]
    """
    _require_equal_shapes(S=S, Y=Y)
    return jnp.where(Y == 1, 1 - S, jnp.maximum(S - jnp.asarray(margin, S.dtype), 0))


@cosine_embedding_criterion.gradient("S, Y, dloss -> dS", types={"S": FLOATS, "Y": "int32"})
def _(S, Y, dloss, *, margin: float = 0.0):
    """Minus one for pairs that belong together, one for others that are above the margin."""
    return jnp.where(Y == 1, -dloss, jnp.where(S >= jnp.asarray(margin, S.dtype), dloss, 0))


def _sessions(count: Any, lengths: Any) -> Any:
    """To which session each of ``count`` entries belongs, from the lengths of the sessions."""
    require(
        (jnp.sum(lengths) == count) & jnp.all(lengths >= 0),
        f"the session lengths must not be negative, and sum to {count}, the number of scores",
    )
    ends = jnp.cumsum(lengths)
    return jnp.searchsorted(ends, jnp.arange(count, dtype=ends.dtype), side="right")


def _differences(values: Any) -> Any:
    return values[:, None] - values[None, :]


def _pair_terms(X: Any, label: Any, lengths: Any) -> tuple[Any, Any, Any, Any]:
    """The scores in a row; for each ordered pair its sign; the session of each entry; the pairs in each session."""
    require_same_type(X, label)
    require_shape(
        (X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)) and product(label.shape) == product(X.shape),
        f"X is {X.shape} and label is {label.shape}; both must be (N) or (N, 1)",
    )
    scores, wanted = X.reshape(X.shape[0]), label.reshape(X.shape[0])
    count = scores.shape[0]
    if lengths is None:
        session, sessions = jnp.zeros(count, jnp.int32), 1 if count else 0
    else:
        require_shape(lengths.ndim == 1, f"lengths is {lengths.shape}; it must be one-dimensional")
        session, sessions = _sessions(count, lengths), lengths.shape[0]
    gap = _differences(wanted)
    together = (session[:, None] == session[None, :]) & (jnp.abs(gap) >= 1e-8)
    signs = jnp.where(together, jnp.sign(gap), 0)
    pairs = jnp.zeros(sessions, X.dtype).at[session].add(jnp.sum(together, axis=1).astype(X.dtype) / 2, mode="drop")
    return scores, signs, session, jnp.maximum(pairs, 1)


@operator("PairWiseLoss", types={"X": FLOATS, "lengths": "int32"})
def pair_wise_loss(X, label, lengths=None):
    """The logistic loss of all pairs in a session whose labels differ, averaged over the pairs.

    ``Y = mean over pairs of log(1 + exp(-(x_i - x_j)))`` where i has the higher label.

    Inputs:
        X: Scores (N) or (N, 1).
        label: The wanted order, shaped like X.
        lengths: int32, the lengths of the sessions; one session where absent.
    Outputs:
        Y: A loss a session; 0 where no labels differ.
    Example:
        >>> run("PairWiseLoss", X=[1.0, 1.0], label=[1.0, 0.0])
        Y = [0.6931472]
    """
    scores, signs, session, pairs = _pair_terms(X, label, lengths)
    losses = jnp.where(signs > 0, jax.nn.softplus(-_differences(scores)), 0)
    return jnp.zeros(pairs.shape, X.dtype).at[session].add(jnp.sum(losses, axis=1), mode="drop") / pairs


@pair_wise_loss.gradient("X, label, dY, lengths? -> dX", types={"X": FLOATS, "lengths": "int32"})
def _(X, label, dY, lengths=None):
    """Pushes the scores of each pair apart, the less so the better they are in order."""
    scores, signs, session, pairs = _pair_terms(X, label, lengths)
    pushes = -signs * jax.nn.sigmoid(-signs * _differences(scores))
    share = (dY.reshape(pairs.shape) / pairs).at[session].get(mode="fill", fill_value=0)
    return (jnp.sum(pushes, axis=1) * share).reshape(X.shape)


@operator("LambdaRankNdcg", outputs="loss, dy", types={"y": FLOATS, "r": FLOATS, "session_lengths": "int32"})
def lambda_rank_ndcg(
    y,
    r,
    session_lengths,
    *,
    use_ndcg_as_loss: bool = False,
    use_idcg_normalization: bool = True,
    use_exp_gain: bool = True,
):
    """LambdaRank: pairwise losses, weighted by what a swap would change in the discounted gain of the list.

    ``loss = -sum_ij w_ij * log s(sign(r_i - r_j) * (y_i - y_j))`` with s the sigmoid and
    ``w_ij = |g_i - g_j| * |d_i - d_j|``, where g is the gain ``2 ** r`` and ``d = 1 / log2(1 + rank)``.

    Inputs:
        y: Scores (N).
        r: Relevances (N).
        session_lengths: int32, the lengths of the lists.
    Args:
        use_ndcg_as_loss: The loss is the ideal gain less the gain.
        use_idcg_normalization: Divide by the ideal gain.
        use_exp_gain: The gain is ``2 ** r``; else r itself.
    Outputs:
        loss: A loss a list.
        dy: (N) the gradient of the scores, kept for the backward pass.
    Example:
        >>> run("LambdaRankNdcg", y=[1.0, 2.0], r=[0.0, 1.0], session_lengths=[2], use_ndcg_as_loss=1)
        loss = [0.]
        dy = [ 0.03772745 -0.03772745]
    Source:
        Burges, "From RankNet to LambdaRank to LambdaMART", 2010.
    """
    require_same_type(y, r)
    require_shape(y.ndim == 1 and y.shape == r.shape, f"y is {y.shape} and r is {r.shape}; both must be (N)")
    session = _sessions(y.shape[0], session_lengths)
    together = session[:, None] == session[None, :]
    gain = jnp.exp2(r) if use_exp_gain else r
    discount, ideal_discount = _discounts(y, together), _discounts(r, together)
    weight = jnp.where(together, jnp.abs(_differences(gain) * _differences(discount)), 0)
    sign = jnp.sign(_differences(r))
    pushes = -jnp.sum(weight * sign * jax.nn.sigmoid(-sign * _differences(y)), axis=1)

    def per_session(values: Any) -> Any:
        return jnp.zeros(session_lengths.shape, y.dtype).at[session].add(values, mode="drop")

    ideal = per_session(gain * ideal_discount)
    if use_ndcg_as_loss:
        loss = ideal - per_session(gain * discount)
    else:
        loss = per_session(jnp.sum(weight * jax.nn.softplus(-sign * _differences(y)), axis=1))
    if use_idcg_normalization:
        divisor = jnp.maximum(ideal, jnp.asarray(1e-5, y.dtype))
        loss, pushes = loss / divisor, pushes / divisor[session]
    return loss, pushes


def _discounts(values: Any, together: Any) -> Any:
    """``1 / log2(1 + rank)`` of each value in its session, the largest first."""
    place = jnp.arange(values.shape[0])
    above = (values[None, :] > values[:, None]) | (
        (values[None, :] == values[:, None]) & (place[None, :] < place[:, None])
    )
    rank = jnp.sum(together & above, axis=1)
    return (1 / jnp.log2(rank.astype(values.dtype) + 2)).astype(values.dtype)


@lambda_rank_ndcg.gradient("y, session_lengths, dy, dloss -> dscores", types={"y": FLOATS, "session_lengths": "int32"})
def _(y, session_lengths, dy, dloss):
    """The kept gradient, times that of each list's loss."""
    return dloss.reshape(session_lengths.shape)[_sessions(y.shape[0], session_lengths)] * dy


@lambda_rank_ndcg.gradient_maker
def _(g):
    return [g.define("LambdaRankNdcgGradient", [g.I(0), g.I(2), g.O(1), g.GO(0)], [g.GI(0)])]
