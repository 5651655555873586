"""Keys and generators: the same where they must be, different elsewhere."""

from __future__ import annotations

import numpy as np

from c2lab import core, workspace
from c2lab.backend.randomness import host_generator, random_state


def test_state_is_two_small_numbers():
    assert random_state(2**40 + 3, 5).tolist() == [3, 5]


def test_host_generators_follow_the_rules():
    assert host_generator(0, 7, 1, 2).random() == host_generator(9, 7, 5, 2).random()
    assert host_generator(0, 7, 1, 2).random() != host_generator(0, 7, 1, 3).random()
    assert host_generator(0, None, 1, 2).random() != host_generator(1, None, 1, 2).random()


def test_draws_inside_a_compiled_net_differ_by_operator_and_run():
    workspace.FeedBlob("x", np.zeros(3, np.float32))
    net = core.Net("draws")
    net.GaussianFill([], "a", shape=[3])
    net.GaussianFill([], "b", shape=[3])
    net.Add(["a", "b"], "c")  # reads: so this is no net of fills only
    net.Add(["c", "x"], "d")
    workspace.CreateNet(net)
    seen = set()
    for _ in range(3):
        workspace.RunNet(net)
        seen.add(workspace.FetchBlob("a").tobytes())
        seen.add(workspace.FetchBlob("b").tobytes())
    assert len(seen) == 6
