from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest

from c2lab.graph.drawing import draw
from c2lab.graph.palette import COLOURS, INK
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets

SVG = "{http://www.w3.org/2000/svg}"


def parse(net, **options):
    shapes = options.pop("shapes", None)
    return ElementTree.fromstring(draw(NetView.of(net, shapes=shapes), **options))


def size(svg):
    return float(svg.get("width")), float(svg.get("height"))


def texts(svg):
    """What is to be read, without the titles that a mouse brings up."""
    return ["".join([node.text or "", *(child.tail or "" for child in node)]) for node in svg.iter(f"{SVG}text")]


def boxes(svg):
    """Left, top, right, bottom of the operators' boxes."""
    found = []
    for group in svg.iter(f"{SVG}g"):
        if "c2lab-node" in (group.get("class") or ""):
            x, y = map(float, re.match(r"translate\((\S+) (\S+)\)", group.get("transform")).groups())
            rect = group.find(f"{SVG}rect")
            found.append((x, y, x + float(rect.get("width")), y + float(rect.get("height"))))
    return found


@pytest.mark.parametrize("direction", ["auto", "down", "right"])
@pytest.mark.parametrize(
    "net", [sample_nets.classifier(), sample_nets.tower(4), sample_nets.chain(3)], ids=lambda n: n.name
)
def test_boxes_do_not_overlap_and_stay_on_the_paper(net, direction):
    svg = parse(net, direction=direction)
    width, height = size(svg)
    found = boxes(svg)
    assert len(found) == len(NetView.of(net).nodes)
    for i, (left, top, right, bottom) in enumerate(found):
        assert -24 <= left < right <= width - 24
        assert -24 <= top < bottom <= height - 48
        for other in found[i + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_shapes_stand_at_the_lines():
    svg = parse(sample_nets.classifier(), shapes={"fc": (64, 10), "data": (64, 784), "loss": ()})
    shown = " | ".join(texts(svg))
    assert "64×784" in shown
    assert "64×10" in shown
    assert "scalar" in shown


def test_parameters_arguments_and_names_are_shown():
    net = sample_nets.net("n", ("Conv", "x conv_w conv_b", "y", {"kernel": 5, "order": "NCHW"}))
    net.op[0].name = "first"
    shown = texts(parse(net))
    assert {"Conv", "first", "kernel 5", "conv_w", "conv_b"} <= set(shown)
    assert not any("NCHW" in text for text in shown)


def test_titles_and_description_for_screen_readers():
    svg = parse(sample_nets.classifier())
    assert svg.get("role") == "img"
    named = svg.get("aria-labelledby").split()
    ids = {node.get("id"): "".join(node.itertext()) for node in svg.iter() if node.get("id")}
    assert [ids[name][:10] for name in named] == ["classifier", "A net of 1"]
    assert "FC makes fc from data, fc_w, fc_b." in ids[named[1]]


def test_short_nets_go_rightwards_and_long_ones_down():
    short, long = parse(sample_nets.chain(2)), parse(sample_nets.chain(14))
    assert size(short)[0] > size(short)[1]
    assert size(long)[0] < size(long)[1]


def test_training_nets_are_not_twice_as_long():
    """The gradient of an operator stands beside it, in a column of its own."""
    net = sample_nets.classifier()
    svg = parse(net, direction="down")
    view = NetView.of(net)
    found = dict(zip([node.type for node in view.nodes], boxes(svg), strict=True))
    assert found["FCGradient"][0] > found["FC"][2]
    assert abs(found["FCGradient"][1] - found["FC"][1]) < 60
    assert found["ConstantFill"][1] > found["SoftmaxGradient"][1] > found["FCGradient"][1]


def test_nothing_outside_is_needed():
    text = draw(NetView.of(sample_nets.classifier()))
    assert "url(" not in text
    assert "@import" not in text
    assert "href" not in text
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]


def test_dark_and_light():
    text = draw(NetView.of(sample_nets.chain(1)))
    assert "@media (prefers-color-scheme:dark)" in text
    assert 'body[data-jp-theme-light="false"] .c2lab-net' in text
    assert 'body[data-jp-theme-light="true"] .c2lab-net' in text


def test_every_class_is_ours():
    svg = parse(sample_nets.classifier())
    classes = {name for node in svg.iter() for name in (node.get("class") or "").split()}
    assert classes
    assert all(name.startswith("c2lab-") for name in classes)


def contrast(one: str, other: str) -> float:
    def brightness(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((brightness(one), brightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_of_texts(dark):
    grounds = [colours[3 if dark else 1] for colours in COLOURS.values()]
    grounds += [INK[name][2 if dark else 1] for name in ("c2lab-paper", "c2lab-pill", "c2lab-scope-fill")]
    for ink in ("c2lab-type", "c2lab-muted", "c2lab-blob"):
        for ground in grounds:
            assert contrast(INK[ink][2 if dark else 1], ground) >= 4.5, (ink, ground)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><image href=x onerror=alert(1)>',
    "</title></svg><script>alert(1)</script>",
    "]]>",
    "<!--",
    "&lt;b&gt;",
    "\x00\x01\x1b[31m",
    "‮evil⁦",
    "x" * 100_000,
    "名前" * 500,
    "\n\n\n",
    "",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    net = caffe2_pb2.NetDef(name=name)
    op = net.op.add(type=name, name=name, input=[name, name + "2"], output=[name + "3", name])
    op.arg.add(name=name, s=name.encode())
    net.op.add(type="FC", input=[name, name + "_w", f"{name}/{name}_b"], output=[f"{name}/{name}"])
    text = draw(NetView.of(net, shapes={name: name}))
    svg = ElementTree.fromstring(text)
    tags = {node.tag.removeprefix(SVG) for node in svg.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "g", "path", "circle"}
    assert not any(key.startswith("on") or "href" in key for node in svg.iter() for key in node.attrib)
    assert not any(ord(c) < 32 and c not in "\n" for c in text)
    assert "‮" not in text
    width, _ = size(svg)
    assert width < 1500
    assert len(text) < 120_000


def test_long_names_are_shortened_and_whole_in_the_title():
    name = "a_very_long_name_" * 10
    svg = parse(sample_nets.net("n", ("Relu", "x", name), ("Relu", name, "y")))
    assert max(map(len, texts(svg))) < 60
    assert any(name in "".join(node.itertext()) for node in svg.iter(f"{SVG}title"))


def test_big_nets_are_folded():
    svg = parse(sample_nets.tower(60))
    assert len(boxes(svg)) <= 41
    shown = texts(svg)
    assert any("operators" in text for text in shown)


def test_big_nets_are_quick():
    view = NetView.of(sample_nets.tower(1667))
    start = time.process_time()
    draw(view)
    assert time.process_time() - start < 1.5


def test_the_empty_net():
    assert "0 operators" in draw(NetView.of(caffe2_pb2.NetDef()))


def test_same_net_same_picture():
    assert draw(NetView.of(sample_nets.classifier())) == draw(NetView.of(sample_nets.classifier()))


def test_labels_of_one_box_stand_below_each_other():
    net = sample_nets.net("n", ("Split", "x", "left right"), ("Relu", "left", "a"), ("Relu", "right", "b"))
    svg = parse(net, direction="down")
    heights = {
        text.text or "".join(child.tail or "" for child in text): text.get("y") for text in svg.iter(f"{SVG}text")
    }
    assert heights["left"] != heights["right"]
