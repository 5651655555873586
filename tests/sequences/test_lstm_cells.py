"""Memories by themselves: names, first states, and the gates computed again. Values: see the whole networks."""

from __future__ import annotations

import numpy as np

from c2lab.sequences.lstm_cells import LayerNormLSTMCell, LSTMCell, LSTMInitializer, MILSTMCell
from c2lab.workspace import FetchBlob, RunNetOnce
from tests.sequences.references import Trial, lstm


def test_names_and_sizes():
    cell = LSTMCell(2, 3, 0.0, False, name="a")
    assert cell.get_state_names() == ("a/hidden_t", "a/cell_t")
    assert cell.get_output_dim() == 3
    assert cell.get_output_state_index() == 0
    assert MILSTMCell(2, 3, 0.0, False, name="a").get_recurrent_params()["weights"] == "a/prev_t_w"
    assert isinstance(LayerNormLSTMCell(2, 3, 0.0, False).initializer, LSTMInitializer)


def test_first_states_are_learned_where_none_are_given():
    trial = Trial({"x": np.random.default_rng(1).normal(size=(3, 2, 2))})
    output, results = LSTMCell(2, 3, 0.0, False, name="a").apply_over_sequence(trial.model, trial.blob("x"))
    assert {"initial_hidden_state", "initial_cell_state"} <= {str(p) for p in trial.model.params}
    assert output == results[0]

    def reference(b):
        return lstm("LSTM", b, "a/", b["x"], [b["initial_hidden_state"], b["initial_cell_state"]], None)

    trial.compare(results, (0,), reference)


def test_memory_is_saved_by_computing_the_gates_again():
    trial = Trial({"x": np.zeros((2, 1, 2))})
    LSTMCell(2, 3, 0.0, True, name="a").apply_over_sequence(trial.model, trial.blob("x"))
    op = trial.model.net.Proto().op[-1]
    back = next(a.n for a in op.arg if a.name == "backward_step_net")
    assert [inner.type for inner in back.op][:2] == ["FC", "Sum"]
    RunNetOnce(trial.model.param_init_net)
    RunNetOnce(trial.model.net)
    assert FetchBlob("a/hidden_t_all").shape == (2, 1, 3)
