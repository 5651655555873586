"""Conditions on values inside of branches and loops, and what tracing refuses."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from c2lab.backend.region_nodes import Branches, Call, Loop, RegionRefused
from c2lab.backend.region_tracing import trace_region
from c2lab.errors import BadValue
from c2lab.graph.reader import read
from c2lab.operators.checks import collecting
from tests.backend.region_nets import both_ways, net_of, op, run_net

X = np.float32([1, 2, 3])


def calls(*ops):
    return tuple(Call(node, tuple(node.op.input), tuple(node.op.output)) for node in read(net_of(*ops)).nodes)


@pytest.fixture(autouse=True)
def with_64_bits():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("condition", [True, False])
def test_branches(condition):
    region = Branches(calls(op("Exp", ["x"], ["y"])), calls(op("Negative", ["x"], ["y"])), ("c", "x"), ("y",))
    (y,) = jax.jit(lambda *values: trace_region(region, values))(np.array(condition), X)
    np.testing.assert_allclose(y, np.exp(X) if condition else -X, rtol=1e-6)


@pytest.mark.parametrize("limit", [0, 3, 100])
def test_loops(limit):
    body, test = calls(op("Add", ["x", "x"], ["x"])), calls(op("LT", ["x", "limit"], ["c"]))
    region = Loop(body, test, ("c", "x", "limit"), ("c", "x"))
    x, limit_ = np.float32(1), np.float32(limit)
    _, found = jax.jit(lambda *values: trace_region(region, values))(np.array(False), x, limit_)
    while x < limit:
        x = x + x
    assert found == x


def test_what_is_refused():
    different = Branches(calls(op("Exp", ["x"], ["y"])), calls(op("SumElements", ["x"], ["y"])), ("c", "x"), ("y",))
    types = Branches(calls(op("Exp", ["x"], ["y"])), calls(op("Cast", ["x"], ["y"], to=10)), ("c", "x"), ("y",))
    wrong = Branches(calls(op("MatMul", ["x", "x"], ["y"])), calls(op("Exp", ["x"], ["y"])), ("c", "x"), ("y",))
    doubled = op("Tile", ["x"], ["x2"], tiles=2, axis=0), op("Copy", ["x2"], ["x"]), op("IsEmpty", ["x"], ["c"])
    growing = Loop(calls(*doubled), (), ("c", "x"), ("x", "c"))
    yes = np.array(True)
    for region, values, why in (
        (different, (yes, X), "branches give different shapes or types"),
        (types, (yes, X), "branches give different shapes or types"),
        (wrong, (yes, X), "axis is 1 but A is"),
        (growing, (yes, X), "the loop changes a shape or a type"),
        (types, (np.float32(1), X), "the condition is not one bool"),
        (types, (np.array([True, True]), X), "the condition is not one bool"),
        (types, (yes, None), "an input is no tensor"),
    ):
        with pytest.raises(RegionRefused, match=why):
            jax.eval_shape(lambda region=region, values=values: trace_region(region, values))


def test_conditions_are_handed_on_with_their_offenders():
    gather = calls(op("Gather", ["x", "rows"], ["y"]))
    region = Branches(gather, calls(op("Copy", ["x"], ["y"])), ("c", "x", "rows"), ("y",))
    collected = []

    def traced(*values):
        found = []
        with collecting(lambda ok, message, offender: found.append((ok, message, offender))):
            trace_region(region, values)
        collected[:] = [message for _, message, _ in found]
        return [(ok, offender.position, offender.value) for ok, _, offender in found]

    for condition, want in ((True, (False, 1, 7)), (False, (True, 0, 0))):
        (got,) = jax.jit(traced)(np.array(condition), X, np.int32([0, 7, 2]))
        assert tuple(int(number) for number in got) == want
    assert collected[0].startswith("Gather: INDICES element is out of DATA bounds")


GATHER = net_of(op("Gather", ["x", "rows"], ["y"]))


def branch(condition, rows):
    net = net_of(
        op("Negative", ["x"], ["z"]),
        op("If", ["c", "x", "rows"], ["y"], then_net=GATHER, else_net=net_of(op("Exp", ["x"], ["y"]))),
        name="gathers_inside",
    )
    return net, {"c": np.array(condition), "x": X, "rows": np.int32(rows)}


def test_a_branch_that_is_not_taken_demands_nothing():
    both_ways(*branch(False, [0, 7, 2]), regions=1)
    both_ways(*branch(True, [0, 1, 2]), regions=1)


def test_a_branch_that_is_taken_says_what_is_wrong():
    net, feeds = branch(True, [0, 7, 2])
    with pytest.raises(
        BadValue, match=r"^If \(operator 1 of net \"gathers_inside\"\): Gather: .*out of DATA bounds.*found 7"
    ):
        run_net(net, feeds)


def test_a_loop_ends_where_a_condition_breaks():
    body = net_of(
        op("Gather", ["x", "i"], ["row"]),
        op("Add", ["total", "row"], ["total"]),
        op("Add", ["i", "one"], ["i"]),
    )
    net = net_of(op("While", ["c", "x", "i", "one", "total", "row", "limit"], ["total", "i", "row"], loop_net=body,
                    cond_net=net_of(op("LT", ["i", "limit"], ["c"]))), name="gathers_inside")  # fmt: skip
    feeds = {"c": np.array([True]), "x": X, "i": np.int64([0]), "one": np.int64([1]), "total": np.float32([0]),
             "row": np.float32([0]), "limit": np.int64([3])}  # fmt: skip
    assert both_ways(net, feeds, regions=1)["total"] == 6
    feeds["limit"] = np.int64([10**15])
    with pytest.raises(
        BadValue, match=r"^While \(operator 0 of net \"gathers_inside\"\): Gather: .*out of DATA bounds.*found 3"
    ):
        run_net(net, feeds)
