"""A net of several pieces that fails leaves every blob as it was."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.rollback import blobs_written
from c2lab.errors import BadValue, C2LabError
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2


def held():
    return {name: np.array(workspace.FetchBlob(name)) for name in workspace.Blobs()}


def assert_unchanged(before):
    after = held()
    assert after.keys() == before.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def cut_net(name):
    """Doubles w, prints it (on the host: a cut), and fails where a label is out of range."""
    net = core.Net(name)
    net.Scale("w", "w", scale=2.0)
    net.Copy("w", "copy_of_w")
    net.Cast("w", "ids", to=core.DataType.INT32)
    net.Unique("ids", "ids_once")
    net.Unique("label", "label_once")
    net.LabelCrossEntropy(["scores", "label_once"], "loss")
    net.Add(["w", "copy_of_w"], "w")
    return net


def feed(label):
    workspace.FeedBlob("w", np.float32([1, 2]))
    workspace.FeedBlob("one", np.float32([1]))
    workspace.FeedBlob("scores", np.full((1, 2), 0.5, np.float32))
    workspace.FeedBlob("label", np.int32([label]))


@pytest.mark.parametrize("iterations", [1, 3])
def test_pieces_before_the_failing_one_are_taken_back(iterations):
    feed(label=7)
    net = cut_net("cut")
    workspace.CreateNet(net)
    before = held()
    for _ in range(2):
        with pytest.raises(BadValue, match="Label"):
            workspace.RunNet(net, iterations)
        assert_unchanged(before)
    workspace.FeedBlob("label", np.int32([1]))
    workspace.RunNet(net)
    np.testing.assert_array_equal(workspace.FetchBlob("w"), [4, 8])


def test_what_a_host_operator_wrote_is_taken_back():
    feed(label=7)
    net = core.Net("host_first")
    net.Unique("label", "different")
    net.Unique("label", "one")
    net.LabelCrossEntropy(["scores", "one"], "loss")
    workspace.CreateNet(net)
    before = held()
    with pytest.raises(BadValue, match="Label"):
        workspace.RunNet(net)
    assert_unchanged(before)


def test_a_branch_that_fails_is_taken_back():
    feed(label=7)
    workspace.FeedBlob("yes", np.array(True))
    branch = caffe2_pb2.NetDef(name="branch")
    branch.op.add().CopyFrom(core.CreateOperator("Scale", ["w"], ["w"], scale=2.0))
    branch.op.add().CopyFrom(core.CreateOperator("Unique", ["label"], ["inner"]))
    branch.op.add().CopyFrom(core.CreateOperator("LabelCrossEntropy", ["scores", "label"], ["loss"]))
    net = core.Net("outer")
    net.Scale("one", "one", scale=3.0)
    net.If(["yes"], ["w", "loss"], then_net=branch)
    workspace.CreateNet(net)
    before = held()
    for _ in range(2):
        with pytest.raises(C2LabError):
            workspace.RunNet(net)
        assert_unchanged(before)
    assert set(blobs_written(read(net.Proto()))) == {"one", "w", "loss", "inner"}
