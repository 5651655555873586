"""Strings through operators that only move values."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.text import TextCode
from c2lab.errors import MissingBlob

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


def arriving(net):
    """A net whose text comes out of a queue, so that nobody knows of it when the net is created."""
    workspace.RunOperatorOnce(core.CreateOperator("CreateBlobsQueue", [], ["queue"], capacity=4))
    workspace.CreateNet(net)
    workspace.FeedBlob("text", np.array(["b", "a"]))
    workspace.RunOperatorOnce(core.CreateOperator("EnqueueBlobs", ["queue", "text"], ["text"]))
    workspace.RunNet(net)


def test_text_that_comes_up_while_the_net_runs_is_moved_too():
    net = core.Net("arriving")
    workspace.FeedBlob("numbers", np.float32([1]))
    workspace.CreateBlob("queue")
    net.DequeueBlobs(["queue"], ["x"])
    net.Copy("x", "y")
    net.Concat(["y", "x"], ["z", "split"], axis=0)
    net.IsEmpty(["z"], "empty")
    net.EQ(["x", "y"], "same")
    net.Relu("numbers", "positive")
    arriving(net)
    assert workspace.FetchBlob("z").tolist() == [b"b", b"a", b"b", b"a"]
    assert not workspace.FetchBlob("empty")
    assert workspace.FetchBlob("same").tolist() == [True, True]
    assert workspace.FetchBlob("positive").tolist() == [1]


def test_an_operator_that_reads_numbers_says_that_it_got_text():
    net = core.Net("arriving")
    workspace.CreateBlob("queue")
    net.DequeueBlobs(["queue"], ["x"])
    net.Relu("x", "y")
    with pytest.raises(MissingBlob, match=r"Relu.*input blob x is text; Relu reads numbers only"):
        arriving(net)


def test_text_that_becomes_numbers_again():
    net = core.Net("changing")
    workspace.FeedBlob("x", np.array(["b"]))
    net.Copy("x", "y")
    workspace.CreateNet(net)
    workspace.RunNet(net)
    workspace.FeedBlob("x", np.float32([3]))
    workspace.RunNet(net)
    assert workspace.FetchBlob("y").tolist() == [3]


A, B, C = b"a", b"b", b"c"


@pytest.mark.parametrize(
    ("type", "inputs", "outputs", "arguments", "want"),
    [
        ("Where", [[True, False, True], [A, B, C], [C, C, B]], 1, {}, [[A, C, C]]),
        ("Conditional", [[True, False], [[A, B], [B, B]], [[C, C], [A, C]]], 1, {}, [[[A, B], [A, C]]]),
        ("BooleanUnmask", [[True, False, True], [A, B], [False, True, False], [C]], 1, {}, [[A, C, B]]),
        ("PrependDim", [[A, B, C, A]], 1, {"dim_size": 2}, [[[A, B], [C, A]]]),
        ("MergeDim", [[[[A], [B]]]], 1, {}, [[[A], [B]]]),
        ("ResizeLike", [[[A, B], [C, A]], [1.0, 2, 3, 4]], 1, {}, [[A, B, C, A]]),
        ("NumpyTile", [[A, B], [2]], 1, {}, [[A, B, A, B]]),
        ("GatherByKey", [[0, 1, 2, 3], [A, B], [C, A]], 1, {}, [[A, C, B, A]]),
        ("EnsureCPUOutput", [[A, B]], 1, {}, [[A, B]]),
        ("CopyFromCPUInput", [[A, B]], 1, {}, [[A, B]]),
        ("CopyCPUToGPU", [[A, B]], 1, {}, [[A, B]]),
        ("AliasWithName", [[A, B]], 1, {"name": "x"}, [[A, B]]),
        ("DepthConcat", [[[A, B]], [[C]]], 2, {}, [[[A, B, C]], [2, 1]]),
        ("SplitByLengths", [[A, B, C], [1, 2]], 2, {}, [[A], [B, C]]),
        ("NE", [[A, B, C], [A, C, C]], 1, {}, [[False, True, False]]),
        ("HasElements", [[A]], 1, {}, [True]),
        (
            "PackSegments",
            [np.int32([2, 0, 1]), [C, B, A]],
            1,
            {"max_length": 3},
            [[[C, B, b""], [b"", b"", b""], [A, b"", b""]]],
        ),
        ("PackSegments", [np.int32([2, 1]), [C, B, A]], 1, {"max_length": 1}, [[[C], [A]]]),
    ],
)
def test_more_moves(type, inputs, outputs, arguments, want):
    for k, values in enumerate(inputs):
        array = np.array(values)
        is_text = array.dtype.kind == "S"
        usual = {"i": np.int32, "f": np.float32, "b": bool}
        workspace.FeedBlob(f"in {k}", array.astype(object if is_text else usual[array.dtype.kind]))
    names = [f"out {k}" for k in range(outputs)]
    workspace.RunOperatorOnce(core.CreateOperator(type, [f"in {k}" for k in range(len(inputs))], names, **arguments))
    assert [workspace.FetchBlob(name).tolist() for name in names] == want
