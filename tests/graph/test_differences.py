from c2lab.graph.differences import REMOVED, difference
from c2lab.graph.document import Document
from c2lab.graph.sources import Source
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def op(type, inputs, outputs, **arguments):
    arg = [make_argument(name, value) for name, value in arguments.items()]
    return caffe2_pb2.OperatorDef(type=type, input=inputs.split(), output=outputs.split(), arg=arg)


def document(*ops, init=()):
    return Document.of(Source(caffe2_pb2.NetDef(name="n", op=ops), caffe2_pb2.NetDef(op=init)))


def told(found):
    return [(o.type, found.marks.get(f"o{k}")) for k, o in enumerate(found.document.net.op)]


A = (op("Relu", "x", "a"), op("Tanh", "a", "b"), op("Copy", "b", "c"))


def test_the_same_net_has_no_difference():
    assert difference(document(*A), document(*A)).marks == {}


def test_what_was_added_removed_and_changed():
    after = (op("Relu", "x", "a"), op("Sigmoid", "a", "s"), op("Copy", "s", "c"), op("Exp", "c", "d"))
    found = difference(document(*A), document(*after))
    assert told(found) == [
        ("Relu", None), ("Tanh", "removed"), ("Sigmoid", "added"), ("Copy", "changed"), ("Exp", "added"),
    ]  # fmt: skip
    assert found.counts == {"added": 2, "removed": 1, "changed": 1}


def test_arguments_and_fillers_count():
    before = document(op("FC", "x w b", "y"), init=[op("XavierFill", "", "w", shape=[4, 6])])
    other_shape = document(op("FC", "x w b", "y"), init=[op("XavierFill", "", "w", shape=[5, 6])])
    other_axis = document(op("FC", "x w b", "y", axis=2), init=[op("XavierFill", "", "w", shape=[4, 6])])
    assert difference(before, other_shape).counts["changed"] == 1
    assert difference(before, other_axis).counts["changed"] == 1
    assert difference(before, before).marks == {}


def test_removed_operators_overwrite_nothing_and_hang_together():
    before = document(op("Relu", "x", "a"), op("Tanh", "a", "a"), op("Exp", "a", "a2"), op("Copy", "a2", "c"))
    after = document(op("Relu", "x", "a"), op("Copy", "a", "c"))
    found = difference(before, after)
    assert told(found) == [("Relu", None), ("Tanh", "removed"), ("Exp", "removed"), ("Copy", "changed")]
    net = found.document.net
    assert list(net.op[1].output) == ["a" + REMOVED]
    assert list(net.op[2].input) == ["a" + REMOVED]
    assert list(net.op[3].input) == ["a"]


def test_what_only_moved_is_the_same():
    found = difference(
        document(op("Relu", "x", "a"), op("Tanh", "y", "b")), document(op("Tanh", "y", "b"), op("Relu", "x", "a"))
    )
    assert found.marks == {}
    assert len(found.document.net.op) == 2
