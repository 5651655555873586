from __future__ import annotations

import time

import pytest

from c2lab.graph.view import NetView, argument_text, family_of, find_parameters, shape_text
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from tests.graph import sample_nets


def operators(view):
    return [node for node in view.nodes if node.kind == "operator"]


def test_operators_inputs_and_lines():
    view = NetView.of(sample_nets.net("n", ("FC", "x fc_w fc_b", "y"), ("Relu", "y", "z")))
    assert [(node.kind, node.type) for node in view.nodes] == [("input", "x"), ("operator", "FC"), ("operator", "Relu")]
    assert [(e.source, e.target, e.blob, e.version) for e in view.edges] == [(0, 1, "x", 0), (1, 2, "y", 1)]


def test_versions_tell_writes_in_place_apart():
    view = NetView.of(sample_nets.net("n", ("Relu", "x", "x"), ("Relu", "x", "x"), ("Relu", "x", "y")))
    assert [(e.source, e.target, e.version) for e in view.edges] == [(0, 1, 0), (1, 2, 1), (2, 3, 2)]


def test_parameters_are_pills_wherever_they_are_read():
    view = NetView.of(sample_nets.classifier())
    by_type = {node.type: node for node in view.nodes}
    assert by_type["FC"].parameters == ("fc_w", "fc_b")
    assert by_type["FCGradient"].parameters == ("fc_w",)
    assert [node.type for node in view.nodes if node.kind == "input"] == ["data", "label"]


def test_an_update_is_reached_by_the_gradient_alone():
    view = NetView.of(sample_nets.classifier())
    updates = [i for i, node in enumerate(view.nodes) if node.update]
    assert len(updates) == 2
    assert [e.blob for e in view.edges if e.target in updates] == ["fc_w_grad", "fc_b_grad"]
    assert view.nodes[updates[0]].parameters == ("fc_w", "ONE", "LR")


def test_gradients_are_known_as_such():
    view = NetView.of(sample_nets.classifier())
    assert sum(node.gradient for node in operators(view)) == 6  # five gradient operators and the seed
    assert not any(node.gradient for node in operators(view)[:5])


def test_declared_parameters_count_more_than_guesses():
    net = sample_nets.net("n", ("FC", "x fc_w fc_b", "y"))
    view = NetView.of(net, parameters={"fc_w"})
    assert [node.type for node in view.nodes if node.kind == "input"] == ["x", "fc_b"]


def test_labels_are_no_parameters():
    assert find_parameters(sample_nets.classifier()) == {"fc_w", "fc_b"}


def test_groups_nest():
    view = NetView.of(sample_nets.net("n", ("Relu", "x", "a/b/y"), ("Relu", "a/b/y", "a/z")))
    assert view.groups == {"a/b": (1,), "a": (1, 2)}


def test_family_of_an_unknown_operator_is_empty():
    assert family_of("Relu") == "activations"
    assert family_of("NoSuchOperator") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1, "0.1"),
        ("NCHW", "NCHW"),
        (b"\xff", "�"),
        ([1, 2], "[1, 2]"),
        ([], "[]"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
        (caffe2_pb2.NetDef(op=[caffe2_pb2.OperatorDef()]), "net of 1 operators"),
    ],
)
def test_argument_text(value, text):
    assert argument_text(make_argument("k", value)) == text


def test_millions_of_values_are_not_read():
    argument = make_argument("values", [0.5] * 10)
    argument.floats.extend([1.0] * 2_000_000)
    start = time.process_time()
    argument_text(argument)
    assert time.process_time() - start < 0.1


def test_shape_text():
    assert shape_text((2, 3)) == "2×3"
    assert shape_text(()) == "scalar"
    assert shape_text("(N, 3)") == "(N, 3)"


class TestFolding:
    @pytest.mark.parametrize("separator", ["/", "_"])
    def test_by_scopes_or_by_stems(self, separator):
        view = NetView.of(sample_nets.tower(20, separator)).folded(30)
        groups = [node for node in view.nodes if node.kind == "group"]
        assert [group.type for group in groups] == [f"block{i}" for i in range(20)]
        assert all(len(group.members) == 3 for group in groups)

    def test_equal_blocks_are_opened_all_or_none(self):
        view = NetView.of(sample_nets.tower(20)).folded(30)
        assert sum(node.kind == "operator" for node in view.nodes) == 0

    def test_room_is_used(self):
        view = NetView.of(sample_nets.tower(3)).folded(30)
        assert sum(node.kind == "operator" for node in view.nodes) == 9

    @pytest.mark.parametrize("boxes", [5, 20, 40])
    def test_names_that_say_nothing(self, boxes):
        view = NetView.of(sample_nets.chain(1000)).folded(boxes)
        assert len(view.nodes) <= boxes
        assert sum(len(node.members) for node in view.nodes) == 1000

    def test_every_operator_is_in_one_box(self):
        view = NetView.of(sample_nets.tower(50)).folded(20)
        members = sorted(index for node in view.nodes for index in node.members)
        assert members == list(range(150))

    def test_forward_and_gradient_stay_apart(self):
        net = sample_nets.net("n", *[("Relu", f"a/{i}", f"a/{i + 1}") for i in range(30)])
        for i in range(30, 0, -1):
            op = net.op.add(type="ReluGradient", input=[f"a/{i}", f"a/{i}_grad"], output=[f"a/{i - 1}_grad"])
            op.is_gradient_op = True
        view = NetView.of(net).folded(6)
        for node in view.nodes:
            if node.kind == "group":
                assert len({index < 30 for index in node.members}) == 1

    def test_lines_between_groups_are_bundled(self):
        view = NetView.of(sample_nets.tower(20)).folded(30)
        pairs = [(edge.source, edge.target) for edge in view.edges]
        assert len(pairs) == len(set(pairs))


def test_five_thousand_operators():
    net = sample_nets.tower(1667)
    NetView.of(net)  # the families are imported
    start = time.process_time()
    view = NetView.of(net)
    view.folded()
    assert time.process_time() - start < 1
