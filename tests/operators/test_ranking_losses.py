import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(6)


@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
def test_margin_ranking_criterion(margin):
    X1, X2 = rng.normal(size=(2, 12)).astype(np.float32)
    Y = rng.choice([-1, 1], size=12).astype(np.int32)

    def formula(a, b):
        return np.maximum(0, -Y * (a - b) + margin)

    np.testing.assert_allclose(call("MarginRankingCriterion", X1, X2, Y, margin=margin), formula(X1, X2), atol=1e-6)
    dloss = rng.normal(size=12).astype(np.float32)
    made = gradients("MarginRankingCriterion", [X1, X2, Y], [dloss], margin=margin)
    for which in (0, 1):
        np.testing.assert_allclose(made[which], slope(formula, [X1, X2], which, dloss), atol=1e-4)


@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_cosine_embedding_criterion(margin):
    S, Y = rng.uniform(-1, 1, size=12).astype(np.float32), rng.choice([-1, 1], size=12).astype(np.int32)

    def formula(s):
        return np.where(Y == 1, 1 - s, np.maximum(0, s - margin))

    np.testing.assert_allclose(call("CosineEmbeddingCriterion", S, Y, margin=margin), formula(S), atol=1e-6)
    dloss = rng.normal(size=12).astype(np.float32)
    dS, _ = gradients("CosineEmbeddingCriterion", [S, Y], [dloss], margin=margin)
    np.testing.assert_allclose(dS, slope(formula, [S], 0, dloss), atol=1e-4)


def pair_losses(x, label, lengths):
    result, start = [], 0
    for length in lengths:
        pairs = [
            np.log(1 + np.exp(x[j] - x[i]))
            for i in range(start, start + length)
            for j in range(start, start + length)
            if label[i] > label[j]
        ]
        result.append(np.mean(pairs) if pairs else 0.0)
        start += length
    return np.array(result)


@pytest.mark.parametrize("lengths", [[5, 3, 0, 4], [12], [1] * 12])
def test_pair_wise_loss(lengths):
    x, label = rng.normal(size=12).astype(np.float32), rng.integers(0, 3, size=12).astype(np.float32)
    inputs = [x, label, np.int32(lengths)]
    np.testing.assert_allclose(call("PairWiseLoss", *inputs), pair_losses(x, label, lengths), rtol=1e-4, atol=1e-6)
    dY = rng.normal(size=len(lengths)).astype(np.float32)
    made = gradients("PairWiseLoss", inputs, [dY])
    np.testing.assert_allclose(made[0], slope(lambda v: pair_losses(v, label, lengths), [x], 0, dY), atol=1e-4)


def test_pair_wise_loss_is_one_session_without_lengths():
    x, label = np.float32([[1.0], [0.5]]), np.float32([[0.0], [1.0]])
    np.testing.assert_allclose(call("PairWiseLoss", x, label), pair_losses(x[:, 0], label[:, 0], [2]), rtol=1e-6)


def test_lengths_must_sum_to_the_number_of_scores():
    with pytest.raises(BadValue, match="sum to 3"):
        call("PairWiseLoss", np.ones(3, np.float32), np.ones(3, np.float32), np.int32([2]))
    with pytest.raises(ShapeMismatch, match="both must be"):
        call("PairWiseLoss", np.ones(3, np.float32), np.ones(2, np.float32))


def ndcg(y, r, lengths, use_ndcg_as_loss, normalize, exp_gain):
    losses, pushes, start = [], [], 0
    for length in lengths:
        ys, rs = y[start : start + length], r[start : start + length]
        gain = 2.0**rs if exp_gain else rs
        inverse_logs = 1 / np.log2(np.arange(length) + 2)
        discount, ideal_discount = np.zeros(length), np.zeros(length)
        discount[np.argsort(-ys, kind="stable")] = inverse_logs
        ideal_discount[np.argsort(-rs, kind="stable")] = inverse_logs
        ideal, loss, push = (gain * ideal_discount).sum(), 0.0, np.zeros(length)
        for i in range(length):
            for j in range(length):
                sign = np.sign(rs[i] - rs[j])
                weight = abs((gain[i] - gain[j]) * (discount[i] - discount[j]))
                loss += weight * np.log(1 + np.exp(-sign * (ys[i] - ys[j])))
                push[i] -= weight * sign / (1 + np.exp(sign * (ys[i] - ys[j])))
        if use_ndcg_as_loss:
            loss = ideal - (gain * discount).sum()
        divisor = max(ideal, 1e-5) if normalize else 1
        losses.append(loss / divisor)
        pushes.append(push / divisor)
        start += length
    return np.array(losses), np.concatenate(pushes)


@pytest.mark.parametrize("exp_gain", [0, 1])
@pytest.mark.parametrize("normalize", [0, 1])
@pytest.mark.parametrize("ndcg_loss", [0, 1])
def test_lambda_rank_ndcg(ndcg_loss, normalize, exp_gain):
    y, r = rng.normal(size=9).astype(np.float32), rng.integers(0, 4, size=9).astype(np.float32)
    lengths = np.int32([4, 5])
    arguments = {"use_ndcg_as_loss": ndcg_loss, "use_idcg_normalization": normalize, "use_exp_gain": exp_gain}
    loss, dy = call("LambdaRankNdcg", y, r, lengths, outputs=2, **arguments)
    want_loss, want_dy = ndcg(y, r, lengths, ndcg_loss, normalize, exp_gain)
    np.testing.assert_allclose(loss, want_loss, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dy, want_dy, rtol=1e-4, atol=1e-5)
    made = gradients("LambdaRankNdcg", [y, r, lengths], [np.float32([2, 3]), None], **arguments)
    np.testing.assert_allclose(made[0], want_dy * np.repeat([2, 3], lengths), rtol=1e-4, atol=1e-5)


WIRING = {
    ("MarginRankingCriterion", 3, 1): (["I0", "I1", "I2", "GO0"], ["I0_grad", "I1_grad", None]),
    ("CosineEmbeddingCriterion", 2, 1): (["I0", "I1", "GO0"], ["I0_grad", None]),
    ("PairWiseLoss", 2, 1): (["I0", "I1", "GO0"], ["I0_grad", None]),
    ("PairWiseLoss", 3, 1): (["I0", "I1", "GO0", "I2"], ["I0_grad", None, None]),
    ("LambdaRankNdcg", 3, 2): (["I0", "I2", "O1", "GO0"], ["I0_grad", None, None]),
}


@pytest.mark.parametrize("case", WIRING, ids=str)
def test_gradient_wiring(case):
    sources, targets = WIRING[case]
    assert wiring(*case) == ([(f"{case[0]}Gradient", sources, [t for t in targets if t])], targets)
