"""Records that are kept in a file and read from there."""

from __future__ import annotations

import os

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup
from c2lab.data.cached_reader import CachedReader
from c2lab.data.dataset import Dataset
from c2lab.data.pipeline import pipe
from c2lab.data.schema import FeedRecord, List, NewRecord, Struct
from tests.data.written_records import column, empty, numbers, within_limit


def run(runnable):
    with LocalSession() as session:
        within_limit(lambda: session.run(runnable))


def read(reader):
    target = empty()
    with TaskGroup() as group:
        pipe(reader, target.writer())
    run(group)
    return column(target).tolist()


def test_the_file_gives_what_the_reader_gave(tmp_path):
    path, kind = str(tmp_path / "cache.db"), "minidb"
    reader = CachedReader(numbers(50).reader(batch_size=7), path, kind, batch_size=20)
    assert reader.name == "cache_cached_reader"
    run(reader.build_cache_step())
    assert os.path.exists(path)
    assert read(reader) == list(range(50))
    # Somewhere else the file is all there is.
    workspace.ResetWorkspace()
    never = numbers(3)
    again = CachedReader(never.reader(), path, kind, name="again")
    step = again.build_cache_step()
    assert not step.HasNets()
    assert not step.HasSubsteps()
    assert read(again) == list(range(50))


def test_it_is_written_anew_where_asked(tmp_path):
    path = str(tmp_path / "cache.minidb")
    run(CachedReader(numbers(5).reader(), path, "minidb").build_cache_step())
    other = CachedReader(numbers(3, "other").reader(), path, "minidb", name="other_cache")
    run(other.build_cache_step(overwrite=True))
    assert read(other) == [0, 1, 2]


def test_a_damaged_file_is_written_anew(tmp_path):
    path = tmp_path / "cache.minidb"
    path.write_bytes(b"\x01")
    reader = CachedReader(numbers(4).reader(), str(path), "minidb", loop_over=False)
    run(reader.build_cache_step(overwrite=True))
    assert read(reader) == [0, 1, 2, 3]


def test_lists_are_kept(tmp_path):
    schema = Struct(("ids", List(np.int64)), ("name", np.str_))
    net = core.Net("nested")
    with core.NameScope("nested"):
        record = NewRecord(net, schema)
    FeedRecord(record, [np.int32([2, 0, 1]), np.int64([1, 2, 3]), np.array(["a", "b", "c"])])
    reader = CachedReader(Dataset(record).reader(batch_size=2), str(tmp_path / "c.minidb"), "minidb", batch_size=2)
    run(reader.build_cache_step())
    init_net, read_net = core.Net("init"), core.Net("read")
    reader.setup_ex(init_net, None)
    _, found = reader.read_record(read_net)
    workspace.RunNetOnce(init_net)
    workspace.RunNetOnce(read_net)
    values = [workspace.FetchBlob(blob).tolist() for blob in found.field_blobs()]
    assert values == [[2, 0], [1, 2], [b"a", b"b"]]


def test_there_must_be_a_reader(tmp_path):
    with pytest.raises(AssertionError, match="original_reader can't be None"):
        CachedReader(None, str(tmp_path / "c"), "minidb")
