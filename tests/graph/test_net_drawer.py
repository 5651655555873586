from __future__ import annotations

import json

import pytest
from google.protobuf import text_format

from c2lab.errors import NotSupported
from c2lab.graph import net_drawer
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setenv("PATH", "")


def test_operators_blobs_and_edges():
    graph = net_drawer.GetPydotGraph(sample_nets.chain(2), rankdir="TB")
    assert graph.name == "chain"
    assert "rankdir=TB" in graph.source
    assert graph.source.count("shape=box") == 2
    assert graph.source.count("shape=ellipse") == 3
    assert graph.source.count("->") == 4


def test_it_is_a_digraph():
    import graphviz

    assert isinstance(net_drawer.GetPydotGraph(sample_nets.chain(2)), graphviz.Digraph)


def test_a_list_of_operators_is_named_by_its_first_output():
    assert net_drawer.GetPydotGraph(list(sample_nets.chain(2).op)).name == "x1"
    assert net_drawer.GetPydotGraph(list(sample_nets.chain(2).op), "mine").name == "mine"


def test_writes_in_place_are_nodes_of_their_own():
    graph = net_drawer.GetPydotGraph(sample_nets.net("n", ("Relu", "x", "x"), ("Relu", "x", "x")))
    assert graph.source.count("shape=ellipse") == 3


def test_minimal_has_operators_only():
    graph = net_drawer.GetPydotGraphMinimal(sample_nets.chain(3))
    assert graph.source.count("->") == 2
    assert "ellipse" not in graph.source


def test_minimal_dependency_leaves_out_what_is_implied():
    net = sample_nets.net("n", ("Relu", "x", "a"), ("Relu", "a", "b"), ("Sum", "a b", "c"))
    assert net_drawer.GetPydotGraphMinimal(net).source.count("->") == 3
    assert net_drawer.GetPydotGraphMinimal(net, minimal_dependency=True).source.count("->") == 2


def test_own_producers():
    def op_node(op, op_id):
        return net_drawer.DotNode(f"op {op_id}", op.type.upper(), {"shape": "star"})

    blob_node = net_drawer.GetBlobNodeProducer(shape="point")
    source = net_drawer.GetPydotGraph(sample_nets.chain(1), None, "LR", op_node, blob_node).source
    assert "RELU" in source
    assert "star" in source
    assert "point" in source


def test_labels_with_outputs():
    producer = net_drawer.GetOpNodeProducer(True, shape="box")
    op = sample_nets.net("n", ("Split", "x", "a b")).op[0]
    op.name = "halves"
    assert producer(op, 3) == net_drawer.DotNode("op 3", "halves (Split)\na\nb", {"shape": "box"})


def test_json(tmp_path):
    path = tmp_path / "net.json"
    net_drawer.GetGraphInJson(sample_nets.net("n", ("Relu", "x", "x")), path)
    graph = json.loads(path.read_text())
    assert [(node["label"], node["type"]) for node in graph["nodes"]] == [("Relu", "op"), ("x", "blob"), ("x", "blob")]
    assert graph["edges"] == [{"source": 1, "target": 0}, {"source": 0, "target": 2}]


def test_plans():
    plan = caffe2_pb2.PlanDef(name="p", network=[sample_nets.chain(2)])
    plan.execution_step.add(name="outer").substep.add(name="inner", network=["chain"])
    assert list(net_drawer.GetOperatorMapForPlan(plan)) == ["chain"]
    source = net_drawer.GetPlanGraph(plan).source
    assert "cluster chain" in source
    assert "inner" in source


def test_without_dot_a_notebook_still_shows_a_picture(no_dot):
    bundle = net_drawer.GetPydotGraph(sample_nets.chain(2))._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")


def test_png_without_dot_says_what_to_do(no_dot, capsys):
    with pytest.raises(NotSupported, match="create_svg"):
        net_drawer.GetPydotGraph(sample_nets.chain(2)).create_png()
    assert net_drawer.GetGraphPngSafe(net_drawer.GetPydotGraph, sample_nets.chain(2)) is None
    assert "Failed to draw graph" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["<b>x</b>", 'a"b', "a\\", "a:b", "a\nb", "\x00", "<", "é"])
def test_names_cannot_break_out(name):
    net = sample_nets.chain(1)
    net.name = net.op[0].type = name
    net.op[0].input[0] = name
    source = net_drawer.GetPydotGraph(net).source
    assert "\x00" not in source
    assert "label=<" not in source
    assert "digraph <b>" not in source


def test_main(tmp_path, monkeypatch, no_dot):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.pbtxt").write_text(text_format.MessageToString(sample_nets.chain(2)))
    net_drawer.main(["--input", "n.pbtxt", "--output_prefix", "my_"])
    assert (tmp_path / "my_chain.dot").read_text().startswith("digraph")
    assert (tmp_path / "my_chain.svg").read_text().startswith("<svg")
