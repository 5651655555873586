import numpy as np
import pytest

from c2lab import core
from c2lab.errors import BadValue
from c2lab.operators.subnets import (
    BoundBlobs,
    Scope,
    Scopes,
    StepScopes,
    holds,
    reads_of,
    rename_blobs,
    rename_output,
    run_net,
    shelter,
    writes_of,
    written,
)
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace


def doubling():
    net = caffe2_pb2.NetDef()
    net.op.add(type="Add", input=["x", "x"], output=["y"])
    net.op.add(type="Negative", input=["y"], output=["z"])
    return net


def test_a_net_is_made_ready_once():
    workspace, state = Workspace(), {}
    for value in (1, 2):
        workspace.feed("x", np.float32([value]))
        run_net(doubling(), "then", workspace, state)
        np.testing.assert_array_equal(workspace["z"], [-2 * value])
        state.setdefault("first", state["then"])
    assert state["then"] is state["first"]
    run_net(doubling(), "else", workspace, state)
    assert state["else"] is not state["then"]


def test_what_a_net_writes():
    assert written(doubling()) == {"y", "z"}
    assert written(caffe2_pb2.NetDef()) == frozenset()


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_condition_is_one_bool(truth, shape):
    assert holds(np.full(shape, truth), "c") is truth


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.array([True, False]), r"bool\[2\]"),
        (np.zeros(0, bool), r"bool\[0\]"),
        (np.float32(1), r"float32\[\]"),
        (Scopes(), r"caffe2::detail::WorkspaceStack\[\]"),
        (None, r"NoneType\[\]"),
    ],
    ids=str,
)
def test_anything_else_is_no_condition(value, told):
    with pytest.raises(BadValue, match=f"condition c is {told}; it must hold one bool"):
        holds(value, "c")


def test_bound_names_are_read_written_and_deleted_outside():
    outside = {"a": 1, "b": 2}
    bindings = {"in": "a", "out": "c"}
    scope = BoundBlobs({"a": 10}, outside, bindings)
    assert (scope["in"], scope["a"]) == (1, 10)
    scope["out"], scope["local"] = 3, 4
    assert outside == {"a": 1, "b": 2, "c": 3}
    assert scope.own == {"a": 10, "local": 4}
    assert list(scope) == ["a", "in", "local", "out"]
    del scope["out"], scope["local"]
    assert "c" not in outside
    assert list(scope) == ["a", "in"]
    assert len(scope) == 2
    with pytest.raises(KeyError):
        scope["b"]
    bindings["b"] = "b"
    assert "b" not in scope


def test_a_scope_that_sees_outside_still_writes_inside():
    outside = {"a": 1, "b": 2}
    scope = BoundBlobs({}, outside, {}, sees_outside=True)
    assert dict(scope) == outside
    scope["a"] = 5
    assert scope["a"] == 5
    assert outside["a"] == 1
    del scope["a"]
    assert scope["a"] == 1


def test_shelter_copies_what_would_be_written_over():
    around = np.float32([1, 2])
    outside = {"w": around, "kept": around, "opaque": Scopes(), "bound": around, "mine": around}
    scope = BoundBlobs({"mine": 0}, outside, {"bound": "bound"}, sees_outside=True)
    shelter(frozenset({"w", "opaque", "bound", "mine", "absent"}), scope)
    assert sorted(scope.own) == ["mine", "opaque", "w"]
    assert scope["opaque"] is outside["opaque"]
    assert scope["mine"] == 0
    scope["w"][:] = 7
    np.testing.assert_array_equal(around, [1, 2])


def test_scopes_begin_empty_and_apart():
    first, second = Scopes(), Scopes()
    first.entered.append(BoundBlobs({}, {}, {}))
    assert second.entered == []
    steps = StepScopes()
    assert (steps.steps, steps.states) == ([], {})


def test_an_output_is_renamed_wherever_it_is_written():
    yes, no = core.Net("yes"), core.Net("no")
    yes.Copy("g", "made")
    no.Copy("made", "between")  # what was there before
    no.Copy("between", "made")
    no.Scale("made", "made", scale=2.0)
    op = core.CreateOperator("If", ["c", "g"], ["made"], then_net=yes.Proto(), else_net=no.Proto())
    rename_output(op, 0, "new")
    nets = {argument.name: argument.n for argument in op.arg}
    assert list(op.output) == ["new"]
    assert list(nets["then_net"].op[0].output) == ["new"]
    inside = [(list(inner.input), list(inner.output)) for inner in nets["else_net"].op]
    assert inside == [(["made"], ["between"]), (["between"], ["new"]), (["new"], ["new"])]


def nested():
    inside, outer = core.Net("inside"), core.Net("outer")
    inside.Add(["x", "hidden"], ["made"])
    inside.Negative("made", "made")
    outer.Exp("given", "x")
    outer.If(["c", "x"], ["made"], then_net=inside.Proto())
    outer.Copy("made", "after")
    return outer.Proto()


def test_what_a_net_reads_and_writes_counts_the_nets_in_it():
    assert reads_of(nested()) == {"given", "c", "hidden"}
    assert writes_of(nested()) == {"x", "made", "after"}


def test_blobs_are_renamed_in_the_nets_inside_too():
    op = nested().op[1]
    rename_blobs(op, {"x": "x2", "made": "made2"})
    assert (list(op.input), list(op.output)) == (["c", "x2"], ["made2"])
    inside = op.arg[0].n
    assert [list(inner.input) for inner in inside.op] == [["x2", "hidden"], ["made2"]]
    assert [list(inner.output) for inner in inside.op] == [["made2"], ["made2"]]


def test_a_scope_knows_what_its_bound_blobs_held():
    outside = {"x": 1, "y": 2}
    scope = Scope({}, outside, {"in": "x", "out": "y", "later": "z"})
    outside["x"] = 7
    assert scope.first == {"in": 1, "out": 2}
    assert scope.bound_values() == {"in": 7, "out": 2}
