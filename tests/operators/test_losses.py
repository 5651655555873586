import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(5)


def distributions(*shape):
    raised = rng.uniform(0.1, 1, size=shape)
    return (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("label_shape", [(4,), (4, 1)])
def test_label_cross_entropy(label_shape):
    X, label = distributions(4, 3), np.int32([0, 2, 1, 1]).reshape(label_shape)

    def formula(x):
        return -np.log(x[np.arange(4), label.reshape(-1)])

    np.testing.assert_allclose(call("LabelCrossEntropy", X, label), formula(X), rtol=1e-5)
    dY = rng.normal(size=4).astype(np.float32)
    dX, nothing = gradients("LabelCrossEntropy", [X, label], [dY])
    np.testing.assert_allclose(dX, slope(formula, [X], 0, dY), rtol=1e-4, atol=1e-5)
    assert nothing is None


def test_label_cross_entropy_of_an_impossible_label_is_bounded():
    np.testing.assert_allclose(call("LabelCrossEntropy", np.float32([[0, 1]]), np.int32([0])), [46.0517], rtol=1e-6)


@pytest.mark.parametrize("label", [-1, 3])
def test_label_cross_entropy_refuses_labels_out_of_range(label):
    with pytest.raises(BadValue, match=r"outside 0 to 3 - 1, the columns of X \(1, 3\)"):
        call("LabelCrossEntropy", np.ones((1, 3), np.float32), np.int32([label]))


def test_label_cross_entropy_refuses_other_label_types_and_sizes():
    with pytest.raises(TypeMismatch, match="label is int64; it may be int32"):
        call("LabelCrossEntropy", np.ones((1, 3), np.float32), np.int64([0]))
    with pytest.raises(ShapeMismatch, match=r"X is \(1, 3\) and label is \(2,\)"):
        call("LabelCrossEntropy", np.ones((1, 3), np.float32), np.int32([0, 1]))


def test_cross_entropy_with_distributions():
    X, label = distributions(4, 3), distributions(4, 3)

    def formula(x):
        return -(label * np.log(x)).sum(axis=1)

    np.testing.assert_allclose(call("CrossEntropy", X, label), formula(X), rtol=1e-5)
    dY = rng.normal(size=4).astype(np.float32)
    dX, _ = gradients("CrossEntropy", [X, label], [dY])
    np.testing.assert_allclose(dX, slope(formula, [X], 0, dY), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3), (2, 2, 2)])
def test_averaged_loss(shape):
    X = rng.normal(size=shape).astype(np.float32)
    loss = call("AveragedLoss", X)
    assert loss.shape == ()
    np.testing.assert_allclose(loss, X.mean(), rtol=1e-5, atol=1e-6)
    (dX,) = gradients("AveragedLoss", [X], [np.float32(3)])
    np.testing.assert_allclose(dX, np.full(shape, 3 / X.size), rtol=1e-6)


def test_averaged_loss_of_nothing_is_zero():
    assert call("AveragedLoss", np.zeros(0, np.float32)) == 0


def test_make_two_class():
    X = rng.uniform(size=5).astype(np.float32)
    np.testing.assert_allclose(call("MakeTwoClass", X), np.stack([1 - X, X], axis=1))
    dY = rng.normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_allclose(gradients("MakeTwoClass", [X], [dY])[0], dY[:, 1] - dY[:, 0])


def log_likelihood(x, t, log_D_trick=False, unjoined=False):
    if unjoined:
        return t * x + (1 - t) * np.log(1 - sigmoid(x))
    if log_D_trick:
        return (2 * t - 1) * np.log(sigmoid(x))
    return t * np.log(sigmoid(x)) + (1 - t) * np.log(1 - sigmoid(x))


@pytest.mark.parametrize("shape", [(6,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("trick", [{}, {"log_D_trick": 1}, {"unjoined_lr_loss": 1}])
def test_sigmoid_cross_entropy_with_logits(shape, trick):
    x, t = rng.normal(size=shape).astype(np.float32), rng.integers(0, 2, size=shape).astype(np.float32)

    def formula(x):
        return -log_likelihood(x, t, "log_D_trick" in trick, "unjoined_lr_loss" in trick).mean(axis=-1)

    loss = call("SigmoidCrossEntropyWithLogits", x, t, **trick)
    assert loss.shape == shape[:-1]
    np.testing.assert_allclose(loss, formula(x), rtol=1e-4, atol=1e-5)
    dloss = rng.normal(size=shape[:-1]).astype(np.float32)
    dx, _ = gradients("SigmoidCrossEntropyWithLogits", [x, t], [dloss], **trick)
    np.testing.assert_allclose(dx, slope(formula, [x], 0, dloss), atol=1e-4)


def test_sigmoid_cross_entropy_of_large_logits_stays_finite():
    loss = call("SigmoidCrossEntropyWithLogits", np.float32([[100, -100]]), np.float32([[0, 1]]))
    np.testing.assert_allclose(loss, [100])


def test_sigmoid_cross_entropy_refuses_both_tricks():
    ones = np.ones(2, np.float32)
    with pytest.raises(BadArgument, match="set only one of them"):
        call("SigmoidCrossEntropyWithLogits", ones, ones, log_D_trick=1, unjoined_lr_loss=1)


def test_weighted_sigmoid_cross_entropy_with_logits():
    x, t = rng.normal(size=(3, 4)).astype(np.float32), rng.uniform(size=(3, 4)).astype(np.float32)
    w = rng.uniform(0.5, 2, size=(3, 4)).astype(np.float32)

    def formula(x):
        return -(w * log_likelihood(x, t)).mean(axis=-1)

    np.testing.assert_allclose(call("WeightedSigmoidCrossEntropyWithLogits", x, t, w), formula(x), rtol=1e-4)
    dloss = rng.normal(size=3).astype(np.float32)
    dx, *_ = gradients("WeightedSigmoidCrossEntropyWithLogits", [x, t, w], [dloss])
    np.testing.assert_allclose(dx, slope(formula, [x], 0, dloss), atol=1e-4)


def test_bernoulli_jsd():
    T, X = rng.uniform(0.1, 0.9, size=(2, 6)).astype(np.float32)

    def entropy(p):
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    def formula(t, x):
        return entropy((t + x) / 2) - (entropy(t) + entropy(x)) / 2

    np.testing.assert_allclose(call("BernoulliJSD", T, X), formula(T, X), rtol=1e-3, atol=1e-6)
    dL = rng.normal(size=6).astype(np.float32)
    dT, nothing = gradients("BernoulliJSD", [T, X], [dL])
    np.testing.assert_allclose(dT, slope(formula, [T, X], 0, dL), atol=1e-4)
    assert nothing is None


WIRING = {
    "LabelCrossEntropy": (2, ["I0", "I1", "GO0"], ["I0_grad", None]),
    "CrossEntropy": (2, ["I0", "I1", "GO0"], ["I0_grad", None]),
    "AveragedLoss": (1, ["I0", "GO0"], ["I0_grad"]),
    "MakeTwoClass": (1, ["GO0"], ["I0_grad"]),
    "SigmoidCrossEntropyWithLogits": (2, ["GO0", "I0", "I1"], ["I0_grad", None]),
    "WeightedSigmoidCrossEntropyWithLogits": (3, ["GO0", "I0", "I1", "I2"], ["I0_grad", None, None]),
    "BernoulliJSD": (2, ["GO0", "I0", "I1"], ["I0_grad", None]),
}


@pytest.mark.parametrize("type", WIRING)
def test_gradient_wiring(type):
    inputs, sources, targets = WIRING[type]
    assert wiring(type, inputs) == ([(f"{type}Gradient", sources, [t for t in targets if t])], targets)
