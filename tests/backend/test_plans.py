"""Execution steps: order, loops, stop blobs, threads."""

from __future__ import annotations

import threading

import pytest

from c2lab.backend.plans import run_step
from c2lab.errors import BadArgument
from c2lab.proto import caffe2_pb2


def run(step, stop_after=None):
    ran = []
    run_step(step, ran.append, lambda name: stop_after is not None and len(ran) >= stop_after)
    return ran


def test_nets_run_in_order_and_as_often_as_asked():
    assert run(caffe2_pb2.ExecutionStep(network=["a", "b"], num_iter=2)) == ["a", "b", "a", "b"]
    assert run(caffe2_pb2.ExecutionStep(network=["a"], num_iter=0)) == []
    assert run(caffe2_pb2.ExecutionStep(network=["a"])) == ["a"]


def test_substeps_nest():
    inner = caffe2_pb2.ExecutionStep(network=["x"], num_iter=2)
    assert run(caffe2_pb2.ExecutionStep(substep=[inner, inner], num_iter=2)) == ["x"] * 8


def test_a_stop_blob_is_looked_at_after_each_net():
    step = caffe2_pb2.ExecutionStep(network=["a", "b"], should_stop_blob="stop")
    assert run(step, stop_after=3) == ["a", "b", "a"]


def test_stop_blob_and_number_exclude_each_other():
    step = caffe2_pb2.ExecutionStep(name="s", network=["a"], should_stop_blob="stop", num_iter=3)
    with pytest.raises(BadArgument, match="Cannot set both should_stop_blob and num_iter"):
        run(step)


def test_nets_and_substeps_exclude_each_other():
    with pytest.raises(BadArgument, match="nets and substeps"):
        run(caffe2_pb2.ExecutionStep(name="s", network=["a"], substep=[caffe2_pb2.ExecutionStep()]))


def test_concurrent_substeps_run_at_the_same_time():
    meet = threading.Barrier(2, timeout=10)
    steps = [caffe2_pb2.ExecutionStep(network=[name]) for name in "ab"]
    run_step(
        caffe2_pb2.ExecutionStep(substep=steps, concurrent_substeps=True), lambda name: meet.wait(), lambda name: False
    )


def test_the_report_net_runs_at_the_end():
    assert run(caffe2_pb2.ExecutionStep(network=["a"], report_net="r", report_interval=60)) == ["a", "r"]
