"""Steps that loop and branch, against what Python's own ``while`` and ``if`` do."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.control import steps
from c2lab.workspace import Workspace


class Counting:
    """A counter that nets move, with the nets that ask about it."""

    def __init__(self, below=4):
        self.start, self.count, self.twice = core.Net("start"), core.Net("count"), core.Net("count_twice")
        counter = self.start.CreateCounter([], init_count=0)
        limit = self.start.Const(np.int64(below))
        self.start.ConstantFill([], "reached", shape=[], value=0, dtype=core.DataType.INT64)
        self.count.CountUp([counter])
        self.count.RetrieveCount([counter], "reached")
        for _ in range(2):
            self.twice.CountUp([counter])
        self.twice.RetrieveCount([counter], "reached")
        self.below, self.not_below = core.Net("below"), core.Net("not_below")
        self.below.AddExternalOutput(self.below.LT(["reached", limit], "is_below"))
        self.not_below.AddExternalOutput(self.not_below.GE(["reached", limit], "is_not_below"))

    def run(self, *parts):
        plan = core.Plan("counting")
        plan.AddStep(steps.Do("start", self.start))
        for part in parts:
            plan.AddStep(part)
        self.workspace = Workspace()
        self.workspace.run_plan(plan.Proto())
        return int(self.workspace["reached"])


IDLE = core.Net("idle")
IDLE.ConstantFill([], "nothing", shape=[], value=0.0)


def as_nets(counting):
    return counting.count


def as_list_of_nets(counting):
    return [counting.count, IDLE]


def as_step(counting):
    return steps.Do("body", counting.count)


def as_mixed(counting):
    return [steps.Do("body", counting.count), IDLE]


bodies = pytest.mark.parametrize("body", [as_nets, as_list_of_nets, as_step, as_mixed])


@bodies
@pytest.mark.parametrize("times", [0, 1, 7])
def test_for(body, times):
    counting = Counting()
    assert counting.run(steps.For("loop", body(counting), times)) == times


@bodies
@pytest.mark.parametrize("asked_as", ["net", "blob"])
@pytest.mark.parametrize("first", [0, 9])
def test_while_and_until(body, asked_as, first):
    for make, condition in ((steps.While, "below"), (steps.Until, "not_below")):
        counting = Counting()
        asking = getattr(counting, condition)
        before = [steps.For("first", counting.count, first), steps.Do("ask", asking)]
        if asked_as == "net":
            loop = make("loop", asking, body(counting))
        else:
            loop = make("loop", asking.Proto().external_output[-1], [body(counting), asking])
        assert counting.run(*before, loop) == max(first, 4)


@bodies
@pytest.mark.parametrize("first", [0, 9])
def test_do_while_and_do_until_run_once_at_least(body, first):
    for make, condition in ((steps.DoWhile, "below"), (steps.DoUntil, "not_below")):
        counting = Counting()
        before = steps.For("first", counting.count, first)
        assert counting.run(before, make("loop", getattr(counting, condition), body(counting))) == max(first + 1, 4)


def test_do_while_and_do_until_of_a_blob():
    counting = Counting()
    loop = steps.DoWhile("loop", counting.below.external_outputs[-1], [counting.count, counting.below])
    assert counting.run(loop) == 4
    counting = Counting()
    blob = counting.not_below.external_outputs[-1]
    loop = steps.DoUntil("loop", blob, [counting.count, counting.not_below])
    assert counting.run(steps.Do("first", steps.BoolNet((blob, False))), loop) == 4
    # The condition holds already: the first net runs, and nothing after it.
    counting = Counting()
    loop = steps.DoUntil("loop", blob, [counting.count, counting.twice])
    assert counting.run(steps.Do("first", steps.BoolNet((blob, True))), loop) == 1


@bodies
@pytest.mark.parametrize("asked_as", ["net", "blob"])
@pytest.mark.parametrize("first", [0, 9])
def test_if_and_if_not(body, asked_as, first):
    below = first < 4
    for make, holds in ((steps.If, below), (steps.IfNot, not below)):
        for with_else in (False, True):
            counting = Counting()
            asking = counting.below if asked_as == "net" else counting.below.Proto().external_output[-1]
            choices = (body(counting), counting.twice) if with_else else (body(counting),)
            branch = make("choice", asking, *choices)
            before = [steps.For("first", counting.count, first), steps.Do("ask", counting.below)]
            assert counting.run(*before, branch) == first + (1 if holds else 2 if with_else else 0)


def test_the_second_branch_goes_by_the_condition_as_it_was():
    counting = Counting(below=1)
    branch = steps.If("choice", counting.below, [counting.count, counting.below], counting.twice)
    assert counting.run(branch) == 1


def test_a_branch_is_asked_again_in_each_round():
    counting = Counting()
    assert counting.run(steps.For("loop", steps.If("choice", counting.below, counting.twice), 10)) == 4


def test_a_while_runs_again_after_it_has_ended():
    counting = Counting()
    loop = steps.While("loop", counting.below, counting.count)
    assert counting.run(steps.For("twice", [loop, steps.Do("once_more", counting.count)], 2)) == 6


def test_switch():
    yes, no = core.Net("yes"), core.Net("no")
    yes.AddExternalOutput(yes.Const(True))
    no.AddExternalOutput(no.Const(False))
    for make, want in ((steps.Switch, 1 + 2), (steps.SwitchNot, 2)):
        for in_a_list in (False, True):
            counting = Counting()
            pairs = [(yes, counting.count), (no, counting.twice), (yes, steps.Do("more", counting.twice))]
            step = make("choice", pairs) if in_a_list else make("choice", *pairs)
            assert counting.run(step) == want


def test_nets_beside_each_other_all_run():
    first, second = core.Net("first"), core.Net("second")
    first.Const(1.0, "a")
    second.Const(2.0, "b")
    step = steps.DoParallel("both", first, steps.Do("second", second))
    assert step.Proto().concurrent_substeps
    workspace = Workspace()
    plan = core.Plan("beside")
    plan.AddStep(step)
    workspace.run_plan(plan.Proto())
    assert (workspace["a"], workspace["b"]) == (1, 2)


@pytest.mark.parametrize("values", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("relation", ["And", "Or"])
def test_conditions_are_joined(values, relation):
    nets = []
    for value in values:
        net = core.Net("condition")
        net.AddExternalOutput(net.Const(value))
        nets.append(net)
    want = all(values) if relation == "And" else any(values)
    for parts in ([steps.MergeConditionNets("joined", nets, relation)],
                  [*nets, steps.CombineConditions("joined", nets, relation)]):  # fmt: skip
        plan, workspace = core.Plan("joining"), Workspace()
        plan.AddStep(steps.Do("join", parts))
        workspace.run_plan(plan.Proto())
        assert len(parts[-1].Proto().external_output) == 1
        assert workspace[parts[-1].Proto().external_output[-1]] == want


def test_nets_of_bools_and_their_opposites():
    for net in (steps.BoolNet(("a", True), ("b", False)), steps.BoolNet([("a", True), ("b", False)])):
        workspace = Workspace()
        workspace.run_once(net.Proto())
        assert list(net.Proto().external_output) == ["a", "b"]
        assert (workspace["a"], workspace["b"]) == (True, False)
        opposite, blob = steps.NotNet("a")
        workspace.run_once(opposite.Proto())
        assert not workspace[str(blob)]
        assert list(opposite.Proto().external_output) == [str(blob)]


def test_what_is_wrong_is_said():
    with pytest.raises(AssertionError, match='Condition net "silent" must have at least one external output'):
        steps.GetConditionBlobFromNet(core.Net("silent"))
    with pytest.raises(AssertionError, match="'Xor'; it must be one of And, Or"):
        steps.MergeConditionNets("joined", [IDLE], "Xor")
    with pytest.raises(AssertionError, match='no conditions to join in net "joined"'):
        steps.CombineConditions("joined", [], "And")
