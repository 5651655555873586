from __future__ import annotations

from xml.etree import ElementTree

from c2lab.graph.plan_drawing import draw_plan, step_lines
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets


def plan():
    made = caffe2_pb2.PlanDef(name="train & <test>", network=[sample_nets.chain(2), sample_nets.classifier()])
    outer = made.execution_step.add(name="epoch", num_iter=5, concurrent_substeps=True)
    outer.substep.add(name="step", network=["classifier"], should_stop_blob="done")
    outer.substep.add(network=["chain"])
    return made


def test_steps_as_sentences():
    assert step_lines(plan()) == [
        (0, "epoch: 2 steps, 5 times, at the same time"),
        (1, "step: classifier, until done"),
        (1, "step: chain"),
    ]


def test_every_net_is_drawn_below_the_other():
    svg = ElementTree.fromstring(draw_plan(plan()))
    inner = svg.findall("{http://www.w3.org/2000/svg}svg")
    assert len(inner) == 2
    assert float(inner[1].get("y")) >= float(inner[0].get("y")) + float(inner[0].get("height"))
    assert float(svg.get("height")) >= float(inner[1].get("y")) + float(inner[1].get("height"))
    assert float(svg.get("width")) > max(float(picture.get("width")) for picture in inner)


def test_an_empty_plan():
    ElementTree.fromstring(draw_plan(caffe2_pb2.PlanDef()))
