"""Builders, tasks and sessions together: whole programs, as they are written with Caffe2."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat.caffe2 import install
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.control.session import LocalSession
from c2lab.control.task import Task, TaskGroup, WorkspaceType, final_output
from c2lab.nets import branches


@pytest.fixture(autouse=True)
def session():
    workspace.ResetWorkspace()
    with LocalSession() as session:
        yield session


def test_loops_and_choices_inside_a_task(session):
    with Task() as task:
        total, large, small = ops.Const(0), ops.Const(0), ops.Const(0)
        with ops.loop(5) as loop:
            tens = ops.Mul([loop.iter(), ops.Const(10)])
            with ops.loop(loop.iter()) as inner:
                value = ops.Add([tens, inner.iter()])
                with ops.If(ops.GE([value, ops.Const(30)])) as choice:
                    ops.Add([large, value], [large])
                with choice.Else():
                    ops.Add([small, value], [small])
                ops.Add([total, value], total)
        outputs = [final_output(blob) for blob in (total, large, small)]
    values = [10 * i + j for i in range(5) for j in range(i)]
    for _ in range(2):
        session.run(task)
        large_ones = [value for value in values if value >= 30]
        assert [output.fetch() for output in outputs] == [sum(values), sum(large_ones), sum(values) - sum(large_ones)]


def test_operators_with_nets_inside_a_task(session):
    with Task() as task:
        x, y, odd = ops.Const(0), ops.Const(0), ops.Const(0)
        with ops.WhileNet():
            with ops.Condition():
                ops.Add([x, ops.Const(1)], [x])
                ops.LE([x, ops.Const(6)])
            with ops.IfNet(ops.EQ([ops.Mod([x], divisor=2), ops.Const(1)])):
                ops.Add([odd, x], [odd])
            with ops.Else():
                ops.Add([y, x], [y])
        outputs = [final_output(odd), final_output(y)]
    session.run(task)
    assert [output.fetch() for output in outputs] == [1 + 3 + 5, 2 + 4 + 6]


def test_what_goes_before_and_after_a_task(session):
    with Task() as task:
        with ops.task_init():
            one = ops.Const(1)
        two = ops.Add([one, one])
        with ops.task_init():
            three = ops.Const(3)
        total = ops.Add([two, three])
        with ops.task_exit():
            seven = ops.Add([total, one])
        six = ops.Add([total, one])
        ops.Add([total, one], [total])
        again = ops.Add([total, one])
        outputs = [final_output(blob) for blob in (six, seven, again)]
    session.run(task)
    assert [output.fetch() for output in outputs] == [6, 7, 7]


def test_instances_of_a_task_have_counters_of_their_own(session):
    instances, rounds = 6, 5
    with TaskGroup(WorkspaceType.GLOBAL) as group, Task(num_instances=instances):
        with ops.task_init():
            counters = [ops.CreateCounter([], [f"global_{k}"]) for k in range(3)]
        with ops.task_instance_init():
            of_task = ops.CreateCounter([], ["of_task"])
        local = ops.CreateCounter([], ["local"])
        with ops.loop(rounds):
            for counter in (counters[0], of_task, local):
                ops.CountUp(counter)
        with ops.task_instance_exit():
            count = ops.RetrieveCount(of_task)
            with ops.loop(ops.Mul([count, count])):
                ops.CountUp(counters[1])
        count = ops.RetrieveCount(local)
        with ops.loop(ops.Mul([count, count])):
            ops.CountUp(counters[2])
        with ops.task_exit():
            outputs = [final_output(ops.RetrieveCount(counter)) for counter in counters]
    session.run(group)
    assert [output.fetch() for output in outputs] == [
        rounds * instances,
        rounds**2 * instances,
        rounds**2 * instances,
    ]


def test_python_operators_are_made_once_an_instance(session):
    made, calls, lock = [], [], threading.Lock()

    def builder():
        with lock:
            made.append(1)

        def call(inputs, outputs):
            with lock:
                calls.append(1)

        return call

    with Task(num_instances=8) as task, ops.loop(4):
        ops.net().Python((builder, [], {}))([], [])
    session.run(task)
    assert len(calls) == 32
    assert len(made) == 8


def test_a_group_prepares_once_and_reports_beside_its_tasks(session):
    with TaskGroup() as group:
        for name in ("first", "second"):
            with Task(name=name):
                if name == "first":
                    with ops.local_init():
                        shared = ops.CreateCounter([], ["shared"])
                        reports = ops.CreateCounter([], ["reports"])
                    with ops.local_exit():
                        ended = ops.RetrieveCount(shared, ["ended"])
                        final_output(ended)
                    with ops.local_reporter(interval_ms=5):
                        ops.CountUp(reports)
                with ops.task_reporter(interval_ms=5):
                    ops.CountUp(reports)
                with ops.loop(3):
                    ops.CountUp(shared)
        with Task():
            seen = final_output(ops.RetrieveCount(reports))
    session.run(group)
    assert group.tasks()[0].outputs()[0].fetch() == 6
    assert seen.fetch() >= 0


def test_a_group_inside_a_builder_is_its_next_step(session):
    with NetBuilder() as builder:
        ops.Const(1, blob_out="before")
        with ops.task_group():
            with Task(workspace_type=WorkspaceType.GLOBAL):
                ops.Copy("before", "first")
            with Task():
                ops.Copy("before", "second")
        ops.Add(["first", "second"], "after")
    plan = core.Plan("grouped")
    plan.AddStep(core.to_execution_step(builder))
    session.run(plan)
    assert workspace.FetchBlob("after") == 2


def test_tasks_hand_over_through_a_queue(session):
    with TaskGroup() as group:
        with Task(name="writer"):
            with ops.local_init():
                queue = ops.CreateBlobsQueue([], ["queue"], capacity=2, num_blobs=1)
            with ops.loop(5) as loop:
                value = ops.Copy(loop.iter())
                ops.SafeEnqueueBlobs([queue, value], [value, ops.net().NextBlob("status")])
            with ops.task_exit():
                ops.CloseBlobsQueue(queue, 0)
        with Task(name="reader"):
            total = ops.Const(0)
            with ops.loop():
                value, ended = ops.SafeDequeueBlobs([queue], 2)
                ops.stop_if(ended)
                ops.Add([total, value], [total])
            result = final_output(total)
    session.run(group)
    assert result.fetch() == sum(range(5))


def test_training_in_a_task(session):
    """A model whose step is repeated until its loss is small."""
    with Task(workspace_type=WorkspaceType.GLOBAL) as task:
        with ops.task_init():
            w = ops.Const(np.float32([[0.0, 0.0]]), blob_out="w")
            bias, one, rate = (ops.Const(np.float32([value])) for value in (0, 1, -0.4))
            x = ops.Const(np.float32([[1, 0], [0, 1], [1, 1]]))
            target = ops.Const(np.float32([[2], [-1], [1]]))
            steps = ops.Const(0)
        with ops.loop():
            net = ops.net()
            found = net.FC([x, w, bias], ["found"])
            loss = net.AveragedLoss(net.SquaredL2Distance([found, target], 1), ["loss"])
            gradients = net.AddGradientOperators([loss])
            net.WeightedSum([w, one, gradients[w], rate], [w])
            net.Add([steps, net.Const(1)], [steps])
            ops.stop_if(ops.LT([loss, ops.Const(np.float32(1e-6))]))
        done = final_output(steps)
    session.run(task)
    np.testing.assert_allclose(workspace.FetchBlob("w"), [[2, -1]], atol=1e-2)
    assert 3 < done.fetch() < 200


@pytest.mark.parametrize("inside", ["compiled", "on the host"])
def test_many_steps_of_training_are_as_good_as_one_after_the_other(inside, monkeypatch):
    if inside == "on the host":
        monkeypatch.setattr("c2lab.backend.run.with_regions", lambda graph, exists, inside=False, pairs=True: graph)

    x, w = np.float32([0.5, -1.25]), np.float32([1.5, 0.75])

    def trained(steps):
        net, yes, no = core.Net("trains"), core.Net("yes"), core.Net("no")
        net.AddExternalInput("x", "w", "v", "n", "one", "two", "rate")
        net.Add(["n", "one"], "n")
        net.Mod("n", "odd", divisor=2)
        net.Cast("odd", "c", to=core.DataType.BOOL)
        yes.Mul(["x", "w"], "local")
        yes.Tanh("local", "y")
        no.Mul(["x", "v"], "y")
        branches.add_if_op(net, "c", ["y"], yes, no)
        net.SumElements("y", "loss")
        gradients = net.AddGradientOperators(["loss"])
        for name in ("w", "v"):
            net.WeightedSum([name, "two", gradients[name], "rate"], name)
        place = workspace.Workspace()
        for name, value in {"x": x, "w": w, "v": w, "n": np.int64([0]), "one": np.int64([1]),
                            "two": np.float32([1]), "rate": np.float32([-0.1])}.items():  # fmt: skip
            place.feed(name, value)
        place.create(net.Proto())
        for count in steps:
            place.run(net.Name(), count)
        return {name: place[name] for name in ("w", "v", "n", "loss", "y")}

    once, many = trained([1] * 7), trained([4, 3])
    for name, value in once.items():
        np.testing.assert_array_equal(many[name], value, err_msg=name)
    assert np.all(once["w"] != w)
    assert np.all(once["v"] != w)


def test_all_of_it_by_the_old_names(session):
    install()
    from caffe2.python import control, control_ops_grad, control_ops_util, net_builder, task
    from caffe2.python.net_builder import NetBuilder as OldNetBuilder
    from caffe2.python.net_builder import ops as old_ops

    assert OldNetBuilder is NetBuilder
    assert old_ops is ops is net_builder.ops
    assert task.Task is Task
    assert control.While("loop", "c", core.Net("n")).Name() == "loop/While"
    assert control_ops_util.add_if_op
    assert control_ops_grad.gen_if_gradient
