"""One pure function of a stretch of operators."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.lower import Lowered
from c2lab.errors import BadValue, ShapeMismatch
from c2lab.graph.reader import read


def lowered(net):
    graph = read(net.Proto())
    nodes = graph.nodes
    inputs = [v for node in nodes for v in node.inputs if v.version == 0]
    return Lowered(nodes, inputs, [v for node in nodes for v in node.outputs], [None] * 9, {}), inputs


def test_the_function_computes_the_net():
    net = core.Net("lowered")
    net.Relu("x", "y")
    net.Negative("y", "z")
    function, _ = lowered(net)
    y, z = function.function()(np.float32([-1, 2]))
    np.testing.assert_array_equal(y, [0, 2])
    np.testing.assert_array_equal(z, [0, -2])
    assert function.checks == []


def test_conditions_on_values_come_last():
    net = core.Net("checked")
    net.LabelCrossEntropy(["p", "label"], "xent")
    function, _ = lowered(net)
    import jax

    with jax.enable_x64(True):
        *_, found, fine = jax.jit(function.function())(np.full((2, 3), 1 / 3, np.float32), np.int32([0, 3]))
    assert not np.asarray(fine).all()
    assert len(function.checks) == len(fine)
    first = int(np.argmin(fine))
    assert "operator 0" in str(function.checks[first].error(np.asarray(found)[first]))


def test_an_error_names_operator_blobs_and_the_users_line():
    workspace.FeedBlob("X", np.zeros((2, 3), np.float32))
    workspace.FeedBlob("W", np.zeros((4, 5), np.float32))
    workspace.FeedBlob("b", np.zeros(4, np.float32))
    net = core.Net("wrong")
    net.FC(["X", "W", "b"], "Y", name="fc1")
    with pytest.raises(ShapeMismatch) as caught:
        workspace.RunNetOnce(net)
    text = str(caught.value)
    assert text.startswith('FC "fc1" (operator 0 of net "wrong')
    assert "test_lower.py line" in text
    assert "(2, 3)" in text
    assert "(4, 5)" in text


def test_a_compiled_check_names_the_value_and_its_place():
    workspace.FeedBlob("offending_data", np.zeros((3, 2), np.float32))
    workspace.FeedBlob("offending_rows", np.int64([[0, 1], [5, -7]]))
    net = core.Net("offending")
    net.Gather(["offending_data", "offending_rows"], "taken")
    with pytest.raises(BadValue, match=r"found 5 at position \[1, 0\]"):
        workspace.RunNetOnce(net)
    workspace.FeedBlob("offending_rows", np.int64([[0, 1], [2, -7]]))
    with pytest.raises(BadValue, match=r"found -7 at position \[1, 1\]"):
        workspace.RunNetOnce(net)
