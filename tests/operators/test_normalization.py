import numpy as np
import pytest

from c2lab.errors import BadArgument, SchemaError, ShapeMismatch, TypeMismatch, UnsafeInplace
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.calls import call, gradients, operator_def, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(8)


def images(order, *extra):
    shape = (4, 3, *extra) if order == "NCHW" else (4, *extra, 3)
    return rng.normal(size=shape).astype(np.float32)


def over(X, order):
    return tuple(d for d in range(X.ndim) if d != (1 if order == "NCHW" else X.ndim - 1))


def per_channel(values, X, order):
    return np.reshape(values, [3 if d not in over(X, order) else 1 for d in range(X.ndim)])


def batch_norm(X, scale, bias, epsilon, order):
    axes = over(X, order)
    mean, var = X.mean(axis=axes, keepdims=True), X.var(axis=axes, keepdims=True)
    normal = (X - mean) / np.sqrt(var + epsilon)
    return normal * per_channel(scale, X, order) + per_channel(bias, X, order)


class Trained:
    """One training run of SpatialBN, and its backward pass."""

    def __init__(self, inputs, dY=None, **arguments):
        self.workspace = Workspace("bn")
        op = caffe2_pb2.OperatorDef()
        op.CopyFrom(operator_def("SpatialBN", len(inputs), 5, **arguments))
        op.output[1:3] = ["I3", "I4"]
        for name, value in zip(op.input, inputs, strict=True):
            self.workspace.feed(name, value)
        self.workspace.run_operator(op)
        self.op = op

    def __getitem__(self, name):
        return self.workspace.fetch(name)


def parameters():
    return [rng.uniform(0.5, 2, size=3).astype(np.float32) for _ in range(4)]


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("extra", [(), (5,), (2, 3), (2, 2, 2)])
def test_spatial_bn_training(order, extra):
    X, (scale, bias, mean, var) = images(order, *extra), parameters()
    run = Trained([X, scale, bias, mean, var], order=order, momentum=0.8, epsilon=0.01)
    axes = over(X, order)
    n = X.size // 3
    np.testing.assert_allclose(run["O0"], batch_norm(X, scale, bias, 0.01, order), atol=1e-5)
    np.testing.assert_allclose(run["I3"], 0.8 * mean + 0.2 * X.mean(axis=axes), rtol=1e-4, atol=1e-6)
    unbiased = X.var(axis=axes) * n / (n - 1)
    np.testing.assert_allclose(run["I4"], 0.8 * var + 0.2 * unbiased, rtol=1e-4)
    np.testing.assert_allclose(run["O3"], X.mean(axis=axes), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(run["O4"], 1 / np.sqrt(X.var(axis=axes) + 0.01), rtol=1e-4)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_spatial_bn_gradient(order):
    X, (scale, bias, mean, var) = images(order, 2, 2), parameters()
    dY = rng.normal(size=X.shape).astype(np.float32)
    run = Trained([X, scale, bias, mean, var], order=order, epsilon=0.01)
    run.workspace.feed("GO0", dY)
    gradient = operator_def("SpatialBNGradient", 5, 3, order=order, epsilon=0.01)
    gradient.input[:] = ["I0", "I1", "GO0", "O3", "O4"]
    gradient.output[:] = ["dX", "dscale", "dbias"]
    run.workspace.run_operator(gradient)
    inputs = [X, scale, bias]
    for which, name in enumerate(gradient.output):
        want = slope(lambda x, s, b: batch_norm(x, s, b, 0.01, order), inputs, which, dY)
        np.testing.assert_allclose(run[name], want, atol=1e-3)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_spatial_bn_testing_uses_the_running_numbers(order):
    X, (scale, bias, mean, var) = images(order, 2, 3), parameters()
    Y = call("SpatialBN", X, scale, bias, mean, var, is_test=1, order=order, epsilon=0.01)
    inverse = per_channel(scale / np.sqrt(var + 0.01), X, order)
    want = (X - per_channel(mean, X, order)) * inverse + per_channel(bias, X, order)
    np.testing.assert_allclose(Y, want, rtol=1e-4, atol=1e-5)


def test_spatial_bn_over_several_batches_takes_their_sums():
    X, (scale, bias, mean, var) = images("NCHW", 2, 2), parameters()
    other = images("NCHW", 2, 2)
    both = np.concatenate([X, other])
    sums, squares = both.sum(axis=(0, 2, 3)), np.square(both).sum(axis=(0, 2, 3))
    run = Trained([X, scale, bias, mean, var, sums, squares], num_batches=2, momentum=0.5)
    np.testing.assert_allclose(run["O3"], both.mean(axis=(0, 2, 3)), rtol=1e-4, atol=1e-6)
    want = batch_norm(both, scale, bias, 1e-5, "NCHW")[: len(X)]
    np.testing.assert_allclose(run["O0"], want, rtol=1e-3, atol=1e-4)
    n = both.size // 3
    unbiased = both.var(axis=(0, 2, 3)) * n / (n - 1)
    np.testing.assert_allclose(run["I4"], 0.5 * var + 0.5 * unbiased, rtol=1e-4)


def test_spatial_bn_of_an_empty_batch_keeps_the_running_numbers():
    scale, bias, mean, var = parameters()
    run = Trained([np.zeros((0, 3, 2, 2), np.float32), scale, bias, mean, var])
    np.testing.assert_array_equal(run["I3"], mean)
    np.testing.assert_array_equal(run["I4"], var)
    np.testing.assert_array_equal(run["O3"], np.zeros(3))


def test_spatial_bn_says_what_does_not_fit():
    X, (scale, bias, mean, var) = images("NCHW", 2, 2), parameters()
    with pytest.raises(ShapeMismatch, match=r"with 3 channels, but scale is \(2,\); scale must be \(3,\)"):
        call("SpatialBN", X, scale[:2], bias, mean, var, is_test=1)
    with pytest.raises(TypeMismatch, match="Tensor type mismatch"):
        call("SpatialBN", X, scale.astype(np.float64), bias, mean, var, is_test=1)
    with pytest.raises(SchemaError, match="5 while training"):
        call("SpatialBN", X, scale, bias, mean, var)
    with pytest.raises(UnsafeInplace, match="must write output 1"):
        call("SpatialBN", X, scale, bias, mean, var, outputs=5)
    with pytest.raises(SchemaError, match="num_batches is 2"):
        Trained([X, scale, bias, mean, var], num_batches=2)


def local_response(X, size, alpha, beta, bias, axis):
    squares, half = np.zeros(X.shape), size // 2
    channels = X.shape[axis]
    for c in range(channels):
        window = np.take(X, range(max(0, c - half), min(channels, c + half + 1)), axis=axis)
        place = [slice(None)] * 4
        place[axis] = c
        squares[tuple(place)] = np.square(window).sum(axis=axis)
    divisor = bias + alpha / size * squares
    return X / divisor**beta, divisor


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_lrn(order, size):
    X = rng.normal(size=(2, 4, 4, 4)).astype(np.float32)
    axis = 1 if order == "NCHW" else 3
    arguments = {"size": size, "alpha": 0.5, "beta": 0.75, "bias": 2.0, "order": order}
    Y, divisor = call("LRN", X, outputs=2, **arguments)
    want = local_response(X, size, 0.5, 0.75, 2.0, axis)
    np.testing.assert_allclose(Y, want[0], rtol=1e-4)
    np.testing.assert_allclose(divisor, want[1], rtol=1e-4)
    small, dY = X[:1, :, :2, :2], rng.normal(size=(1, 4, 2, 2)).astype(np.float32)
    (dX,) = gradients("LRN", [small], [dY, None], **arguments)
    np.testing.assert_allclose(
        dX, slope(lambda x: local_response(x, size, 0.5, 0.75, 2.0, axis)[0], [small], 0, dY), atol=1e-4
    )


def test_lrn_needs_an_odd_size():
    with pytest.raises(BadArgument, match="size is 4; it must be odd"):
        call("LRN", np.ones((1, 2, 2, 2), np.float32), size=4, alpha=1.0, beta=1.0)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("learnable", [0, 1])
def test_affine_channel(order, learnable):
    X, (scale, bias, *_) = images(order, 2, 2), parameters()

    def formula(x, s, b):
        return x * per_channel(s, X, order) + per_channel(b, X, order)

    arguments = {"order": order, "is_learnable": learnable}
    np.testing.assert_allclose(call("AffineChannel", X, scale, bias, **arguments), formula(X, scale, bias), rtol=1e-5)
    dY = rng.normal(size=X.shape).astype(np.float32)
    made = gradients("AffineChannel", [X, scale, bias], [dY], **arguments)
    for which in range(3):
        if which and not learnable:
            assert made[which] is None
        else:
            np.testing.assert_allclose(made[which], slope(formula, [X, scale, bias], which, dY), atol=1e-3)


def test_gradient_wiring():
    targets = ["I0_grad", "I1_grad", "I2_grad"]
    assert wiring("SpatialBN", 5, 1, is_test=1) == (
        [("SpatialBNGradient", ["I0", "I1", "GO0", "I3", "I4"], targets)],
        [*targets, None, None],
    )
    assert wiring("SpatialBN", 5, 5)[0] == [("SpatialBNGradient", ["I0", "I1", "GO0", "O3", "O4"], targets)]
    assert wiring("SpatialBN", 7, 5, num_batches=2)[0] == [
        ("SpatialBNGradient", ["I0", "I1", "GO0", "O3", "O4", "I1_grad", "I2_grad"], targets)
    ]
    assert wiring("LRN", 1, 2) == ([("LRNGradient", ["I0", "O0", "GO0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("AffineChannel", 3)[0] == [("AffineChannelGradient", ["GO0", "I1"], ["I0_grad"])]
