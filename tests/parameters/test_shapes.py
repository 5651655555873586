"""Shapes of parameters, and state for each of their rows."""

from __future__ import annotations

import numpy as np

from c2lab import core, workspace
from c2lab.parameters.info import ParameterInfo
from c2lab.parameters.shapes import filled_by_row, shape_of
from tests.written_nets import written


def test_what_the_layer_asked_for_or_the_init_net_fills():
    net = core.Net("shapes")
    w = net.XavierFill([], "w", shape=[4, 2])
    assert shape_of(net, ParameterInfo(None, w)) == [4, 2]
    assert shape_of(net, ParameterInfo(None, w, shape=[5, 2])) == [5, 2]
    assert shape_of(net, ParameterInfo(None, core.BlobReference("v"))) is None


def test_a_value_for_each_row():
    net = core.Net("shapes")
    info = ParameterInfo(None, net.XavierFill([], "w", shape=[4, 2]))
    assert filled_by_row(net, info, "_rows", value=0.5) == "w_rows"
    assert written(net)[-1] == "ConstantFill() -> w_rows shape=[4] value=0.5"


def test_rows_are_counted_where_the_shape_is_not_known():
    net = core.Net("shapes")
    w = net.AddExternalInput("w")
    filled_by_row(net, ParameterInfo(None, w), "_rows", value=0.5)
    workspace.FeedBlob("w", np.zeros((3, 2), np.float32))
    workspace.RunNetOnce(net)
    np.testing.assert_array_equal(workspace.FetchBlob("w_rows"), np.full(3, 0.5, np.float32))
