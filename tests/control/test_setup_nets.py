"""What nets want to run before and after."""

from __future__ import annotations

import pytest

from c2lab.control.setup_nets import SetupNets, add_setup_steps, get_setup_nets
from c2lab.nets.net import Net
from c2lab.plan import execution_step


class Wish:
    def __init__(self, answer=None):
        self.answer = answer

    def setup(self, init_net):
        init_net.ConstantFill([], "made", shape=[1])
        return self.answer

    def exit(self, exit_net):
        return None


def carrying(*wishes):
    net = Net("carrying")
    for wish in wishes:
        net.add_attribute("key", wish)
    return net


def test_each_is_asked_once():
    first, last = Net("first"), Net("last")
    net = carrying(SetupNets([first], [last]))
    assert get_setup_nets("key", [execution_step("s", net)], None) == ([first], [last])
    assert get_setup_nets("key", [net], None) == ([], [])
    assert get_setup_nets("other", [carrying(SetupNets([first]))], None) == ([], [])


def test_what_is_added_to_the_net_itself_comes_first():
    extra = Net("extra")
    init, after = get_setup_nets("key", [carrying(Wish(extra))], None)
    assert [op.type for op in init[0].Proto().op] == ["ConstantFill"]
    assert init[1:] == [extra]
    assert after == []


def test_a_wish_for_someone_else_waits():
    wish = Wish()
    wish._setup_target = "someone"
    net = carrying(wish)
    assert get_setup_nets("key", [net], "me") == ([], [])
    assert len(get_setup_nets("key", [net], "someone")[0]) == 1


def test_answers_are_nets_or_steps():
    with pytest.raises(TypeError, match="not int"):
        get_setup_nets("key", [carrying(Wish(3))], None)


def test_steps_go_around():
    body, before, after = Net("body"), Net("before"), Net("after")
    step = execution_step("body", body)
    assert add_setup_steps(step, [], [], "s") is step
    around = add_setup_steps(step, [before], [after], "s")
    assert [part.Name() for part in around.Substeps()] == ["s:init", "body", "s:exit"]
