import numpy as np
import pytest

from c2lab.errors import BadValue, C2LabError, NotSupported, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(3)


def softmax(X, axis=1):
    rows = X.reshape(int(np.prod(X.shape[:axis])), -1)
    raised = np.exp(rows - rows.max(axis=1, keepdims=True))
    return (raised / raised.sum(axis=1, keepdims=True)).reshape(X.shape)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_flattens_everything_from_the_axis_on(axis):
    X = rng.normal(size=(2, 3, 4)).astype(np.float32)
    canonical = axis % 3
    np.testing.assert_allclose(call("Softmax", X, axis=axis), softmax(X, canonical), rtol=1e-5)
    dY = rng.normal(size=X.shape).astype(np.float32)
    (dX,) = gradients("Softmax", [X], [dY], axis=axis)
    np.testing.assert_allclose(dX, slope(lambda x: softmax(x, canonical), [X], 0, dY), atol=1e-4)


def test_softmax_of_three_dimensions_sums_to_one_over_all_but_the_batch():
    Y = call("Softmax", rng.normal(size=(2, 3, 4)).astype(np.float32))
    np.testing.assert_allclose(Y.sum(axis=(1, 2)), [1, 1], rtol=1e-6)


def test_softmax_of_large_scores_stays_finite():
    np.testing.assert_allclose(call("Softmax", np.float32([[1000, 1000]])), [[0.5, 0.5]])


def test_softmax_says_which_axes_there_are():
    with pytest.raises(ShapeMismatch, match="axis is 1 but the input has 1 dimensions"):
        call("Softmax", np.ones(3, np.float32))
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor: int"):
        call("Softmax", np.ones((1, 3), np.int32))


def loss_of(logits, labels, weights, axis, label_prob, scale, by_batch):
    X = softmax(logits, axis).reshape(int(np.prod(logits.shape[:axis])), -1)
    targets = labels.reshape(X.shape) if label_prob else np.eye(X.shape[1])[labels.reshape(-1)]
    w = np.ones(len(X)) if weights is None else weights.reshape(-1)
    losses = -(targets * np.log(X)).sum(axis=1) * w
    return scale * losses.sum() / (len(X) if by_batch else w.sum())


@pytest.mark.parametrize("by_batch", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("label_prob", [False, True])
@pytest.mark.parametrize("axis", [1, 2])
def test_softmax_with_loss(axis, label_prob, weighted, by_batch):
    shape = (2, 3, 4)
    logits = rng.normal(size=shape).astype(np.float32)
    if label_prob:
        labels = softmax(rng.normal(size=shape).astype(np.float32), axis)
    else:
        classes = int(np.prod(shape[axis:]))
        labels = rng.integers(0, classes, size=shape[:axis]).astype(np.int32)
    weights = rng.uniform(0.5, 2, size=shape[:axis]).astype(np.float32) if weighted else None
    inputs = [logits, labels] + ([weights] if weighted else [])
    arguments = {"axis": axis, "label_prob": int(label_prob), "scale": 1.5, "average_by_batch_size": int(by_batch)}
    probabilities, loss = call("SoftmaxWithLoss", *inputs, outputs=2, **arguments)
    np.testing.assert_allclose(probabilities, softmax(logits, axis), rtol=1e-5)

    def formula(x):
        return loss_of(x, labels, weights, axis, label_prob, 1.5, by_batch)

    assert loss.shape == ()
    np.testing.assert_allclose(loss, formula(logits), rtol=1e-5)
    made = gradients("SoftmaxWithLoss", inputs, [None, np.float32(0.7)], **arguments)
    np.testing.assert_allclose(made[0], slope(formula, [logits], 0, 0.7), atol=1e-4)
    assert made[1:] == [None] * (len(inputs) - 1)


def test_weights_that_sum_to_nothing_make_no_loss():
    inputs = [np.float32([[1, 2]]), np.int32([1]), np.float32([0])]
    assert call("SoftmaxWithLoss", *inputs, outputs=2)[1] == 0
    np.testing.assert_array_equal(gradients("SoftmaxWithLoss", inputs, [None, np.float32(1)])[0], [[0, 0]])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_an_error(label):
    with pytest.raises(BadValue, match="outside 0 to 3 - 1"):
        call("SoftmaxWithLoss", np.ones((1, 3), np.float32), np.int32([label]), outputs=2)


def test_labels_that_do_not_fit_are_errors():
    logits = np.ones((2, 3), np.float32)
    with pytest.raises(C2LabError, match="labels is int64; it must be int32"):
        call("SoftmaxWithLoss", logits, np.int64([0, 1]), outputs=2)
    with pytest.raises(ShapeMismatch, match="labels must hold 2 numbers"):
        call("SoftmaxWithLoss", logits, np.int32([0]), outputs=2)
    with pytest.raises(BadValue, match="does not sum to 1"):
        call("SoftmaxWithLoss", logits, logits, outputs=2, label_prob=1)
    with pytest.raises(NotSupported, match="leave out the third"):
        call("SoftmaxWithLoss", logits, np.int32([0, 1]), outputs=3)


@pytest.mark.parametrize("weighted", [False, True])
def test_spatial_softmax_with_loss_skips_pixels_labelled_minus_one(weighted):
    logits = rng.normal(size=(2, 3, 2, 2)).astype(np.float32)
    labels = np.int32([[[0, -1], [2, 1]], [[1, 1], [-1, 0]]])
    weights = rng.uniform(0.5, 2, size=labels.shape).astype(np.float32) if weighted else None

    def formula(x):
        raised = np.exp(x)
        p = raised / raised.sum(axis=1, keepdims=True)
        w = (labels >= 0) * (1 if weights is None else weights)
        own = np.take_along_axis(p, np.maximum(labels, 0)[:, None], axis=1)[:, 0]
        return 2.0 * (-np.log(own) * w).sum() / w.sum()

    inputs = [logits, labels] + ([weights] if weighted else [])
    _, loss = call("SpatialSoftmaxWithLoss", *inputs, outputs=2, scale=2.0)
    np.testing.assert_allclose(loss, formula(logits), rtol=1e-5)
    made = gradients("SpatialSoftmaxWithLoss", inputs, [None, np.float32(1)], scale=2.0)
    np.testing.assert_allclose(made[0], slope(formula, [logits], 0, 1.0), atol=1e-4)


def test_gradient_wiring():
    assert wiring("Softmax", 1) == ([("SoftmaxGradient", ["O0", "GO0"], ["I0_grad"])], ["I0_grad"])
    for type in ("SoftmaxWithLoss", "SpatialSoftmaxWithLoss"):
        gradient = f"{type}Gradient"
        assert wiring(type, 2, 2) == ([(gradient, ["I0", "I1", "O0", "GO1"], ["I0_grad"])], ["I0_grad", None])
        assert wiring(type, 3, 2)[0] == [(gradient, ["I0", "I1", "I2", "O0", "GO1"], ["I0_grad"])]
