"""What ``ops`` adds to the builder around."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import Operations, ops


def test_operators_need_a_builder_around():
    with pytest.raises(AssertionError, match="NetBuilder is needed here, but none was entered with a with statement"):
        ops.Const(1)
    with pytest.raises(AttributeError, match="ops has no attribute __wrapped__"):
        _ = ops.__wrapped__


def test_nets_are_given_named_or_the_last():
    given = core.Net("given")
    with NetBuilder() as builder:
        assert ops.net(given) is given
        assert ops.net() is given
        named = ops.net(name="named")
        assert named is ops.net()
        with pytest.raises(AssertionError, match="Cannot provide both `net` and `name`"):
            ops.net(given, name="both")
        Operations().Const(1, blob_out="a")
    assert builder.get() == [given, named]
    assert named.Proto().op[0].output[0] == "a"


@pytest.mark.parametrize(
    ("word", "attribute"),
    [
        ("task_init", "task_setup"),
        ("task_exit", "task_setup"),
        ("task_instance_init", "task_instance_setup"),
        ("task_instance_exit", "task_instance_setup"),
        ("local_init", "local_setup"),
        ("local_exit", "local_setup"),
    ],
)
def test_what_goes_before_and_after_hangs_on_the_net(word, attribute):
    with NetBuilder() as builder:
        with getattr(ops, word)() as setup:
            ops.Const(1)
        ops.Const(2)
    (net,) = builder.get()
    assert net.get_attributes(attribute) == [setup]
    assert len(net.Proto().op) == 1
    done = setup.exit(net) if word.endswith("exit") else setup.setup(net)
    assert len(done.Nets()) == 1


def test_a_reporter_runs_every_so_many_milliseconds():
    with NetBuilder() as builder:
        with ops.task_reporter(interval_ms=20):
            ops.Const(1)
        ops.Const(2)
    (net,) = builder.get()
    (step,) = net.get_attributes("report_step")
    assert step.Proto().run_every_ms == 20
