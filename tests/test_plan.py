"""Plans and execution steps."""

from __future__ import annotations

import pytest

from c2lab import core, plan
from c2lab.proto import caffe2_pb2


def make_net(name="planned"):
    net = core.Net(name)
    net.Relu("x", "y")
    return net


# ---- steps -------------------------------------------------------------------------------------------


def test_a_step_of_nets():
    first, second = make_net(), make_net()
    step = core.ExecutionStep("both", [first, second], num_iter=3)
    assert step.Name() == str(step) == "both"
    assert list(step.Proto().network) == [first.Name(), second.Name()]
    assert step.Proto().num_iter == 3
    assert step.Nets() == [first, second]
    assert step.get_net(second.Name()) is second
    assert step.HasNets()
    assert not step.HasSubsteps()
    assert repr(step) == '<ExecutionStep "both", 2 nets, 0 substeps>'
    assert core.ExecutionStep("one", first).Nets() == [first]


def test_a_step_without_a_name_gets_one():
    first, second = core.ExecutionStep(None), core.ExecutionStep("")
    assert first.Name()
    assert first.Name() != second.Name()


def test_a_step_of_steps():
    net = make_net()
    inner = core.ExecutionStep("inner", net)
    outer = core.ExecutionStep("outer").AddSubstep(inner).AddSubstep(caffe2_pb2.ExecutionStep(name="ready"))
    assert [step.name for step in outer.Proto().substep] == ["inner", "ready"]
    assert outer.Substeps() == [inner]
    assert outer.get_net(net.Name()) is net
    assert outer.HasSubsteps()


def test_steps_that_do_nothing_are_left_out():
    assert not core.ExecutionStep("outer").AddSubstep(core.ExecutionStep("empty")).HasSubsteps()
    made = core.Plan("p")
    made.AddStep(core.ExecutionStep("empty"))
    assert made.Steps() == []


def test_nets_and_steps_do_not_mix():
    step = core.ExecutionStep("nets", make_net())
    with pytest.raises(AssertionError, match="Cannot have both network and substeps"):
        step.AddSubstep(core.ExecutionStep("inner"))
    step = core.ExecutionStep("steps").AddSubstep(core.ExecutionStep("inner", make_net()))
    with pytest.raises(AssertionError, match="Cannot have both network and substeps"):
        step.AddNet(make_net())
    with pytest.raises(AssertionError, match="AddNet takes a"):
        core.ExecutionStep("text").AddNet("net")


def test_a_step_that_was_added_is_complete():
    step = core.ExecutionStep("done", make_net())
    core.Plan("p").AddStep(step)
    with pytest.raises(AssertionError, match=r'Cannot mutate a step that has already been added .*"done"'):
        step.SetIter(2)
    with pytest.raises(AssertionError, match="Cannot mutate"):
        step.AddNet(make_net())


def test_every_setting_reaches_the_proto():
    step, report = core.ExecutionStep("set", make_net()), make_net("report")
    step.SetIter(2)
    step.SetCreateWorkspace(True)
    step.SetNumConcurrentInstances(3)
    step.SetOnlyOnce(True)
    step.SetShouldStopBlob(core.BlobReference("stop"))
    step.RunEveryMillis(50)
    step.SetReportNet(report, 4)
    step.SetConcurrentSubsteps(True)
    proto = step.Proto()
    assert (proto.num_iter, proto.create_workspace, proto.num_concurrent_instances, proto.only_once) == (
        2,
        True,
        3,
        True,
    )
    assert (proto.should_stop_blob, proto.run_every_ms, proto.concurrent_substeps) == ("stop", 50, True)
    assert (proto.report_net, proto.report_interval) == (report.Name(), 4)
    with pytest.raises(AssertionError, match="expects BlobReference here"):
        step.SetShouldStopBlob("stop")


def test_one_name_is_one_net():
    net, other = make_net(), make_net()
    other.Proto().name = net.Name()
    step = core.ExecutionStep("s", net)
    with pytest.raises(AssertionError, match="There is another net named"):
        step.AddNet(other)


# ---- in one call -------------------------------------------------------------------------------------


def test_execution_step_runs_once_unless_told():
    assert core.execution_step("s", make_net()).Proto().num_iter == 1
    assert core.execution_step("s", make_net(), num_iter=5).Proto().num_iter == 5
    step = core.execution_step("s", make_net(), should_stop_blob=core.BlobReference("stop"))
    assert not step.Proto().HasField("num_iter")


def test_execution_step_takes_nets_steps_and_lists():
    net, step = make_net(), core.execution_step("inner", make_net())
    assert core.execution_step("s", None).Proto().network == []
    assert core.execution_step("s", [net, net]).Proto().network == [net.Name(), net.Name()]
    assert core.execution_step("s", step).Substeps() == [step]
    mixed = core.execution_step("s", [net, core.execution_step("second", make_net())])
    assert list(mixed.Proto().substep[0].network) == [net.Name()]
    with pytest.raises(ValueError, match="steps_or_nets must be a step"):
        core.execution_step("s", "net")


def test_execution_step_passes_every_setting():
    step = core.execution_step(
        "s", [core.execution_step("inner", make_net())], num_iter=2, report_net=make_net(), report_interval=3,
        concurrent_substeps=True, only_once=True, num_concurrent_instances=4, create_workspace=True, run_every_ms=5,
    )  # fmt: skip
    set_fields = {field.name for field, _ in step.Proto().ListFields()}
    assert set_fields >= {
        "num_iter", "report_net", "report_interval", "concurrent_substeps", "only_once", "num_concurrent_instances",
        "create_workspace", "run_every_ms",
    }  # fmt: skip


def test_contradictions_are_refused():
    with pytest.raises(AssertionError, match=r"Cannot set both should_stop_blob and num_iter\."):
        core.execution_step("s", make_net(), num_iter=2, should_stop_blob=core.BlobReference("stop"))
    with pytest.raises(AssertionError, match="report_net needs report_interval"):
        core.execution_step("s", make_net(), report_net=make_net())


def test_scoped_names():
    with core.NameScope("a"):
        assert core.scoped_execution_step("s", make_net()).Name() == "a/s"
        assert core.execution_step("s", make_net()).Name() == "s"


def test_to_execution_step():
    class Builder:
        name = "builder"
        _stop_blob = core.BlobReference("stop")

        def get(self):
            return [make_net()]

    step = core.execution_step("s", make_net())
    assert core.to_execution_step(step) is step
    assert core.to_execution_step(make_net(), "named").Name() == "named"
    built = core.to_execution_step(Builder())
    assert (built.Name(), built.Proto().should_stop_blob) == ("builder", "stop")


# ---- plans -------------------------------------------------------------------------------------------


def test_a_plan_holds_its_nets_in_order_of_use():
    init, train, report = make_net("init"), make_net("train"), make_net("report")
    made = core.Plan("whole")
    made.AddStep(core.execution_step("init", init))
    made.AddStep(core.execution_step("epochs", [core.execution_step("train", [train, init], num_iter=3)], num_iter=2,
                                     report_net=report, report_interval=1))  # fmt: skip
    assert [net.name for net in made.Proto().network] == [init.Name(), train.Name(), report.Name()]
    assert made.Nets() == [init, train, report]
    assert [step.Name() for step in made.Steps()] == ["init", "epochs"]
    assert made.Proto().execution_step[1].substep[0].num_iter == 3
    assert str(made) == made.Proto().name == "whole"
    assert repr(made) == '<Plan "whole", 2 steps, 3 nets>'


def test_a_plan_of_one_step_has_its_name():
    assert core.Plan(core.execution_step("only", make_net())).Proto().name == "only"
    with pytest.raises(ValueError, match="must be a string or ExecutionStep, not int"):
        core.Plan(3)
    with pytest.raises(AssertionError, match="AddStep takes an ExecutionStep, not Net"):
        core.Plan("p").AddStep(make_net())


def test_attributes_of_all_nets():
    first, second = make_net(), make_net()
    first.add_attribute("notes", 1)
    second.add_attribute("notes", 2)
    step = core.execution_step("s", [first, second])
    assert step.get_all_attributes("notes") == [1, 2]
    assert core.Plan(step).get_all_attributes("notes") == [1, 2]


def test_a_plan_comes_back_from_its_proto():
    inner = core.execution_step("inner", [make_net()], num_iter=4, only_once=True)
    stop = core.execution_step("until", make_net(), should_stop_blob=core.BlobReference("stop"))
    proto = core.Plan(core.execution_step("outer", [inner, stop], concurrent_substeps=True)).Proto()
    again = core.Plan.create_from_proto(proto)
    (step,) = again.Proto().execution_step
    assert step.concurrent_substeps
    assert (step.substep[0].num_iter, step.substep[0].only_once) == (4, True)
    assert step.substep[1].should_stop_blob == "stop"
    names = [net.name for net in again.Proto().network]
    assert [name for sub in step.substep for name in sub.network] == names
    assert [net.Name() for net in again.Nets()] == names


def test_broken_plans_say_what_is_missing():
    step = caffe2_pb2.ExecutionStep(name="s", network=["gone"])
    with pytest.raises(AssertionError, match='Step "s" runs net "gone", which the plan does not hold'):
        core.Plan.create_from_proto(caffe2_pb2.PlanDef(name="p", execution_step=[step]))
    with pytest.raises(AssertionError, match='Step "s" must have either nets or substeps'):
        plan.ExecutionStep.create_from_proto(caffe2_pb2.ExecutionStep(name="s"), {}, {})
    twice = caffe2_pb2.PlanDef(name="p", network=[caffe2_pb2.NetDef(name="n")] * 2)
    with pytest.raises(AssertionError, match='Plan "p" holds two nets of one name'):
        core.Plan.create_from_proto(twice)


def test_names_of_nets_however_given():
    net = make_net()
    assert plan.get_net_name(net) == plan.get_net_name(net.Proto()) == plan.get_net_name(net.Name()) == net.Name()
