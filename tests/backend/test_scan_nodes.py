"""Which recurrent networks are compiled with what is around them, and which are left to the host."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.backend.region_nodes import RegionNode
from c2lab.backend.scan_nodes import scans
from c2lab.graph.reader import read
from c2lab.workspace import Workspace
from tests.backend.recurrent_nets import BlobReference, feeds, how, network, run, with_state


def found(net):
    return {node.op.type: region for node, region in scans(read(net.Proto())).items()}


def test_a_training_net_is_one_compiled_piece():
    model = network()
    regions = found(model.net)
    assert regions.keys() == {"RecurrentNetwork", "RecurrentNetworkGradient"}
    assert all(isinstance(region, RegionNode) for region in regions.values())
    back = regions["RecurrentNetworkGradient"]
    assert regions["RecurrentNetwork"].partner == back.index
    workspace = Workspace()
    for name, value in feeds().items():
        workspace.feed(name, value)
    workspace.run_once(model.param_init_net.Proto())
    executable = workspace.create(model.net.Proto())
    workspace.run(model.net.Proto().name)
    assert len(executable.observable.steps) == 1
    assert how(executable) == "compiled"


def test_a_net_without_a_way_back_is_compiled():
    assert found(network(gradient=False).net).keys() == {"RecurrentNetwork"}
    assert found(network(gradient=False, forward_only=True).net).keys() == {"RecurrentNetwork"}


def test_an_operator_that_runs_alone_leaves_the_blobs_of_its_steps():
    net = network(gradient=False).net
    del net.Proto().op[2:]
    del net.Proto().op[:1]
    assert [op.type for op in net.Proto().op] == ["RecurrentNetwork"]
    assert not found(net)


def test_steps_that_someone_looks_into_stay_on_the_host():
    model = network()
    op = next(op for op in model.net.Proto().op if op.type == "RecurrentNetwork")
    model.net.RecurrentNetworkBlobFetcher([BlobReference(op.output[-1])], ["names"])
    assert not found(model.net)
    blobs, way = run(model.net, feeds(), model.param_init_net)
    assert way == "host"
    assert "rnn_net/hidden_t_3" in blobs


def test_steps_promised_to_others_stay_on_the_host():
    model = network(gradient=False)
    op = next(op for op in model.net.Proto().op if op.type == "RecurrentNetwork")
    model.net.AddExternalOutput(BlobReference(op.output[-1]))
    assert not found(model.net)


@pytest.mark.parametrize("what", ["random", "host", "data"])
def test_impure_steps_stay_on_the_host(what):
    def step_ops(step, x_t, before):
        total = step.Add([x_t, before], "total")
        if what == "random":
            total = step.Dropout(total, ["dropped", "mask"], ratio=0.5, is_test=0)[0]
        elif what == "host":
            step.Print(total, [])
        else:
            step.GivenTensorFill([], "many", shape=[2000], values=[0.0] * 2000)
        return step.Copy(total, "after")

    net = with_state(step_ops, backward=False)
    assert not found(net)
    blobs = {"x": np.ones((2, 1, 1), np.float32), "first_0": np.zeros((1, 1, 1), np.float32)}
    blobs, way = run(net, blobs)
    assert way == "host"
    assert blobs["after_all"].shape == (2, 1, 1)


def test_what_is_only_handed_on_oddly_stays_on_the_host():
    net = with_state(lambda step, x_t, before: step.Add([x_t, before], "after"), backward=False)
    op = net.Proto().op[0]
    offsets = next(a for a in op.arg if a.name == "link_offset")
    offsets.ints[0] = 1
    assert not found(net)


def test_a_foreign_way_back_stays_on_the_host():
    net = network().net
    back = next(op for op in net.Proto().op if op.type == "RecurrentNetworkGradient")
    next(a for a in back.arg if a.name == "timestep").s = b"other"
    assert not found(net)
