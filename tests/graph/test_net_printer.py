from __future__ import annotations

import pytest

from c2lab import core
from c2lab.errors import MissingBlob, NotSupported
from c2lab.graph import net_printer
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets


def test_a_net():
    net = sample_nets.net("n", ("Conv", "x w b", "y", {"kernel": 5, "order": "NCHW"}), ("Relu", "y", "y"))
    net.external_input.extend(["x", "w", "b"])
    net.external_output.append("y")
    assert net_printer.to_string(net).splitlines() == [
        "core.Net('n'):",
        "    # reads x, w, b",
        "    y = Conv(x, w, b, kernel=5, order=NCHW)",
        "    y = Relu(y)",
        "    # leaves y",
    ]


def test_plain_syntax_and_prefixes():
    net = sample_nets.net("n", ("Sum", "a/b/x a/b/y", "z"))
    text = net_printer.to_string(net, factor_prefixes=True, c2_syntax=False)
    assert text == "net n:\n    z = Sum(a/b/{x, y})"


def test_nets_inside_operators():
    net = sample_nets.net("n", ("If", "c", "y", {"then_net": sample_nets.chain(1)}))
    assert "then_net:\n        core.Net('chain'):\n            x1 = Relu(x0)" in net_printer.to_string(net)


def test_steps_and_plans():
    plan = caffe2_pb2.PlanDef(name="p", network=[sample_nets.chain(1)])
    plan.execution_step.add(name="s", network=["chain"], num_iter=3)
    text = net_printer.to_string(plan)
    assert "execution_step('s', num_iter=3)" in text
    assert "run chain" in text


def test_devices():
    assert net_printer.format_device_option(caffe2_pb2.DeviceOption()) is None
    assert net_printer.format_device_option(caffe2_pb2.DeviceOption(device_type=1, device_id=2)) == "DeviceOption(1, 2)"


@pytest.mark.parametrize(
    ("names", "prefix"),
    [([], ""), (["a"], ""), (["a/b"], "a/"), (["a/b", "a/c"], "a/"), (["ab/x", "ac/x"], ""), (["a/b/c", "a/b"], "a/")],
)
def test_commonprefix(names, prefix):
    assert net_printer.commonprefix(names) == prefix


def test_analyze():
    net = sample_nets.net("n", ("Relu", "x", "y"), ("Relu", "z", "w"))
    net.external_input.append("x")
    with pytest.raises(MissingBlob, match="Blob z"):
        net_printer.analyze(net)
    net.external_input.append("z")
    net_printer.analyze(net)


def test_analyze_follows_the_steps():
    first, second = sample_nets.net("first", ("Relu", "x", "y")), sample_nets.net("second", ("Relu", "y", "z"))
    first.external_input.append("x")
    plan = caffe2_pb2.PlanDef(network=[first, second])
    plan.execution_step.add(network=["first", "second"])
    net_printer.analyze(plan)
    del plan.execution_step[0].network[:]
    plan.execution_step[0].network.extend(["second", "first"])
    with pytest.raises(MissingBlob, match="Blob y"):
        net_printer.analyze(plan)


def test_workspaces_of_an_analyzer():
    analyzer = net_printer.Analyzer()
    analyzer.define_blob("x")
    with analyzer.set_workspace("other"), pytest.raises(MissingBlob):
        analyzer.need_blob("x")
    analyzer.need_blob("x")


def test_debug_net_prints_what_is_written():
    printing = net_printer.debug_net(sample_nets.net("n", ("Split", "x", "a b")))
    assert [(op.type, *op.input) for op in printing.op] == [("Split", "x"), ("Print", "a"), ("Print", "b")]
    net = core.Net("mine")
    net.Relu("x", "y")
    assert isinstance(net_printer.debug_net(net), core.Net)


def test_unknown_objects_are_refused():
    with pytest.raises(NotSupported):
        net_printer.to_string(object())
