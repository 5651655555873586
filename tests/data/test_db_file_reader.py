"""Saved columns as records."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup
from c2lab.data.dataset import Dataset
from c2lab.data.db_file_reader import DBFileReader
from c2lab.data.limited_readers import ReaderWithLimit
from c2lab.data.pipeline import pipe
from tests.data.written_records import within_limit

COLUMNS = {
    "ids:lengths": np.int32([2, 0, 1, 3]),
    "ids:values": np.int64([1, 2, 3, 4, 5, 6]),
    "label": np.float32([0.5, 1.5, 2.5, 3.5]),
    "name": np.array(["a", "b", "c", "d"]),
}


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "rows.minidb")
    for name, value in COLUMNS.items():
        workspace.FeedBlob(name, value)
    names = list(COLUMNS)
    workspace.RunOperatorOnce(core.CreateOperator("Save", names, [], db=path, db_type="minidb", absolute_path=1))
    workspace.ResetWorkspace()
    return path


def read(reader, threads=1):
    init_net, target = core.Net("init"), Dataset(reader.schema(), name="target")
    dtypes = {name: value.dtype for name, value in COLUMNS.items()}
    blobs = []
    for name in target.field_names():
        blob = core.BlobReference(f"target/{name}")
        workspace.FeedBlob(blob, np.zeros(0, dtypes[name] if dtypes[name].kind != "U" else "U1"))
        blobs.append(blob)
    target.field_blobs = blobs
    workspace.RunNetOnce(init_net)
    with TaskGroup() as group:
        pipe(reader, target.writer(), num_runtime_threads=threads)
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    return {name: workspace.FetchBlob(b).tolist() for name, b in zip(target.field_names(), blobs, strict=True)}


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_records_come_in_order(path, batch):
    reader = DBFileReader(path, "minidb", batch_size=batch)
    assert reader.schema().field_names() == sorted(COLUMNS)
    assert reader.name == "rows_db_file_reader"
    assert workspace.Blobs() == []
    found = read(reader)
    assert found["label"] == [0.5, 1.5, 2.5, 3.5]
    assert found["ids:lengths"] == [2, 0, 1, 3]
    assert found["ids:values"] == [1, 2, 3, 4, 5, 6]
    assert found["name"] == [b"a", b"b", b"c", b"d"]


def test_columns_in_another_order(path):
    reader = DBFileReader(path, "MiniDB", name="mine", field_names=["name", "label"])
    assert list(read(reader)) == ["name", "label"]


def test_many_threads_read_each_record_once(path):
    assert sorted(read(DBFileReader(path, "minidb", batch_size=1), threads=3)["label"]) == [0.5, 1.5, 2.5, 3.5]


def test_without_end(path):
    reader = ReaderWithLimit(DBFileReader(path, "minidb", batch_size=2, loop_over=True), num_iter=20)
    labels = read(reader)["label"]
    assert len(labels) == 40
    assert set(labels) == {0.5, 1.5, 2.5, 3.5}


def test_what_cannot_be_read(path):
    with pytest.raises(AssertionError, match="can't be None"):
        DBFileReader(None, "minidb")
    with pytest.raises(AssertionError, match=r"db_type \[nosuchdb\] is not available"):
        DBFileReader(path, "nosuchdb")
    reader = DBFileReader(path, "minidb")
    with pytest.raises(AssertionError, match="setup_ex must be called first"):
        reader.read(core.Net("n"))
    with pytest.raises(AssertionError, match="setup_ex must be called first"):
        reader.reset(core.Net("n"))
