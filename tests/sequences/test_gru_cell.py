"""Gated recurrent units against plain loops, and the operators that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.nets.scopes import NameScope
from c2lab.sequences.gru_cell import GRU, GRUCell
from tests.operators import recorded_cases
from tests.sequences.references import Trial, gru

T, N, D, H = 3, 2, 2, 3


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(("ends", "drop"), [(False, False), (True, False), (True, True)])
def test_units(ends, drop, linear):
    random = np.random.default_rng(5)
    trial = Trial(
        {"x": random.normal(size=(T, N, D)), "lengths": np.int32([1, 3]), "first": random.normal(size=(1, N, H))}
    )
    lengths = trial.blob("lengths") if ends else None
    outputs = GRU(
        trial.model, trial.blob("x"), lengths, [trial.blob("first")], D, H, scope="r", outputs_with_grads=(0, 1),
        drop_states=drop, linear_before_reset=linear,
    )  # fmt: skip

    def reference(b):
        ended = b["lengths"] if ends else None
        return gru(b, "r/", b["x"], [b["first"]], ended, drop=drop, linear_before_reset=linear)

    trial.compare(outputs, (0, 1), reference)


def _facts(op):
    """What an operator says of its steps, numbers of nets aside."""

    def net(proto):
        return [
            (inner.type, list(inner.input), list(inner.output), [a for a in inner.arg if a.name in ("axis", "axes")])
            for inner in proto.op
        ]

    arguments = {a.name: a for a in op.arg if a.name != "recompute_blobs_on_backward"}
    found = {name: net(a.n) if name.endswith("step_net") else (list(a.ints), list(a.strings), a.s)
             for name, a in arguments.items()}  # fmt: skip
    return list(op.input), list(op.output), found


@pytest.mark.parametrize("linear", [False, True])
def test_the_operator_is_the_recorded_one(linear):
    wanted = None
    for case in recorded_cases.read_cases("RecurrentNetwork"):
        step = next(a.n for a in case.op.arg if a.name == "step_net")
        types = [inner.type for inner in step.op]
        names = [name for inner in step.op for name in inner.output]
        if "GRUUnit" in types and linear == any(name.endswith("output_gate_t_mul") for name in names):
            wanted = case.op
            break
    assert wanted is not None
    trial = Trial({})
    with NameScope("test_name_scope"):
        GRU(
            trial.model, "input_blob", core.ScopedBlobReference("seq_lengths"), [core.BlobReference("state_0/layer_0")],
            D, H, scope="external/recurrent", linear_before_reset=linear,
        )  # fmt: skip
    got = _facts(trial.model.net.Proto().op[-1])
    want = _facts(wanted)
    assert got[:2] == want[:2]
    assert got[2].keys() == want[2].keys()
    for name, value in got[2].items():
        assert value == want[2][name], name


def test_sizes_and_names():
    cell = GRUCell(D, H, 0.0, False, name="g")
    assert cell.get_state_names() == ("g/hidden_t",)
    assert cell.get_output_dim() == H
