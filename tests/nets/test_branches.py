"""What nets inside operators know of the blobs around them."""

from __future__ import annotations

from c2lab import core
from c2lab.nets.branches import add_if_op, add_while_op, get_external_blob_names


def body():
    net = core.Net("body")
    net.Exp(["x"], ["local"])
    net.Add(["local", "y"], ["y"])
    net.Negative(["z"], ["hidden"])
    return net


def test_only_known_blobs_are_seen():
    assert get_external_blob_names(body(), ["x", "y", "hidden"]) == ({"x", "y"}, {"y", "hidden"})
    assert get_external_blob_names(body().Proto(), []) == (set(), set())


def test_if_names_what_its_branches_read_and_write():
    net = core.Net("outer")
    add_if_op(net, "c", ["x", "y"], body())
    scope, branch = net.Proto().op
    scopes = scope.output[0]
    assert list(branch.input) == ["c", "x", "y", scopes]
    assert list(branch.output) == ["y", scopes]
    do = branch.arg[0].n.op[0]
    arguments = {a.name: a for a in do.arg}
    assert list(arguments["inner_blobs"].strings) == [b"x", b"y"]
    assert list(arguments["outer_blobs_idx"].ints) == [0, 1]


def test_a_condition_net_has_scopes_of_its_own():
    net, test = core.Net("outer"), core.Net("test")
    test.LT(["x", "y"], ["c"])
    add_while_op(net, "c", ["x", "y"], body(), test)
    assert [op.type for op in net.Proto().op] == ["CreateScope", "CreateScope", "While"]
    loop = net.Proto().op[2]
    assert len(set(loop.input)) == len(loop.input)
    assert "c" in loop.output
