"""Tasks and groups of tasks."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import workspace
from c2lab.control.nodes import Cluster, Node
from c2lab.control.operations import ops
from c2lab.control.session import LocalSession
from c2lab.control.task import Task, TaskGroup, WorkspaceType, final_output
from c2lab.nets.net import Net
from c2lab.plan import execution_step


def filling(name, value=1.0):
    net = Net(name)
    return net, net.ConstantFill([], 1, shape=[1], value=value)


def test_tasks_run_in_one_group_and_give_their_outputs():
    with TaskGroup() as group:
        for value in range(3):
            net, blob = filling(f"n{value}", float(value))
            Task(step=net, outputs=[blob])
    with LocalSession() as session:
        session.run(group)
    assert [task.outputs()[0].fetch().tolist() for task in group.tasks()] == [[0], [1], [2]]


def test_a_task_without_outputs_gets_one():
    net, _ = filling("n")
    task = Task(step=net, group=TaskGroup())
    task.get_step()
    assert len(task.outputs()) == len(task.output_list().names()) == 1


def test_names_are_made_different_inside_a_group():
    with TaskGroup() as group:
        names = [Task(name="t").name for _ in range(3)]
    assert names == ["local/t", "local/t:1", "local/t:2"]
    assert group.num_registered_tasks() == 3


def test_a_task_is_complete_once_used():
    net, blob = filling("n")
    group = TaskGroup()
    task = Task(step=net, group=group)
    assert group.tasks() == [task]
    with pytest.raises(AssertionError, match="already been used"):
        task.add_output(blob)
    with pytest.raises(AssertionError, match="already been used"):
        task.set_step(net)
    with pytest.raises(AssertionError, match="already used TaskGroup"):
        group.add(Task(step=net, group=TaskGroup()))


def test_a_task_is_written_once():
    with TaskGroup(), Task() as task:
        ops.Const(1)
    with pytest.raises(AssertionError, match="already has an execution step"):
        task.__enter__()


def test_a_block_that_fails_leaves_nothing_entered():
    with pytest.raises(KeyError), TaskGroup(), Task():
        raise KeyError("x")
    assert Task.current(required=False) is None
    assert TaskGroup.current(required=False) is None


def test_tasks_count_in_the_order_in_which_their_blocks_end():
    with TaskGroup() as group:
        with Task(name="outer"):
            Task(name="inner")
        Task(name="last")
    assert [task.name for task in group.tasks()] == ["local/inner", "local/outer", "local/last"]


def test_workspace_types_must_agree():
    group = TaskGroup(workspace_type=WorkspaceType.GLOBAL)
    with pytest.raises(AssertionError, match="wants a private workspace"):
        group.add(Task(workspace_type=WorkspaceType.PRIVATE, group=TaskGroup()))
    task = Task(group=TaskGroup())
    group.add(task)
    assert task.workspace_type() == WorkspaceType.GLOBAL == group.workspace_type()
    first = TaskGroup()
    first.add(Task(group=TaskGroup()))
    assert first.workspace_type() == WorkspaceType.PRIVATE


def test_tasks_are_joined_by_node():
    Node.current()
    with Cluster() as cluster, TaskGroup() as group:
        for node in ("a", "b", "a"):
            with Node(node):
                Task(step=filling("n")[0])
    assert cluster.nodes() == ["a", "b"] == group.used_nodes()
    grouped = group.tasks_by_node()
    assert [task.node for task in grouped.tasks()] == ["a", "b"]
    assert grouped.tasks()[0].get_step().Proto().substep[0].concurrent_substeps
    assert group.tasks_by_node() is grouped
    with pytest.raises(AssertionError, match="Cannot call tasks_by_node multiple times"):
        group.to_task()


def test_an_empty_group_is_a_task_that_does_nothing():
    task = TaskGroup().to_task()
    assert not task.get_step().HasSubsteps()
    with LocalSession() as session:
        session.run(TaskGroup())


def test_a_report_runs_beside_and_after_its_group():
    with TaskGroup(workspace_type=WorkspaceType.GLOBAL) as group:
        with Task():
            with ops.local_init():
                counter = ops.CreateCounter([], ["report_counter"])
            ops.Const(1)
        report = group.report_net(report_interval=60)
        report.CountUp([counter], 1)
        assert group.report_net() is report
        with pytest.raises(AssertionError, match="has a report net already"):
            group.report_net(Net("another"))
    with LocalSession() as session:
        session.run(group)
    assert workspace.current()["report_counter"].count == 1


def test_a_report_on_a_node_without_tasks_is_an_error():
    with TaskGroup() as group:
        Task(step=filling("n")[0])
        group.report_net(node="elsewhere")
    with pytest.raises(AssertionError, match=r"reports for the nodes .*elsewhere"):
        group.tasks_by_node()


def test_local_setup_runs_once_before_and_after_all_tasks():
    with TaskGroup() as group:
        for _ in range(3):
            with Task():
                ops.CountUp("shared_counter")
                ops.net().Proto()
        with Task():
            with ops.local_init():
                ops.CreateCounter([], ["shared_counter"])
            with ops.local_exit():
                total = ops.RetrieveCount("shared_counter")
            final_output(total)
    with LocalSession() as session:
        session.run(group)
    assert group.tasks()[-1].outputs()[0].fetch() == 3


def test_each_instance_has_its_own_blobs_and_shares_those_of_the_task():
    with TaskGroup() as group, Task(num_instances=4) as task:
        with ops.task_init():
            total = ops.CreateCounter([], ["total"])
        with ops.task_instance_init():
            own = ops.CreateCounter([], ["own"])
        with ops.loop(5):
            ops.CountUp(own)
            ops.CountUp(total)
        count = ops.RetrieveCount(own)
        ops.EnforceFinite(ops.Cast(ops.Sub([count, ops.Const(np.int64(5))]), to=1), [])
        with ops.task_exit():
            final_output(ops.RetrieveCount(total))
    with LocalSession() as session:
        session.run(group)
        assert task.outputs()[0].fetch() == 20
        session.run(group)
        assert task.outputs()[0].fetch() == 20


def test_a_step_that_is_a_part_of_something_else_can_be_a_task():
    net, blob = filling("n", 3.0)
    inner = execution_step("inner", net)
    execution_step("outer", inner)
    with TaskGroup() as group:
        Task(step=inner, outputs=blob)
    with LocalSession() as session:
        session.run(group)
    assert group.tasks()[0].outputs()[0].fetch().tolist() == [3]


def test_an_output_outside_of_a_task_is_a_task_of_its_own():
    with TaskGroup() as group:
        output = final_output("already_there")
    workspace.FeedBlob("already_there", np.float32([5]))
    with LocalSession() as session:
        session.run(group)
    assert output.fetch().tolist() == [5]
