"""Row-wise products and distances against formulas."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import ShapeMismatch
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(3)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def cosine(x, y):
    return (x * y).sum(1) / np.sqrt((x * x).sum(1) * (y * y).sum(1))


FORMULAS = {
    "DotProduct": lambda x, y: (x * y).sum(1),
    "SquaredL2Distance": lambda x, y: ((x - y) ** 2).sum(1) / 2,
    "L1Distance": lambda x, y: abs(x - y).sum(1),
    "CosineSimilarity": cosine,
}


@pytest.mark.parametrize("type", FORMULAS)
@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3), (4,), (0, 3)])
def test_formula_and_slopes(type, shape):
    X, Y, dZ = draw(*shape), draw(*shape), draw(shape[0])
    rows = [v.astype(np.float64).reshape(shape[0], int(np.prod(shape[1:]))) for v in (X, Y)]
    formula = FORMULAS[type]
    np.testing.assert_allclose(call(type, X, Y), formula(*rows), rtol=1e-4, atol=1e-5)
    step = 1e-6
    for k, got in enumerate(gradients(type, [X, Y], [dZ])):
        assert got.shape == shape
        slopes = np.zeros(rows[k].shape)
        for column in range(slopes.shape[1]):
            up, down = [r.copy() for r in rows], [r.copy() for r in rows]
            up[k][:, column] += step
            down[k][:, column] -= step
            slopes[:, column] = (formula(*up) - formula(*down)) / (2 * step) * dZ
        np.testing.assert_allclose(got.reshape(slopes.shape), slopes, rtol=1e-3, atol=1e-4)


def test_equal_values_have_no_l1_slope():
    X = draw(2, 3)
    for dX in gradients("L1Distance", [X, X], [draw(2)]):
        np.testing.assert_array_equal(dX, 0)


def test_cosine_of_zeros_is_zero():
    np.testing.assert_array_equal(call("CosineSimilarity", np.zeros((2, 3), np.float32), draw(2, 3)), 0)


@pytest.mark.parametrize("swap", [False, True])
def test_padded_rows(swap):
    long, short, dZ = draw(3, 5), draw(3, 2), draw(3)
    filled = np.concatenate([short, np.full((3, 3), 0.5, np.float32)], axis=1)
    inputs = [short, long] if swap else [long, short]
    np.testing.assert_allclose(
        call("DotProductWithPadding", *inputs, pad_value=0.5), (long * filled).sum(1), rtol=1e-4, atol=1e-5
    )
    found = gradients("DotProductWithPadding", inputs, [dZ], pad_value=0.5)
    dlong, dshort = found[::-1] if swap else found
    np.testing.assert_allclose(dlong, filled * dZ[:, None], rtol=1e-5)
    np.testing.assert_allclose(dshort, long[:, :2] * dZ[:, None], rtol=1e-5)


def test_repeated_rows():
    long, short, dZ = draw(3, 6), draw(3, 2), draw(3)
    repeated = np.tile(short, (1, 3))
    np.testing.assert_allclose(
        call("DotProductWithPadding", long, short, replicate=1), (long * repeated).sum(1), rtol=1e-4, atol=1e-5
    )
    dlong, dshort = gradients("DotProductWithPadding", [long, short], [dZ], replicate=1)
    np.testing.assert_allclose(dlong, repeated * dZ[:, None], rtol=1e-5)
    np.testing.assert_allclose(dshort, long.reshape(3, 3, 2).sum(1) * dZ[:, None], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("type", [*FORMULAS, "DotProductWithPadding"])
def test_gradients_are_wired_as_in_the_original(type):
    assert wiring(type, 2) == (
        [(f"{type}Gradient", ["I0", "I1", "GO0"], ["I0_grad", "I1_grad"])],
        ["I0_grad", "I1_grad"],
    )


@pytest.mark.parametrize("type", FORMULAS)
def test_shapes_must_be_equal(type):
    with pytest.raises(ShapeMismatch, match=r"X is \(2, 3\) but Y is \(2, 4\)"):
        call(type, draw(2, 3), draw(2, 4))
