"""Sessions run whatever can be run, again and again."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.control.session import CompiledRunnable, LocalSession, Session
from c2lab.control.task import Task, TaskGroup, WorkspaceType, final_output
from c2lab.errors import BadValue


def counting(blob="count"):
    net = core.Net("counting")
    net.Iter([], [blob])
    return net


def builder():
    with NetBuilder("built") as made:
        ops.Iter([], ["count"])
    return made


def group():
    with TaskGroup(workspace_type=WorkspaceType.GLOBAL) as made:
        Task(step=counting())
    return made


@pytest.mark.parametrize(
    "make",
    [
        counting,
        lambda: [counting()],
        lambda: core.execution_step("s", counting()),
        lambda: core.Plan(core.execution_step("s", counting())),
        lambda: Task(step=counting(), group=TaskGroup()),
        group,
    ],
    ids=["net", "list", "step", "plan", "task", "group"],
)
def test_anything_runs_again_and_again(make):
    runnable = make()
    with LocalSession() as session:
        for number in (1, 2, 3):
            session.run(runnable)
            assert workspace.FetchBlob("count").tolist() == [number]


def test_a_builder_runs():
    with LocalSession() as session:
        session.run(builder())
    assert workspace.FetchBlob("count").tolist() == [1]


def test_the_steps_of_a_plan_run_one_after_the_other():
    plan = core.Plan("plan")
    for value in range(4):
        net = core.Net("n")
        net.ConstantFill([], "x" if value else "y", shape=[1], value=float(value))
        if value:
            net.Add(["y", "x"], ["y"])
        plan.AddStep(core.execution_step(f"s{value}", net))
    with LocalSession() as session:
        session.run(plan)
    assert workspace.FetchBlob("y").tolist() == [6]


def test_private_blobs_do_not_stay():
    net = core.Net("n")
    net.ConstantFill([], "hidden", shape=[1])
    with TaskGroup(workspace_type=WorkspaceType.PRIVATE) as private:
        Task(step=net)
    with LocalSession() as session:
        session.run(private)
        assert not workspace.HasBlob("hidden")
        session.run(net)
        assert workspace.HasBlob("hidden")


def test_private_tasks_with_the_same_names_do_not_meet():
    with TaskGroup() as both:
        outputs = []
        for value in (1.0, 2.0):
            net = core.Net("n")
            net.ConstantFill([], "same", shape=[1], value=value)
            outputs.append(net.Add(["same", "same"], 1))
            Task(step=core.execution_step("s", net, num_iter=50), outputs=outputs[-1])
    with LocalSession() as session:
        session.run(both)
    assert [task.outputs()[0].fetch().tolist() for task in both.tasks()] == [[2], [4]]


def test_a_session_runs_in_the_workspace_that_it_is_given():
    ws = workspace.C.Workspace()
    with LocalSession(ws) as session:
        session.run(counting())
    assert ws.blobs["count"].fetch().tolist() == [1]
    assert not workspace.HasBlob("count")


def test_what_was_compiled_runs_too_and_for_its_own_class_only():
    class Other(Session):
        pass

    compiled = LocalSession.compile(counting())
    assert isinstance(compiled, CompiledRunnable)
    assert LocalSession.compile(compiled) is compiled
    with LocalSession() as session:
        session.run(compiled)
    assert workspace.FetchBlob("count").tolist() == [1]
    with pytest.raises(AssertionError, match="Need: Other, got: LocalSession"):
        Other().run(compiled)
    with pytest.raises(NotImplementedError, match="Other"):
        Other().run(counting())


def test_an_object_is_compiled_once():
    net = counting()
    assert LocalSession.compile(net) is LocalSession.compile(net)
    assert LocalSession.compile(counting()) is not LocalSession.compile(net)
    assert LocalSession.compile(copy.deepcopy(net)) is not LocalSession.compile(net)


def test_workspace_types_must_agree():
    with pytest.raises(AssertionError, match="Require private but already have global"):
        LocalSession.compile(group(), workspace_type=WorkspaceType.PRIVATE)


def test_a_closed_session_runs_nothing():
    session = LocalSession()
    with session:
        assert session.is_open()
    assert not session.is_open()
    with pytest.raises(AssertionError, match="Session is closed"):
        session.run(counting())
    with pytest.raises(AssertionError, match="already closed"):
        session.__enter__()
    with pytest.raises(AssertionError, match="none runnable"):
        LocalSession().run(None)


def test_outputs_are_fetched_after_each_run():
    with TaskGroup() as tasks, Task():
        count = final_output(ops.Iter([], ["kept"]))
    workspace.FeedBlob("kept", np.int64([4]))
    with LocalSession() as session:
        session.run(tasks)
        assert session.fetch_output(count).tolist() == [5]
        session.run(tasks)
        assert count.fetch().tolist() == [6]
        with pytest.raises(AssertionError, match="Only a TaskOutput"):
            session.fetch_output("kept")


def test_the_failing_step_is_named():
    def fail(inputs, outputs):
        raise BadValue("no more data")

    with TaskGroup() as tasks:
        with Task(name="good"):
            ops.Const(1)
        net = core.Net("n")
        net.Python(fail)([], [])
        Task(step=core.execution_step("reads the data", net), name="bad")
    with LocalSession() as session, pytest.raises(BadValue, match='in execution step "reads the data": no more data'):
        session.run(tasks)
