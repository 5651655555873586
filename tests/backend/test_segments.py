"""Where nets are cut, and that they are cut no more than needed."""

from __future__ import annotations

from c2lab import core, workspace
from c2lab.backend.compile import statistics
from c2lab.backend.devices import accelerators
from c2lab.backend.regions import with_regions
from c2lab.backend.segments import Step, cut, splits_pairs
from c2lab.graph.reader import read
from c2lab.nets.branches import add_if_op
from c2lab.operators.definition import host_operator
from c2lab.proto import caffe2_pb2


@host_operator("TestCutHere")
def cut_here(X):
    """X, by way of the host."""
    return X


def steps(*ops):
    net = caffe2_pb2.NetDef(name="n")
    for type, inputs, outputs in ops:
        net.op.add(type=type, input=inputs, output=outputs)
    return [(step.kind, [node.index for node in step.nodes]) for step in cut(read(net))]


def test_a_net_without_host_operators_is_one_segment():
    assert steps(("Relu", ["a"], ["b"]), ("Relu", ["b"], ["c"])) == [("compiled", [0, 1])]


def test_a_device_option_that_means_the_same_device_makes_no_cut():
    net = caffe2_pb2.NetDef(name="n")
    net.op.add(type="Relu", input=["a"], output=["b"])
    net.op.add(type="Relu", input=["b"], output=["c"])
    net.op[1].device_option.device_type = caffe2_pb2.PROTO_CPU
    assert len(cut(read(net))) == (1 if not accelerators() else 2)


def test_a_host_operator_in_the_middle_makes_two_segments():
    found = steps(
        ("Relu", ["a"], ["b"]),
        ("Relu", ["a"], ["c"]),
        ("TestCutHere", ["b"], ["d"]),
        ("Relu", ["c"], ["e"]),
        ("Relu", ["d"], ["f"]),
    )
    assert found == [("compiled", [0, 1, 3]), ("host", [2]), ("compiled", [4])]


def test_a_blob_is_not_overwritten_before_it_is_read():
    found = steps(("TestCutHere", ["a"], ["b"]), ("Relu", ["c"], ["a"]))
    assert found == [("host", [0]), ("compiled", [1])]


def test_host_operators_keep_their_order():
    found = steps(
        ("Relu", ["x"], ["y"]), ("TestCutHere", ["y"], ["z"]), ("TestCutHere", ["a"], ["b"]), ("Relu", ["b"], ["c"])
    )
    assert [indices for kind, indices in found if kind == "host"] == [[1], [2]]
    assert sum(kind == "compiled" for kind, _ in found) == 2


def test_sizes_that_a_net_makes_itself_do_not_cut_it():
    kinds = steps(
        ("Concat", ["a", "b"], ["c", "sizes"]),
        ("Relu", ["c"], ["d"]),
        ("Split", ["d", "sizes"], ["e", "f"]),
    )
    assert kinds == [("compiled", [0, 1, 2])]


def test_sizes_from_outside_do():
    kinds = steps(("Relu", ["c"], ["d"]), ("Split", ["d", "sizes"], ["e", "f"]))
    assert kinds == [("compiled", [0]), ("static", [1])]


def test_saved_parameters_are_copied_and_not_compiled():
    filling = core.Net("init")
    filling.GivenTensorFill([], "w", shape=[2], values=[1.0, 2.0])
    filling.GivenTensorInt64Fill([], "n", shape=[1], values=[2**40])
    before = statistics.count
    workspace.RunNetOnce(filling)
    assert statistics.count == before
    assert workspace.FetchBlob("n").tolist() == [2**40]
    assert workspace.FetchBlob("w").dtype == "float32"

    mixed = core.Net("mixed")
    mixed.GivenTensorFill([], "few", shape=[2], values=[1.0, 2.0])
    mixed.GivenTensorFill([], "many", shape=[2000], values=[0.5] * 2000)
    mixed.Relu("few", "y")
    mixed.Relu("many", "z")
    assert [step.kind for step in cut(read(mixed.Proto()))] == ["compiled", "host", "compiled"]


def test_given_values_are_copied_and_not_compiled():
    net = caffe2_pb2.NetDef(name="saved")
    op = net.op.add(type="GivenTensorFill", output=["w"])
    op.arg.add(name="values", floats=[1.0, 2.0])
    op.arg.add(name="shape", ints=[2])
    assert [step.kind for step in cut(read(net))] == ["host"]


def test_scopes_are_made_first_so_that_a_compiled_step_comes_last():
    kinds = steps(("Relu", ["c"], ["d"]), ("CreateScope", [], ["scopes"]), ("Relu", ["d"], ["e"]))
    assert kinds == [("host", [1]), ("compiled", [0, 2])]
    assert steps(("TestCutHere", ["c"], ["d"]), ("CreateScope", [], ["scopes"]))[0] == ("host", [1])


def test_a_region_and_its_way_back_are_in_one_step_or_none():
    net, yes = core.Net("outer"), core.Net("yes")
    net.AddExternalInput("c", "x")
    yes.Exp("x", "y")
    add_if_op(net, "c", ["y"], yes, yes)
    net.AddGradientOperators(["y"])
    graph = with_regions(read(net.Proto()), lambda name: False)
    whole = cut(graph)
    assert [step.kind for step in whole] == ["host", "compiled"]
    assert not splits_pairs(whole)
    nodes = whole[1].nodes
    apart = [Step("compiled", nodes[:2], whole[1].device), Step("compiled", nodes[2:], whole[1].device)]
    assert splits_pairs(apart)
