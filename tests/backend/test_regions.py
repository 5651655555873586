"""Which branches and loops are compiled with what is around them, and that they compute the same."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.backend.compile import statistics
from c2lab.backend.regions import on_host, with_regions
from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.graph.reader import read
from c2lab.nets.branches import add_if_op, add_while_op
from c2lab.workspace import Workspace
from tests.backend.region_nets import both_ways, net_of, op, run_net

X, Y = np.float32([0.5, -1.25]), np.float32([1.5, 0.75])


def exponential(name="y"):
    return net_of(op("Exp", ["x"], [name]))


def negative(name="y"):
    return net_of(op("Negative", ["x"], [name]))


@pytest.mark.parametrize("condition", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_an_if_does_not_cut_the_net(condition, shape):
    net = net_of(
        op("Add", ["a", "a"], ["x"]),
        op("If", ["c", "x"], ["y"], then_net=exponential(), else_net=negative()),
        op("Mul", ["x", "y"], ["z"]),
    )
    workspace = both_ways(net, {"a": X, "c": np.full(shape, condition)}, regions=1)
    x = 2 * X
    np.testing.assert_allclose(workspace["z"], x * (np.exp(x) if condition else -x), rtol=1e-6)


@pytest.mark.parametrize("condition", [True, False])
def test_what_a_branch_leaves_alone_stays(condition):
    net = net_of(
        op("Add", ["x", "x"], ["y"]),
        op("If", ["c", "x"], ["y"], then_net=exponential()),
        op("Copy", ["y"], ["z"]),
    )
    both_ways(net, {"x": X, "c": np.array(condition)}, regions=1)
    in_place = net_of(op("If", ["c", "x"], ["x"], then_net=exponential("x")), op("Copy", ["x"], ["z"]))
    both_ways(in_place, {"x": X, "c": np.array(condition)}, regions=1)


@pytest.mark.parametrize("condition", [True, False])
def test_what_is_not_named_is_read_and_written_all_the_same(condition):
    hidden = net_of(op("Mul", ["x", "w"], ["y"]), op("Add", ["w", "w"], ["w"]))
    net = net_of(
        op("Exp", ["x"], ["w"]),
        op("If", ["c"], [], then_net=hidden, else_net=negative()),
        op("Mul", ["y", "w"], ["z"]),
        op("Negative", ["x"], ["x"]),
    )
    feeds = {"x": X, "y": Y, "c": np.array(condition)}
    both_ways(net, feeds, regions=1)


@pytest.mark.parametrize("conditions", [(a, b) for a in (True, False) for b in (True, False)])
def test_branches_with_scopes_in_branches(conditions):
    net, outer, inner = core.Net("outermost"), core.Net("outer"), core.Net("inner")
    net.AddExternalInput("c", "d", "x", "y")
    inner.Exp("local", "deeper")
    inner.Mul(["deeper", "x"], "y")
    outer.Add(["x", "y"], "local")
    outer.Negative("local", "y")
    add_if_op(outer, "d", ["x", "y", "local", "d"], inner)
    add_if_op(net, "c", ["x", "y", "d"], outer)
    net.Mul(["x", "y"], "z")
    c, d = conditions
    workspace = both_ways(net, {"c": np.array(c), "d": np.array(d), "x": X, "y": Y}, regions=1)
    local = X + Y
    y = (np.exp(local) * X if d else -local) if c else Y
    np.testing.assert_allclose(workspace["z"], X * y, rtol=1e-6)
    assert not {"local", "deeper"} & set(workspace.names())


@pytest.mark.parametrize("condition", [True, False])
def test_what_a_branch_computes_on_its_way(condition):
    on_the_way = net_of(op("Exp", ["x"], ["t"]), op("Mul", ["t", "x"], ["y"]))
    net = net_of(op("If", ["c", "x"], ["y"], then_net=on_the_way, else_net=negative()), op("Copy", ["y"], ["z"]))
    workspace = both_ways(net, {"c": np.array(condition), "x": X}, regions=1)
    np.testing.assert_allclose(workspace["t"], np.exp(X) if condition else [0, 0], rtol=1e-6)


@pytest.mark.parametrize("fed", ["before", "between", "after"])
def test_what_a_branch_computes_on_its_way_overwrites_nothing_of_the_users(fed):
    on_the_way = net_of(op("Exp", ["x"], ["t"]), op("Mul", ["t", "x"], ["y"]))
    net = net_of(op("If", ["c", "x"], ["y"], then_net=on_the_way, else_net=negative()))
    workspace = Workspace()
    feeds = {"c": np.array(False), "x": X, "t": Y} if fed == "before" else {"c": np.array(False), "x": X}
    for name, value in feeds.items():
        workspace.feed(name, value)
    executable = workspace.executable(net)
    if fed == "between":
        workspace.feed("t", Y)
    executable.run(workspace.blobs)
    if fed == "after":
        np.testing.assert_array_equal(workspace["t"], [0, 0])
        workspace.feed("c", np.array(True))
        executable.run(workspace.blobs)
        np.testing.assert_allclose(workspace["t"], np.exp(X), rtol=1e-6)
    else:
        np.testing.assert_array_equal(workspace["t"], Y)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_what_a_round_computes_on_its_way(rounds):
    body = net_of(
        op("Mul", ["x", "w"], ["t"]),
        op("Tanh", ["t"], ["x"]),
        op("If", ["early", "x"], ["x"], then_net=net_of(op("Exp", ["x"], ["u"]), op("Add", ["u", "x"], ["x"]))),
        op("Add", ["i", "one"], ["i"]),
    )
    test = net_of(op("Copy", ["n"], ["last"]), op("LT", ["i", "last"], ["c"]))
    net = net_of(
        op("While", ["c", "x", "w", "i", "one", "n", "early"], ["x", "i"], loop_net=body, cond_net=test),
        op("Copy", ["x"], ["z"]),
    )
    feeds = {"c": np.array([True]), "x": X, "w": Y, "i": np.int64([0]), "one": np.int64([1]),
             "n": np.int64([rounds]), "early": np.array(True)}  # fmt: skip
    workspace = both_ways(net, feeds, regions=1)
    x = X
    for _ in range(rounds):
        x = np.tanh(x * Y)
        x = np.exp(x) + x
    np.testing.assert_allclose(workspace["z"], x, rtol=1e-5)


def counting(net, body, known):
    test = core.Net("test")
    body.Add(["i", "one"], ["i"])
    test.LT(["i", "n"], ["c"])
    add_while_op(net, "c", [*known, "i", "n", "one"], body, test)


@pytest.mark.parametrize("rounds", [0, 1, 5])
@pytest.mark.parametrize("condition", [True, False])
def test_a_while_does_not_cut_the_net(rounds, condition):
    net, body = core.Net("outer"), core.Net("body")
    net.AddExternalInput("a", "w", "i", "one", "n", "c")
    net.Add(["a", "a"], "x")
    body.Mul(["x", "w"], "moved")
    body.Tanh("moved", "x")
    counting(net, body, ["x", "w"])
    net.Negative("x", "z")
    feeds = {"a": X, "w": Y, "i": np.int64([0]), "one": np.int64([1]), "n": np.int64([rounds]),
             "c": np.array([condition])}  # fmt: skip
    workspace = both_ways(net, feeds, regions=1)
    x = 2 * X
    for _ in range(rounds):
        x = np.tanh(x * Y)
    np.testing.assert_allclose(workspace["z"], -x, rtol=1e-5)
    assert workspace["i"] == rounds
    assert "moved" not in workspace


@pytest.mark.parametrize("go", [True, False])
def test_a_while_without_a_condition_net(go):
    body = net_of(op("Add", ["i", "one"], ["i"]), op("LT", ["i", "n"], ["c"]))
    net = net_of(op("While", ["c", "i", "one", "n"], ["i", "c"], loop_net=body), op("Copy", ["i"], ["after"]))
    feeds = {"c": np.array([go]), "i": np.int64([0]), "one": np.int64([1]), "n": np.int64([4])}
    assert both_ways(net, feeds, regions=1)["after"] == (4 if go else 0)


def test_an_if_in_a_while_in_a_while_built_by_blocks():
    with NetBuilder(_use_control_ops=True) as builder:
        for name, value in {"i": 0, "j": 0, "total": 0, "odd": False}.items():
            ops.Const(value, blob_out=name)
        with ops.WhileNet():
            with ops.Condition():
                ops.Add(["i", ops.Const(1)], "i")
                ops.LE(["i", ops.Const(4)])
            ops.Const(0, blob_out="j")
            with ops.WhileNet():
                with ops.Condition():
                    ops.LT(["j", "i"])
                ops.Copy(ops.Not("odd"), "odd")
                with ops.IfNet("odd"):
                    ops.Add(["total", "i"], "total")
                with ops.Else():
                    ops.Add(["total", "j"], "total")
                ops.Add(["j", ops.Const(1)], "j")
    (net,) = builder.get()
    total, odd = 0, False
    for i in range(1, 5):
        for j in range(i):
            odd = not odd
            total += i if odd else j
    assert both_ways(net, {}, regions=1)["total"] == total


@pytest.mark.parametrize("conditions", [(a, b) for a in (True, False) for b in (True, False)])
def test_an_if_is_compiled_together_with_its_gradient(conditions):
    """Nested ones too: what a branch computed goes to its way back, and is no blob."""
    net, yes, no, deep = core.Net("outer"), core.Net("yes"), core.Net("no"), core.Net("deep")
    net.AddExternalInput("c", "d", "x", "w")
    deep.Mul(["base", "local"], "deeper")
    deep.Tanh("deeper", "y")
    yes.Mul(["x", "w"], "local")
    yes.Exp("local", "base")
    yes.Copy("base", "y")
    add_if_op(yes, "d", ["y"], deep)
    no.Mul(["x", "x"], "y")
    add_if_op(net, "c", ["y"], yes, no)
    net.Mul(["y", "x"], "z")
    gradients = net.AddGradientOperators(["z"])
    c, d = conditions
    workspace = both_ways(net, {"c": np.array(c), "d": np.array(d), "x": X, "w": Y}, regions=2)
    assert not any("\0" in name or "local" in name for name in workspace.names())
    # dz/dw, by the chain rule
    y, dy = (np.exp(X * Y), np.exp(X * Y) * X) if c else (X * X, 0 * X)
    if c and d:
        dy = (1 - np.tanh(y * X * Y) ** 2) * (dy * X * Y + y * X)
    np.testing.assert_allclose(workspace[str(gradients["w"])], dy * X, rtol=1e-4)


def test_a_net_cut_between_an_if_and_its_gradient_runs_both_on_the_host():
    net, yes = core.Net("outer"), core.Net("yes")
    net.AddExternalInput("c", "x")
    yes.Exp("x", "local")
    yes.Mul(["local", "local"], "y")
    add_if_op(net, "c", ["y"], yes, yes)
    net.Python(lambda inputs, outputs: outputs[0].feed(3 * inputs[0].data),
               lambda inputs, outputs: outputs[0].feed(3 * inputs[2].data))("y", "z")  # fmt: skip
    gradients = net.AddGradientOperators(["z"])
    workspace = both_ways(net, {"c": np.array(True), "x": X}, regions=0, compiled=None)
    np.testing.assert_allclose(workspace[str(gradients["x"])], 6 * np.exp(2 * X), rtol=1e-5)


def test_a_loop_that_a_gradient_goes_back_through_stays_on_the_host():
    net, body = core.Net("outer"), core.Net("body")
    net.AddExternalInput("x", "w", "i", "one", "n", "c")
    body.Mul(["x", "w"], "x")
    counting(net, body, ["x"])
    gradients = net.AddGradientOperators(["x"])
    feeds = {"x": X, "w": Y, "i": np.int64([0]), "one": np.int64([1]), "n": np.int64([3]), "c": np.array([True])}
    workspace = both_ways(net, feeds, regions=0, compiled=None)
    np.testing.assert_allclose(workspace[str(gradients["x"])], Y**3, rtol=1e-6)


def test_scopes_that_somebody_asks_for_stay_on_the_host():
    net, yes = core.Net("outer"), core.Net("yes")
    net.AddExternalInput("c", "x")
    yes.Exp("x", "y")
    add_if_op(net, "c", ["y"], yes, yes)
    both_ways(net, {"c": np.array(True), "x": X}, regions=1)
    net.HasScope(net.Proto().op[0].output[0], "entered")
    workspace, executable = run_net(net, {"c": np.array(True), "x": X})
    assert [step.kind for step in executable.steps] == ["host", "host", "host"]
    assert workspace["entered"]


@pytest.mark.parametrize("condition", [True, False])
def test_without_scopes_the_gradient_is_compiled_too(condition):
    net, yes, no = core.Net("outer"), core.Net("yes"), core.Net("no")
    net.AddExternalInput("c", "x", "w")
    yes.Mul(["x", "w"], "y")
    no.Negative("x", "y")
    net.If(["c", "x", "w"], ["y"], then_net=yes.Proto(), else_net=no.Proto())
    gradients = net.AddGradientOperators(["y"])
    workspace = both_ways(net, {"c": np.array(condition), "x": X, "w": Y}, regions=2)
    np.testing.assert_allclose(workspace[str(gradients["x"])], Y if condition else [-1, -1])
    np.testing.assert_allclose(workspace[str(gradients["w"])], X if condition else [0, 0])


def test_a_nested_scope_that_a_gradient_outside_needs():
    """Without scopes around it, the nested one is a blob like any other, and used outside."""
    net, yes, inner = core.Net("outer"), core.Net("yes"), core.Net("inner")
    net.AddExternalInput("c", "x", "w")
    inner.Mul(["x", "w"], "local")
    inner.Mul(["local", "x"], "y")
    add_if_op(yes, "c", ["y"], inner, inner)
    net.If(["c", "x", "w"], ["y"], then_net=yes.Proto(), else_net=yes.Proto())
    gradients = net.AddGradientOperators(["y"])
    workspace = both_ways(net, {"c": np.array(True), "x": X, "w": Y}, regions=0, compiled=1)
    np.testing.assert_allclose(workspace[str(gradients["w"])], X * X)
    np.testing.assert_allclose(workspace[str(gradients["x"])], 2 * X * Y)


HOST = {
    "a host operator": op("Print", ["x"], []),
    "a random operator": op("Dropout", ["x"], ["x2", "mask"], ratio=0.5, is_test=0),
    "a shape from values": op("Reshape", ["x", "shape"], ["x2", "old"]),
    "much data": op("GivenTensorFill", [], ["x2"], shape=[2000], values=[0.0] * 2000),
    "text": op("GivenTensorStringFill", [], ["x2"], shape=[1], values=[b"a"]),
}


@pytest.mark.parametrize("word", HOST)
def test_what_is_left_to_the_host(word, capfd):
    inside = net_of(HOST[word], *exponential().op)
    net = net_of(op("Add", ["a", "a"], ["x"]), op("If", ["c", "x"], ["y"], then_net=inside))
    workspace, executable = run_net(net, {"a": X, "c": np.array(True), "shape": np.int64([2, 1])})
    assert [step.kind for step in executable.steps] == ["compiled", "host"]
    np.testing.assert_allclose(workspace["y"], np.exp(2 * X), rtol=1e-6)


def test_a_loop_that_never_changes_its_condition_is_left_to_the_host():
    loop = op("While", ["c", "x"], ["x"], loop_net=exponential("x"))
    graph = read(net_of(loop))
    assert with_regions(graph, lambda name: False).nodes == graph.nodes
    assert run_net(net_of(loop), {"c": np.array(False), "x": X})[0]["x"].tolist() == X.tolist()


def test_sizes_that_are_known_inside_cut_nothing():
    inside = net_of(op("Shape", ["x"], ["size"]), op("Reshape", ["w", "size"], ["y", "old"]))
    net = net_of(op("If", ["c", "x", "w"], ["y", "size", "old"], then_net=inside, else_net=inside))
    workspace = both_ways(net, {"c": np.array(True), "x": X, "w": Y.reshape(2, 1)}, regions=1)
    np.testing.assert_array_equal(workspace["y"], Y)


def test_nets_that_differ_in_names_only_are_compiled_once():
    def build(name):
        net, body = core.Net(name), core.Net("body")
        net.AddExternalInput("x", "w", "i", "one", "n", "c")
        body.Mul(["x", "w"], f"{name}_local")
        body.Tanh(f"{name}_local", "x")
        counting(net, body, ["x"])
        net.Exp("x", "y")
        return net

    feeds = {"x": X, "w": Y, "i": np.int64([0]), "one": np.int64([1]), "n": np.int64([3]), "c": np.array([True])}
    run_net(build("first"), feeds)
    before = statistics.count
    run_net(build("second"), feeds)
    assert statistics.count == before
    other = build("third")
    other.Proto().op[-2].arg[0].n.op[0].arg[0].n.op[1].type = "Sigmoid"
    workspace, _ = run_net(other, feeds)
    assert statistics.count > before
    x = X
    for _ in range(3):
        x = 1 / (1 + np.exp(-(x * Y)))
    np.testing.assert_allclose(workspace["x"], x, rtol=1e-5)


def test_many_runs_of_one_net():
    with NetBuilder(_use_control_ops=True, initial_scope=["n", "x"]) as builder:
        with ops.IfNet(ops.GT(["n", ops.Const(2)])):
            ops.Negative("x", "x")
        ops.Add(["n", ops.Const(1)], "n")
    (net,) = builder.get()
    workspace = Workspace()
    workspace.feed("n", np.int64(0))
    workspace.feed("x", X)
    workspace.create(net.Proto())
    workspace.run(net.Name(), 6)
    assert workspace["n"] == 6
    np.testing.assert_array_equal(workspace["x"], -X)


def test_on_the_host_each_region_is_the_operator_again():
    net = net_of(
        op("Add", ["x", "x"], ["y"]),
        op("If", ["c", "x"], ["y"], then_net=exponential()),
        op("Copy", ["y"], ["z"]),
    )
    graph = with_regions(read(net), lambda name: False)
    assert [node.host for node in graph.nodes] == [False] * 3
    assert [value.version for value in graph.nodes[1].inputs] == [0, 0, 1]
    again = on_host(reversed(graph.nodes))
    assert [node.op for node in again.nodes] == list(net.op)
    assert again.nodes[1].host
    assert again.nodes[1].holds_nets
