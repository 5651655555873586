"""Copies of nets: whole, in part, renamed."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


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
