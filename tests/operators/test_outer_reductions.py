"""Outer reductions against numpy: first and last dimensions, lengths, weights, messages."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NotSupported, ShapeMismatch
from tests.operators.calls import call, gradients, wiring


def draw(seed, shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


OUTER = {"Sum": np.sum, "Mean": np.mean, "Max": np.max}


@pytest.mark.parametrize("dims", [0, 2, 3])
@pytest.mark.parametrize("side", ["Front", "Back"])
@pytest.mark.parametrize("kind", OUTER)
def test_first_and_last_dimensions(kind, side, dims):
    x = draw(9, (3, 4, 2))
    axes = tuple(range(dims)) if side == "Front" else tuple(range(3 - dims, 3))
    y = call(f"Reduce{side}{kind}", x, num_reduce_dim=dims)
    np.testing.assert_allclose(y, OUTER[kind](x.astype(np.float64), axis=axes), rtol=1e-4, atol=1e-6)
    dy = draw(10, y.shape)
    (dx,) = gradients(f"Reduce{side}{kind}", [x], [dy], num_reduce_dim=dims)
    spread = dy.reshape([1 if a in axes else x.shape[a] for a in range(3)])
    slope = {"Sum": 1, "Mean": 1 / np.prod([x.shape[a] for a in axes]), "Max": x == x.max(axes, keepdims=True)}[kind]
    np.testing.assert_allclose(dx, np.broadcast_to(spread * slope, x.shape), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("side", ["Front", "Back"])
@pytest.mark.parametrize("kind", OUTER)
def test_only_as_many_as_the_lengths_say(kind, side):
    x = draw(11, (4, 3))
    lengths = np.int32([4, 1, 3]) if side == "Front" else np.int32([3, 1, 2, 1])
    reduced = x.T if side == "Front" else x
    want = [OUTER[kind](row[:n]) for row, n in zip(reduced, lengths, strict=True)]
    np.testing.assert_allclose(call(f"Reduce{side}{kind}", x, lengths), want, rtol=1e-4, atol=1e-6)
    dy = draw(12, len(want))
    dx, dlengths = gradients(f"Reduce{side}{kind}", [x, lengths], [dy])
    assert dlengths is None
    rows = np.zeros_like(reduced)
    for i, n in enumerate(lengths):
        slope = {"Sum": 1, "Mean": 1 / n, "Max": reduced[i, :n] == want[i]}[kind]
        rows[i, :n] = dy[i] * slope
    np.testing.assert_allclose(dx, rows.T if side == "Front" else rows, rtol=1e-4, atol=1e-6)


def test_length_zero_sums_to_zero_and_keeps_the_first_as_largest():
    x, lengths = np.float32([[3, 5], [4, 6]]), np.int32([0, 2])
    np.testing.assert_array_equal(call("ReduceBackSum", x, lengths), [0, 10])
    np.testing.assert_array_equal(call("ReduceBackMax", x, lengths), [3, 6])


def test_lengths_are_checked():
    x = draw(0, (2, 3))
    with pytest.raises(BadValue, match="lengths must be between 0 and 3"):
        call("ReduceBackSum", x, np.int32([4, 1]))
    with pytest.raises(ShapeMismatch, match=r"lengths is \(3,\) but X is \(2, 3\); lengths must be \(2,\)"):
        call("ReduceBackSum", x, np.int32([1, 1, 1]))
    with pytest.raises(BadArgument, match="with lengths it must be 1"):
        call("ReduceBackSum", x, np.int32([1, 1]), num_reduce_dim=2)
    with pytest.raises(BadArgument, match="num_reduce_dim is 3 but X is"):
        call("ReduceFrontMean", x, num_reduce_dim=3)


def test_weighted_sum_of_entries():
    x, w = draw(13, (3, 2, 4)), draw(14, 3)
    np.testing.assert_allclose(call("ReduceFrontWeightedSum", x, w), np.tensordot(w, x, 1), rtol=1e-4, atol=1e-6)
    dy = draw(15, (2, 4))
    dx, dw = gradients("ReduceFrontWeightedSum", [x, w], [dy])
    np.testing.assert_allclose(dx, np.tensordot(w, dy, 0), rtol=1e-5)
    assert dw is None
    with pytest.raises(NotSupported, match="grad_on_weights=1 is not supported"):
        gradients("ReduceFrontWeightedSum", [x, w], [dy], grad_on_weights=1)
    with pytest.raises(ShapeMismatch, match=r"SCALARS must be \(3,\), one an entry"):
        call("ReduceFrontWeightedSum", x, w[:2])


@pytest.mark.parametrize(("type", "share"), [("ReduceFrontSum", 1), ("ReduceFrontMean", 3), ("ReduceBackSum", 1)])
def test_gradient_from_the_shape_as_very_old_nets_give_it(type, share):
    shape = (3, 2)
    dy = draw(16, 2 if "Front" in type else 3)
    dx = call(f"{type}Gradient", dy, np.int64(shape))
    np.testing.assert_allclose(dx, np.broadcast_to(dy if "Front" in type else dy[:, None], shape) / share, rtol=1e-6)
    assert dx.dtype == np.float32


@pytest.mark.parametrize("side", ["Front", "Back"])
def test_gradient_wiring_of_outer_reductions(side):
    for kind, wires in (
        ("Sum", ["GO0", "I0", "I1"]),
        ("Mean", ["GO0", "I0", "I1"]),
        ("Max", ["GO0", "I0", "O0", "I1"]),
    ):
        type = f"Reduce{side}{kind}"
        assert wiring(type, 2) == ([(f"{type}Gradient", wires, ["I0_grad"])], ["I0_grad", None])
        assert wiring(type, 1) == ([(f"{type}Gradient", wires[:-1], ["I0_grad"])], ["I0_grad"])


def test_gradient_wiring_of_the_weighted_sum():
    assert wiring("ReduceFrontWeightedSum", 2) == (
        [
            ("Shape", ["I0"], ["_O0_dims"]),
            ("ReduceFrontWeightedSumGradient", ["I1", "GO0", "_O0_dims"], ["I0_grad"]),
        ],
        ["I0_grad", None],
    )
