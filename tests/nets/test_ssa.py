"""Nets as static single assignments."""

from __future__ import annotations

from c2lab import core


def test_ssa_counts_versions():
    net = core.Net("ssa")
    net.Relu("x", "h")
    net.Relu("h", "h")
    ssa, versions = core.get_ssa(net)
    assert ssa == [([("x", 0)], [("h", 1)]), ([("h", 1)], [("h", 2)])]
    assert versions == {"x": 0, "h": 2}
    assert core.get_undefined_blobs(ssa) == {"x"}
    assert core.get_output_producers(ssa) == {("h", 1): 0, ("h", 2): 1}
    assert core.get_op_ids_in_path(ssa, versions, ["x"], ["h"]) == [0, 1]
