"""Whole networks against plain loops, and their gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import NotSupported
from c2lab.model_helper import ModelHelper
from c2lab.optimizer import build_adam
from c2lab.sequences import networks
from c2lab.workspace import CreateNet, FeedBlob, FetchBlob, ResetWorkspace, RunNet, RunNetOnce
from tests.sequences.references import Trial, basic, lstm

T, N, D, H = 3, 2, 2, 3
KINDS = ("LSTM", "MILSTM", "LayerNormLSTM", "LayerNormMILSTM")


def inputs(states, lengths=(3, 1), sizes=None):
    random = np.random.default_rng(3)
    sizes = sizes or [H] * states
    found = {"x": random.normal(size=(T, N, D)), "lengths": np.int32(lengths)}
    return found | {f"first_{k}": random.normal(size=(1, N, size)) for k, size in enumerate(sizes)}


def references(count):
    return [core.BlobReference(f"first_{k}") for k in range(count)]


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_memories(kind, ends, drop):
    trial = Trial(inputs(2))
    lengths = trial.blob("lengths") if ends else None
    flowing = (0, 3) if ends else (0, 1, 2, 3)
    outputs = getattr(networks, kind)(
        trial.model, trial.blob("x"), lengths, references(2), D, H, scope="r", outputs_with_grads=flowing,
        forget_bias=0.5, drop_states=drop, memory_optimization=drop,
    )  # fmt: skip
    assert [str(name) for name in outputs] == ["r/hidden_t_all", "r/hidden_t_last", "r/cell_t_all", "r/cell_t_last"]

    def reference(b):
        ended = b["lengths"] if ends else None
        return lstm(kind, b, "r/", b["x"], [b["first_0"], b["first_1"]], ended, drop=drop, forget_bias=0.5)

    trial.compare(outputs, flowing, reference)


@pytest.mark.parametrize(
    ("activation", "ends", "drop"), [("tanh", True, True), ("tanh", True, False), ("sigmoid", False, False)]
)
def test_basic_network(activation, ends, drop):
    trial = Trial(inputs(1))
    lengths = trial.blob("lengths") if ends else None
    outputs = networks.BasicRNN(
        trial.model, trial.blob("x"), lengths, references(1), D, H, scope="r", outputs_with_grads=(0, 1),
        activation=activation, drop_states=drop,
    )  # fmt: skip

    def reference(b):
        ended = b["lengths"] if ends else None
        return basic(b, "r/", b["x"], [b["first_0"]], ended, activation, drop=drop)

    trial.compare(outputs, (0, 1), reference)


def test_layers_pass_their_outputs_on():
    trial = Trial(inputs(4, sizes=[H, H, 2, 2]))
    outputs = networks.LSTM(
        trial.model, trial.blob("x"), trial.blob("lengths"), references(4), D, [H, 2], scope="r",
        outputs_with_grads=(0, 3), return_last_layer_only=False,
    )  # fmt: skip
    assert [str(name) for name in outputs[::2]] == [
        "r/layer_0/hidden_t_all", "r/layer_0/cell_t_all", "r/layer_1/hidden_t_all", "r/layer_1/cell_t_all",
    ]  # fmt: skip
    assert {str(p) for p in trial.model.params} == {
        f"r/layer_{k}/{part}_{end}" for k in (0, 1) for part in ("i2h", "gates_t") for end in "wb"
    }

    def reference(b):
        below = lstm("LSTM", b, "r/layer_0/", b["x"], [b["first_0"], b["first_1"]], b["lengths"])
        return below + lstm("LSTM", b, "r/layer_1/", below[0], [b["first_2"], b["first_3"]], b["lengths"])

    trial.compare(outputs, (4, 7), reference)


def test_written_out_steps_are_the_same():
    trial = Trial(inputs(2))
    outputs = networks.LSTM(
        trial.model, trial.blob("x"), trial.blob("lengths"), references(2), D, H, scope="r",
        outputs_with_grads=(0, 3), static_rnn_unroll_size=T,
    )  # fmt: skip
    assert not any(op.type == "RecurrentNetwork" for op in trial.model.net.Proto().op)
    assert {str(p) for p in trial.model.params} == {"r/i2h_w", "r/i2h_b", "r/gates_t_w", "r/gates_t_b"}

    def reference(b):
        return lstm("LSTM", b, "r/", b["x"], [b["first_0"], b["first_1"]], b["lengths"])

    trial.compare(outputs, (0, 3), reference)


def test_only_named_outputs_carry_gradients():
    trial = Trial(inputs(2))
    outputs = networks.LSTM(trial.model, trial.blob("x"), None, references(2), D, H, scope="r")
    op = trial.model.net.Proto().op[-1]
    assert list(next(a.ints for a in op.arg if a.name == "outputs_with_grads")) == [0]
    loss = trial.model.net.SumElements(trial.model.net.Concat([outputs[0], outputs[3]], 2, axis=0)[0], "loss")
    gradients = trial.model.AddGradientOperators([loss])
    trial.fill()
    RunNetOnce(trial.model.net)
    both = FetchBlob(gradients["x"])
    # What flows into the last cell state is not asked for, so only the first output counts.
    b = trial.blobs()

    def total(x):
        return lstm("LSTM", b, "r/", x, [b["first_0"], b["first_1"]], None)[0].sum()

    moved = b["x"].copy()
    moved[0, 0, 0] += 1e-5
    np.testing.assert_allclose(both[0, 0, 0], (total(moved) - total(b["x"])) / 1e-5, rtol=1e-2)


def test_forward_only_has_no_way_back():
    trial = Trial(inputs(2))
    networks.LSTM(trial.model, trial.blob("x"), None, references(2), D, H, scope="r", forward_only=True)
    names = {argument.name for argument in trial.model.net.Proto().op[-1].arg}
    assert "step_net" in names
    assert "backward_step_net" not in names


def test_parameters_gate_by_gate():
    trial = Trial(inputs(2))
    *_, names = networks.LSTM(
        trial.model, trial.blob("x"), None, references(2), D, H, scope="r", return_params=True
    )  # fmt: skip
    assert names == {
        "input": {"weights": "r/i2h_w", "biases": "r/i2h_b"},
        "recurrent": {"weights": "r/gates_t_w", "biases": "r/gates_t_b"},
    }
    RunNetOnce(trial.model.param_init_net)
    gates = ("input_gate", "forget_gate", "output_gate", "cell")
    assert networks.GetLSTMParamNames() == {
        "weights": [f"{gate}_w" for gate in gates], "biases": [f"{gate}_b" for gate in gates]
    }  # fmt: skip
    given = {
        part: {f"{gate}_w": np.full((H, size), k) for k, gate in enumerate(gates)}
        | {f"{gate}_b": np.full(H, 10 + k) for k, gate in enumerate(gates)}
        for part, size in (("input", D), ("recurrent", H))
    }
    networks.InitFromLSTMParams(names, given)
    np.testing.assert_array_equal(FetchBlob("r/gates_t_w"), np.repeat([0, 1, 2, 3], H)[:, None] * np.ones(H))
    np.testing.assert_array_equal(FetchBlob("r/i2h_b"), np.repeat([10, 11, 12, 13], H))


def test_what_needs_cudnn_is_refused():
    with pytest.raises(NotSupported, match=r"LSTM computes the same.*\[4, 4\]"):
        networks.cudnn_LSTM(ModelHelper("m"), "x", None, 2, 4, "s", num_layers=2)


def test_a_character_model_learns():
    ResetWorkspace()
    text = "the cat sat on the mat. " * 8
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    steps, batch = 12, 8
    model = ModelHelper("letters")
    ids, labels = core.BlobReference("ids"), core.BlobReference("labels")
    table = model.param_init_net.GaussianFill([], "table", shape=[len(letters), 8], std=0.3, seed=1)
    model.AddParameter(table)
    rows, _ = model.net.Reshape(model.net.Gather([table, ids], 1), 2, shape=[steps, batch, 8])
    zeros = [model.param_init_net.ConstantFill([], name, shape=[24]) for name in ("h0", "c0")]
    hidden, *_ = networks.LSTM(model, rows, None, zeros, 8, 24, scope="rnn")
    flat, _ = model.net.Reshape(hidden, 2, shape=[-1, 24])
    weights = model.param_init_net.XavierFill([], "out_w", shape=[len(letters), 24])
    bias = model.param_init_net.ConstantFill([], "out_b", shape=[len(letters)])
    for blob in (weights, bias):
        model.AddParameter(blob)
    _, loss = model.net.SoftmaxWithLoss([model.net.FC([flat, weights, bias], "scores"), labels], ["p", "loss"])
    model.AddGradientOperators([loss])
    build_adam(model, base_learning_rate=0.02)
    RunNetOnce(model.param_init_net)
    starts = np.random.default_rng(0)

    def feed():
        at = starts.integers(0, len(codes) - steps - 1, batch)
        places = at + np.arange(steps)[:, None]
        FeedBlob("ids", codes[places].ravel().astype(np.int32))
        FeedBlob("labels", codes[places + 1].ravel().astype(np.int32))

    feed()
    CreateNet(model.net)
    losses = []
    for _ in range(120):
        feed()
        RunNet(model.net)
        losses.append(float(FetchBlob("loss")))
    assert losses[0] > 2.0
    assert np.mean(losses[-10:]) < 0.6, losses[-10:]
