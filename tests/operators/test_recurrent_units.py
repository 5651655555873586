"""Recurrent units against formulas of their own, and their gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.eager import run
from c2lab.errors import C2LabError

RANDOM = np.random.default_rng(5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(h, c, gates, lengths, t, bias, drop):
    i, f, o, g = np.split(gates, 4, axis=2)
    cell = sigmoid(f + bias) * c + sigmoid(i) * np.tanh(g)
    hidden = sigmoid(o) * np.tanh(cell)
    for n, length in enumerate(lengths):
        if t >= length:
            hidden[0, n] = 0 if drop else h[0, n]
            cell[0, n] = 0 if drop else c[0, n]
    return hidden, cell


def gru(h, gates, lengths, t, drop):
    _, update, out = np.split(gates, 3, axis=2)
    z = sigmoid(update)
    hidden = z * h + (1 - z) * np.tanh(out)
    for n, length in enumerate(lengths):
        if t >= length:
            hidden[0, n] = 0 if drop else h[0, n]
    return hidden


def slope(function, x, weights, step=1e-5):
    """The gradient of the weighted sum of ``function(x)``'s outputs."""
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            made = function(moved)
            made = made if isinstance(made, tuple) else (made,)
            ends.append(sum(float((w * y).sum()) for w, y in zip(weights, made, strict=True)))
        result[index] = (ends[0] - ends[1]) / (2 * step)
    return result


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("bias", [0.0, 1.5])
@pytest.mark.parametrize("given", [False, True])
def test_lstm_unit_and_its_gradient(drop, bias, given):
    h, c = RANDOM.normal(size=(2, 1, 3, 2))
    gates = RANDOM.normal(size=(1, 3, 8))
    lengths = [1, 3, 2]
    counted = lengths if given else [9, 9, 9]
    extra = {"forget_bias": bias, "sequence_lengths": given, "drop_states": drop}
    last = {"seq_lengths": lengths, "timestep": [2]} if given else {"seq_lengths": [2]}
    blobs = {"hidden_prev": h, "cell_prev": c, "gates": gates}
    single = {name: value.astype(np.float32) for name, value in blobs.items()}
    made = run("LSTMUnit", **single, **last, **extra)
    want = lstm(h, c, gates, counted, 2, bias, drop)
    np.testing.assert_allclose(made["hidden"], want[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(made["cell"], want[1], rtol=1e-4, atol=1e-5)
    dh, dc = RANDOM.normal(size=(2, 1, 3, 2))
    names = ("dhidden_prev", "dcell_prev", "dgates")
    back = run("LSTMUnitGradient", **single, **last, **extra, **made, dhidden=dh.astype(np.float32),
               dcell=dc.astype(np.float32))  # fmt: skip
    for name, blob in zip(names, blobs, strict=True):

        def function(x, blob=blob):
            return lstm(*(blobs | {blob: x}).values(), counted, 2, bias, drop)

        np.testing.assert_allclose(back[name], slope(function, blobs[blob], (dh, dc)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_gru_unit_and_its_gradient(drop, given):
    h, gates = RANDOM.normal(size=(1, 3, 2)), RANDOM.normal(size=(1, 3, 6))
    lengths = [1, 3, 2]
    counted = lengths if given else [9, 9, 9]
    extra = {"sequence_lengths": given, "drop_states": drop}
    last = {"seq_lengths": lengths, "timestep": [2]} if given else {"seq_lengths": [2]}
    blobs = {"hidden_prev": h, "gates": gates}
    single = {name: value.astype(np.float32) for name, value in blobs.items()}
    made = run("GRUUnit", **single, **last, **extra)
    np.testing.assert_allclose(made["hidden"], gru(h, gates, counted, 2, drop), rtol=1e-4, atol=1e-5)
    dh = RANDOM.normal(size=(1, 3, 2))
    back = run("GRUUnitGradient", **single, **last, **extra, **made, dhidden=dh.astype(np.float32))
    for name, blob in (("dhidden_prev", "hidden_prev"), ("dgates", "gates")):

        def function(x, blob=blob):
            return gru(*(blobs | {blob: x}).values(), counted, 2, drop)

        np.testing.assert_allclose(back[name], slope(function, blobs[blob], (dh,)), rtol=1e-3, atol=1e-4)


def test_gates_must_be_four_blocks():
    with pytest.raises(C2LabError, match=r"gates must be \(1, N, 4 \* D\)"):
        run("LSTMUnit", hidden_prev=[[[0.0]]], cell_prev=[[[0.0]]], gates=[[[0.0]]], seq_lengths=[1], timestep=[0])
