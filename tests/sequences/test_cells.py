"""Cells: names, first states, a cell of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import brew
from c2lab.errors import BadArgument
from c2lab.sequences.cells import BasicRNNCell, RNNCell
from c2lab.workspace import FetchBlob, RunNetOnce
from tests.sequences.references import Trial


class Mean(RNNCell):
    """A cell that halves what it has and adds half of what comes."""

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        total = brew.sum(model, [states[0], input_t], self.scope("total"))
        return (model.net.Scale(total, self.scope("mean"), scale=0.5),)

    def get_state_names_override(self):
        return (self.scope("mean"),)


def test_a_cell_of_ones_own():
    trial = Trial({"x": np.float32([[[2.0]], [[4.0]]]), "first": np.float32([[[6.0]]])})
    output, results = Mean(name="m").apply_over_sequence(
        trial.model, trial.blob("x"), initial_states=[trial.blob("first")]
    )
    assert [str(blob) for blob in (output, *results)] == ["m/mean_all", "m/mean_all", "m/mean_last"]
    RunNetOnce(trial.model.net)
    np.testing.assert_array_equal(FetchBlob(output).ravel(), [4, 4])


def test_a_single_step():
    trial = Trial({"x": np.float32([[[2.0]]]), "first": np.float32([[[6.0]]])})
    output, states = Mean(name="m").apply(trial.model, trial.blob("x"), None, [trial.blob("first")], None)
    assert [output] == list(states)
    RunNetOnce(trial.model.net)
    np.testing.assert_array_equal(FetchBlob(output), [[[4.0]]])


def test_names():
    assert RNNCell(name="a").scope("b") == "a/b"
    assert RNNCell().scope("b") == "b"
    cell = BasicRNNCell(2, 3, 0.0, False, name="c", activation="relu")
    assert (cell.get_state_names(), cell.get_output_dim()) == (("c/hidden_t",), 3)


def test_what_is_missing_is_told():
    trial = Trial({"x": np.zeros((2, 1, 1))})
    with pytest.raises(BadArgument, match="no initializer; give initial_states"):
        Mean(name="m").apply_over_sequence(trial.model, trial.blob("x"))
    with pytest.raises(BadArgument, match="0 first states given"):
        Mean(name="m").apply_over_sequence(trial.model, trial.blob("x"), initial_states=[])
    with pytest.raises(BadArgument, match="activation is 'cube'"):
        BasicRNNCell(2, 3, 0.0, False, activation="cube")
