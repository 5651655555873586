"""The class behind ``workspace``: several of them, each with its own blobs, nets and randomness."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from c2lab.backend.workspaces import Workspace
from c2lab.errors import MissingBlob, TypeMismatch
from c2lab.proto import caffe2_pb2


def filled():
    workspace = Workspace("own", seed=3)
    net = caffe2_pb2.NetDef(name="fills")
    op = net.op.add(type="GaussianFill", output=["x"])
    op.arg.add(name="shape", ints=[4])
    workspace.create(net)
    workspace.run("fills")
    return workspace


def test_the_same_seed_fills_the_same():
    np.testing.assert_array_equal(filled().fetch("x"), filled().fetch("x"))


def test_random_state_is_plain_numbers():
    state = filled().random_state()
    assert state["seed"] == 3
    assert state["nets"]["fills"][1] == 1


def test_as_a_mapping_of_blobs():
    workspace = Workspace()
    workspace["x"] = np.int64([1, 2])
    assert "x" in workspace
    assert workspace["x"].dtype == np.int64
    assert workspace.names() == ["x"]
    with pytest.raises(MissingBlob, match="Can't find blob: y"):
        workspace.fetch("y")


def test_an_array_of_strings_holds_nothing_else():
    with pytest.raises(TypeMismatch, match="holds int at"):
        Workspace().feed("s", np.array(["a", 1], object))


def test_reset_may_move_the_root_folder():
    workspace = filled()
    workspace.reset("elsewhere")
    assert workspace.names() == []
    assert workspace.nets == {}
    assert workspace.root_folder == "elsewhere"


def test_blobs_can_be_fetched_while_a_net_in_another_thread_overwrites_them():
    ws = Workspace()
    ws.feed("x", np.zeros(200_000, np.float32))
    ws.feed("one", np.ones(200_000, np.float32))
    net = caffe2_pb2.NetDef(name="adding")
    net.op.add(type="Add", input=["x", "one"], output=["x"])
    ws.create(net)
    thread = threading.Thread(target=lambda: [ws.run("adding") for _ in range(300)])
    thread.start()
    while thread.is_alive():
        seen = ws.fetch("x")
        assert seen.min() == seen.max()
    thread.join()
    assert ws.fetch("x")[0] == 300
