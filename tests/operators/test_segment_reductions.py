import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch, TypeMismatch
from c2lab.workspace import Workspace
from tests.operators.calls import call, gradients, operator_def, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(32)
LENGTHS = [np.int32([2, 0, 3]), np.int32([5]), np.int32([0, 0, 1, 4])]


def reference(reduce):
    def formula(X, *rest):
        ends = np.cumsum(rest[-1])
        parts = [X[end - n : end] for end, n in zip(ends, rest[-1], strict=True)]
        return np.stack([reduce(part) if len(part) else np.zeros(X.shape[1:], X.dtype) for part in parts])

    return formula


FORMULAS = {
    "LengthsSum": reference(lambda part: part.sum(axis=0)),
    "LengthsMean": reference(lambda part: part.mean(axis=0)),
    "LengthsMax": reference(lambda part: part.max(axis=0)),
}


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 2)])
@pytest.mark.parametrize("type", FORMULAS)
def test_reductions_and_their_slopes(type, shape, lengths):
    X = rng.normal(size=shape).astype(np.float32)
    Y = call(type, X, lengths)
    np.testing.assert_allclose(Y, FORMULAS[type](X, lengths), rtol=1e-5, atol=1e-6)
    assert Y.dtype == np.float32
    dY = rng.normal(size=Y.shape).astype(np.float32)
    want = slope(FORMULAS[type], [X, lengths], 0, dY)
    np.testing.assert_allclose(gradients(type, [X, lengths], [dY])[0], want, rtol=1e-3, atol=1e-5)


def weighted(X, w, lengths):
    return FORMULAS["LengthsSum"](X * w.reshape(-1, *(1,) * (X.ndim - 1)), lengths)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("shape", [(5,), (5, 3)])
@pytest.mark.parametrize("grad_on_weights", [False, True])
def test_weighted_sum(shape, lengths, grad_on_weights):
    X, w = rng.normal(size=shape).astype(np.float32), rng.normal(size=5).astype(np.float32)
    Y = call("LengthsWeightedSum", X, w, lengths)
    np.testing.assert_allclose(Y, weighted(X, w, lengths), rtol=1e-5, atol=1e-6)
    dY = rng.normal(size=Y.shape).astype(np.float32)
    got = gradients("LengthsWeightedSum", [X, w, lengths], [dY], grad_on_weights=grad_on_weights)
    np.testing.assert_allclose(got[0], slope(weighted, [X, w, lengths], 0, dY), rtol=1e-3, atol=1e-5)
    if grad_on_weights:
        np.testing.assert_allclose(got[1], slope(weighted, [X, w, lengths], 1, dY), rtol=1e-3, atol=1e-5)
    else:
        assert got[1] is None


@pytest.mark.parametrize("type", ["Sum", "Mean"])
def test_gradients_that_are_told_lengths_only(type):
    dY, lengths = rng.normal(size=(3, 2)).astype(np.float32), np.int32([2, 0, 3])
    full = call(f"LengthsIndicesInGradient{type}Gradient", dY, lengths, np.zeros((5, 2), np.float32))
    np.testing.assert_allclose(call(f"Lengths{type}Gradient", dY, lengths), full, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(call(f"SparseLengths{type}Gradient", dY, lengths), full, rtol=1e-6, atol=1e-6)


def test_every_largest_row_gets_the_gradient():
    got = gradients("LengthsMax", [np.float32([1, 3, 3]), np.int32([3])], [np.float32([2])])[0]
    np.testing.assert_array_equal(got, [0, 2, 2])


def test_lengths_may_come_from_the_net():
    """Lengths that an operator made do not cut the net."""
    workspace = Workspace("lengths", seed=0)
    workspace.feed("I0", np.float32([1, 2, 3]))
    workspace.feed("I1", np.int32([1, 2]))
    net = operator_def("LengthsSum", 2)
    workspace.run_operator(net)
    np.testing.assert_array_equal(workspace.fetch("O0"), [1, 5])


@pytest.mark.parametrize("type", FORMULAS)
def test_refusals(type):
    with pytest.raises(BadValue, match=r"sum\(LENGTHS\) must be 3"):
        call(type, np.ones(3, np.float32), np.int32([1, 1]))
    with pytest.raises(BadValue, match="negative"):
        call(type, np.ones(3, np.float32), np.int32([4, -1]))
    with pytest.raises(TypeMismatch, match="LENGTHS is int64"):
        call(type, np.ones(3, np.float32), np.int64([3]))
    with pytest.raises(ShapeMismatch, match="must have rows"):
        call(type, np.float32(3), np.int32([1]))


def test_weights_must_fit():
    with pytest.raises(ShapeMismatch, match="one weight for each of the 3 rows"):
        call("LengthsWeightedSum", np.ones(3, np.float32), np.ones(2, np.float32), np.int32([3]))


def test_gradient_wiring():
    for type in ("Sum", "Mean"):
        wires = [(f"LengthsIndicesInGradient{type}Gradient", ["GO0", "I1", "I0"], ["I0_grad"])]
        assert wiring(f"Lengths{type}", 2) == (wires, ["I0_grad", None])
    wires = [("LengthsMaxWithMainInputAndForwardOutputGradient", ["O0", "GO0", "I1", "I0"], ["I0_grad"])]
    assert wiring("LengthsMax", 2) == (wires, ["I0_grad", None])
    wires = [("LengthsWeightedSumGradient", ["I1", "GO0", "I2"], ["I0_grad"])]
    assert wiring("LengthsWeightedSum", 3) == (wires, ["I0_grad", None, None])
    wires = [("LengthsWeightedSumWithMainInputGradient", ["I1", "GO0", "I2", "I0"], ["I0_grad", "I1_grad"])]
    assert wiring("LengthsWeightedSum", 3, grad_on_weights=True) == (wires, ["I0_grad", "I1_grad", None])
