import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch, TypeMismatch
from c2lab.operators.gradients import make_gradient
from c2lab.workspace import Workspace
from tests.operators.calls import call, operator_def, wiring

rng = np.random.default_rng(33)
LENGTHS = np.int32([2, 0, 4])
INDICES = [np.int32([0, 6, 1, 1, 3, 0]), np.int64([5, 5, 5, 0, 1, 2])]


def rows_of(table, indices, weights=None):
    rows = table[indices].astype(np.float32)
    return rows if weights is None else rows * weights.reshape(-1, *(1,) * (rows.ndim - 1))


def summed(rows):
    ends = np.cumsum(LENGTHS)
    return np.stack([rows[end - n : end].sum(axis=0) for end, n in zip(ends, LENGTHS, strict=True)])


def per_row(values):
    return np.repeat(values, LENGTHS, axis=0)


def sparse_gradients(type, inputs, dY, **arguments):
    """The values of the sparse gradient, the indices' name, and the gradients of the other inputs."""
    op = operator_def(type, len(inputs), **arguments)
    workspace = Workspace("sparse", seed=0)
    for name, value in zip(op.input, inputs, strict=True):
        workspace.feed(name, value)
    workspace.feed("GO0", dY)
    made = make_gradient(op, ["GO0"])
    for step in made.ops:
        workspace.run_operator(step)
    slices, *others = made.input_gradients
    return workspace.fetch(slices.values), slices.indices, [n and workspace.fetch(n) for n in others]


@pytest.mark.parametrize("indices", INDICES, ids=["int32", "int64"])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 2, 2)])
def test_sum_mean_and_weighted_sum(shape, kind, indices):
    table = rng.normal(size=shape).astype(kind)
    weights = rng.normal(size=6).astype(np.float32)
    inner = (-1, *(1,) * (len(shape) - 1))
    sums = summed(rows_of(table, indices))
    means = sums / np.maximum(LENGTHS, 1).astype(np.float32).reshape(inner)
    got = call("SparseLengthsSum", table, indices, LENGTHS)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, sums, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(call("SparseLengthsMean", table, indices, LENGTHS), means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        call("SparseLengthsWeightedSum", table, weights, indices, LENGTHS),
        summed(rows_of(table, indices, weights)),
        rtol=1e-5,
        atol=1e-6,
    )
    positional = np.concatenate([weights[:n] for n in LENGTHS])
    np.testing.assert_allclose(
        call("SparseLengthsPositionalWeightedSum", table, weights, indices, LENGTHS),
        summed(rows_of(table, indices, positional)),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("indices", INDICES, ids=["int32", "int64"])
def test_gradients_are_slices(indices):
    table, weights = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    dY = rng.normal(size=(3, 3)).astype(np.float32)
    got, where, _ = sparse_gradients("SparseLengthsSum", [table, indices, LENGTHS], dY)
    assert where == "I1"
    np.testing.assert_allclose(got, per_row(dY), rtol=1e-6, atol=1e-6)
    got, where, _ = sparse_gradients("SparseLengthsMean", [table, indices, LENGTHS], dY)
    np.testing.assert_allclose(got, per_row(dY / np.float32([[2], [1], [4]])), rtol=1e-6, atol=1e-6)
    for on_weights in (False, True):
        got, where, others = sparse_gradients(
            "SparseLengthsWeightedSum", [table, weights, indices, LENGTHS], dY, grad_on_weights=on_weights
        )
        assert where == "I2"
        np.testing.assert_allclose(got, per_row(dY) * weights[:, None], rtol=1e-6, atol=1e-6)
        assert (others[0] is not None) == on_weights
        if on_weights:
            np.testing.assert_allclose(others[0], (per_row(dY) * table[indices]).sum(axis=1), rtol=1e-5, atol=1e-6)
    got = call("SparseLengthsWeightedSumGradient", weights, dY, LENGTHS)
    np.testing.assert_allclose(got, per_row(dY) * weights[:, None], rtol=1e-6, atol=1e-6)


def test_sum_of_rows_in_eight_bits():
    table = rng.normal(size=(7, 5)).astype(np.float32)
    fused = call("FloatToFused8BitRowwiseQuantized", table)
    got = call("SparseLengthsSumFused8BitRowwise", fused, INDICES[1], LENGTHS)
    rows = call("Fused8BitRowwiseQuantizedToFloat", fused)
    np.testing.assert_allclose(got, summed(rows[INDICES[1]]), rtol=1e-5, atol=1e-5)


def test_an_empty_batch():
    none = np.int32([])
    assert call("SparseLengthsSum", np.ones((4, 2), np.float32), none, none).shape == (0, 2)
    got = call("SparseLengthsSum", np.ones((0, 2), np.float32), none, np.int32([0, 0]))
    np.testing.assert_array_equal(got, np.zeros((2, 2)))


@pytest.mark.parametrize("type", ["SparseLengthsSum", "SparseLengthsMean"])
def test_refusals(type):
    table = np.ones((3, 2), np.float32)
    for index in (-1, 3):
        with pytest.raises(BadValue, match="outside 0 to 3 - 1"):
            call(type, table, np.int32([index]), np.int32([1]))
    with pytest.raises(BadValue, match="must be 1, the number of rows of INDICES"):
        call(type, table, np.int32([0]), np.int32([2]))
    with pytest.raises(TypeMismatch, match="DATA is float64"):
        call(type, table.astype(np.float64), np.int32([0]), np.int32([1]))


def test_refused_weights():
    table = np.ones((3, 2), np.float32)
    with pytest.raises(ShapeMismatch, match="one weight"):
        call("SparseLengthsWeightedSum", table, np.ones(2, np.float32), np.int32([0]), np.int32([1]))
    with pytest.raises(BadValue, match="longer than WEIGHT"):
        call("SparseLengthsPositionalWeightedSum", table, np.ones(1, np.float32), np.int32([0, 1]), np.int32([2]))


def test_gradient_wiring():
    for kind in ("Sum", "Mean"):
        wires = [(f"SparseLengthsIndicesInGradient{kind}Gradient", ["GO0", "I2", "I1"], ["I0_grad_values"])]
        assert wiring(f"SparseLengths{kind}", 3) == (wires, [["I1", "I0_grad_values"], None, None])
    name = "SparseLengthsIndicesInGradientWeightedSum"
    wires = [(f"{name}Gradient", ["I1", "GO0", "I3", "I2"], ["I0_grad_values"])]
    assert wiring("SparseLengthsWeightedSum", 4) == (wires, [["I2", "I0_grad_values"], None, None, None])
    wires = [(f"{name}WithMainInputGradient", ["I1", "GO0", "I3", "I0", "I2"], ["I0_grad_values", "I1_grad"])]
    assert wiring("SparseLengthsWeightedSum", 4, grad_on_weights=True)[0] == wires
