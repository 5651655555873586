"""Gradients through nets inside operators, against finite differences of formulas in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import NoGradient, UnsafeInplace
from c2lab.nets.branches import add_if_op, add_while_op
from c2lab.operators.gradients import make_gradient
from c2lab.operators.subnet_gradients import dedupe_g_output
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.slopes import slope

X, Y, W = np.float32([0.5, -1.25]), np.float32([1.5, 0.75]), np.float32([1.25, -0.5])


def net_with(*external, name="outer"):
    net = core.Net(name)
    net.AddExternalInput(*external)
    return net


def check(net, formula, feeds, by, loss="loss"):
    """Runs a net with the gradients of its loss; each gradient must be that of ``formula(*feeds)``."""
    gradients = net.AddGradientOperators([loss])
    workspace = Workspace()
    for name, value in feeds.items():
        workspace.feed(name, value)
    for _ in range(2):  # the second run must find nothing that the first one left
        for name, value in feeds.items():
            workspace.feed(name, value)
        workspace.run_once(net.Proto())
        np.testing.assert_allclose(workspace[loss], formula(*feeds.values()), rtol=1e-5)
        for name in by:
            want = slope(formula, list(feeds.values()), list(feeds).index(name), 1.0)
            np.testing.assert_allclose(workspace[str(gradients[name])], want, rtol=1e-4, atol=1e-5, err_msg=name)
    return workspace, gradients


# ---- If --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [True, False])
def test_each_branch_has_parameters_of_its_own(condition):
    net = net_with("c", "x", "w", "y")
    yes, no = core.Net("yes"), core.Net("no")
    yes.Mul(["x", "w"], ["local"])
    yes.Exp(["local"], ["out"])
    no.Mul(["y", "x"], ["local"])
    no.Mul(["local", "x"], ["out"])
    add_if_op(net, "c", ["x", "y", "w", "out"], yes, no)
    net.SumElements("out", "loss")

    def formula(c, x, w, y):
        return np.sum(np.exp(x * w) if c else y * x * x)

    workspace, gradients = check(net, formula, {"c": np.array(condition), "x": X, "w": W, "y": Y}, ["x", "w", "y"])
    assert "c" not in gradients
    assert "local" not in workspace


@pytest.mark.parametrize("condition", [True, False])
@pytest.mark.parametrize("reads_it", [True, False])
def test_without_else_what_is_written_keeps_its_value_and_gradient(condition, reads_it):
    net = net_with("c", "x", "w")
    net.Mul(["x", "x"], ["y"])
    yes = core.Net("yes")
    yes.Mul(["y", "w"] if reads_it else ["x", "w"], ["y"])
    add_if_op(net, "c", ["x", "y", "w"], yes)
    net.Mul(["y", "x"], ["z"])
    net.SumElements("z", "loss")

    def formula(c, x, w):
        return np.sum((x * x * w if reads_it else x * w) * x if c else x * x * x)

    check(net, formula, {"c": np.array(condition), "x": X, "w": W}, ["x", "w"])


@pytest.mark.parametrize("condition", [True, False])
def test_branches_without_scopes(condition):
    net = net_with("c", "x", "w")
    yes, no = core.Net("yes"), core.Net("no")
    yes.Mul(["x", "w"], ["out"])
    no.Mul(["x", "x"], ["out"])
    net.If(["c", "x", "w"], ["out"], then_net=yes.Proto(), else_net=no.Proto())
    # Further readers: their gradients are summed with the one of the If.
    net.Mul(["out", "x"], ["z"])
    net.Mul(["z", "x"], ["u"])
    net.SumElements("u", "loss")

    def formula(c, x, w):
        return np.sum((x * w if c else x * x) * x * x)

    check(net, formula, {"c": np.array(condition), "x": X, "w": W}, ["x", "w"])


@pytest.mark.parametrize("conditions", [(a, b) for a in (True, False) for b in (True, False)])
def test_branches_in_branches_and_one_after_the_other(conditions):
    net = net_with("c", "d", "x", "w")
    net.Mul(["x", "x"], ["y"])
    known = ["c", "d", "x", "w", "y"]
    for _ in range(2):
        inner, deep = core.Net("inner"), core.Net("deep")
        deep.Mul(["y", "x"], ["y"])
        inner.Mul(["y", "w"], ["y"])
        add_if_op(inner, "d", [*known, "local"], deep)
        add_if_op(net, "c", known, inner)
    net.SumElements("y", "loss")

    def formula(c, d, x, w):
        y = x * x
        for _ in range(2):
            if c:
                y = y * w
                y = y * x if d else y
        return np.sum(y)

    c, d = conditions
    check(net, formula, {"c": np.array(c), "d": np.array(d), "x": X, "w": W}, ["x", "w"])


@pytest.mark.parametrize("condition", [True, False])
def test_rows_of_a_table(condition):
    table, rows = np.float32([[1, 2], [3, 4], [5, 6]]), np.int32([2, 0, 2])
    net = net_with("c", "table", "rows")
    yes, no = core.Net("yes"), core.Net("no")
    yes.Gather(["table", "rows"], ["taken"])
    yes.Mul(["taken", "taken"], ["out"])
    no.Mul(["table", "table"], ["out"])
    add_if_op(net, "c", ["table", "rows", "out"], yes, no)
    net.SumElements("out", "loss")

    def formula(c, table, rows):
        return np.sum(table[rows] ** 2 if c else table**2)

    check(net, formula, {"c": np.array(condition), "table": table, "rows": rows}, ["table"])


def test_training_through_an_if():
    rng = np.random.default_rng(0)
    net = net_with("c", "x", "target", "a", "b", "rate", "one")
    yes, no, bias = core.Net("yes"), core.Net("no"), np.zeros(1, np.float32)
    net.AddExternalInput("bias")
    yes.FC(["x", "a", "bias"], ["found"])
    no.FC(["x", "b", "bias"], ["found"])
    add_if_op(net, "c", ["found"], yes, no)
    net.SquaredL2Distance(["found", "target"], ["distance"])
    net.AveragedLoss(["distance"], ["loss"])
    gradients = net.AddGradientOperators(["loss"])
    for name in ("a", "b"):
        net.WeightedSum([name, "one", gradients[name], "rate"], [name])
    workspace = Workspace()
    true = {"a": np.float32([[2, 1.5]]), "b": np.float32([[7, 3.5]])}
    feeds = {"a": np.zeros((1, 2), np.float32), "b": np.zeros((1, 2), np.float32), "bias": bias,
             "one": np.float32([1]), "rate": np.float32([-0.2])}  # fmt: skip
    for name, value in {**feeds, "c": np.array([True]), "x": np.zeros((32, 2), np.float32),
                        "target": np.zeros((32, 1), np.float32)}.items():  # fmt: skip
        workspace.feed(name, value)
    workspace.create(net.Proto())
    for round_ in range(100):
        x = rng.normal(size=(32, 2)).astype(np.float32)
        workspace.feed("c", np.array([round_ % 2 == 0]))
        workspace.feed("x", x)
        workspace.feed("target", x @ true["a" if round_ % 2 == 0 else "b"].T)
        workspace.run(net.Name())
    for name, value in true.items():
        np.testing.assert_allclose(workspace[name], value, rtol=1e-2)


# ---- While -----------------------------------------------------------------------------------------

COUNT = {"i": np.int64([0]), "one": np.int64([1])}


def add_loop(net, body, known, *, counted=True):
    """A loop of ``n`` rounds, counted by its body, asked by a net of its own."""
    if counted:
        body.Add(["i", "one"], ["i"])
    test = core.Net("test")
    test.LT(["i", "n"], ["c"])
    add_while_op(net, "c", [*known, "i", "n", "one"], body, test)


@pytest.mark.parametrize("rounds", [0, 1, 2, 5])
def test_a_blob_that_each_round_changes_and_one_that_it_reads(rounds):
    net = net_with("x", "w", "i", "one", "n", "c")
    body = core.Net("body")
    body.Mul(["x", "w"], ["moved"])
    body.Tanh(["moved"], ["x"])
    add_loop(net, body, ["x", "w"])
    net.Mul(["x", "w"], ["y"])
    net.SumElements("y", "loss")

    def formula(x, w, i, one, n, c):
        for _ in range(int(n[0])):
            x = np.tanh(x * w)
        return np.sum(x * w)

    feeds = {"x": X, "w": W, **COUNT, "n": np.int64([rounds]), "c": np.array([True])}
    workspace, _ = check(net, formula, feeds, ["x", "w"])
    assert workspace["i"] == rounds


@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_what_is_read_goes_over_to_other_blobs(rounds):
    """The gradient reaches x and w only through blobs that have none after the last round."""
    net = net_with("x", "w", "total", "i", "one", "n", "c")
    body = core.Net("body")
    body.Add(["total", "x"], ["total"])
    body.Mul(["x", "w"], ["x"])
    add_loop(net, body, ["x", "total"])
    net.SumElements("total", "loss")

    def formula(x, w, total, i, one, n, c):
        for _ in range(int(n[0])):
            total = total + x
            x = x * w
        return np.sum(total)

    feeds = {"x": X, "w": W, "total": Y, **COUNT, "n": np.int64([rounds]), "c": np.array([True])}
    check(net, formula, feeds, ["x", "w", "total"])


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_what_is_written_without_being_read(rounds):
    net = net_with("x", "w", "y", "i", "one", "n", "c")
    body = core.Net("body")
    body.Mul(["x", "w"], ["y"])
    add_loop(net, body, ["y"])
    net.SumElements("y", "loss")

    def formula(x, w, y, i, one, n, c):
        return np.sum(x * w if n[0] else y)

    feeds = {"x": X, "w": W, "y": Y, **COUNT, "n": np.int64([rounds]), "c": np.array([True])}
    check(net, formula, feeds, ["x", "w", "y"])


@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_an_if_in_a_while(rounds):
    net = net_with("x", "y", "w", "i", "one", "n", "c", "two")
    body, yes, no = core.Net("body"), core.Net("yes"), core.Net("no")
    body.LT(["i", "two"], ["early"])
    body.Mul(["x", "w"], ["local"])
    yes.Mul(["local", "y"], ["y"])
    no.Mul(["x", "local"], ["x"])
    add_if_op(body, "early", ["x", "y", "local"], yes, no)
    add_loop(net, body, ["x", "y"])
    net.Mul(["x", "y"], ["z"])
    net.SumElements("z", "loss")

    def formula(x, y, w, i, one, n, c, two):
        for k in range(int(n[0])):
            local = x * w
            if k < 2:
                y = local * y
            else:
                x = x * local
        return np.sum(x * y)

    feeds = {"x": X, "y": Y, "w": W, **COUNT, "n": np.int64([rounds]), "c": np.array([True]), "two": np.int64([2])}
    check(net, formula, feeds, ["x", "y", "w"])


@pytest.mark.parametrize("rounds", [(0, 2), (2, 0), (2, 3)])
def test_a_while_in_a_while(rounds):
    outer, inner = rounds
    net = net_with("x", "w", "i", "one", "n", "c", "zero", "m")
    body, deep, test = core.Net("body"), core.Net("deep"), core.Net("deep_test")
    body.Copy(["zero"], ["j"])
    body.Mul(["x", "w"], ["x"])
    deep.Sin(["x"], ["sine"])
    deep.Copy(["sine"], ["x"])
    deep.Add(["j", "one"], ["j"])
    test.LT(["j", "m"], ["more"])
    body.LT(["j", "m"], ["more"])
    add_while_op(body, "more", ["x", "j", "one", "m"], deep, test)
    add_loop(net, body, ["x"])
    net.SumElements("x", "loss")

    def formula(x, w, i, one, n, c, zero, m):
        for _ in range(outer):
            x = x * w
            for _ in range(inner):
                x = np.sin(x)
        return np.sum(x)

    feeds = {"x": X, "w": W, **COUNT, "n": np.int64([outer]), "c": np.array([True]), "zero": np.int64([0]),
             "m": np.int64([inner])}  # fmt: skip
    check(net, formula, feeds, ["x", "w"])


# ---- Do --------------------------------------------------------------------------------------------


def test_a_scope_keeps_what_is_overwritten_later():
    net, inside = net_with("x", "w"), core.Net("inside")
    inside.Mul(["a", "b"], ["p"])
    inside.Mul(["p", "a"], ["a"])
    net.CreateScope([], ["scopes"])
    net.Do(["x", "w", "scopes"], ["x", "scopes"], net=inside.Proto(), inner_blobs=["a", "b"], outer_blobs_idx=[0, 1])
    net.SumElements("x", "loss")
    net.Copy("loss", "kept")

    def formula(x, w):
        return np.sum(x * x * w)

    check(net, formula, {"x": X, "w": W}, ["x", "w"])


def test_one_gradient_at_two_outputs_is_copied():
    op = caffe2_pb2.OperatorDef(type="Do", output=["a", "b", "c", "scopes"])
    copies, gradients = dedupe_g_output(op, ["g", "g", "h", None])
    assert [(copy.type, list(copy.input)) for copy in copies] == [("Copy", ["g"])]
    assert gradients[0] == "g"
    assert gradients[1] == copies[0].output[0] != "g"
    assert gradients[2:] == ["h", None]


# ---- the operators that are made -------------------------------------------------------------------


def test_a_gradient_maker_of_the_users_holds_inside_too():
    @core.GradientRegistry.RegisterGradient("Negative")
    def ten_times(op, g_output):
        return [core.CreateOperator("Scale", g_output, [f"{op.input[0]}_grad"], scale=10.0)], [f"{op.input[0]}_grad"]

    try:
        net, yes = net_with("c", "x"), core.Net("yes")
        yes.Negative(["x"], ["y"])
        add_if_op(net, "c", ["y"], yes, yes)
        gradients = net.AddGradientOperators(["y"])
    finally:
        del core.GradientRegistry.gradient_registry_["Negative"]
    workspace = Workspace()
    workspace.feed("c", np.array(True))
    workspace.feed("x", X)
    workspace.run_once(net.Proto())
    np.testing.assert_allclose(workspace[str(gradients["x"])], [10, 10])


def test_gradients_that_do_not_exist_say_why():
    def gradient_of(net):
        return net.AddGradientOperators([net.Proto().op[-1].output[0]])

    net, body = net_with("c", "x", "w"), core.Net("body")
    body.Mul(["x", "w"], ["x"])
    net.While(["c", "x", "w"], ["x"], loop_net=body.Proto())
    with pytest.raises(NoGradient, match=r"must be one Do operator, .*\['Mul'\].*ops.WhileNet"):
        gradient_of(net)

    net, yes = net_with("c", "x"), core.Net("yes")
    yes.Exp(["x"], ["y"])
    net.If(["c", "x"], ["y"], then_net=yes.Proto())
    with pytest.raises(NoGradient, match=r"gradient of If flows to y, which else_net reads, or leaves as it was"):
        gradient_of(net)

    net, yes = net_with("c", "x"), core.Net("yes")
    yes.Exp(["x"], ["y"])
    yes.Not(["c"], ["c"])
    net.If(["c", "x", "y"], ["y", "c"], then_net=yes.Proto())
    net.Copy("y", "z")
    with pytest.raises(NoGradient, match="overwrite its condition c, so the way back cannot tell which one ran"):
        gradient_of(net)

    net, body, test = net_with("c", "x"), core.Net("body"), core.Net("test")
    body.Exp(["x"], ["x"])
    test.Exp(["x"], ["x"])
    add_while_op(net, "c", ["x"], body, test)
    net.Copy("x", "z")
    with pytest.raises(NoGradient, match="condition's net of While writes x, whose gradient flows through the loop"):
        gradient_of(net)

    net, body = net_with("c", "x", "w"), core.Net("body")
    body.Mul(["x", "w"], ["x"])
    body.Exp(["x"], ["y"])
    body.Mul(["x", "y"], ["x"])
    add_while_op(net, "c", ["x"], body)
    net.Copy("x", "z")
    with pytest.raises(UnsafeInplace, match=r'operator 2 of net "body_\d+", .*needs input "x"'):
        gradient_of(net)

    op = core.CreateOperator("Do", ["x", "scopes"], ["y", "scopes"], net=body.Proto(), reuse_workspace=True)
    with pytest.raises(NoGradient, match="reuse_workspace keeps no scope for a gradient"):
        make_gradient(op, ["g", None])
    op = core.CreateOperator("If", ["c", "x"], ["y"], then_net=body.Proto())
    with pytest.raises(NoGradient, match="holds a net, whose gradient only a whole backward pass can make"):
        make_gradient(op, ["g"])
