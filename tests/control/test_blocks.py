"""Loops and branches, as steps and as operators, against what Python does."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.workspace import Workspace
from tests.control.test_net_builder import run

# ---- steps -----------------------------------------------------------------------------------------


def test_a_loop_runs_until_it_is_stopped():
    with NetBuilder() as builder:
        x, y = ops.Const(5), ops.Const(0)
        with ops.loop() as loop:
            ops.stop_if(ops.EQ([x, ops.Const(0)]))
            ops.Add([x, ops.Const(-1)], [x])
            ops.Add([y, ops.Const(1)], [y])
        with pytest.raises(AssertionError, match=r"Cannot call iter\(\) on a loop without a number of iterations"):
            loop.iter()
    assert run(builder)[str(y)] == 5


@pytest.mark.parametrize("as_blob", [None, np.int64, np.int32])
@pytest.mark.parametrize("times", [0, 1, 6])
def test_a_loop_counts_its_rounds(times, as_blob):
    with NetBuilder() as builder:
        total, rounds = ops.Const(0), ops.Const(0)
        with ops.loop(times if as_blob is None else ops.Const(as_blob(times))) as loop:
            ops.Add([total, loop.iter()], [total])
            ops.Add([rounds, ops.Const(1)], [rounds])
    workspace = run(builder)
    assert (workspace[str(total)], workspace[str(rounds)]) == (sum(range(times)), times)


def test_loops_in_loops_and_choices_in_loops():
    with NetBuilder() as builder:
        total, large, middle, small = (ops.Const(0) for _ in range(4))
        with ops.loop(6) as outer:
            tens = ops.Mul([outer.iter(), ops.Const(10)])
            with ops.loop(outer.iter()) as inner:
                value = ops.Add([tens, inner.iter()])
                with ops.If(ops.GE([value, ops.Const(52)])) as choice:
                    ops.Add([large, value], [large])
                with choice.Elif(ops.GE([value, ops.Const(31)])) as choice:
                    ops.Add([middle, value], [middle])
                with choice.Else() as last:
                    ops.Add([small, value], [small])
                ops.Add([total, value], [total])
        with pytest.raises(AssertionError, match="neither Elif nor Else can follow it"):
            last.Else()
    workspace = run(builder)
    values = [10 * i + j for i in range(6) for j in range(i)]
    parts = [values, [v for v in values if v >= 52], [v for v in values if 31 <= v < 52], [v for v in values if v < 31]]
    assert [workspace[str(blob)] for blob in (total, large, middle, small)] == [sum(part) for part in parts]


@pytest.mark.parametrize("condition", [True, False])
def test_if_runs_once_or_not_and_may_be_stopped(condition):
    with NetBuilder() as builder:
        y = ops.Const(1)
        with ops.If(ops.Const(condition)):
            ops.Const(2, blob_out=y)
            ops.stop()
            ops.Const(3, blob_out=y)
        after = ops.Copy(y)
    assert run(builder)[str(after)] == (2 if condition else 1)


def test_a_guard_tells_whether_it_was_stopped():
    own = core.BlobReference("own")
    with NetBuilder() as builder:
        with ops.stop_guard() as stopped:
            ops.stop_if(ops.Const(True))
            ops.Const(1, blob_out="reached")
        with ops.stop_guard(own) as not_stopped:
            ops.stop_if(ops.Const(False))
        with ops.stop_guard() as empty:
            pass
        early = ops.stop_guard()
        with pytest.raises(AssertionError, match="known after its block; enter it first"):
            early.has_stopped()
        with early:
            ops.Const(0)
    workspace = run(builder)
    assert not_stopped.has_stopped() == "own"
    told = [bool(workspace[str(guard.has_stopped())]) for guard in (stopped, not_stopped, empty, early)]
    assert told == [True, False, False, False]


def test_a_stop_ends_only_the_step_around_it():
    with NetBuilder() as builder:
        inner, outer = ops.Const(0), ops.Const(0)
        with ops.loop(3):
            with ops.loop(5) as loop:
                ops.stop_if(ops.EQ([loop.iter(), ops.Const(2)]))
                ops.Add([inner, ops.Const(1)], [inner])
            ops.Add([outer, ops.Const(1)], [outer])
    workspace = run(builder)
    assert (workspace[str(inner)], workspace[str(outer)]) == (6, 3)


def test_if_needs_a_condition():
    with NetBuilder(), pytest.raises(AssertionError, match="If needs a condition"):
        ops.If(None)


# ---- operators -------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [True, False])
def test_if_and_else_as_an_operator(condition):
    with NetBuilder() as builder:
        chosen, kept = ops.Const(0), ops.Const(5)
        with ops.IfNet(ops.Const(condition)):
            local = ops.Const(1)
            ops.Copy(local, chosen)
            ops.Copy(local, kept)
        with ops.Else():
            ops.Const(2, blob_out=chosen)
    workspace = run(builder)
    assert (workspace[str(chosen)], workspace[str(kept)]) == ((1, 1) if condition else (2, 5))
    assert str(local) not in workspace


def test_branches_in_branches_with_empty_ones():
    with NetBuilder() as builder:
        a, b, c = ops.Const(0), ops.Const(1), ops.Const(2)
        x, y, z = ops.Const(0), ops.Const(1), ops.Const(2)
        with ops.IfNet(ops.LT([a, b])):
            local = ops.Const(900)
            ops.Add([ops.Const(100), local], [x])
            with ops.IfNet(ops.GT([b, c])):
                pass
            with ops.Else():
                ops.Add([y, local], [local])
                ops.Add([ops.Const(100), y], [y])
            with ops.IfNet(ops.EQ([local, ops.Const(901)])):
                ops.Const(7, blob_out=z)
                ops.Add([y, z], [z])
        with ops.Else():
            pass
    workspace = run(builder)
    assert [workspace[str(blob)] for blob in (x, y, z)] == [1000, 101, 108]
    assert str(local) not in workspace


@pytest.mark.parametrize("below", [0, 1, 7])
def test_while_as_an_operator(below):
    with NetBuilder() as builder:
        x, y = ops.Const(0), ops.Const(0)
        with ops.WhileNet():
            with ops.Condition():
                ops.Add([x, ops.Const(1)], [x])
                ops.LT([x, ops.Const(below)])
            ops.Add([x, y], [y])
    workspace = run(builder)
    assert (workspace[str(x)], workspace[str(y)]) == (max(below, 1), sum(range(below)))


def test_a_condition_that_goes_on_from_a_blob_of_before():
    with NetBuilder() as builder:
        go, x = ops.Const(True), ops.Const(0)
        with ops.WhileNet():
            with ops.Condition():
                ops.And([go, ops.LT([x, ops.Const(3)])], [go])
            ops.Add([x, ops.Const(1)], [x])
    assert run(builder)[str(x)] == 3


def test_gradients_through_blocks_of_one_net():
    with NetBuilder(_use_control_ops=True) as builder:
        for name, value in {"i": 0, "one": 1, "two": 2, "x": 2.0, "y": 3.0, "z": 2.0}.items():
            ops.Copy(ops.Const(value), name)
        with ops.WhileNet():
            with ops.Condition():
                ops.Add(["i", "one"], "i")
                ops.LE(["i", "two"])
            ops.Pow("x", "x", exponent=2.0)
            with ops.IfNet(ops.LT(["i", "two"])):
                ops.Pow("y", "y", exponent=2.0)
            with ops.Else():
                ops.Pow("z", "z", exponent=3.0)
        ops.Add(["x", "y"], "x_plus_y")
        ops.Add(["x_plus_y", "z"], "s")
    (net,) = builder.get()
    gradients = net.AddGradientOperators(["s"])
    workspace = Workspace()
    workspace.run_once(net.Proto())
    # x ** 4, y ** 2 and z ** 3
    assert [workspace[name] for name in "xyz"] == [16, 9, 8]
    assert [workspace[str(gradients[name])] for name in "xyz"] == [4 * 2**3, 2 * 3, 3 * 2**2]


def test_blocks_that_stand_where_they_may_not():
    invalid_else = pytest.raises(AssertionError, match="Invalid use of Else builder")
    with NetBuilder():
        with invalid_else, ops.Else():
            pass
        with ops.If(ops.Const(True)):
            pass
        with invalid_else, ops.Else():
            pass
        with ops.IfNet(ops.Const(True)):
            pass
        ops.Const(1)
        with invalid_else, ops.Else():
            pass
        with ops.IfNet(ops.Const(True)):
            pass
        with ops.Else():
            pass
        with invalid_else, ops.Else():
            pass
        with pytest.raises(AssertionError, match="Condition stands inside the block of a WhileNet"), ops.Condition():
            pass
        with pytest.raises(AssertionError, match="WhileNet has no condition"), ops.WhileNet():
            ops.Const(1)
        ended = pytest.raises(AssertionError, match="Condition ends with an operator whose output is the answer")
        with ended, ops.WhileNet(), ops.Condition():
            pass
        with ops.WhileNet():
            with ops.Condition():
                ops.Const(False)
            with pytest.raises(AssertionError, match="Condition comes first"), ops.Condition():
                pass
    with pytest.raises(AssertionError, match="IfNet stands inside a NetBuilder"), ops.IfNet("c"):
        pass


# ---- before and after ------------------------------------------------------------------------------


@pytest.mark.parametrize("at_the_end", [True, False])
def test_a_setup_is_a_step_for_its_end_of_the_task(at_the_end):
    with NetBuilder():
        net = ops.net()
        with ops.task_exit() if at_the_end else ops.task_init() as setup:
            ops.Const(1, blob_out="done")
    steps = setup.setup(core.Net("init")), setup.exit(core.Net("exit"))
    assert [step is not None for step in steps] == [not at_the_end, at_the_end]
    assert net.get_attributes("task_setup") == [setup]
    assert not net.Proto().op
