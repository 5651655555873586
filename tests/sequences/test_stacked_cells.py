"""Layers, residuals, dropout and written-out steps."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument
from c2lab.sequences.cells import RNNCell
from c2lab.sequences.lstm_cells import LSTMCell
from c2lab.sequences.stacked_cells import DropoutCell, MultiRNNCell, MultiRNNCellInitializer, UnrolledCell
from c2lab.workspace import FeedBlob, FetchBlob, RunNetOnce
from tests.sequences.references import Trial, layer, lstm_gates, lstm_states, over_time

T, N, H = 3, 2, 2


def memory(**options):
    return LSTMCell(H, H, 0.0, False, **options)


def trial_of(states):
    random = np.random.default_rng(2)
    return Trial({"x": random.normal(size=(T, N, H))} | {f"s{k}": random.normal(size=(1, N, H)) for k in range(states)})


@pytest.mark.parametrize("residual", [[], [1], [2], [1, 2]])
def test_three_layers_with_residuals(residual):
    trial = trial_of(6)
    lowest = 2 if 2 not in residual else 1 if 1 not in residual else 0
    cell = MultiRNNCell([memory() for _ in range(3)], residual, name="m")
    output, results = cell.apply_over_sequence(
        trial.model, trial.blob("x"), None, [trial.blob(f"s{k}") for k in range(6)],
        outputs_with_grads=[4 * k for k in range(lowest, 3)],
    )  # fmt: skip
    assert cell.get_output_dim() == H
    assert cell.get_output_state_index() == 4

    def reference(b):
        gates = [lstm_gates("LSTM", b, f"m/layer_{k}/") for k in range(3)]

        def step(row, *states):
            fed, after = None, []
            for k in range(3):
                prepared = row if k == 0 else layer(fed, b, f"m/layer_{k}/i2h")
                hidden, cell = lstm_states(gates[k](prepared, states[2 * k]), states[2 * k + 1])
                fed = hidden + fed if k in residual else hidden
                after += [hidden, cell]
            return after

        found = over_time(step, layer(b["x"], b, "m/layer_0/i2h"), [b[f"s{k}"] for k in range(6)], None)
        return [*found, sum(found[4 * k] for k in range(lowest, 3))]

    trial.compare([*results, output], (12,), reference)


def test_layers_make_their_own_first_states():
    trial = trial_of(0)
    MultiRNNCell([memory(), memory()], name="m").apply_over_sequence(trial.model, trial.blob("x"))
    names = {str(p) for p in trial.model.params}
    assert {"layer_0/initial_hidden_state", "layer_1/initial_cell_state"} <= names
    nothing = MultiRNNCellInitializer([memory(name="other"), DropoutCell(RNNCell())])
    with pytest.raises(BadArgument, match="layer 1 has no initializer"):
        nothing.create_states(trial.model)


def test_dropout_silences_the_output_and_not_the_states():
    for forward_only in (False, True):
        trial = trial_of(2)
        cell = DropoutCell(memory(name="a"), 0.5, name="d", forward_only=forward_only)
        output, results = cell.apply_over_sequence(
            trial.model, trial.blob("x"), None, [trial.blob("s0"), trial.blob("s1")]
        )
        RunNetOnce(trial.model.param_init_net)
        RunNetOnce(trial.model.net)
        shown, states = FetchBlob(output), FetchBlob(results[0])
        assert np.all(states != 0)
        if forward_only:
            np.testing.assert_array_equal(shown, states)
        else:
            assert 0 < (shown == 0).sum() < shown.size
            np.testing.assert_allclose(shown[shown != 0], 2 * states[shown != 0], rtol=1e-6)


def test_dropout_between_layers_runs_at_every_step():
    trial = trial_of(4)
    cells = [DropoutCell(memory(), 0.9), memory()]
    _, results = MultiRNNCell(cells, name="m").apply_over_sequence(
        trial.model, trial.blob("x"), None, [trial.blob(f"s{k}") for k in range(4)], outputs_with_grads=[4]
    )
    RunNetOnce(trial.model.param_init_net)
    gradients = trial.model.AddGradientOperators([trial.model.net.SumElements(results[4], "loss")])
    RunNetOnce(trial.model.net)
    assert np.isfinite(FetchBlob(gradients["x"])).all()
    assert DropoutCell(memory(name="a"), 0.5).get_state_names() == ("a/hidden_t", "a/cell_t")
    with pytest.raises(BadArgument, match="dropout_ratio is 1"):
        DropoutCell(memory(), 1.0)


def test_written_out_steps_of_layers():
    found = []
    for unrolled in (False, True):
        trial = trial_of(4)
        cell = MultiRNNCell([memory(), memory()], name="m")
        cell = UnrolledCell(cell, T) if unrolled else cell
        output, _ = cell.apply_over_sequence(
            trial.model, trial.blob("x"), None, [trial.blob(f"s{k}") for k in range(4)]
        )
        gradients = trial.model.AddGradientOperators([trial.model.net.SumElements(output, "loss")])
        RunNetOnce(trial.model.param_init_net)
        for param in sorted(map(str, trial.model.params)):
            FeedBlob(param, trial.random.normal(size=FetchBlob(param).shape).astype(np.float32))
        RunNetOnce(trial.model.net)
        found.append([FetchBlob(output), FetchBlob(gradients["x"]), FetchBlob(gradients["m/layer_0/gates_t_w"])])
    for first, second in zip(*found, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)
