"""What regions read and write, and when two of them are the same program."""

from __future__ import annotations

from c2lab.backend.region_nodes import Branches, Call, Loop, reads, region_key, writes
from c2lab.graph.reader import read
from tests.backend.region_nets import net_of, op


def calls(*ops):
    return tuple(Call(node, tuple(node.op.input), tuple(node.op.output)) for node in read(net_of(*ops)).nodes)


def test_reads_are_what_was_not_written_before():
    made = calls(op("Add", ["x", "w"], ["y"]), op("Mul", ["y", "x"], ["z"]), op("Copy", ["z"], ["w"]))
    assert reads(made) == ["x", "w"]
    assert writes(made) == ["y", "z", "w"]
    assert reads(()) == writes(()) == []


def arguments(node):
    return tuple(sorted(node.arguments.items()))


def key(names, *, type="Exp", loop=False, slope=1.0):
    c, x, y = names
    first = calls(op(type, [x], [y]))
    second = calls(op("Scale", [x], [y], scale=slope))
    if loop:
        return region_key(Loop(first, second, (c, x, y), (y,)), arguments)
    nested = Branches(first, second, (c, x), (y,))
    return region_key(Branches((nested,), second, (c, x), (y,)), arguments)


def test_names_do_not_matter_and_everything_else_does():
    assert key("cxy") == key("abd")
    assert key("cxy") != key("cxx")
    assert key("cxy") != key("cxy", type="Negative")
    assert key("cxy") != key("cxy", slope=2.0)
    assert key("cxy", loop=True) == key("abd", loop=True) != key("cxy")
