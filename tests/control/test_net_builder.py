"""What a builder gathers, and in which order it runs."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from c2lab import core
from c2lab.backend.run import UNINITIALISED
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.errors import C2LabError
from c2lab.workspace import Workspace


def run(builder):
    plan, workspace = core.Plan("built"), Workspace()
    plan.AddStep(core.to_execution_step(builder))
    workspace.run_plan(plan.Proto())
    return workspace


def test_operators_go_to_the_net_at_the_end():
    first = core.Net("first")
    with NetBuilder("gathered") as builder:
        builder.add(first)
        ops.Const(1, blob_out="a")
        second = builder.current_net("second")
        ops.Const(2, blob_out="b")
        assert builder.current_net() is second
    assert builder.get() == [first, second]
    assert [op.output[0] for op in first.Proto().op] == ["a"]
    assert second.Name().startswith("gathered/second")
    assert (run(builder)["a"], run(builder)["b"]) == (1, 2)


def test_names_are_those_of_the_builders_around():
    assert core.Net.current_prefix() == ""
    with NetBuilder("outer") as outer:
        with NetBuilder("inner") as inner:
            assert core.Net.current_prefix() == inner.name == "outer/inner"
            assert core.Net("n").Name().startswith("outer/inner/n")
        assert NetBuilder.current() is outer
    assert NetBuilder(_fullname="a/b").name == "a/b"
    assert NetBuilder.current(required=False) is None
    with pytest.raises(AssertionError, match="give one of the two"):
        NetBuilder("a", _fullname="b")


def test_each_thread_has_a_builder_of_its_own():
    seen = []
    with NetBuilder("here"):
        thread = threading.Thread(target=lambda: seen.append(NetBuilder.current(required=False)))
        thread.start()
        thread.join()
    assert seen == [None]


def test_a_builder_is_complete_after_its_block():
    with NetBuilder("complete") as builder:
        ops.Const(1)
    with pytest.raises(AssertionError, match='The builder "complete" is complete; nothing can be added'):
        builder.add(core.Net("late"))
    with pytest.raises(AssertionError, match="is complete; enter a new one"), builder:
        pass


def test_an_error_in_the_block_is_the_users():
    with pytest.raises(ZeroDivisionError), NetBuilder(), ops.loop(), ops.If(ops.Const(1)), ops.IfNet("c"):
        _ = 1 / 0
    assert NetBuilder.current(required=False) is None


@pytest.mark.parametrize("stop", [True, False])
def test_stop_if_ends_the_builder_that_runs_once(stop):
    with NetBuilder() as builder:
        before, after = ops.Const(0), ops.Const(0)
        ops.Const(1, blob_out=before)
        ops.stop_if(ops.Const(stop))
        ops.Const(1, blob_out=after)
    workspace = run(builder)
    assert (workspace[str(before)], workspace[str(after)]) == (1, 0 if stop else 1)


def test_a_stop_blob_may_be_given():
    blob = core.BlobReference("enough")
    with NetBuilder(_stop_blob=blob) as builder:
        assert builder.stop_blob() is blob
        ops.Const(False, blob_out=blob)
        builder.stop_if(ops.Const(True))
        ops.Const(1, blob_out="after")
    assert core.to_execution_step(builder).Proto().should_stop_blob == "enough"
    workspace = run(builder)
    assert workspace["enough"]
    assert workspace.blobs["after"] is UNINITIALISED


def test_nets_are_merged_in_order():
    first, second = core.Net("first"), core.Net("second")
    first.Const(1.0, blob_out="a")
    second.Add(["a", "b"], "c")
    second.add_attribute("note", 7)
    with NetBuilder("third") as third:
        ops.Negative("c", "d")
    merged = NetBuilder.merge_nets([first, second, third])
    assert [op.type for op in merged.Proto().op] == ["GivenTensorFill", "Add", "Negative"]
    assert list(merged.Proto().external_input) == ["b"]
    assert merged.get_attributes("note") == [7]
    assert NetBuilder.merge_nets([]) is None
    with pytest.raises(AssertionError, match="Only nets and builders can be merged into one net, not int"):
        NetBuilder.merge_nets([3])
    with NetBuilder() as with_step:
        ops.loop(3)
    with pytest.raises(AssertionError, match="Only nets can be merged into one net, not Loop"):
        NetBuilder.merge_nets([with_step])


def test_a_builder_with_control_operators_is_one_net():
    with NetBuilder(_use_control_ops=True, initial_scope=["given"]) as builder:
        ops.Const(1, blob_out="a")
        with ops.IfNet(ops.Const(True)):
            ops.Const(2, blob_out="a")
            ops.Const(3, blob_out="given")
        ops.Copy("a", "b")
    (net,) = builder.get()
    workspace = Workspace()
    workspace.feed("given", np.int64(0))
    workspace.run_once(net.Proto())
    assert [workspace[name] for name in ("a", "b", "given")] == [2, 2, 3]
    with NetBuilder(_use_control_ops=True) as nothing:
        pass
    assert nothing.get() == []


def test_one_net_takes_no_steps_and_no_stops():
    with NetBuilder("whole", _use_control_ops=True) as builder:
        with pytest.raises(
            AssertionError, match=r'Loop is a step of a plan, but .* "whole" makes one net; use ops.IfNet'
        ):
            ops.loop(3)
        with pytest.raises(AssertionError, match="the step 'idle' is a step of a plan"):
            builder.add(core.ExecutionStep("idle"))
        with pytest.raises(AssertionError, match="Stop blobs are not used with control operators"):
            ops.stop_if(ops.Const(True))


def test_a_branch_may_write_what_was_made_before_it_and_around_it():
    with NetBuilder(initial_scope=["given"]) as builder:
        ops.Const(1, blob_out="made")
        step = core.execution_step("step", core.Net("in_step"))
        step.Nets()[0].Const(1, blob_out="in_step")
        builder.add(step)
        with ops.loop(1):
            ops.Const(1, blob_out="in_loop")
        assert {"given", "made", "in_step", "in_loop"} <= builder.visible_blobs()
        with NetBuilder() as inner:
            assert inner.visible_blobs() >= builder.visible_blobs() - inner.visible_blobs()
            assert "in_loop" in inner.visible_blobs()


def test_errors_inside_a_block_name_the_line_in_it():
    with NetBuilder() as builder:
        x = ops.Const(np.float32([1, 2, 3]))
        with ops.IfNet(ops.Const(True)):
            ops.Const(1)
            ops.MatMul([x, x], "y")
    line = test_errors_inside_a_block_name_the_line_in_it.__code__.co_firstlineno + 5
    with pytest.raises(C2LabError, match=rf"^MatMul \(operator 1 of .*added at test_net_builder.py line {line}\)"):
        run(builder)
