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


def test_what_is_read_comes_from_outside_and_what_is_known_is_written_there():
    assert get_external_blob_names(body(), ["x", "y", "hidden"]) == ({"x", "y", "z"}, {"y", "hidden"})
    assert get_external_blob_names(body().Proto(), []) == ({"x", "y", "z"}, set())
    assert get_external_blob_names(body(), [core.BlobReference("y")])[1] == {"y"}


def test_if_names_what_its_branches_read_and_write():
    net = core.Net("outer")
    add_if_op(net, "c", ["x", "y"], body())
    scope, branch = net.Proto().op
    scopes = scope.output[0]
    assert list(branch.input) == ["c", "x", "y", "z", scopes]
    assert list(branch.output) == ["y", scopes]
    do = branch.arg[0].n.op[0]
    arguments = {a.name: a for a in do.arg}
    assert list(arguments["inner_blobs"].strings) == [b"x", b"y", b"z"]
    assert list(arguments["outer_blobs_idx"].ints) == [0, 1, 2]


def test_what_only_one_branch_writes_is_an_input_too():
    net, other = core.Net("outer"), core.Net("other")
    other.Copy(["x"], ["w"])
    add_if_op(net, "c", ["y", "w"], body(), other)
    branch = net.Proto().op[1]
    assert list(branch.input) == ["c", "w", "x", "y", "z", branch.output[-1]]
    assert list(branch.output[:-1]) == ["w", "y"]


def test_a_condition_net_has_scopes_of_its_own():
    net, test = core.Net("outer"), core.Net("test")
    test.LT(["x", "y"], ["c"])
    add_while_op(net, "c", ["x", "y"], body(), test)
    assert [op.type for op in net.Proto().op] == ["CreateScope", "CreateScope", "While"]
    loop = net.Proto().op[2]
    assert len(set(loop.input)) == len(loop.input)
    assert "c" in loop.output
