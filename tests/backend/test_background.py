"""Plans that run behind the caller's back."""

from __future__ import annotations

import threading

import numpy as np

from c2lab import core, workspace
from c2lab.backend.background import BackgroundPlan
from c2lab.proto import caffe2_pb2


class Waiting:
    def __init__(self):
        self.go = threading.Event()

    def run_plan(self, plan):
        self.go.wait(10)


class Failing:
    def run_plan(self, plan):
        raise RuntimeError("no")


def test_done_only_at_the_end():
    workspace = Waiting()
    running = BackgroundPlan(workspace, caffe2_pb2.PlanDef())
    assert not running.is_done()
    assert not running.is_succeeded()
    workspace.go.set()
    assert running.wait(10)
    assert running.is_succeeded()


def test_a_failure_is_kept():
    running = BackgroundPlan(Failing(), caffe2_pb2.PlanDef())
    assert running.wait(10)
    assert not running.is_succeeded()
    assert "no" in str(running.error)


def test_blobs_can_be_fetched_while_a_plan_overwrites_them():
    workspace.FeedBlob("x", np.zeros(200_000, np.float32))
    workspace.FeedBlob("one", np.ones(200_000, np.float32))
    net = core.Net("adding")
    net.Add(["x", "one"], ["x"])
    running = workspace.RunPlanInBackground(core.execution_step("adding", net, num_iter=300))
    while not running.is_done():
        seen = workspace.FetchBlob("x")
        assert seen.min() == seen.max()
    assert running.error is None
    assert workspace.FetchBlob("x")[0] == 300
