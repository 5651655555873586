"""Listening to what happens."""

from __future__ import annotations

import numpy as np

from c2lab import core, events, workspace


def test_a_run_and_a_feed_are_told_until_the_listener_ends():
    told = []
    ends = [
        events.listen("net_ran", lambda **facts: told.append(facts["net"])),
        events.listen("blobs_changed", lambda **facts: told.append(facts["names"])),
    ]
    workspace.FeedBlob("x", np.zeros(1, np.float32))
    net = core.Net("told")
    net.Relu("x", "y")
    workspace.RunNetOnce(net)
    for end in ends:
        end()
    workspace.FeedBlob("x", np.zeros(1, np.float32))
    assert told == [("x",), net.Name()]
