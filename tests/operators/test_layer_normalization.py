import numpy as np
import pytest

from c2lab.errors import BadArgument, SchemaError, ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(9)


def layer_norm(X, gamma=1.0, beta=0.0, axis=1, epsilon=0.01):
    axes = tuple(range(axis, X.ndim))
    mean, var = X.mean(axis=axes, keepdims=True), X.var(axis=axes, keepdims=True)
    return (X - mean) / np.sqrt(var + epsilon) * gamma + beta


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_layer_norm(axis, affine):
    X = rng.normal(size=(3, 2, 4)).astype(np.float32)
    inputs = [X] + [rng.normal(size=X.shape[axis:]).astype(np.float32) for _ in range(2 * affine)]
    arguments = {"axis": axis, "epsilon": 0.01, "elementwise_affine": int(affine)}

    def formula(*values):
        return layer_norm(*values, axis=axis)

    Y, mean, deviation = call("LayerNorm", *inputs, outputs=3, **arguments)
    axes = tuple(range(axis, 3))
    np.testing.assert_allclose(Y, formula(*inputs), atol=1e-5)
    assert mean.shape == deviation.shape == (*X.shape[:axis], 1)
    np.testing.assert_allclose(mean.ravel(), X.mean(axis=axes).ravel(), atol=1e-6)
    np.testing.assert_allclose(deviation.ravel(), np.sqrt(X.var(axis=axes) + 0.01).ravel(), rtol=1e-5)
    dY = rng.normal(size=X.shape).astype(np.float32)
    made = gradients("LayerNorm", inputs, [dY, None, None], **arguments)
    for which in range(len(inputs)):
        np.testing.assert_allclose(made[which], slope(formula, inputs, which, dY), atol=1e-3)


def test_layer_norm_with_affine_needs_gamma_and_beta():
    with pytest.raises(SchemaError, match="needs three inputs"):
        call("LayerNorm", np.ones((2, 3), np.float32), outputs=3, elementwise_affine=1)
    ones = np.ones((2, 3), np.float32)
    with pytest.raises(ShapeMismatch, match=r"rows of \(3,\), but gamma is \(2,\)"):
        call("LayerNorm", ones, ones[:, 0], ones[:, 0], outputs=3, elementwise_affine=1)


@pytest.mark.parametrize("axis", [1, 2])
def test_rms_norm(axis):
    X = rng.normal(size=(2, 3, 4)).astype(np.float32)
    gamma, beta = rng.normal(size=(2, *X.shape[axis:])).astype(np.float32)
    axes = tuple(range(axis, 3))

    def formula(x, g, b):
        return x / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + 0.01) * g + b

    Y, rrms = call("RMSNorm", X, gamma, beta, outputs=2, axis=axis, eps=0.01)
    np.testing.assert_allclose(Y, formula(X, gamma, beta), atol=1e-5)
    assert rrms.shape == X.shape[:axis]
    dY = rng.normal(size=X.shape).astype(np.float32)
    made = gradients("RMSNorm", [X, gamma, beta], [dY, None], axis=axis, eps=0.01)
    for which in range(3):
        np.testing.assert_allclose(made[which], slope(formula, [X, gamma, beta], which, dY), atol=1e-3)


def group_norm(X, gamma, beta, group, order, epsilon=0.01):
    channels_first = X if order == "NCHW" else np.moveaxis(X, -1, 1)
    parted = channels_first.reshape(X.shape[0], group, -1)
    mean, var = parted.mean(axis=2, keepdims=True), parted.var(axis=2, keepdims=True)
    normal = ((parted - mean) / np.sqrt(var + epsilon)).reshape(channels_first.shape)
    shape = [-1 if d == 1 else 1 for d in range(X.ndim)]
    Y = normal * gamma.reshape(shape) + beta.reshape(shape)
    return Y if order == "NCHW" else np.moveaxis(Y, 1, -1)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("group", [1, 2, 4])
def test_group_norm(group, order):
    X = rng.normal(size=(2, 4, 2, 3) if order == "NCHW" else (2, 2, 3, 4)).astype(np.float32)
    gamma, beta = rng.normal(size=(2, 4)).astype(np.float32)
    arguments = {"group": group, "order": order, "epsilon": 0.01}

    def formula(*values):
        return group_norm(*values, group, order)

    Y, mean, inverse = call("GroupNorm", X, gamma, beta, outputs=3, **arguments)
    np.testing.assert_allclose(Y, formula(X, gamma, beta), atol=1e-5)
    assert mean.shape == inverse.shape == (2, group)
    dY = rng.normal(size=X.shape).astype(np.float32)
    made = gradients("GroupNorm", [X, gamma, beta], [dY, None, None], **arguments)
    for which in range(3):
        np.testing.assert_allclose(made[which], slope(formula, [X, gamma, beta], which, dY), atol=1e-3)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_instance_norm(order, outputs):
    X = rng.normal(size=(2, 3, 2, 2) if order == "NCHW" else (2, 2, 2, 3)).astype(np.float32)
    scale, bias = rng.normal(size=(2, 3)).astype(np.float32)

    def formula(*values):
        return group_norm(*values, 3, order)

    made = call("InstanceNorm", X, scale, bias, outputs=outputs, order=order, epsilon=0.01)
    np.testing.assert_allclose(made if outputs == 1 else made[0], formula(X, scale, bias), atol=1e-5)
    dY = rng.normal(size=X.shape).astype(np.float32)
    given = [dY] + [None] * (outputs - 1)
    found = gradients("InstanceNorm", [X, scale, bias], given, order=order, epsilon=0.01)
    for which in range(3):
        np.testing.assert_allclose(found[which], slope(formula, [X, scale, bias], which, dY), atol=1e-3)


def test_groups_must_divide_the_channels():
    X, ones = np.ones((1, 4), np.float32), np.ones(4, np.float32)
    with pytest.raises(BadArgument, match="divisible by group, which is 3"):
        call("GroupNorm", X, ones, ones, group=3)
    with pytest.raises(ShapeMismatch, match=r"gamma must be \(4,\)"):
        call("GroupNorm", X, ones[:3], ones, group=2)


def test_gradient_wiring():
    assert wiring("LayerNorm", 1, 3) == (
        [("LayerNormGradient", ["GO0", "O0", "O1", "O2", "I0"], ["I0_grad"])],
        ["I0_grad"],
    )
    targets = ["I0_grad", "I1_grad", "I2_grad"]
    assert wiring("LayerNorm", 3, 3, elementwise_affine=1)[0] == [
        ("LayerNormGradient", ["GO0", "O0", "O1", "O2", "I0", "I1"], targets)
    ]
    assert wiring("GroupNorm", 3, 3) == (
        [("GroupNormGradient", ["GO0", "I0", "I1", "I2", "O1", "O2"], targets)],
        targets,
    )
    assert wiring("InstanceNorm", 3, 3)[0] == [("InstanceNormGradient", ["I0", "I1", "I2", "GO0", "O1", "O2"], targets)]
    assert wiring("InstanceNorm", 3, 1)[0] == [("InstanceNormGradient", ["I0", "I1", "I2", "GO0"], targets)]
    assert wiring("RMSNorm", 3, 2)[0] == [("RMSNormGradient", ["GO0", "I0", "I1", "O1"], targets)]
