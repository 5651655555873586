import pytest

from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import Draft, free_slots, is_backward, missing_slots, slot_of
from c2lab.graph.sources import Source
from c2lab.operators import registry
from c2lab.operators.schema import Slot
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef


def op(type, inputs, outputs):
    return OperatorDef(type=type, input=inputs, output=outputs)


def draft(*ops, init=()):
    net = caffe2_pb2.NetDef(name="n", op=ops, external_input=["x"], external_output=["y"])
    return Draft(Document.of(Source(net, caffe2_pb2.NetDef(op=init))))


def test_nothing_done_is_nothing_changed():
    work = draft(op("Relu", ["x"], ["y"]), op("Tanh", ["y"], ["z"]))
    assert work.document().same(work.before)


def test_the_document_is_never_touched():
    work = draft(op("Relu", ["x"], ["y"]))
    before = work.before.written()
    work.part("o0").op.type = "Tanh"
    work.insert(op("Copy", ["y"], ["z"]), ["o0"])
    assert len(work.document().net.op) == 2
    assert work.before.written() == before


def test_wires_are_cut_where_they_are():
    work = draft(op("FC", ["x", "w", "b"], ["y"]), op("Sum", ["x", "y", "x"], ["s"]))
    work.cut(work.part("o0"), 0)
    assert list(work.part("o0").op.input) == ["", "w", "b"]
    work.cut(work.part("o0"), 2)
    work.cut(work.part("o0"), 1)
    assert list(work.part("o0").op.input) == []
    work.cut(work.part("o1"), 0)
    assert list(work.part("o1").op.input) == ["y", "x"]
    assert work.part("o1").sources == ["o0", None]


def test_new_operators_stand_in_front_of_the_gradients():
    work = draft(op("Relu", ["x"], ["y"]), op("ReluGradient", ["y", "y_grad"], ["x_grad"]))
    part = work.insert(op("Tanh", ["y"], ["z"]), ["o0"])
    assert [p.id for p in work.parts] == ["o0", part.id, "o1"]
    last = work.insert(op("TanhGradient", ["z", "z_grad"], ["y_grad"]), [part.id, None])
    assert work.parts[-1] is last


def test_parameters_that_nobody_reads_go_with_their_fillers():
    fillers = [op("XavierFill", [], ["w"]), op("ConstantFill", [], ["b"]), op("ConstantFill", [], ["other"])]
    work = draft(op("FC", ["x", "w", "b"], ["y"]), op("FC", ["y", "w", "b2"], ["z"]), init=fillers)
    del work.parts[0]
    work.parts[0].sources[0] = None
    work.drop_parameters(["w", "b"])
    made = work.document()
    assert [o.output[0] for o in made.init.op] == ["w", "other"]
    assert "b" not in made.parameters
    assert "w" in made.parameters


def test_what_is_read_is_declared_and_results_that_are_gone_are_not():
    work = draft(op("Relu", ["x"], ["y"]))
    work.parts[0].op.input[0] = "new"
    work.parts[0].op.output[0] = "other"
    made = work.document()
    assert list(made.net.external_input) == ["x", "new"]
    assert list(made.net.external_output) == []


def test_outputs_that_are_not_there_are_refused():
    work = draft(op("Relu", ["x"], ["y"]))
    with pytest.raises(EditRefused, match="no output 3"):
        work.source("o0", 3)
    with pytest.raises(EditRefused, match="no operator"):
        work.source("nothing", 0)


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        (op("FC", [], ["y"]), ["X", "W", "b"]),
        (op("FC", ["x", "", "b"], ["y"]), ["W"]),
        (op("Conv", ["x", "w"], ["y"]), []),
        (op("Sum", [], ["y"]), ["X"]),
        (op("ConstantFill", [], ["y"]), []),
        (op("NobodyKnows", [""], ["y"]), ["input 0"]),
        (op("NobodyKnows", [], ["y"]), []),
    ],
)
def test_missing_wires_are_named(made, missing):
    assert missing_slots(made) == missing


def test_required_inputs_are_offered_first():
    conv = registry.find("Conv")
    assert free_slots(op("Conv", ["x"], ["y"]), conv) == [1, 2]
    assert free_slots(op("Conv", ["", "w"], ["y"]), conv) == [0, 2]
    assert free_slots(op("Sum", ["x"], ["y"]), registry.find("Sum")) == [1]
    assert free_slots(op("NobodyKnows", ["x"], ["y"]), None) == [1]


def test_slots_and_kinds():
    assert slot_of((Slot("a"), Slot("b", variadic=True)), 7).name == "b"
    assert slot_of((), 2).name == "input 2"
    assert is_backward(op("ConstantFill", [], ["loss_autogen_grad"]))
    assert not is_backward(op("Relu", ["x"], ["y"]))
