"""Copies of nets: whole, in part, renamed."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.nets.branches import add_if_op, add_while_op
from c2lab.nets.cloning import clone_and_bind_net, control_op_remap
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


@pytest.fixture
def net():
    net = core.Net("whole")
    net.Relu("x", "h")
    net.Relu("h", "y")
    net.Relu("h", "z")
    net.AddExternalOutput("y")
    return net


def wiring(net):
    return [f"{' '.join(op.input)} -> {' '.join(op.output)}" for op in net.Proto().op]


def test_a_clone_is_a_copy_with_a_name_of_its_own(net):
    clone = net.Clone("copy")
    assert clone.Name() != net.Name()
    assert wiring(clone) == wiring(net)
    clone.Relu("y", "more")
    assert len(net.Proto().op) == 3


def test_blobs_can_be_renamed(net):
    clone = net.Clone("copy", blob_remap={"x": "in", core.BlobReference("y"): core.BlobReference("out")})
    assert wiring(clone) == ["in -> h", "h -> out", "h -> z"]
    assert list(clone.Proto().external_input) == ["in"]
    assert list(clone.Proto().external_output) == ["out"]


def test_some_operators_can_be_copied_and_the_ends_found_anew(net):
    clone = net.Clone("copy", op_id_mask=[1, 2], update_external_list=True)
    assert wiring(clone) == ["h -> y", "h -> z"]
    assert list(clone.Proto().external_input) == ["h"]
    assert list(clone.Proto().external_output) == ["y", "z"]


def test_attributes_go_along_but_are_not_shared(net):
    net.add_attribute("notes", 1)
    clone = net.Clone("copy")
    clone.add_attribute("notes", 2)
    assert clone.get_attributes("notes") == [1, 2]
    assert net.get_attributes("notes") == [1]
    assert net.get_attributes("none") == []


def test_nets_in_arguments_are_renamed_too():
    inner = caffe2_pb2.NetDef(op=[core.CreateOperator("Relu", "x", "y")], external_input=["x"], external_output=["y"])
    net = core.Net("outer")
    for kind, name in (("If", "then_net"), ("While", "loop_net"), ("RecurrentNetwork", "step_net")):
        op = core.CreateOperator(kind, ["x"], ["y"], arg=[make_argument(name, inner)])
        net.extend_ops([op])
    net.Proto().op[2].arg.extend([make_argument("link_external", ["x", "other"]), make_argument("timestep", "y")])
    clone = net.Clone("copy", {"x": "in", "y": "out"})
    for op in clone.Proto().op:
        (step,) = op.arg[0].n.op
        assert (step.input[0], step.output[0]) == ("in", "out")
        assert list(op.arg[0].n.external_input) == ["in"]
    links, timestep = clone.Proto().op[2].arg[1:]
    assert list(links.strings) == [b"in", b"other"]
    assert timestep.s == b"out"


def test_own_remap_functions_are_called(net):
    asked = []
    net.Clone("copy", {"x": "in"}, remap_funcs={"Relu": lambda op, prefix, names: asked.append((prefix, dict(names)))})
    assert asked == [("copy/", {"x": "in"})] * 3


def test_partial_clones_compute_what_is_asked(net):
    clone, outputs = net.ClonePartial("part", ["h"], ["y"])
    assert wiring(clone) == ["h -> part/y"]
    assert outputs == ["part/y"]
    assert list(clone.Proto().external_input) == ["h"]
    assert list(clone.Proto().external_output) == ["part/y"]
    clone, outputs = net.ClonePartial("part", {"x": "in"}, ["z"])
    assert wiring(clone) == ["in -> part/h", "part/h -> part/z"]
    clone, outputs = net.ClonePartial("part", [("x", "in")], ["h"])
    assert wiring(clone) == ["in -> part/h"]


def test_partial_clones_keep_other_inputs():
    net = core.Net("two_inputs")
    net.Add(["x", "bias"], "y")
    clone, _ = net.ClonePartial("part", {"x": "in"}, ["y"])
    assert list(clone.Proto().external_input) == ["in", "bias"]


def test_partial_clones_refuse_the_impossible(net):
    with pytest.raises(AssertionError, match=r"Cannot partially clone net: .*Relu"):
        net.ClonePartial("part", ["y"], ["z"])
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        net.ClonePartial("part", ["x"], ["nowhere"])


def test_clone_and_bind(net):
    clone, renames = core.clone_and_bind_net(net, "bound", "p/", {"z": "Z"})
    assert wiring(clone) == ["x -> p/h", "p/h -> p/y", "p/h -> Z"]
    assert renames == {"x": "x", "h": "p/h", "y": "p/y", "z": "Z"}


# ---- nets that hold nets ---------------------------------------------------------------------------


def with_nets_inside():
    """x and w through an If in a While, with all gradients; a raw If after it."""
    net, body, test, yes, no = (core.Net(name) for name in ("holding", "body", "test", "yes", "no"))
    net.AddExternalInput("x", "w", "i", "one", "n", "c")
    body.LT(["i", "one"], "first")
    yes.Mul(["x", "w"], "local")
    yes.Tanh("local", "x")
    no.Mul(["x", "x"], "x2")
    no.Copy("x2", "x")
    add_if_op(body, "first", ["x", "w"], yes, no)
    body.Add(["i", "one"], "i")
    test.LT(["i", "n"], "c")
    add_while_op(net, "c", ["x", "w", "i", "n", "one"], body, test)
    then_net, else_net = core.Net("then"), core.Net("else")
    then_net.Mul(["x", "w"], "y")
    else_net.Negative("x", "y")
    net.If(["c", "x", "w"], ["y"], then_net=then_net.Proto(), else_net=else_net.Proto())
    gradients = net.AddGradientOperators(["y"])
    return net, gradients


FEEDS = {"x": np.float32([0.5, -1]), "w": np.float32([2, 3]), "i": np.int64([0]), "one": np.int64([1]),
         "n": np.int64([3]), "c": np.array([True])}  # fmt: skip


def results(net, names, feeds=FEEDS):
    workspace = Workspace()
    for name, value in feeds.items():
        workspace.feed(name, value)
    workspace.run_once(net.Proto())
    return workspace, [workspace[str(name)] for name in names]


def test_a_copy_with_other_names_computes_the_same():
    net, gradients = with_nets_inside()
    wanted = ["y", "x", "i", gradients["w"]]
    _, want = results(net, wanted)
    renames = {name: f"copy/{name}" for op in net.Proto().op for name in (*op.input, *op.output)}
    copy = net.Clone("copy", renames, update_external_list=True)
    workspace, got = results(copy, [renames[str(n)] for n in wanted], {f"copy/{n}": v for n, v in FEEDS.items()})
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # What only the nets inside name keeps its name; nothing of the copy's own is written without the prefix.
    assert not {str(n) for n in wanted} & set(workspace.names())


def test_binding_renames_what_is_written_inside_too():
    net, gradients = with_nets_inside()
    _, (want,) = results(net, ["y"])
    copy, renames = clone_and_bind_net(net, "bound", "bound/")
    assert renames["y"] == "bound/y"
    assert renames["w"] == "w"
    workspace, (got,) = results(copy, ["bound/y"], {renames.get(name, name): value for name, value in FEEDS.items()})
    np.testing.assert_array_equal(got, want)
    assert "y" not in workspace
    assert str(renames[str(gradients["w"])]).startswith("bound/")


def test_a_part_with_nets_inside():
    net, _ = with_nets_inside()
    _, (want,) = results(net, ["y"])
    part, (y,) = net.ClonePartial("part", ["w"], ["y"])
    assert not any(op.is_gradient_op for op in part.Proto().op)
    _, (got,) = results(part, [y])
    np.testing.assert_array_equal(got, want)


def test_remapping_by_name_reaches_all_depths():
    net, _ = with_nets_inside()
    loop = next(op for op in net.Proto().op if op.type == "While")
    control_op_remap(loop, "p/", {"x": "x_new", "c": "c_new"})
    do = next(argument.n for argument in loop.arg if argument.name == "loop_net").op[0]
    assert "x_new" in do.input
    assert "x_new" in do.output
    # Inside of the scope the names are its own, bound by position.
    assert b"x" in next(list(argument.strings) for argument in do.arg if argument.name == "inner_blobs")
    raw = next(op for op in net.Proto().op if op.type == "If")
    control_op_remap(raw, "p/", {"y": "y_new"})
    assert [argument.n.op[0].output[0] for argument in raw.arg] == ["y_new", "y_new"]
