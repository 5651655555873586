"""Timings of nets and operators."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import MissingNet


def test_one_number_for_the_net_and_one_for_each_operator(capsys):
    workspace.FeedBlob("x", np.ones(4, np.float32))
    net = core.Net("timed")
    net.Relu("x", "y")
    net.Negative("y", "z")
    workspace.CreateNet(net)
    times = workspace.BenchmarkNet(net.Name(), 1, 2, True)
    assert len(times) == 3
    assert all(time >= 0 for time in times)
    printed = capsys.readouterr().out
    assert "ms a run" in printed
    assert "operator 1 Negative" in printed
    assert len(workspace.BenchmarkNet(net.Name(), 0, 1)) == 1


def test_a_net_that_was_not_created():
    with pytest.raises(MissingNet, match="Can't find net nothing"):
        workspace.BenchmarkNet("nothing", 0, 1)
