"""What is computed beside the calls of a step, as a key."""

from __future__ import annotations

from dataclasses import replace

from c2lab.backend.region_nodes import region_key
from c2lab.backend.scan_nodes import scans
from c2lab.graph.reader import read
from tests.backend.recurrent_nets import network


def keys(**options):
    graph = read(network(**options).net.Proto())
    return [region_key(region.region, lambda node: node.op.type) for region in scans(graph).values()]


def test_names_are_no_part_of_it():
    assert keys(name="a") == keys(name="b")
    assert len({hash(key) for key in keys()}) == 2


def test_everything_else_is():
    assert keys() != keys(ends=False)
    graph = read(network().net.Proto())
    forward, back = (region.region for region in scans(graph).values())

    def key(region):
        return region_key(region, lambda node: node.op.type)

    one = forward.aliases[0]
    assert key(replace(forward, aliases=((one[0], one[1], 0), *forward.aliases[1:]))) != key(forward)
    assert key(replace(back, params=back.params[1:])) != key(back)
    assert key(replace(forward, states=forward.states[::-1])) != key(forward)
