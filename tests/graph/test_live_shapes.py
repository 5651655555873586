import time

import pytest

from c2lab.graph import shapes as graph_shapes
from c2lab.graph.canvas import InputShape, input_id
from c2lab.graph.document import Document
from c2lab.graph.live_shapes import document_shapes, known_shape, known_shapes, live_shapes, output_shape, symbol
from c2lab.graph.shapes import ShapeAndType
from c2lab.graph.sources import Source
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def net(*ops):
    made = caffe2_pb2.NetDef(name="n")
    for type, inputs, outputs, arguments in ops:
        op = made.op.add(type=type, input=inputs.split(), output=outputs.split())
        op.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def known(*shape, dtype="float32"):
    return known_shape(InputShape(shape, dtype))


def told(found, position):
    return [str(shape) for shape in found.outputs[position]]


@pytest.mark.parametrize(
    ("type", "arguments", "shape", "made"),
    [
        ("Relu", {}, ("N", 3), "(N, 3) float32"),
        ("Flatten", {}, ("N", 3, 4, 5), "(N, 60) float32"),
        ("Reshape", {"shape": [-1, 6]}, ("N", 3, 4), "(2*N, 6) float32"),
        ("Reshape", {"shape": [0, -1]}, ("N", 3, 4), "(N, 12) float32"),
        ("SpaceToBatch", {"block_size": 2}, ("N", 2, 4, 4), "(4*N, 2, 2, 2) float32"),
        ("AveragedLoss", {}, ("N",), "() float32"),
        ("Transpose", {"axes": [1, 0]}, ("N", 3), "(3, N) float32"),
        ("MaxPool", {"kernel": 2, "stride": 2}, ("N", 3, 9, 9), "(N, 3, 4, 4) float32"),
    ],
)
def test_the_batch_stays_open(type, arguments, shape, made):
    outputs = "y old" if type == "Reshape" else "y"
    found = live_shapes(net((type, "x", outputs, arguments)), {"x": known(*shape)})
    assert found.problems == {}
    assert told(found, 0)[0] == made


def test_a_mistake_stands_at_its_cause_and_the_rest_is_grey():
    found = live_shapes(
        net(
            ("Relu", "x", "a", {}), ("MaxPool", "a", "b", {"kernel": 99}), ("Relu", "b", "b", {}),
            ("FC", "b w v", "c", {}), ("Relu", "a", "d", {}),
        ),
        {"x": known("N", 3, 8, 8)},
    )  # fmt: skip
    assert set(found.problems) == {1}
    assert "kernel" in found.problems[1]
    assert found.grey == {2, 3}
    assert told(found, 4) == ["(N, 3, 8, 8) float32"]


def test_what_is_not_wired_is_incomplete_and_no_mistake():
    found = live_shapes(net(("Conv", "", "a", {"kernel": 3}), ("Relu", "a", "b", {})), {})
    assert found.problems == {}
    assert found.incomplete == {0: "X, filter have no wire"}
    assert found.grey == {1}


def test_unknown_operators_and_bad_arguments_are_problems_of_their_own():
    found = live_shapes(
        net(("NobodyKnows", "x", "a", {}), ("Relu", "x", "b", {}), ("MaxPool", "x", "c", {"kernel": 1.5})),
        {"x": known("N", 3)},
    )
    assert set(found.problems) == {0, 2}
    assert told(found, 1) == ["(N, 3) float32"]


def test_a_blob_that_is_written_again_is_known_again():
    found = live_shapes(
        net(("NobodyKnows", "x", "a", {}), ("Relu", "x", "a", {}), ("Tanh", "a", "b", {})), {"x": known("N")}
    )
    assert found.grey == set()
    assert told(found, 2) == ["(N,) float32"]


def test_inputs_without_a_shape_are_no_mistake():
    found = live_shapes(net(("Relu", "x", "a", {}), ("Relu", "a", "b", {})), {})
    assert not found.problems
    assert not found.grey
    assert not found.incomplete
    assert found.outputs == [(None,), (None,)]


def test_two_open_sizes_meet():
    ops = net(("BatchMatMul", "x y", "z", {}), ("Concat", "x x", "c old", {"axis": 0}))
    found = live_shapes(ops, {"x": known("N", "T", 3), "y": known("N", 3, 4)})
    assert told(found, 0) == ["(N, T, 4) float32"]
    assert told(found, 1)[0] == "(2*N, T, 3) float32"
    assert symbol("N") is symbol("N")


def test_only_what_is_downstream_is_worked_out_again(monkeypatch):
    calls = []
    evaluate = graph_shapes._evaluate
    monkeypatch.setattr(
        graph_shapes, "_evaluate", lambda node, *rest: calls.append(node.index) or evaluate(node, *rest)
    )
    # Sizes that no other test has, so that nothing is remembered from there.
    made = net(*((("Relu", "Tanh", "Sigmoid")[k % 3], f"b{k}", f"b{k + 1}", {}) for k in range(9)))
    before = {"b0": known("N", 417)}
    live_shapes(made, before)
    assert len(calls) == 3
    calls.clear()
    live_shapes(made, before)
    assert calls == []
    made.op[5].type = "Softsign"
    live_shapes(made, before)
    assert calls == [5]


def test_a_document_knows_what_it_fills_and_what_was_said():
    document = Document.of(
        Source(
            net(("FC", "x w b", "y", {})),
            net(("XavierFill", "", "w", {"shape": [4, 6]}), ("ConstantFill", "", "b", {"shape": [4]})),
        )
    ).with_canvas(inputs={"x": InputShape(("N", 6))})
    assert told(document_shapes(document), 0) == ["(N, 4) float32"]
    assert document_shapes(document) is document_shapes(document)
    assert str(output_shape(document, input_id("x"))) == "(N, 6) float32"
    assert str(output_shape(document, "o0")) == "(N, 4) float32"
    assert output_shape(document, "o0", 5) is None
    more = document_shapes(document, {"other": ShapeAndType((1,), "int32")})
    assert more is not document_shapes(document)
    assert "other" in more.blobs


def test_a_hundred_operators_are_quick():
    made = net(*(("Relu", f"b{k}", f"b{k + 1}", {}) for k in range(100)))
    live_shapes(made, {"b0": known("N", 32)})
    started = time.perf_counter()
    live_shapes(made, {"b0": known("N", 32)})
    assert time.perf_counter() - started < 0.15


@pytest.mark.parametrize(
    ("type", "arguments"),
    [
        ("XavierFill", {"shape": [4, 6]}), ("MSRAFill", {"shape": [4, 6]}),
        ("GaussianFill", {"shape": [3], "std": 0.5}),
        ("UniformFill", {"shape": [3, 1], "min": 0.0, "max": 2.0}), ("ConstantFill", {"shape": [2], "value": 1.0}),
        ("ConstantFill", {"shape": [2], "value": 1}), ("ConstantFill", {"shape": [2], "dtype": 2}),
        ("ConstantFill", {"shape": [0]}), ("ConstantFill", {"value": 1.0}),
    ],
)  # fmt: skip
def test_what_fills_say_is_what_they_make(type, arguments):
    fill = net((type, "", "w", arguments))
    document = Document.of(Source(net(("Relu", "w", "y", {})), fill))
    assert known_shapes(document) == live_shapes(fill, {}).blobs


def test_shapes_can_be_adjusted_on_the_way():
    found = live_shapes(
        net(("FC", "x w b", "y", {})),
        {"x": known("N", 6), "w": known(4, 9), "b": known(4)},
        lambda position, op, read: {"w": (4, read.shape[1])},
    )
    assert found.problems == {}
    assert told(found, 0) == ["(N, 4) float32"]
