"""Workspaces, nets, blobs and tensors as objects."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat.c_workspace import TensorCPU, Workspace
from c2lab.proto import caffe2_pb2


def filled(name="filled"):
    net = core.Net(name)
    net.ConstantFill([], "x", shape=[2, 3], value=1.0)
    return net


def test_nets_and_blobs_are_objects():
    ws = Workspace()
    assert ws.nets == {}
    assert ws.blobs == {}
    net = filled()
    created = ws.create_net(net)
    with pytest.raises(RuntimeError, match="refuse to overwrite"):
        ws.create_net(net)
    ws.create_net(net.Proto().SerializeToString(), overwrite=True)
    assert "x" in ws.blobs
    assert created.run()
    assert ws.nets[net.Name()].run()
    np.testing.assert_array_equal(ws.blobs["x"].to_numpy(), np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match=r"core\.Net or a NetDef"):
        ws.create_net("...")


@pytest.mark.parametrize("kind", ["net", "operator", "plan"])
def test_a_workspace_runs_everything(kind):
    ws = Workspace()
    net = filled()
    plan = core.Plan("p")
    plan.AddStep(core.ExecutionStep("s", nets=[net], num_iter=1))
    assert ws.run({"net": net, "operator": net.Proto().op[0], "plan": plan}[kind])
    assert ws.fetch_blob("x").shape == (2, 3)
    assert (net.Name() in ws.nets) == (kind == "plan")
    assert not workspace.HasBlob("x")
    with pytest.raises(ValueError, match="runs nets, operators and plans"):
        ws.run(caffe2_pb2.TensorProto())


def test_the_current_workspace_is_an_object_too():
    workspace.FeedBlob("y", np.float32([1]))
    assert "y" in Workspace.current.blobs
    Workspace.current.feed_blob("z", np.float32([2]))
    assert workspace.FetchBlob("z") == 2
    Workspace.current.remove_blob("z")
    assert not workspace.HasBlob("z")


def test_children_start_with_their_parents_blobs():
    parent = Workspace()
    parent.create_blob("x").feed(np.float32([1]))
    child = Workspace(parent)
    child.create_blob("y").feed(np.float32([1]))
    assert child.has_blob("x")
    assert not parent.has_blob("y")


def test_blobs_travel_as_bytes():
    ws = Workspace()
    ws.create_blob("x").feed(np.int64([1, 2]))
    ws.create_blob("y").deserialize(ws.blobs["x"].serialize("x"))
    assert ws.blobs["y"].is_tensor()
    assert ws.fetch_blob("y").dtype == np.int64


def test_elements_are_written_through():
    ws = Workspace()
    tensor = ws.create_blob("t").tensor()
    tensor.init([2, 3], core.DataType.INT32)
    tensor.data[1, 1] = 100
    tensor.data[0][2] = 7
    tensor.data[...] += 1
    np.testing.assert_array_equal(ws.fetch_blob("t"), [[1, 1, 8], [1, 101, 1]])
    apart = tensor.data + 1
    apart[0, 0] = 50
    assert ws.fetch_blob("t")[0, 0] == 1
    with pytest.raises(RuntimeError, match="feed the values"):
        tensor.init([2], core.DataType.STRING)


def test_tensors_change_their_shape():
    tensor = TensorCPU()
    tensor.reshape([2])
    np.testing.assert_array_equal(tensor.fetch(), np.zeros(2, np.float32))
    tensor.feed(np.int32([1, 2, 3, 4]))
    tensor.reshape([2, 2])
    assert tensor.shape == (2, 2)
    assert tensor.fetch().tolist() == [[1, 2], [3, 4]]


def test_a_workspace_inside_another_writes_what_is_outside_and_keeps_the_rest():
    outer = Workspace()
    outer.feed_blob("shared", np.float32([1]))
    inner = Workspace(outer)
    net = core.Net("inside")
    net.Add(["shared", "shared"], ["shared"])
    net.Copy("shared", "own")
    inner.run(net)
    assert outer.fetch_blob("shared").tolist() == [2]
    assert inner.fetch_blob("own").tolist() == [2]
    assert not outer.has_blob("own")
    assert sorted(inner.blobs) == ["own", "shared"]
