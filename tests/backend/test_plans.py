"""Execution steps: order, loops, stop blobs, threads, errors."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.plans import ready, run_together
from c2lab.errors import BadArgument, BadValue, MissingBlob
from c2lab.operators.values import BlobsQueue
from c2lab.proto import caffe2_pb2


class Recording:
    """A place that writes down which nets run."""

    def __init__(self, stop_after=None, act=None):
        self.ran, self.created, self.children, self.stop_after, self.act = [], [], [], stop_after, act

    def create(self, net, *, overwrite):
        self.created.append(net.name)

    def run(self, name):
        self.ran.append(name)
        if self.act:
            self.act(name)

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return np.array(self.stop_after is not None and len(self.ran) >= self.stop_after)

    def child(self):
        self.children.append(Recording(act=self.act))
        return self.children[-1]


NETS = {name: caffe2_pb2.NetDef(name=name) for name in "abrx"}


def run(step, stop_after=None, act=None):
    place = Recording(stop_after, act)
    ready(step, place, NETS)()
    return place.ran


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


def test_a_step_with_a_stop_blob_may_run_only_once():
    step = caffe2_pb2.ExecutionStep(network=["a", "b"], should_stop_blob="stop", only_once=True)
    assert run(step) == ["a", "b"]


def test_stop_blob_and_number_exclude_each_other():
    step = caffe2_pb2.ExecutionStep(name="s", network=["a"], should_stop_blob="stop", num_iter=3)
    with pytest.raises(BadArgument, match="Cannot set both should_stop_blob and num_iter"):
        run(step)


def test_nets_and_substeps_exclude_each_other():
    with pytest.raises(BadArgument, match="nets and substeps"):
        run(caffe2_pb2.ExecutionStep(name="s", network=["a"], substep=[caffe2_pb2.ExecutionStep()]))


def test_a_net_that_the_plan_does_not_hold_is_named():
    with pytest.raises(BadArgument, match='ExecutionStep "s" uses undefined net nothing; the plan holds a, b'):
        run(caffe2_pb2.ExecutionStep(name="s", network=["nothing"]))


def test_concurrent_substeps_run_at_the_same_time():
    meet = threading.Barrier(2, timeout=30)
    steps = [caffe2_pb2.ExecutionStep(network=[name]) for name in "ab"]
    run(caffe2_pb2.ExecutionStep(substep=steps, concurrent_substeps=True), act=lambda name: meet.wait())


def test_copies_of_a_step_run_at_the_same_time():
    meet = threading.Barrier(3, timeout=30)
    inner = caffe2_pb2.ExecutionStep(network=["a"])
    ran = run(caffe2_pb2.ExecutionStep(substep=[inner], num_concurrent_instances=3), act=lambda name: meet.wait())
    assert ran == ["a"] * 3


def test_a_step_with_a_workspace_of_its_own_gets_a_new_one_each_time():
    inner = caffe2_pb2.ExecutionStep(network=["a"], create_workspace=True)
    place = Recording()
    ready(caffe2_pb2.ExecutionStep(substep=[inner], num_iter=2), place, NETS)()
    assert place.ran == [] == place.created
    assert [child.ran for child in place.children] == [["a"], ["a"]] == [child.created for child in place.children]


def test_the_report_net_runs_at_the_end():
    assert run(caffe2_pb2.ExecutionStep(network=["a"], report_net="r", report_interval=60)) == ["a", "r"]


def test_a_step_that_runs_every_so_often_runs_beside_its_siblings_and_after_them():
    seen = threading.Event()
    count = []

    def act(name):
        if name == "r":
            count.append(name)
            if len(count) >= 2:
                seen.set()
        else:
            assert seen.wait(30)

    report = caffe2_pb2.ExecutionStep(network=["r"], run_every_ms=5)
    body = caffe2_pb2.ExecutionStep(network=["a"])
    ran = run(caffe2_pb2.ExecutionStep(substep=[report, body]), act=act)
    assert ran.count("a") == 1
    assert ran[-1] == "r"


def test_a_failure_ends_the_loops_beside_it():
    started = threading.Event()

    def act(name):
        if name == "a":
            started.set()
            time.sleep(0.001)
        else:
            assert started.wait(30)
            raise BadValue("b is broken")

    endless = caffe2_pb2.ExecutionStep(name="endless", network=["a"], should_stop_blob="never")
    failing = caffe2_pb2.ExecutionStep(name="failing", network=["b"])
    step = caffe2_pb2.ExecutionStep(name="all", substep=[endless, failing], concurrent_substeps=True)
    with pytest.raises(BadValue, match='in execution step "failing": b is broken'):
        run(step, act=act)


def test_an_exception_of_the_users_arrives_as_it_is_with_the_step_as_a_note():
    def act(name):
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        run(caffe2_pb2.ExecutionStep(name="reading", network=["a"]), act=act)
    assert caught.value.__notes__ == ['raised in execution step "reading"']


def test_a_report_that_fails_fails_its_step():
    def act(name):
        if name == "r":
            raise BadValue("no report")

    with pytest.raises(BadValue, match="no report"):
        run(caffe2_pb2.ExecutionStep(network=["a"], report_net="r", report_interval=60), act=act)


def test_threads_that_wait_for_a_queue_are_woken_by_a_failure():
    queue = BlobsQueue()

    def fail():
        time.sleep(0.05)
        raise BadValue("the writer is gone")

    with pytest.raises(BadValue, match="the writer is gone"):
        run_together([queue.take, lambda: run_together([queue.take, queue.take]), fail])
    assert not queue.closed


def test_a_failure_is_over_when_it_is_over():
    def fail():
        raise BadValue("once")

    with pytest.raises(BadValue, match="once"):
        run_together([fail])
    queue = BlobsQueue()
    run_together([lambda: queue.put([1]), queue.take])


def net(name, *operators):
    made = caffe2_pb2.NetDef(name=name)
    made.op.extend(core.CreateOperator(kind, inputs, outputs, **args) for kind, inputs, outputs, args in operators)
    return made


def test_a_private_workspace_writes_what_is_outside_and_keeps_the_rest():
    workspace.FeedBlob("outer", np.float32([0]))
    plan = caffe2_pb2.PlanDef(name="p")
    fill = {"shape": [1], "value": 7.0}
    plan.network.append(net("fill", ("ConstantFill", [], ["outer"], fill), ("ConstantFill", [], ["inner"], fill)))
    plan.execution_step.add(name="s", network=["fill"], create_workspace=True)
    workspace.RunPlan(plan.SerializeToString())
    assert workspace.FetchBlob("outer").tolist() == [7]
    assert not workspace.HasBlob("inner")


def test_each_instance_has_blobs_of_its_own():
    workspace.FeedBlob("one", np.int64([1]))
    plan = caffe2_pb2.PlanDef(name="p")
    fill = {"shape": [1], "value": 0, "dtype": caffe2_pb2.TensorProto.INT64}
    plan.network.extend([
        net("start", ("CreateMutex", [], ["mutex"], {}), ("ConstantFill", [], ["total"], fill)),
        net("zero", ("ConstantFill", [], ["mine"], fill)),
        net("count", ("Add", ["mine", "one"], ["mine"], {})),
        net("sum", ("AtomicFetchAdd64", ["mutex", "total", "mine"], ["total", "before"], {})),
    ])  # fmt: skip
    plan.execution_step.add(name="start", network=["start"])
    body = caffe2_pb2.ExecutionStep(name="body", create_workspace=True)
    body.substep.add(name="zero", network=["zero"])
    body.substep.add(name="count", network=["count"], num_iter=20)
    body.substep.add(name="sum", network=["sum"])
    plan.execution_step.add(name="all", num_concurrent_instances=4).substep.append(body)
    workspace.RunPlan(plan)
    assert workspace.FetchBlob("total").tolist() == [80]
    assert not workspace.HasBlob("mine")


def test_nets_are_created_before_the_first_of_their_step_runs():
    plan = caffe2_pb2.PlanDef(name="p")
    plan.network.extend(
        [net("good", ("ConstantFill", [], ["x"], {"shape": [1]})), net("bad", ("Relu", ["no"], ["y"], {}))]
    )
    plan.execution_step.add(name="s", network=["good", "bad"])
    with pytest.raises(MissingBlob, match='in execution step "s"'):
        workspace.RunPlan(plan)


def test_two_nets_of_one_name_are_refused():
    plan = caffe2_pb2.PlanDef(name="p", network=[caffe2_pb2.NetDef(name="n"), caffe2_pb2.NetDef(name="n")])
    with pytest.raises(BadArgument, match="several nets of one name"):
        workspace.RunPlan(plan)


@pytest.mark.parametrize(("value", "message"), [(np.int32([1]), "it must hold one bool"), (None, "does not exist")])
def test_a_stop_blob_must_be_one_bool(value, message):
    if value is not None:
        workspace.FeedBlob("stop", value)
    plan = caffe2_pb2.PlanDef(name="p", network=[net("n", ("ConstantFill", [], ["x"], {"shape": [1]}))])
    plan.execution_step.add(name="s", network=["n"], should_stop_blob="stop")
    with pytest.raises((BadArgument, MissingBlob), match=message):
        workspace.RunPlan(plan)
