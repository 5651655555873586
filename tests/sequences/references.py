"""Recurrent networks written a second time, as plain loops in float64, and what compares the two."""

from __future__ import annotations

import numpy as np

from c2lab import core
from c2lab.model_helper import ModelHelper
from c2lab.workspace import FeedBlob, FetchBlob, ResetWorkspace, RunNetOnce


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def held(going, new, old, drop):
    """New states where a sequence goes on; after its end zeros, or the old ones."""
    return np.where(going, new, 0 if drop else old)


def over_time(step, rows, states, lengths, drop=False):
    """All values and the last one of each state."""
    states = [np.broadcast_to(s.reshape(-1, s.shape[-1]), (rows.shape[1], s.shape[-1])) for s in states]
    found = [[] for _ in states]
    for t, row in enumerate(rows):
        going = np.ones((rows.shape[1], 1), bool) if lengths is None else (t < np.asarray(lengths))[:, None]
        after = step(row, *states)
        states = [held(going, new, old, drop) for new, old in zip(after, states, strict=True)]
        for place, state in zip(found, states, strict=True):
            place.append(state)
    return [value for place in found for value in (np.stack(place), place[-1][None])]


def layer(x, b, name):
    return x @ b[f"{name}_w"].T + b[f"{name}_b"]


def normalized(x, b, name):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-4) * b[f"{name}_scale"] + b[f"{name}_bias"]


def lstm_states(gates, cell, forget_bias=0.0):
    i, f, o, g = np.split(gates, 4, axis=-1)
    cell = sigmoid(f + forget_bias) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def lstm_gates(kind, b, scope):
    """The gates of a kind of long short-term memory, of its prepared input and what its state is."""

    def gates(x, fed):
        if "MI" in kind:
            h = layer(fed, b, f"{scope}prev_t")
            alpha, beta1, beta2, bias = (b[scope + name] for name in ("alpha", "beta1", "beta2", "b"))
            value = alpha * x * h + beta1 * h + beta2 * x + bias
        else:
            value = layer(fed, b, f"{scope}gates_t") + x
        return normalized(value, b, f"{scope}gates_t_norm") if "LayerNorm" in kind else value

    return gates


def lstm(kind, b, scope, x, states, lengths, *, drop=False, forget_bias=0.0):
    gates = lstm_gates(kind, b, scope)

    def step(row, hidden, cell):
        return lstm_states(gates(row, hidden), cell, forget_bias)

    return over_time(step, layer(x, b, f"{scope}i2h"), states, lengths, drop)


def basic(b, scope, x, states, lengths, activation, *, drop=False):
    activate = {"tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda v: np.maximum(v, 0)}[activation]

    def step(row, hidden):
        return (activate(layer(hidden, b, f"{scope}gates_t") + row),)

    return over_time(step, layer(x, b, f"{scope}i2h"), states, lengths, drop)


def gru(b, scope, x, states, lengths, *, drop=False, linear_before_reset=False):
    def step(row, hidden):
        reset, update, output = np.split(row, 3, axis=-1)
        r = sigmoid(reset + layer(hidden, b, f"{scope}reset_gate_t"))
        z = sigmoid(update + layer(hidden, b, f"{scope}update_gate_t"))
        name = f"{scope}output_gate_t"
        inner = r * layer(hidden, b, name) if linear_before_reset else layer(r * hidden, b, name)
        return (z * hidden + (1 - z) * np.tanh(inner + output),)

    return over_time(step, layer(x, b, f"{scope}i2h"), states, lengths, drop)


class Trial:
    """A model beside a reference: the same blobs, outputs and gradients.

    Args:
        inputs: The blobs that are fed, by name.
        seed: Of the parameters and of what the outputs are weighted with.
    """

    def __init__(self, inputs, seed=0, **model):
        ResetWorkspace()
        self.model = ModelHelper("trial", **model)
        self.random = np.random.default_rng(seed)
        self.inputs = inputs
        for name, value in inputs.items():
            FeedBlob(name, value.astype(np.float32) if value.dtype.kind == "f" else value)

    def blob(self, name):
        return core.BlobReference(name)

    def fill(self):
        """Gives all parameters random values: what is zero or one at first would hide mistakes."""
        RunNetOnce(self.model.param_init_net)
        for param in self.model.GetAllParams():
            shape = FetchBlob(param).shape
            FeedBlob(param, self.random.normal(size=shape, scale=0.5).astype(np.float32))

    def blobs(self):
        """All inputs and parameters in float64."""
        names = [*self.inputs, *map(str, self.model.GetAllParams())]
        found = {name: np.asarray(FetchBlob(name)) for name in dict.fromkeys(names)}
        return {n: v.astype(np.float64) if v.dtype.kind == "f" else v for n, v in found.items()}

    def compare(self, outputs, flowing, reference, skip=()):
        """Outputs against ``reference(blobs)``, and the gradients of all blobs against finite differences.

        Args:
            outputs: The blobs of the model.
            flowing: Which of them the loss is made of.
            reference: The outputs, of a dictionary of arrays.
            skip: Blobs without a gradient.
        """
        net = self.model.net
        self.fill()
        want = reference(self.blobs())
        weights = [self.random.normal(size=value.shape) for value in want]
        parts = []
        for k in flowing:
            FeedBlob(f"weights_{k}", weights[k].astype(np.float32))
            product = net.Mul([outputs[k], core.BlobReference(f"weights_{k}")], net.NextName())
            parts.append(net.SumElements(product, net.NextName()))
        gradients = self.model.AddGradientOperators([net.Sum(parts, "loss")])
        RunNetOnce(net)
        for output, value in zip(outputs, want, strict=True):
            np.testing.assert_allclose(FetchBlob(output), value, rtol=1e-4, atol=1e-5, err_msg=str(output))
        blobs = self.blobs()

        def loss(name, value):
            found = reference({**blobs, name: value})
            return sum((weights[k] * found[k]).sum() for k in flowing)

        for name, value in blobs.items():
            if value.dtype.kind != "f" or name in skip:
                continue
            slope = np.zeros_like(value)
            for index in np.ndindex(value.shape):
                ends = []
                for sign in (1, -1):
                    moved = value.copy()
                    moved[index] += sign * 1e-5
                    ends.append(loss(name, moved))
                slope[index] = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(FetchBlob(gradients[name]), slope, rtol=2e-3, atol=2e-4, err_msg=name)
