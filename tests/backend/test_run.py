"""Programs on blobs: what a lean run leaves, and what an interrupt leaves."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import BadValue
from c2lab.operators.definition import host_operator


def counting_net(name="counting"):
    net = core.Net(name)
    net.Iter("n", "n")
    net.Cast("n", "as_float", to=core.DataType.FLOAT)
    net.Scale("as_float", "seen", scale=2.0)
    return net


def test_a_lean_run_returns_state_and_outputs_only():
    workspace.FeedBlob("n", np.int64([0]))
    net = counting_net()
    net.AddExternalOutput("seen")
    workspace.CreateNet(net)
    executable = workspace.current().nets[net.Name()][1]
    executable.lean.run(workspace.current().blobs, 0, 0)
    assert workspace.FetchBlob("n") == 1
    assert workspace.FetchBlob("seen") == 2
    assert workspace.FetchBlob("as_float").startswith(b"as_float, a C++ native class of type nullptr")


def test_intermediates_are_of_the_last_iteration():
    workspace.FeedBlob("n", np.int64([0]))
    net = counting_net()
    workspace.CreateNet(net)
    workspace.RunNet(net, 7)
    assert workspace.FetchBlob("n") == 7
    assert workspace.FetchBlob("seen") == 14


@host_operator("TestInterruptAt", outputs="Y", inplace="X -> Y")
def interrupt_at(X, *, at: int):
    """X; presses Ctrl-C when X reaches a number."""
    if int(X[0]) == at:
        os.kill(os.getpid(), signal.SIGINT)
    return X


def test_ctrl_c_leaves_every_blob_of_one_step():
    workspace.FeedBlob("n", np.int64([0]))
    net = core.Net("interrupted")
    net.Iter("n", "n")
    net.TestInterruptAt("n", "n", at=5)
    net.Cast("n", "as_float", to=core.DataType.FLOAT)
    net.Scale("as_float", "seen", scale=2.0)
    workspace.CreateNet(net)
    with pytest.raises(KeyboardInterrupt):
        workspace.RunNet(net, 1000)
    count = int(workspace.FetchBlob("n")[0])
    assert count in (5, 6)
    assert workspace.FetchBlob("seen") == 2 * count
    workspace.RunNet(net, 3)
    assert workspace.FetchBlob("n") == count + 3


def test_a_single_run_is_finished_before_the_interrupt_is_raised():
    workspace.FeedBlob("n", np.int64([4]))
    net = core.Net("interrupted_once")
    net.Iter("n", "n")
    net.TestInterruptAt("n", "n", at=5)
    net.Cast("n", "as_float", to=core.DataType.FLOAT)
    workspace.CreateNet(net)
    with pytest.raises(KeyboardInterrupt):
        workspace.RunNet(net)
    assert workspace.FetchBlob("as_float") == 5


def test_a_blob_that_changes_its_shape_in_place_survives_a_failed_check():
    net = core.Net("changes")
    net.Reshape("x", ["x", "old"], shape=[3, 2])
    net.LabelCrossEntropy(["scores", "label"], "loss")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    workspace.FeedBlob("x", x)
    workspace.FeedBlob("scores", np.full((1, 2), 0.5, np.float32))
    workspace.FeedBlob("label", np.int32([7]))
    workspace.CreateNet(net)
    with pytest.raises(BadValue, match="Label"):
        workspace.RunNet(net)
    np.testing.assert_array_equal(workspace.FetchBlob("x"), x)


def test_a_blob_that_an_operator_leaves_alone_survives_being_read_beside_it():
    net = core.Net("stale")
    net.Relu("mask", "seen")
    net.Dropout("x", ["y", "mask"], is_test=1)
    workspace.FeedBlob("x", np.float32([1, 2]))
    workspace.FeedBlob("mask", np.float32([3, 4]))
    workspace.CreateNet(net)
    workspace.RunNet(net)
    workspace.RunNet(net, 3)
    np.testing.assert_array_equal(workspace.FetchBlob("mask"), np.float32([3, 4]))
