"""Channels last inside a segment changes nothing that can be seen, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend import layouts
from c2lab.backend.lower import Lowered


def build(training):
    net = core.Net("image_net")
    net.Conv(["data", "w1", "b1"], "c1", kernel=3, pad=1, stride=2)
    bn_in = ["c1", "scale", "shift", "rm", "rv"]
    if training:
        net.SpatialBN(bn_in, ["n1", "rm", "rv", "sm", "sv"], is_test=0)
    else:
        net.SpatialBN(bn_in, "n1", is_test=1)
    net.Relu("n1", "n1")
    net.Conv(["n1", "w2"], "c2", kernel=3, pad=1, group=2)
    net.Sum(["n1", "c2"], "s")
    net.MaxPool("s", "p", kernel=2, stride=2)
    net.Concat(["p", "p"], ["cat", "sizes"])
    net.AveragePool("cat", "g", global_pooling=1)
    net.FC(["g", "fw", "fb"], "logits")
    net.SoftmaxWithLoss(["logits", "label"], ["softmax", "loss"])
    if training:
        net.AddGradientOperators(["loss"])
    return net


def feed():
    rng = np.random.default_rng(0)
    shapes = {
        "data": (2, 3, 9, 9), "w1": (8, 3, 3, 3), "b1": (8,), "w2": (8, 4, 3, 3), "scale": (8,), "shift": (8,),
        "rm": (8,), "rv": (8,), "fw": (5, 16), "fb": (5,),
    }  # fmt: skip
    for name, shape in shapes.items():
        workspace.FeedBlob(name, rng.random(shape, np.float32))
    workspace.FeedBlob("label", np.int32([1, 4]))


@pytest.mark.parametrize("training", [False, True])
def test_all_blobs_are_the_same_in_either_layout(training, monkeypatch):
    turned = []
    real = layouts.call_channels_last

    def counted(node, values, reserved):
        result = real(node, values, reserved)
        if result is not None:
            turned.append(node.op.type)
        return result

    monkeypatch.setattr("c2lab.backend.lower.call_channels_last", counted)
    found = []
    for fewest in (10_000, 1):
        monkeypatch.setattr(layouts, "FEWEST_CONVOLUTIONS", fewest)
        feed()
        workspace.RunNetOnce(build(training))
        found.append({name: workspace.FetchBlob(name) for name in workspace.Blobs()})
    assert {"Conv", "SpatialBN", "Relu", "Sum", "MaxPool", "Concat", "AveragePool"} <= set(turned)
    assert not training or {"ConvGradient", "SpatialBNGradient", "MaxPoolGradient"} <= set(turned)
    for name, value in found[0].items():
        assert value.shape == found[1][name].shape
        np.testing.assert_allclose(value, found[1][name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_small_net_runs_as_written():
    assert not layouts.pays([], "cpu")
    assert Lowered([], [], [], [], {}).channels_last is False
