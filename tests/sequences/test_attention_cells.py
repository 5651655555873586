"""Decoders with attention against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument
from c2lab.sequences.attention import AttentionType
from c2lab.sequences.attention_cells import LSTMWithAttention, LSTMWithAttentionCell, MILSTMWithAttentionCell
from c2lab.workspace import FetchBlob, RunNetOnce
from tests.sequences.references import Trial, layer, lstm_gates, lstm_states, over_time

T, N, D, H, S, E = 2, 2, 2, 3, 3, 2
KINDS = [AttentionType.Regular, AttentionType.Recurrent, AttentionType.Dot, AttentionType.SoftCoverage]


def inputs():
    random = np.random.default_rng(6)
    shapes = {"x": (T, N, D), "h": (1, N, H), "c": (1, N, H), "seen": (1, N, E), "encoded": (S, N, E)}
    blobs = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return blobs | {"lengths": np.int32([2, 1]), "encoded_lengths": np.int32([1, 3])}


def reference(b, attention_type, ends, kind="LSTM"):
    gates = lstm_gates(kind, b, "a/decoder/")
    encoded = b["encoded"]
    weighted = None if attention_type == AttentionType.Dot else layer(encoded, b, "a/weighted_encoder_outputs")

    def step(row, h, c, seen, covered=None):
        h, c = lstm_states(gates(row, np.concatenate([h, seen], -1)), c)
        state = layer(h, b, "a/weighted_decoder_hidden_state")
        if attention_type == AttentionType.Dot:
            logits = np.einsum("sne,ne->ns", encoded, state)
        else:
            total = weighted + state
            if attention_type == AttentionType.Recurrent:
                total = total + layer(seen, b, "a/weighted_prev_attention_context")
            if covered is not None:
                total = total + np.einsum("ns,e->sne", covered, b["a/coverage_weights"])
            logits = layer(np.tanh(total), b, "a/attention_logits")[:, :, 0].T
        if ends:
            logits = np.where(np.arange(S) < b["encoded_lengths"][:, None], logits, -1e9)
        e = np.exp(logits - logits.max(1, keepdims=True))
        w = e / e.sum(1, keepdims=True)
        seen = np.einsum("sne,ns->ne", encoded, w)
        return (h, c, seen) if covered is None else (h, c, seen, covered + w)

    states = [b["h"], b["c"], b["seen"]]
    if attention_type == AttentionType.SoftCoverage:
        states.append(np.zeros((1, N, S)))
    return over_time(step, layer(b["x"], b, "a/decoder/i2h"), states, None)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_decoders(kind, ends):
    trial = Trial(inputs())
    blob = trial.blob
    outputs = LSTMWithAttention(
        trial.model, blob("x"), None, blob("h"), blob("c"), blob("seen"), E, blob("encoded"),
        blob("encoded_lengths") if ends else None, D, H, "a", attention_type=kind, outputs_with_grads=(0, 4),
        attention_memory_optimization=ends, lstm_memory_optimization=ends,
    )  # fmt: skip
    names = ["a/hidden_t_external", "a/decoder/cell_t", "a/attention_weighted_encoder_context"]
    assert [str(name) for name in outputs[:6:2]] == [f"{name}_all" for name in names]
    trial.compare(outputs, (0, 4), lambda b: reference(b, kind, ends))


def test_lengths_of_the_decoder_hold_its_states():
    trial = Trial(inputs())
    blob = trial.blob
    outputs = LSTMWithAttention(
        trial.model, blob("x"), blob("lengths"), blob("h"), blob("c"), blob("seen"), E, blob("encoded"), None, D, H, "a"
    )  # fmt: skip

    def held(b):
        found = reference(b, AttentionType.Regular, False)
        for place in (0, 2):
            found[place][1, 1] = found[place][0, 1]
            found[place + 1] = found[place][-1:]
        return found

    trial.fill()
    RunNetOnce(trial.model.net)
    want = held(trial.blobs())
    for place in range(4):
        np.testing.assert_allclose(FetchBlob(outputs[place]), want[place], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell_class", [LSTMWithAttentionCell, MILSTMWithAttentionCell])
def test_the_output_is_state_and_what_is_seen(cell_class):
    trial = Trial(inputs())
    blob = trial.blob
    lengths = {} if cell_class is MILSTMWithAttentionCell else {"encoder_lengths": None}
    cell = cell_class(
        encoder_output_dim=E, encoder_outputs=blob("encoded"), decoder_input_dim=D, decoder_state_dim=H, name="a",
        attention_type=AttentionType.Regular, weighted_encoder_outputs=None, forget_bias=0.0,
        lstm_memory_optimization=False, attention_memory_optimization=False, **lengths,
    )  # fmt: skip
    assert cell.get_output_dim() == H + E
    assert cell.get_state_names()[0] == "a/hidden_t_external"
    output, results = cell.apply_over_sequence(
        trial.model, blob("x"), None, [blob("h"), blob("c"), blob("seen")], outputs_with_grads=(0, 4)
    )
    assert str(cell.get_attention_weights()) == "a/attention_weights_3d"
    kind = "MI" if cell_class is MILSTMWithAttentionCell else "LSTM"

    def whole(b):
        found = reference(b, AttentionType.Regular, False, kind)
        return [*found, np.concatenate([found[0], found[4]], -1)]

    trial.compare([*results, output], (6,), whole)


def test_what_does_not_fit_is_told():
    trial = Trial(inputs())
    options = {
        "encoder_output_dim": E,
        "encoder_outputs": trial.blob("encoded"),
        "encoder_lengths": None,
        "decoder_input_dim": D,
        "decoder_state_dim": H,
        "name": "a",
        "weighted_encoder_outputs": None,
        "forget_bias": 0.0,
        "lstm_memory_optimization": False,
        "attention_memory_optimization": False,
    }
    with pytest.raises(BadArgument, match="attention_type is 7"):
        LSTMWithAttentionCell(**options, attention_type=7)
    with pytest.raises(BadArgument, match="only attention with soft coverage"):
        LSTMWithAttentionCell(**options, attention_type=AttentionType.Dot).build_initial_coverage(trial.model)
