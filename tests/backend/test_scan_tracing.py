"""Recurrent networks whose steps are compiled give what the host gives."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue
from c2lab.workspace import Workspace
from tests.backend.recurrent_nets import (
    BlobReference,
    feeds,
    how,
    network,
    run,
    tensors,
    with_state,
    without_scans,
)


def both_ways(monkeypatch, make, blobs):
    """The blobs of a net that is run both ways, which must be the same."""
    model = make()
    net, init = (model.net, model.param_init_net) if hasattr(model, "net") else (model, None)
    compiled, way = run(net, blobs, init)
    assert way == "compiled"
    without_scans(monkeypatch)
    host, way = run(net, blobs, init)
    assert way == "host"
    for name in compiled:
        assert compiled[name].dtype == host[name].dtype, name
        np.testing.assert_allclose(compiled[name], host[name], rtol=2e-4, atol=2e-5, err_msg=name)
    missing = {name for name in host if name not in compiled}
    assert not missing
    return compiled


@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("kind", ["LSTM", "MILSTM", "LayerNormLSTM", "GRU", "BasicRNN"])
def test_networks(monkeypatch, kind, ends, gradient):
    both_ways(monkeypatch, lambda: network(kind, ends=ends, gradient=gradient), feeds())


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("memory", [True, False])
def test_layers_drops_and_gates_computed_again(monkeypatch, memory, drop):
    both_ways(
        monkeypatch, lambda: network(layers=2, memory_optimization=memory, drop_states=drop), feeds()
    )  # fmt: skip


def test_one_first_value_for_the_whole_batch(monkeypatch):
    found = both_ways(monkeypatch, lambda: network("GRU", first="scalars"), feeds())
    assert found["scalars_grad"].shape == (3,)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_numbers_of_steps(monkeypatch, steps):
    both_ways(monkeypatch, lambda: network(), feeds(steps=steps))


def test_other_shapes_later():
    model = network()
    workspace = Workspace()
    for name, value in feeds().items():
        workspace.feed(name, value)
    workspace.run_once(model.param_init_net.Proto())
    executable = workspace.create(model.net.Proto())
    for steps in (4, 2, 6):
        workspace.feed("x", feeds(steps=steps)["x"])
        workspace.run(model.net.Proto().name)
        assert workspace["net/hidden_t_all"].shape == (steps, 3, 3)
        assert workspace["x_grad"].shape == (steps, 3, 2)
    assert how(executable) == "compiled"


def sum_of(step, x_t, before):
    return step.Sum([x_t, before], "after")


@pytest.mark.parametrize("backward", [True, False])
def test_a_step_that_hands_its_gradient_on(monkeypatch, backward):
    blobs = {"x": np.float32([[[1]], [[2]], [[3]]]), "first_0": np.float32([[[10]]])}

    def make():
        net = with_state(sum_of, backward=backward)
        if backward:
            net.AddGradientOperators(["loss"])
        return net

    found = both_ways(monkeypatch, make, blobs)
    np.testing.assert_array_equal(found["after_all"].ravel(), [11, 13, 16])
    if backward:
        np.testing.assert_array_equal(found["x_grad"].ravel(), [3, 2, 1])


def test_the_number_of_the_step_is_there(monkeypatch):
    def step_ops(step, x_t, before):
        number = step.Cast(BlobReference("number"), "as_float", to="float")
        return step.Add([step.Add([x_t, before], "sum"), number], "after", broadcast=1)

    blobs = {"x": np.zeros((3, 1, 1), np.float32), "first_0": np.zeros((1, 1, 1), np.float32)}
    found = both_ways(monkeypatch, lambda: with_state(step_ops, backward=False), blobs)
    np.testing.assert_array_equal(found["after_all"].ravel(), [0, 1, 3])


def test_a_blob_around_that_a_step_overwrites_stays_as_it_is(monkeypatch):
    def step_ops(step, x_t, before):
        kept = step.Add([BlobReference("kept"), x_t], BlobReference("kept"))
        return step.Add([kept, before], "after")

    blobs = {"x": np.ones((3, 1, 1), np.float32), "first_0": np.zeros((1, 1, 1), np.float32)}
    blobs["kept"] = np.float32([[[5]]])
    found = both_ways(monkeypatch, lambda: with_state(step_ops, backward=False), blobs)
    np.testing.assert_array_equal(found["kept"], [[[5]]])
    np.testing.assert_array_equal(found["after_all"].ravel(), [6, 12, 18])


def test_windows_of_rows(monkeypatch):
    def make():
        net = with_state(
            lambda step, x_t, before: step.Add(
                [step.ReduceFrontSum(x_t, "seen", num_reduce_dim=1), before], "after", broadcast=1
            ),
            backward=False,
        )
        op = net.Proto().op[0]
        op.arg.add(name="link_window", ints=[1, 1, 2])
        op.input[0] = "short"
        return net

    # The sequence that tells the number of steps is shorter than the one whose rows are read in pairs.
    blobs = {"x": np.float32([[[1]], [[2]], [[4]]]), "short": np.zeros((2, 1, 1), np.float32)}
    blobs["first_0"] = np.zeros((1, 1), np.float32)
    found, way = run(make(), blobs)
    without_scans(monkeypatch)
    host, _ = run(make(), blobs)
    assert way in ("compiled", "fallback")
    np.testing.assert_array_equal(found["after_all"], host["after_all"])
    np.testing.assert_array_equal(found["after_all"].ravel(), [3, 9])


def test_a_state_that_changes_its_type_falls_back_to_the_host():
    blobs = {"x": np.zeros((2, 1, 1), np.float32), "first_0": np.zeros((1, 1, 1), np.int32)}
    net = with_state(lambda step, x_t, before: step.Copy(x_t, "after"), backward=False)
    found, way = run(net, blobs)
    assert way == "fallback"
    assert found["after_all"].dtype == np.int32


def test_values_that_a_step_demands_are_checked():
    def step_ops(step, x_t, before):
        row = step.Gather([BlobReference("table"), BlobReference("picked")], "row")
        return step.Add([step.Add([x_t, before], "sum"), row], "after", broadcast=1)

    net = with_state(step_ops, backward=False)
    workspace = Workspace()
    for name, value in {
        "x": np.zeros((2, 1, 1), np.float32), "first_0": np.zeros((1, 1, 1), np.float32),
        "table": np.float32([[1], [2]]), "picked": np.int32([1]),
    }.items():  # fmt: skip
        workspace.feed(name, value)
    executable = workspace.create(net.Proto())
    workspace.run(net.Proto().name)
    before = tensors(workspace)
    np.testing.assert_array_equal(before["after_all"].ravel(), [2, 4])
    workspace.feed("picked", np.int32([5]))
    with pytest.raises(BadValue, match="Gather"):
        workspace.run(net.Proto().name)
    assert how(executable) == "compiled"
    np.testing.assert_array_equal(workspace["after_all"], before["after_all"])
