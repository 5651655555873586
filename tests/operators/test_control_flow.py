"""Nets inside operators, on the blobs around them."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import C2LabError
from c2lab.operators.subnets import BoundBlobs, Scopes
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def net_of(*ops, **fields):
    net = caffe2_pb2.NetDef(**fields)
    net.op.extend(ops)
    return net


def op(type, inputs, outputs, **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.mark.parametrize("condition", [True, False])
def test_if_runs_one_branch_on_the_blobs_around_it(condition):
    workspace = Workspace()
    workspace.feed("c", np.array([condition]))
    workspace.feed("x", np.float32([1, 2]))
    double, negate = net_of(op("Add", ["x", "x"], ["y"])), net_of(op("Negative", ["x"], ["y"]))
    workspace.run_operator(op("If", ["c", "x"], ["y"], then_net=double, else_net=negate))
    np.testing.assert_array_equal(workspace["y"], [2, 4] if condition else [-1, -2])


def test_if_without_else_leaves_blobs_alone():
    workspace = Workspace()
    workspace.feed("c", np.array([False]))
    workspace.feed("y", np.float32([7]))
    workspace.run_operator(op("If", ["c"], ["y"], then_net=net_of(op("Negative", ["y"], ["y"]))))
    np.testing.assert_array_equal(workspace["y"], [7])


def test_condition_must_be_one_bool():
    workspace = Workspace()
    workspace.feed("c", np.int32([1]))
    with pytest.raises(C2LabError, match=r"condition c is int32\[1\]; it must hold one bool"):
        workspace.run_operator(op("If", ["c"], [], then_net=net_of()))


@pytest.mark.parametrize("runs", [1, 3])
def test_a_net_inside_sees_what_was_written_before_it_even_where_nothing_says_so(runs):
    workspace = Workspace()
    workspace.feed("c", np.array([True]))
    workspace.feed("x", np.float32([1]))
    inner = net_of(op("Add", ["a", "a"], ["b"]))
    workspace.create(
        net_of(
            op("Exp", ["x"], ["a"]),
            op("If", ["c"], [], then_net=inner),
            op("Negative", ["b"], ["d"]),
            op("ConstantFill", [], ["a"], shape=[1], value=0.0),
            name="hidden",
            external_output=["d"],
        ),
        input_blobs=["b"],
    )
    workspace.run("hidden", runs)
    np.testing.assert_allclose(workspace["d"], [-2 * np.e], rtol=1e-6)
    np.testing.assert_array_equal(workspace["a"], [0])


def test_while_asks_its_condition_net_before_each_round():
    workspace = Workspace()
    for name, value in {"c": np.array([False]), "i": np.int64([0]), "n": np.int64([5]), "one": np.int64([1]),
                        "s": np.int64([0])}.items():  # fmt: skip
        workspace.feed(name, value)
    condition = net_of(op("LT", ["i", "n"], ["c"]))
    body = net_of(op("Add", ["i", "one"], ["i"]), op("Add", ["s", "i"], ["s"]))
    loop = op("While", ["c", "i", "n", "one", "s"], ["c", "i", "s"], loop_net=body, cond_net=condition)
    workspace.create(net_of(loop, name="loop"))
    workspace.run("loop")
    assert workspace["s"] == 15
    workspace.run("loop")
    assert workspace["s"] == 15


def test_while_without_a_condition_net_stops_by_its_body():
    workspace = Workspace()
    for name, value in {"c": np.array([True]), "i": np.int64([0]), "n": np.int64([5]), "one": np.int64([1])}.items():
        workspace.feed(name, value)
    body = net_of(op("Add", ["i", "one"], ["i"]), op("LT", ["i", "n"], ["c"]))
    workspace.run_operator(op("While", ["c", "i", "n", "one"], ["c", "i"], loop_net=body))
    assert workspace["i"] == 5


def test_do_keeps_its_blobs_to_itself_and_goes_back_the_last_scope_first():
    workspace = Workspace()
    workspace.run_operator(op("CreateScope", [], ["scopes"]))
    forward = net_of(op("Exp", ["in"], ["local"]), op("Negative", ["local"], ["out"]))
    run = op("Do", ["x", "scopes"], ["y", "scopes"], net=forward, inner_blobs=["in", "out"], outer_blobs_idx=[0, 2])
    for value in (1.0, 2.0):
        workspace.feed("x", np.float32([value]))
        workspace.run_operator(run)
    np.testing.assert_allclose(workspace["y"], [-np.exp(2)], rtol=1e-6)
    assert "local" not in workspace
    assert "in" not in workspace
    back = op(
        "Do", ["scopes"], ["z", "scopes"], net=net_of(op("Copy", ["local"], ["found"])), inner_blobs=["found"],
        outer_blobs_idx=[1], saved_fwd_blobs=["local"],
    )  # fmt: skip
    back.is_gradient_op = True
    for value in (2.0, 1.0):
        workspace.run_operator(op("HasScope", ["scopes"], ["more"]))
        assert workspace["more"].all()
        workspace.run_operator(back)
        np.testing.assert_allclose(workspace["z"], [np.exp(value)], rtol=1e-6)
    workspace.run_operator(op("HasScope", ["scopes"], ["more"]))
    assert not workspace["more"].any()
    with pytest.raises(C2LabError, match="no scope to go back in"):
        workspace.run_operator(back)


def test_do_can_run_in_the_scope_it_left():
    workspace = Workspace()
    workspace.run_operator(op("CreateScope", [], ["scopes"]))
    workspace.feed("x", np.float32([1]))
    run = op("Do", ["x", "scopes"], ["y", "scopes"], net=net_of(op("Exp", ["in"], ["out"])), inner_blobs=["in", "out"],
             outer_blobs_idx=[0, 2], reuse_workspace=True)  # fmt: skip
    workspace.run_operator(run)
    workspace.run_operator(run)
    assert len(workspace.blobs["scopes"].entered) == 1


def test_do_refuses_bindings_that_lead_nowhere():
    workspace = Workspace()
    workspace.feed("x", np.float32([1]))
    workspace.blobs["scopes"] = Scopes()
    with pytest.raises(C2LabError, match="positions below 4"):
        workspace.run_operator(op("Do", ["x", "scopes"], ["y", "scopes"], net=net_of(), inner_blobs=["in"],
                                  outer_blobs_idx=[4]))  # fmt: skip


def test_random_fills_in_scopes_differ_from_those_around_them():
    workspace = Workspace(seed=1)
    workspace.run_operator(op("CreateScope", [], ["scopes"]))
    fill = op("UniformFill", [], ["u"], shape=[4])
    workspace.run_operator(op("Do", ["scopes"], ["y", "scopes"], net=net_of(fill), inner_blobs=["u"],
                              outer_blobs_idx=[1]))  # fmt: skip
    workspace.run_operator(fill)
    assert not np.array_equal(workspace["u"], workspace["y"])


def test_bound_blobs_lead_outside():
    outside = {"a": 1, "b": 2}
    scope = BoundBlobs({"own": 3}, outside, {"in": "a", "new": "c"})
    assert sorted(scope) == ["in", "own"]
    assert len(scope) == 2
    scope["new"] = 4
    assert outside["c"] == 4
    assert "b" not in scope
    del scope["in"]
    assert "a" not in outside
    assert "b" in BoundBlobs({}, outside, {}, sees_outside=True)


def test_free_empties_and_names_are_listed():
    workspace = Workspace()
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("Free", ["x"], ["x"]))
    with pytest.raises(C2LabError, match="empty"):
        workspace.run_operator(op("Exp", ["x"], ["y"]))
    workspace.run_operator(op("GetAllBlobNames", [], ["names"]))
    assert list(workspace["names"]) == [b"names", b"x", b"y"]
    with pytest.raises(C2LabError):
        workspace.run_operator(op("Free", ["x"], ["y"]))


def test_core_writes_nets_as_arguments():
    made = core.CreateOperator("If", ["c"], ["y"], then_net=net_of(op("Exp", ["x"], ["y"])))
    assert made.arg[0].n.op[0].type == "Exp"
