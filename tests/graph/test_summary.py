from __future__ import annotations

from xml.etree import ElementTree

from c2lab.graph.summary import summary
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets

SHAPES = {"data": (64, 784), "fc_w": (10, 784), "fc_b": (10,), "label": ((64,), "int32")}


def test_rows_and_totals():
    table = summary(sample_nets.classifier(), SHAPES)
    assert [row.type for row in table.rows] == ["FC", "Relu", "Softmax", "LabelCrossEntropy", "AveragedLoss"]
    assert table.rows[0].shapes == ("64×10",)
    assert table.rows[0].parameters == (("fc_w", "10×784"), ("fc_b", "10"))
    assert table.values == 7850
    assert "7,850 values (30.7 KiB as float32)" in str(table)
    assert str(table).endswith(
        "13 operators, 6 of them for gradients, 2 parameters, 7,850 values (30.7 KiB as float32)"
    )


def test_gradient_operators_on_request():
    table = summary(sample_nets.classifier(), SHAPES, gradients=True)
    assert len(table.rows) == 13
    assert table.values == 7850


def test_a_shared_parameter_counts_once():
    net = sample_nets.net("n", ("FC", "x w b", "y"), ("FC", "y w b", "z"))
    assert summary(net, {"x": (2, 3), "w": (3, 3), "b": (3,)}).values == 12


def test_unknown_shapes_are_said_to_be_unknown():
    table = summary(sample_nets.classifier())
    assert table.values is None
    assert "?" in str(table)
    assert "KiB" not in str(table)


def test_columns_are_aligned():
    lines = str(summary(sample_nets.classifier(), SHAPES)).splitlines()
    head = lines[1]
    for line in lines[3:8]:
        assert line[head.index("operator") - 1] == " "
        assert line[head.index("operator")].isalpha()


def test_html_is_well_formed_whatever_the_names():
    net = caffe2_pb2.NetDef(name="<script>")
    op = net.op.add(type="<b>", input=['"x'], output=["</td>", "y"])
    op.arg.add(name='"><script>', i=1)
    html = summary(net)._repr_html_()
    table = ElementTree.fromstring(html)
    assert not list(table.iter("script"))
    assert len(list(table.iter("tr"))) == 2
