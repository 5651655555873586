"""Datasets of nested lists."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from c2lab.operators.datasets import Layout, TreeCursor
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace

FIELDS = ["label", "docs:lengths", "docs:values:id", "docs:values:words:lengths", "docs:values:words:values"]


# Three records with 1, 0 and 2 documents, of 2, 1 and 3 words.
COLUMNS = [
    np.float32([0.1, 0.2, 0.3]),
    np.int32([1, 0, 2]),
    np.int64([10, 20, 30]),
    np.int32([2, 1, 3]),
    np.array([b"a", b"b", b"c", b"d", b"e", b"f"], object),
]


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.fixture
def workspace():
    held = Workspace("datasets", seed=0)
    for name, column in zip(FIELDS, COLUMNS, strict=True):
        held.feed(name, column)
    held.run_operator(op("CreateTreeCursor", [], ["cursor"], fields=FIELDS))
    return held


def test_levels_and_offsets(workspace):
    assert Layout(FIELDS).levels == [0, 0, 1, 1, 2]
    workspace.run_operator(op("ComputeOffset", ["cursor", *FIELDS], ["offsets"]))
    assert workspace.fetch("offsets").tolist() == [[0, 0, 0], [1, 1, 2], [2, 1, 2], [3, 3, 6]]


def test_batches_one_after_another(workspace):
    out = [f"out{k}" for k in range(5)]
    read = op("ReadNextBatch", ["cursor", *FIELDS], out, batch_size=2)
    workspace.run_operator(read)
    got = [workspace.fetch(name).tolist() for name in out]
    assert got[1:] == [[1, 0], [10], [2], [b"a", b"b"]]
    workspace.run_operator(op("GetCursorOffset", ["cursor"], ["at"]))
    assert workspace.fetch("at").tolist() == [2, 1, 2]
    workspace.run_operator(read)
    got = [workspace.fetch(name).tolist() for name in out]
    assert got[1:] == [[2], [20, 30], [1, 3], [b"c", b"d", b"e", b"f"]]
    workspace.run_operator(read)
    assert all(len(workspace.fetch(name)) == 0 for name in out)
    assert workspace.fetch("out0").dtype == np.float32
    workspace.run_operator(op("ResetCursor", ["cursor"]))
    workspace.run_operator(read)
    assert workspace.fetch("out1").tolist() == [1, 0]


def test_only_full_batches_where_they_are_enforced(workspace):
    out = [f"out{k}" for k in range(5)]
    read = op("ReadNextBatch", ["cursor", *FIELDS], out, batch_size=2, enforce_batch_size=1)
    workspace.run_operator(read)
    assert len(workspace.fetch("out0")) == 2
    workspace.run_operator(read)
    assert len(workspace.fetch("out0")) == 0


def test_random_batches_follow_the_order(workspace):
    out = [f"out{k}" for k in range(5)]
    workspace.run_operator(op("ComputeOffset", ["cursor", *FIELDS], ["offsets"]))
    workspace.feed("order", np.int64([2, 0, 1]))
    read = op("ReadRandomBatch", ["cursor", "order", "offsets", *FIELDS], out, batch_size=2, loop_over=1)
    labels = []
    for _ in range(3):
        workspace.run_operator(read)
        labels.append(workspace.fetch("out0").round(1).tolist())
        if len(labels) == 1:
            assert workspace.fetch("out4").tolist() == [b"c", b"d", b"e", b"f", b"a", b"b"]
    np.testing.assert_allclose(np.concatenate(labels), [0.3, 0.1, 0.2, 0.3, 0.1], rtol=1e-5)
    workspace.feed("order", np.int64([7]))
    workspace.run_operator(op("ResetCursor", ["cursor"]))
    with pytest.raises(BadValue, match="3 records"):
        workspace.run_operator(read)


def test_sorted_and_shuffled_within_chunks():
    held = Workspace("sorting", seed=1)
    sizes = np.random.default_rng(0).permutation(20).astype(np.int64)
    held.feed("size", sizes)
    held["cursor"] = TreeCursor(["size"])
    held.run_operator(
        op("SortAndShuffle", ["cursor", "size"], ["order"], sort_by_field_idx=0, batch_size=3, shuffle_size=2)
    )
    order = held.fetch("order")
    assert sorted(order.tolist()) == list(range(20))
    for begin in range(0, 18, 3):
        chunks = {int(size) // 6 for size in sizes[order[begin : begin + 3]]}
        assert len(chunks) == 1  # a batch never mixes chunks of six neighbours
    assert sorted(sizes[order[18:]].tolist()) == [18, 19]


def test_columns_that_do_not_fit_are_named(workspace):
    check = op("CheckDatasetConsistency", FIELDS, fields=FIELDS)
    workspace.run_operator(check)
    workspace.feed("docs:values:id", np.int64([10, 20]))
    with pytest.raises(ShapeMismatch, match=r"docs:values:id has 2 rows.*say 3"):
        workspace.run_operator(check)
    workspace.feed("docs:lengths", np.int32([1, 0, 9]))
    with pytest.raises(ShapeMismatch, match="count 10"):
        workspace.run_operator(check)
    with pytest.raises(ShapeMismatch, match="1 columns for the 5 fields"):
        workspace.run_operator(op("CheckDatasetConsistency", ["label"], fields=FIELDS))


def test_trimming(workspace):
    workspace.run_operator(op("TrimDataset", FIELDS, FIELDS, fields=FIELDS, multiple_of=2))
    assert [len(workspace.fetch(name)) for name in FIELDS] == [2, 2, 1, 1, 2]


def test_a_cursor_can_be_kept_and_resumed(workspace):
    workspace.run_operator(op("ReadNextBatch", ["cursor", *FIELDS], [f"o{k}" for k in range(5)]))
    other = TreeCursor(FIELDS)
    other.restore(workspace["cursor"].state())
    assert other.record == 1
    assert other.offsets.tolist() == [1, 1, 2]
