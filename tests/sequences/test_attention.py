"""What is seen of an encoder, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.sequences import attention
from c2lab.sequences.attention import AttentionType, s
from c2lab.workspace import FetchBlob, RunNetOnce
from tests.sequences.references import Trial, layer

T, N, D, H = 4, 3, 2, 3


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def test_names():
    kinds = AttentionType
    assert [kinds.Regular, kinds.Recurrent, kinds.Dot, kinds.SoftCoverage] == [0, 1, 2, 3]
    assert s("a", "b") == "a/b"


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("kind", ["regular", "recurrent", "dot", "soft_coverage"])
def test_one_look(kind, ends):
    random = np.random.default_rng(4)
    trial = Trial({
        "encoded": random.normal(size=(T, N, D)), "turned": random.normal(size=(N, D, T)),
        "state": random.normal(size=(1, N, H)), "seen": random.normal(size=(1, N, D)),
        "coverage": random.random(size=(1, N, T)), "cover_w": random.normal(size=D), "lengths": np.int32([4, 1, 2]),
    })  # fmt: skip
    names = {"encoder_outputs_transposed": "turned", "decoder_hidden_state_t": "state"}
    if kind != "dot":
        names["weighted_encoder_outputs"] = "encoded"
    if kind == "recurrent":
        names["attention_weighted_encoder_context_t_prev"] = "seen"
    if kind == "soft_coverage":
        names |= {"coverage_t_prev": "coverage", "coverage_weights": "cover_w"}
    seen, weights, _, *coverage = getattr(attention, f"apply_{kind}_attention")(
        trial.model, encoder_output_dim=D, decoder_hidden_state_dim=H, scope="a",
        encoder_lengths=trial.blob("lengths") if ends else None, **{k: trial.blob(v) for k, v in names.items()},
    )  # fmt: skip

    def reference(b):
        state = layer(b["state"], b, "a/weighted_decoder_hidden_state")
        if kind == "dot":
            logits = np.einsum("ndt,nd->nt", b["turned"], state[0])
        else:
            total = b["encoded"] + state
            if kind == "recurrent":
                total = total + layer(b["seen"], b, "a/weighted_prev_attention_context")
            if kind == "soft_coverage":
                total = total + np.einsum("nt,d->tnd", b["coverage"][0], b["cover_w"])
            logits = layer(np.tanh(total), b, "a/attention_logits")[:, :, 0].T
        if ends:
            logits = np.where(np.arange(T) < b["lengths"][:, None], logits, -np.inf)
        w = softmax(logits, 1)
        found = [np.einsum("ndt,nt->nd", b["turned"], w)[None], w[:, :, None]]
        return [*found, b["coverage"] + w[None]] if coverage else found

    unused = {"dot": {"encoded", "seen", "coverage", "cover_w"}, "regular": {"seen", "coverage", "cover_w"}}
    unused |= {"recurrent": {"coverage", "cover_w"}, "soft_coverage": {"seen"}}
    trial.compare([seen, weights, *coverage], (0, 2) if coverage else (0,), reference, unused[kind])
    np.testing.assert_allclose(FetchBlob(weights).sum(1), 1, rtol=1e-5)


def test_a_state_of_the_right_size_is_not_weighted():
    trial = Trial({"turned": np.ones((N, D, T)), "state": np.ones((1, N, D))})
    seen, _, _ = attention.apply_dot_attention(trial.model, D, trial.blob("turned"), trial.blob("state"), D, "a")
    assert not trial.model.params
    RunNetOnce(trial.model.net)
    np.testing.assert_allclose(FetchBlob(seen), np.ones((1, N, D)), rtol=1e-6)
