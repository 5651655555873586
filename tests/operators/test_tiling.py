import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(15)


@pytest.mark.parametrize("as_input", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("tiles", [1, 3])
def test_tile(tiles, axis, as_input):
    X = rng.normal(size=(2, 3, 2)).astype(np.float32)
    inputs = [X, np.int32([tiles]), np.int32([axis])] if as_input else [X]
    arguments = {} if as_input else {"tiles": tiles, "axis": axis}
    Y = call("Tile", *inputs, **arguments)
    np.testing.assert_array_equal(Y, np.concatenate([X] * tiles, axis=axis))
    dY = rng.normal(size=Y.shape).astype(np.float32)
    made = gradients("Tile", inputs, [dY], **arguments)
    np.testing.assert_allclose(made[0], sum(np.split(dY, tiles, axis=axis)), rtol=1e-5, atol=1e-6)


def test_tile_says_what_does_not_fit():
    with pytest.raises(BadArgument, match="tiles is -1"):
        call("Tile", np.ones(2, np.float32), tiles=-1)
    with pytest.raises(ShapeMismatch, match="axis is 1 but the input has 1 dimensions"):
        call("Tile", np.ones(2, np.float32), tiles=2, axis=1)


def test_numpy_tile():
    X = rng.normal(size=(2, 1, 3))
    np.testing.assert_array_equal(call("NumpyTile", X, np.int64([2, 3, 1])), np.tile(X, (2, 3, 1)))
    with pytest.raises(ShapeMismatch, match="one number for each dimension"):
        call("NumpyTile", X, np.int64([2, 3]))


EXPANSIONS = [((3, 1), [3, 4]), ((3, 1), [1, 4]), ((1,), [2, 1, 2]), ((2, 3), [1]), ((1, 3, 1), [2, 1, 2])]


@pytest.mark.parametrize(("sizes", "shape"), EXPANSIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_expand(sizes, shape, dtype):
    X = rng.normal(size=sizes).astype(dtype)

    def formula(x):
        return x * np.ones(shape)

    Y = call("Expand", X, np.int64(shape))
    assert Y.dtype == dtype
    np.testing.assert_allclose(Y, formula(X))
    dY = rng.normal(size=Y.shape).astype(dtype)
    dX, _ = gradients("Expand", [X, np.int64(shape)], [dY])
    np.testing.assert_allclose(dX, slope(formula, [X], 0, dY), atol=1e-4)


def test_expand_keeps_what_is_not_told():
    Y = call("Expand", np.ones((1, 3, 1), np.float32), np.int32([3, -1, 3]))
    assert Y.shape == (3, 3, 3)


def test_expand_says_what_does_not_fit():
    with pytest.raises(ShapeMismatch, match="sizes must be equal, or one of them 1"):
        call("Expand", np.ones((2, 3), np.float32), np.int32([2]))


def test_gradient_wiring():
    assert wiring("Tile", 1)[0] == [("TileGradient", ["GO0"], ["I0_grad"])]
    assert wiring("Tile", 3) == ([("TileGradient", ["GO0", "I1", "I2"], ["I0_grad"])], ["I0_grad", None, None])
    assert wiring("Expand", 2) == ([("ExpandGradient", ["GO0", "I0"], ["I0_grad"])], ["I0_grad", None])
    assert wiring("NumpyTile", 2) == ([], [None, None])
