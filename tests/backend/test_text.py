"""Strings through operators that only move values."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.text import TextCode

WORDS = np.array([["b", "a"], ["c", "b"]], object)


@pytest.fixture(autouse=True)
def words():
    workspace.FeedBlob("words", WORDS)


def moved(type, inputs, outputs, **arguments):
    workspace.RunOperatorOnce(core.CreateOperator(type, inputs, outputs, **arguments))
    return workspace.FetchBlob(outputs[0] if isinstance(outputs, list) else outputs).tolist()


def test_kinds_of_moves():
    workspace.FeedBlob("rows", np.int32([1, 1]))
    assert moved("Copy", "words", "y") == [[b"b", b"a"], [b"c", b"b"]]
    assert moved("Reshape", "words", ["y", "old"], shape=[4]) == [b"b", b"a", b"c", b"b"]
    assert workspace.FetchBlob("old").tolist() == [2, 2]
    assert moved("Concat", ["words", "words"], ["y", "sizes"], axis=1)[0] == [b"b", b"a", b"b", b"a"]
    assert workspace.FetchBlob("sizes").tolist() == [2, 2]
    assert moved("Gather", ["words", "rows"], "y") == [[b"c", b"b"], [b"c", b"b"]]
    assert moved("Transpose", "words", "y") == [[b"b", b"c"], [b"a", b"b"]]


def test_inside_a_net_and_after_a_fill():
    net = core.Net("texts")
    net.GivenTensorStringFill([], "filled", shape=[2, 2], values=["x", "y", "z", "x"])
    net.Concat(["filled", "words"], ["all", "sizes"], axis=0)
    net.Split("all", ["first", "second"], axis=0)
    net.Relu("number", "positive")
    workspace.FeedBlob("number", np.float32([-1]))
    workspace.RunNetOnce(net)
    assert workspace.FetchBlob("first").tolist() == [[b"x", b"y"], [b"z", b"x"]]
    np.testing.assert_array_equal(workspace.FetchBlob("second"), np.array([[b"b", b"a"], [b"c", b"b"]], object))
    assert workspace.FetchBlob("positive") == 0


def test_an_empty_array():
    code = TextCode([np.empty((0, 2), object)])
    assert code.numbers(np.empty((0, 2), object)).shape == (0, 2)
    assert code.strings(np.empty((0, 2), np.int32)).shape == (0, 2)
