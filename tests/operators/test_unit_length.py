import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(11)


@pytest.mark.parametrize("axis", [-1, 0, 1, -3])
def test_normalize(axis):
    X = rng.normal(size=(2, 3, 4)).astype(np.float32)

    def formula(x):
        return x / np.sqrt(np.square(x).sum(axis=axis, keepdims=True))

    np.testing.assert_allclose(call("Normalize", X, axis=axis), formula(X), rtol=1e-5)
    dY = rng.normal(size=X.shape).astype(np.float32)
    (dX,) = gradients("Normalize", [X], [dY], axis=axis)
    np.testing.assert_allclose(dX, slope(formula, [X], 0, dY), atol=1e-3)


@pytest.mark.parametrize("type", ["Normalize", "NormalizeL1"])
def test_a_vector_of_zeros_stays_one(type):
    np.testing.assert_array_equal(call(type, np.zeros((2, 3), np.float32)), np.zeros((2, 3)))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_normalize_l1(axis):
    X = rng.normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(
        call("NormalizeL1", X, axis=axis), X / np.abs(X).sum(axis=axis, keepdims=True), rtol=1e-5
    )


@pytest.mark.parametrize(("type", "dtype"), [("SparseNormalize", np.float32), ("Float16SparseNormalize", np.float16)])
@pytest.mark.parametrize("use_max_norm", [0, 1])
@pytest.mark.parametrize("index_type", [np.int32, np.int64])
def test_sparse_normalize_touches_only_the_rows_named(type, dtype, use_max_norm, index_type):
    param = np.array([[3, 4], [0.3, 0.4], [6, 8], [1, 1]], dtype)
    got = call(type, param, np.array([0, 1], index_type), inplace=True, use_max_norm=use_max_norm, norm=2.0)
    want = param.copy()
    want[0] = [1.2, 1.6]
    if not use_max_norm:
        want[1] = [1.2, 1.6]
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=1e-3)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(BadValue, match="outside 0 to 2 - 1, the rows of param"):
        call("SparseNormalize", np.ones((2, 2), np.float32), np.int32([2]), inplace=True)
    with pytest.raises(ShapeMismatch, match="axis is 3 but the input has 2 dimensions"):
        call("Normalize", np.ones((2, 2), np.float32), axis=3)


def test_gradient_wiring():
    assert wiring("Normalize", 1) == ([("NormalizeGradient", ["I0", "GO0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("NormalizeL1", 1) == ([], [None])
