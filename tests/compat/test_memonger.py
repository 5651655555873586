"""Sharing is accepted and changes nothing."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.compat import memonger


@pytest.mark.parametrize(
    "share",
    [
        lambda net: memonger.share_grad_blobs(net, ["loss"], [], ""),
        lambda net: memonger.optimize_inference_for_dag(net, ["x"]),
        lambda net: memonger.release_blobs_when_used(net.Proto(), set()),
    ],
)
def test_nets_stay_as_they_are(share):
    net = core.Net("shared")
    net.Relu("x", "y")
    assert share(net) == net.Proto()
    assert share(net) is not net.Proto()


def test_memory_is_counted():
    assert memonger.estimate_memory_usage([], {"x": [2, 3], "y": [4]}, {"x": 1, "y": 10}, None) == (56, 56)
