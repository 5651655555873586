import pytest

from c2lab.graph import edit
from c2lab.graph.canvas import InputShape, input_id
from c2lab.graph.document import Document, EditRefused, empty_document
from c2lab.graph.sources import Source
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef


def op(type, inputs, outputs):
    return OperatorDef(type=type, input=inputs, output=outputs)


def document(*ops, results=(), init=()):
    net = caffe2_pb2.NetDef(name="n", op=ops, external_output=results)
    return Document.of(Source(net, caffe2_pb2.NetDef(op=init)))


def shape(doc):
    return [(o.type, list(o.input), list(o.output)) for o in doc.net.op]


CHAIN = (op("Relu", ["x"], ["a"]), op("Tanh", ["a"], ["b"]), op("Copy", ["b"], ["c"]))
IN_PLACE = (op("FC", ["x", "w", "v"], ["a"]), op("Relu", ["a"], ["a"]), op("Softmax", ["a"], ["p"]))


def test_an_operator_without_wires_is_in_the_net():
    made, node = edit.add(empty_document("n"), op("Relu", [], ["relu1"]), at=(3.0, 4.0))
    assert shape(made) == [("Relu", [], ["relu1"])]
    assert made.canvas.positions == {node: (3.0, 4.0)}


def test_an_operator_is_wired_to_an_output_and_stands_behind_it():
    made, node = edit.add(document(*CHAIN), op("Exp", [], ["e"]), source=("o0", 0))
    assert shape(made)[1] == ("Exp", ["a"], ["e"])
    assert made.ids == ("o0", node, "o1", "o2")


def test_a_wire_to_a_blob_that_is_overwritten_reads_it_in_time():
    made, node = edit.add(document(*IN_PLACE), op("Exp", [], ["e"]), source=("o0", 0))
    assert [o.type for o in made.net.op] == ["FC", "Exp", "Relu", "Softmax"]
    later, _ = edit.add(document(*IN_PLACE), op("Exp", [], ["e"]), source=("o1", 0))
    assert [o.type for o in later.net.op] == ["FC", "Relu", "Exp", "Softmax"]
    assert node == "o3"


def test_a_splice_goes_between():
    made, node = edit.add(document(*CHAIN), op("Exp", [], ["e"]), splice="o1.0")
    assert shape(made) == [
        ("Relu", ["x"], ["a"]), ("Exp", ["a"], ["e"]), ("Tanh", ["e"], ["b"]), ("Copy", ["b"], ["c"]),
    ]  # fmt: skip
    assert made.ids[1] == node


def test_a_splice_into_the_wire_of_an_input():
    made, _ = edit.add(document(*CHAIN), op("Exp", [], ["e"]), splice="o0.0")
    assert shape(made)[:2] == [("Exp", ["x"], ["e"]), ("Relu", ["e"], ["a"])]


def test_connecting_backwards_moves_the_reader():
    made = edit.connect(document(*CHAIN, op("Sum", ["x"], ["s"])), "o3", 0, "o0", 0)
    assert [o.type for o in made.net.op] == ["Sum", "Relu", "Tanh", "Copy"]
    assert made.ids == ("o3", "o0", "o1", "o2")


def test_a_circle_is_refused():
    before = document(*CHAIN)
    with pytest.raises(EditRefused, match="circle"):
        edit.connect(before, "o2", 0, "o0", 0)
    with pytest.raises(EditRefused, match="own output"):
        edit.connect(before, "o1", 0, "o1", 0)
    assert shape(before) == shape(document(*CHAIN))


@pytest.mark.parametrize(
    ("source", "output", "target", "slot", "why"),
    [
        ("o9", 0, "o0", 0, "no operator 'o9'"),
        ("o0", 1, "o1", 0, "no output 1"),
        ("o0", 0, "o1", 1, "no input 1; its inputs are X"),
        ("o0", 0, "o1", -1, "no input -1"),
        ("o0", 0, input_id("x"), 0, "no operator"),
    ],
)
def test_wires_between_nothing_are_refused(source, output, target, slot, why):
    with pytest.raises(EditRefused, match=why):
        edit.connect(document(*CHAIN), source, output, target, slot)


def test_connecting_what_is_connected_changes_nothing():
    before = document(*CHAIN)
    assert edit.connect(before, "o0", 0, "o1", 0) is before


def test_a_wire_that_would_overwrite_is_refused():
    before = document(op("FC", ["x", "w", "b"], ["y"]), op("Softmax", ["x"], ["y2"]), op("FC", ["y2"], ["y"]))
    with pytest.raises(EditRefused, match="may not write output 0 over its input 1"):
        edit.connect(before, "o0", 0, "o2", 1)


def test_a_cut_wire_leaves_a_reader_that_waits():
    made = edit.disconnect(document(*CHAIN), "o1.0")
    assert shape(made)[1] == ("Tanh", [], ["b"])
    with pytest.raises(EditRefused, match="no wire"):
        edit.disconnect(made, "o1.0")


def test_removing_heals_or_cuts():
    healed = edit.remove(document(*CHAIN, results=["b"]), ["o1"], heal=True)
    assert shape(healed) == [("Relu", ["x"], ["a"]), ("Copy", ["a"], ["c"])]
    assert list(healed.net.external_output) == ["a"]
    cut = edit.remove(document(*CHAIN, results=["b"]), ["o1"])
    assert shape(cut) == [("Relu", ["x"], ["a"]), ("Copy", [], ["c"])]
    assert list(cut.net.external_output) == []


def test_removing_in_place_operators_heals_to_what_was_before():
    made = edit.remove(document(*IN_PLACE), ["o1"], heal=True)
    assert shape(made) == [("FC", ["x", "w", "v"], ["a"]), ("Softmax", ["a"], ["p"])]


def test_removing_a_run_of_operators_heals_over_all_of_it():
    assert shape(edit.remove(document(*CHAIN), ["o0", "o1"], heal=True)) == [("Copy", ["x"], ["c"])]


def test_removing_takes_parameters_and_fillers_along():
    fillers = [op("XavierFill", [], ["w"]), op("ConstantFill", [], ["v"])]
    made = edit.remove(document(*IN_PLACE, init=fillers), ["o0"], heal=True)
    assert not made.init.op
    assert not made.parameters
    assert "w" not in made.net.external_input


def test_removing_an_input_cuts_its_readers():
    made = edit.remove(document(*CHAIN), [input_id("x")])
    assert shape(made)[0] == ("Relu", [], ["a"])
    assert not made.outside()


def test_removing_forgets_places():
    placed = document(*CHAIN).with_canvas(positions={"o1": (1.0, 2.0), "o2": (3.0, 4.0)})
    assert edit.remove(placed, ["o1"]).canvas.positions == {"o2": (3.0, 4.0)}


def test_inputs_have_names_of_their_own():
    made, node = edit.add_input(empty_document("n"), "data", InputShape(("N", 3)), (1.0, 2.0))
    assert made.outside() == {node: "data"}
    assert made.canvas.inputs == {"data": InputShape(("N", 3))}
    with pytest.raises(EditRefused, match="already"):
        edit.add_input(made, "data")
    with pytest.raises(EditRefused, match="needs a name"):
        edit.add_input(made, "")


def test_a_changed_operator_takes_the_place_of_the_old_one():
    changed = op("Relu", ["x"], ["a"])
    changed.name = "mine"
    made = edit.replace_operator(document(*CHAIN), "o0", changed)
    assert made.net.op[0].name == "mine"
    assert made.ids == ("o0", "o1", "o2")


def test_unknown_operators_can_be_wired_too():
    before = document(op("Relu", ["x"], ["a"]), op("FromElsewhere", ["p", "q"], ["b", "c"]))
    made = edit.connect(before, "o0", 0, "o1", 1)
    assert shape(made)[1] == ("FromElsewhere", ["p", "a"], ["b", "c"])
    assert shape(edit.remove(made, ["o1"], heal=True)) == [("Relu", ["x"], ["a"])]
