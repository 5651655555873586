import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(36)
IDS = np.int32([0, 0, 1, 2, 2, 2])
REDUCTIONS = {
    "Sum": lambda part: part.sum(axis=0),
    "Mean": lambda part: part.mean(axis=0),
    "Max": lambda part: part.max(axis=0),
    "LogSumExp": lambda part: np.log(np.exp(part).sum(axis=0)),
    "LogMeanExp": lambda part: np.log(np.exp(part).mean(axis=0)),
}


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 2)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_and_their_slopes(name, shape, kind):
    type, ids = f"SortedSegmentRange{name}", IDS.astype(kind)

    def formula(X):
        return np.stack([REDUCTIONS[name](X[k == IDS]) for k in range(3)])

    X = rng.normal(size=shape).astype(np.float32)
    Y = call(type, X, ids)
    assert Y.dtype == np.float32
    np.testing.assert_allclose(Y, formula(X), rtol=1e-5, atol=1e-6)
    dY = rng.normal(size=Y.shape).astype(np.float32)
    np.testing.assert_allclose(gradients(type, [X, ids], [dY])[0], slope(formula, [X], 0, dY), rtol=1e-3, atol=1e-5)
    assert wiring(type, 2) == ([(f"{type}Gradient", ["I0", "O0", "GO0", "I1"], ["I0_grad"])], ["I0_grad", None])


@pytest.mark.parametrize("name", REDUCTIONS)
def test_no_rows_and_refusals(name):
    type = f"SortedSegmentRange{name}"
    assert call(type, np.zeros((0, 3), np.float32), np.int32([])).shape == (0, 3)
    with pytest.raises(BadValue, match="sorted and not have gaps"):
        call(type, np.ones(3, np.float32), np.int32([0, 2, 2]))
    one = np.ones((1, 2), np.float32)
    with pytest.raises(ShapeMismatch, match="one number a row"):
        call(f"{type}Gradient", one, one, one, np.int32([0, 0]))


def test_large_values_do_not_overflow():
    X = np.float32([1000, 1000])
    np.testing.assert_allclose(
        call("SortedSegmentRangeLogSumExp", X, np.int32([0, 0])), [1000 + np.log(2)], rtol=1e-6, atol=1e-6
    )
