"""ONNX recurrences as nets of ours, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.onnx_witness.translation import Translation, translates


class _Steps:
    """What RNN, LSTM and GRU share: one direction, step by step, in the gate order of the original."""

    def __init__(self, t: Translation, gates: int, order: Sequence[int]) -> None:
        x, w, r = t.array(0), t.array(1), t.array(2)
        t.only(t.get("direction", "forward") == "forward", "one direction at a time")
        t.only(not t.has(4), "all sequences are of one length")
        t.only(not t.get("layout", 0), "time comes first")
        t.only(not t.get("activations") and t.get("clip") is None, "the activations are the usual ones")
        self.t, self.size = t, r.shape[2]
        (self.length, self.batch, _), self.gates = x.shape, gates
        rows = np.concatenate([np.arange(k * self.size, (k + 1) * self.size) for k in order])
        bias = t.array(3)[0] if t.has(3) else np.zeros(2 * gates * self.size, np.float32)
        half = gates * self.size
        self.w, self.r = t.feed(w[0][rows]), t.feed(r[0][rows])
        self.wb, self.rb = t.feed(bias[:half][rows]), t.feed(bias[half:][rows])
        self.lengths = t.feed(np.full(self.batch, self.length, np.int32))

    def start(self, position: int) -> str:
        """The state before the first step, (1, batch, size)."""
        held = self.t.array(position) if self.t.has(position) else np.zeros((1, self.batch, self.size), np.float32)
        return self.t.feed(held)

    def input(self, step: int) -> str:
        """What the input adds to the gates of a step, (batch, gates * size)."""
        rank = [step, 0, 0], [step + 1, -1, -1]
        row, _ = self.t.op(
            "Reshape", [self.t.op("Slice", [self.t[0]], starts=rank[0], ends=rank[1])], 2, shape=[self.batch, -1]
        )
        return self.t.op("FC", [row, self.w, self.wb])

    def state(self, hidden: str) -> str:
        """What the state adds, (batch, gates * size)."""
        row, _ = self.t.op("Reshape", [hidden], 2, shape=[self.batch, self.size])
        return self.t.op("FC", [row, self.r, self.rb])

    def raised(self, rows: str) -> str:
        """(batch, n) as (1, batch, n)."""
        return self.t.op("ExpandDims", [rows], dims=[0])

    def results(self, states: list[str], *last: str) -> list[str]:
        """The states of all steps as (length, 1, batch, size), and the last ones."""
        joined, _ = self.t.op("Concat", states, 2, axis=0)
        every, _ = self.t.op("Reshape", [joined], 2, shape=[self.length, 1, self.batch, self.size])
        return [every, *last]


@translates("RNN")
def _rnn(t, type):
    s = _Steps(t, 1, [0])
    hidden, states = s.start(5), []
    for step in range(s.length):
        hidden = s.raised(t.op("Tanh", [t.op("Add", [s.input(step), s.state(hidden)])]))
        states.append(hidden)
    return s.results(states, hidden)


@translates("LSTM")
def _lstm(t, type):
    t.only(not t.has(7) and not t.get("input_forget", 0), "gates do not see the cell, nor share a number")
    s = _Steps(t, 4, [0, 2, 1, 3])  # input, forget, output, cell
    hidden, cell, states = s.start(5), s.start(6), []
    for step in range(s.length):
        gates = s.raised(t.op("Add", [s.input(step), s.state(hidden)]))
        hidden, cell = t.op("LSTMUnit", [hidden, cell, gates, s.lengths, t.feed(np.int32([step]))], 2)
        states.append(hidden)
    return s.results(states, hidden, cell)


@translates("GRU")
def _gru(t, type):
    s = _Steps(t, 3, [1, 0, 2])  # reset, update, output
    hidden, states = s.start(5), []
    for step in range(s.length):
        reset_x, update_x, output_x = t.op("Split", [s.input(step)], 3, axis=1)
        if t.get("linear_before_reset", 0):
            reset_h, update_h, output_h = t.op("Split", [s.state(hidden)], 3, axis=1)
            reset = t.op("Sigmoid", [t.op("Add", [reset_x, reset_h])])
            output = t.op("Add", [output_x, t.op("Mul", [reset, output_h])])
        else:
            r, rb = t.array(2)[0], t.array(3)[0][3 * s.size :] if t.has(3) else np.zeros(3 * s.size, np.float32)
            reset_h, update_h, _ = t.op("Split", [s.state(hidden)], 3, axis=1)
            reset = t.op("Sigmoid", [t.op("Add", [reset_x, reset_h])])
            row, _ = t.op("Reshape", [hidden], 2, shape=[s.batch, s.size])
            weights = [t.feed(r[2 * s.size :]), t.feed(rb[2 * s.size :])]
            output = t.op("Add", [output_x, t.op("FC", [t.op("Mul", [reset, row]), *weights])])
        # The unit's own update gate keeps the old state where it is large, as ONNX's does.
        gates = s.raised(t.op("Concat", [reset_x, t.op("Add", [update_x, update_h]), output], 2, axis=1)[0])
        hidden = t.op("GRUUnit", [hidden, gates, s.lengths, t.feed(np.int32([step]))])
        states.append(hidden)
    return s.results(states, hidden)
