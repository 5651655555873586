from __future__ import annotations

from c2lab.graph.boxes import box_of, hover_text
from c2lab.graph.view import NetView
from tests.graph import sample_nets


def first_operator(net):
    return next(node for node in NetView.of(net).nodes if node.kind == "operator")


def test_texts_of_an_operator():
    net = sample_nets.net("n", ("Conv", "x conv_w conv_b", "y", {"kernel": 5, "pad": 2, "order": "NHWC"}))
    box = box_of(first_operator(net), {}, [])
    assert (box.title, box.lines) == ("Conv", ("kernel 5 · pad 2",))
    assert [shown for shown, _, _ in box.pills] == ["conv_w", "conv_b"]


def test_many_pills_are_counted():
    net = sample_nets.net("n", ("SpatialBN", "x a_s a_b a_rm a_riv", "y"))
    node = first_operator(net)
    assert len(box_of(node, {}, []).pills) == 4
    assert [shown for shown, _, _ in box_of(node, {}, ["extra"]).pills] == ["a_s", "a_b", "a_rm", "+2"]


def test_pills_know_their_shapes():
    net = sample_nets.net("n", ("FC", "x fc_w fc_b", "y"))
    assert box_of(first_operator(net), {"fc_w": "10×5"}, []).pills[0][1] == "fc_w 10×5"


def test_a_box_is_as_large_as_its_texts():
    small = first_operator(sample_nets.net("n", ("Relu", "x", "y")))
    large = first_operator(sample_nets.net("n", ("Conv", "x conv_w conv_b", "y", {"kernel": 5})))
    assert box_of(small, {}, []).width < box_of(large, {}, []).width
    assert box_of(small, {}, []).height < box_of(large, {}, []).height


def test_pointing_at_it_says_everything():
    net = sample_nets.net("n", ("Conv", "x conv_w conv_b", "y", {"kernel": 5, "order": "NHWC"}))
    assert hover_text(first_operator(net), {"y": "2×3"}).splitlines() == [
        "Conv",
        "kernel = 5",
        "order = NHWC",
        "reads x, conv_w, conv_b",
        "writes y (2×3)",
    ]


def test_an_update_shows_what_it_updates():
    net = sample_nets.classifier()
    update = next(node for node in NetView.of(net).nodes if node.update)
    assert [shown for shown, _, _ in box_of(update, {}, []).pills] == ["fc_w"]
    assert "reads fc_w, ONE, fc_w_grad, LR" in hover_text(update, {})
