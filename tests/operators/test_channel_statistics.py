import numpy as np
import pytest

from c2lab.errors import ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(10)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_batch_moments_are_means_and_mean_squares(order):
    X = rng.normal(size=(2, 3, 4, 3)).astype(np.float32)
    axes = (0, 2, 3) if order == "NCHW" else (0, 1, 2)
    mu, var = call("BatchMoments", X, outputs=2, order=order)
    np.testing.assert_allclose(mu, X.mean(axis=axes), atol=1e-6)
    np.testing.assert_allclose(var, np.square(X).mean(axis=axes), rtol=1e-5)
    dmu, dvar = rng.normal(size=(2, 3)).astype(np.float32)
    (dX,) = gradients("BatchMoments", [X], [dmu, dvar], order=order)
    want = slope(lambda x: x.mean(axis=axes) * dmu + np.square(x).mean(axis=axes) * dvar, [X], 0, 1.0)
    np.testing.assert_allclose(dX, want, atol=1e-4)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_channel_stats(order):
    X = rng.normal(size=(2, 3, 4, 3)).astype(np.float32)
    axes = (0, 2, 3) if order == "NCHW" else (0, 1, 2)
    sums, squares = call("ChannelStats", X, outputs=2, order=order)
    np.testing.assert_allclose(sums, X.sum(axis=axes), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(squares, np.square(X).sum(axis=axes), rtol=1e-4)


def test_channel_backprop_stats():
    X, dY = rng.normal(size=(2, 2, 3, 4, 4)).astype(np.float32)
    mean, inverse = rng.normal(size=(2, 3)).astype(np.float32)
    dscale, dbias = call("ChannelBackpropStats", X, mean, inverse, dY, outputs=2)
    normal = (X - mean[:, None, None]) * inverse[:, None, None]
    np.testing.assert_allclose(dscale, (dY * normal).sum(axis=(0, 2, 3)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(dbias, dY.sum(axis=(0, 2, 3)), rtol=1e-3, atol=1e-4)
    with pytest.raises(ShapeMismatch, match="output_grad must be shaped like X"):
        call("ChannelBackpropStats", X, mean, inverse, dY[:1], outputs=2)


def test_gradient_wiring():
    assert wiring("BatchMoments", 1, 2)[0] == [("BatchMomentsGradient", ["GO0", "GO1", "I0"], ["I0_grad"])]
