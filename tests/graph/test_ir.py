"""Nodes, values and what a graph reads and writes."""

from __future__ import annotations

from c2lab.graph.ir import Value
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2


def graph_of(*ops):
    net = caffe2_pb2.NetDef(name="n")
    for type, inputs, outputs in ops:
        net.op.add(type=type, input=inputs, output=outputs)
    return read(net)


def test_versions_count_the_writes():
    graph = graph_of(("Relu", ["x"], ["y"]), ("Relu", ["y"], ["y"]), ("Relu", ["y"], ["z"]))
    assert graph.nodes[1].inputs == (Value("y", 1),)
    assert graph.nodes[1].outputs == (Value("y", 2),)
    assert graph.nodes[2].inputs == (Value("y", 2),)


def test_what_is_read_from_outside_and_what_is_written():
    graph = graph_of(("Sum", ["a", "b"], ["c"]), ("Relu", ["c"], ["a"]))
    assert graph.reads == ("a", "b")
    assert graph.writes == ("c", "a")


def test_slots_name_each_input():
    graph = graph_of(("Concat", ["a", "b", "c"], ["d", "sizes"]), ("FC", ["x", "w", "b"], ["y"]))
    assert graph.nodes[0].input_slots == ("first", "others", "others")
    assert graph.nodes[1].input_slots == ("X", "W", "b")
    assert graph.nodes[0].values_from_shapes == (Value("sizes", 1),)
