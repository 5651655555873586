"""Every kind of database: records come back, damage is named, and an error leaves the old file."""

from __future__ import annotations

import errno
import os
import struct
import sys
import types
from typing import ClassVar

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, DamagedFile, NotSupported
from c2lab.proto import caffe2_pb2
from c2lab.storage import DBReader, db_types, minidb, open_db, register_db
from c2lab.storage.blob_protos import array_to_tensor

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


@pytest.mark.parametrize("db_type", ["minidb", "lmdb", "MiniDB"])
def test_records_come_back_and_more_may_be_added(tmp_path, db_type):
    path = tmp_path / "db"
    fill(path, db_type)
    assert read(path, db_type) == RECORDS
    fill(path, db_type, [(b"d", b"4")], "write")
    assert read(path, db_type) == [*RECORDS, (b"d", b"4")]
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        cursor.seek("c")
        assert cursor.key() == b"c"
        cursor.seek("zz")
        assert not cursor.valid()
        with pytest.raises(BadValue, match="at the end"):
            cursor.key()
        cursor.seek_to_first()
        assert cursor.key() == b"a"
        with pytest.raises(BadArgument, match="open for reading"):
            db.new_transaction()


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_an_error_while_writing_undoes_it(tmp_path, db_type):
    path = tmp_path / "db"
    fill(path, db_type)

    def interrupted():
        with open_db(str(path), db_type, "write") as db, db.new_transaction() as writing:
            writing.put("z", b"half")
            raise KeyError("interrupted")

    with pytest.raises(KeyError):
        interrupted()
    assert read(path, db_type) == RECORDS


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_a_dropped_transaction_is_committed_and_commits_go_on(tmp_path, db_type):
    path = tmp_path / "db"
    db = open_db(str(path), db_type, "write")
    writing = db.new_transaction()
    writing.put("a", b"1")
    writing.commit()
    assert read(path, db_type) == [(b"a", b"1")]
    writing.put("b", b"2")
    del writing
    assert read(path, db_type) == [(b"a", b"1"), (b"b", b"2")]


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_one_transaction_may_take_the_place_of_another(tmp_path, db_type):
    """``transaction = db.new_transaction()`` in a loop: the old one is dropped after the new one is made."""
    db = open_db(str(tmp_path / "db"), db_type, "new")
    for key in "abc":
        writing = db.new_transaction()
        writing.put(key, b"")
    del writing
    assert [key for key, _ in read(tmp_path / "db", db_type)] == [b"a", b"b", b"c"]


def test_minidb_is_laid_out_as_in_the_original(tmp_path):
    fill(tmp_path / "db", "minidb", [("key", b"value")])
    assert (tmp_path / "db").read_bytes() == struct.pack("<ii", 3, 5) + b"keyvalue"
    assert os.listdir(tmp_path) == ["db"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "ends? at byte|cut off"),
        (lambda data: data[:13], "record of only 3 bytes"),
        (lambda data: struct.pack("<ii", -1, 5) + data[8:], "record at byte 0 claims a key of -1"),
        (lambda data: data[:10] + struct.pack("<ii", 1, 2**31 - 1) + data[18:], "record at byte 10"),
        (lambda data: b"PK\x03\x04 this is a zip archive", "byte 0"),
    ],
)
def test_damaged_minidb_names_file_and_place(tmp_path, change, message):
    path = tmp_path / "model.minidb"
    fill(path, "minidb", [("a", b"1"), ("b", b"22")])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DamagedFile, match=message) as caught:
        read(path, "minidb")
    assert "model.minidb" in str(caught.value)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "db"
    fill(path, "minidb")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(minidb.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        fill(path, "minidb", [(b"new", b"1")], "write")
    with pytest.raises(OSError, match="No space"):
        fill(path, "minidb", [(b"new", b"1")], "new")
    writing = open_db(str(path), "minidb", "new").new_transaction()
    writing.put("new", b"1")
    with pytest.raises(OSError, match="No space"):
        writing.commit()
    monkeypatch.undo()
    del writing
    assert read(path, "minidb") == RECORDS
    assert os.listdir(tmp_path) == ["db"]


def test_missing_files_and_unknown_kinds(tmp_path):
    for db_type in ("minidb", "protodb", "lmdb"):
        with pytest.raises(OSError, match="nothing"):
            open_db(str(tmp_path / "nothing"), db_type, "read")
    with pytest.raises(BadArgument, match="Did you mean: minidb"):
        open_db("x", "minidbb")
    with pytest.raises(BadArgument, match="mode"):
        open_db("x", "minidb", "append")
    assert {"minidb", "protodb", "lmdb", "leveldb"} <= set(db_types())


def test_protodb_holds_tensors_under_their_names(tmp_path):
    path = tmp_path / "db"
    tensors = [array_to_tensor(np.float32([k]), f"t{k}") for k in range(3)]
    fill(path, "protodb", [(t.name, t.SerializeToString()) for t in tensors])
    assert [caffe2_pb2.TensorProto.FromString(value) for _, value in read(path, "protodb")] == tensors
    assert len(caffe2_pb2.TensorProtos.FromString(path.read_bytes()).protos) == 3
    with pytest.raises(BadValue, match="already exists"):
        fill(path, "protodb", [("t1", tensors[1].SerializeToString())], "write")
    with pytest.raises(BadValue, match="none of that name"):
        fill(path, "protodb", [("other", tensors[1].SerializeToString())], "write")
    with open_db(str(path), "protodb", "read") as db, db.new_cursor() as cursor:
        cursor.seek("t2")
        assert cursor.key() == b"t2"
    path.write_bytes(b"\xff" * 9)
    with pytest.raises(DamagedFile):
        read(path, "protodb")


def test_lmdb_in_one_process_is_shared(tmp_path):
    path = tmp_path / "db"
    fill(path, "lmdb")
    reading = open_db(str(path), "lmdb", "read")
    cursor = reading.new_cursor()
    fill(path, "lmdb", [(b"d", b"4")], "write")
    assert [key for key, _ in cursor] == [b"a", b"b", b"c"]  # as it was when the cursor was made
    assert [key for key, _ in reading.new_cursor()] == [b"a", b"b", b"c", b"d"]
    with pytest.raises(BadArgument, match="exists"):
        open_db(str(path), "lmdb", "new")


def test_lmdb_refuses_keys_it_cannot_keep(tmp_path):
    with pytest.raises(BadValue, match="1 to 511 bytes"):
        fill(tmp_path / "db", "lmdb", [(b"k" * 512, b"")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"\0" * len(data), "no LMDB mark at byte 16"),
        (lambda data: b"short", "no LMDB"),
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: data[:20] + struct.pack("<I", 99) + data[24:], "version 99"),
        (lambda data: data[:40] + struct.pack("<I", 12345) + data[44:], "pages of 12345"),
        (lambda data: data[:4096] + b"\0" * 4096 + data[8192:], "head page 1"),
    ],
)
def test_damaged_lmdb_is_found_before_it_is_mapped(tmp_path, change, message):
    fill(tmp_path / "good", "lmdb", [(b"%03d" % k, b"x" * 1000) for k in range(100)])
    data = (tmp_path / "good" / "data.mdb").read_bytes()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "data.mdb").write_bytes(change(data))
    with pytest.raises(DamagedFile, match=message) as caught:
        read(tmp_path / "bad", "lmdb")
    assert str(tmp_path / "bad" / "data.mdb") in str(caught.value)


@pytest.mark.parametrize(("db_type", "package"), [("lmdb", "lmdb"), ("leveldb", "plyvel")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, db_type, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotSupported, match=f"pip install {package}"):
        open_db(str(tmp_path / "db"), db_type, "new")


class FakeLevelDB:
    """As much of plyvel as is used, over a dictionary."""

    stores: ClassVar[dict] = {}

    def __init__(self, path, create_if_missing, error_if_exists):
        if not create_if_missing and path not in self.stores:
            raise OSError("does not exist")
        self.held = self.stores.setdefault(path, {})

    def write_batch(self):
        batch: dict = {}
        return types.SimpleNamespace(put=batch.__setitem__, write=lambda: self.held.update(batch))

    def raw_iterator(self):
        keys, place = sorted(self.held), [0]
        return types.SimpleNamespace(
            valid=lambda: place[0] < len(keys),
            key=lambda: keys[place[0]],
            value=lambda: self.held[keys[place[0]]],
            next=lambda: place.__setitem__(0, place[0] + 1),
            seek_to_first=lambda: place.__setitem__(0, 0),
            seek=lambda key: place.__setitem__(0, sum(k < key for k in keys)),
            close=lambda: None,
        )

    def close(self):
        pass


def test_leveldb_goes_through_plyvel(tmp_path, monkeypatch):
    fake = types.ModuleType("plyvel")
    fake.DB, fake.Error, fake.CorruptionError = FakeLevelDB, OSError, ValueError
    monkeypatch.setitem(sys.modules, "plyvel", fake)
    fill(tmp_path / "db", "leveldb", [(b"b", b"2"), (b"a", b"1")])
    assert read(tmp_path / "db", "leveldb") == [(b"a", b"1"), (b"b", b"2")]
    with pytest.raises(OSError, match="Cannot open leveldb"):
        open_db(str(tmp_path / "none"), "leveldb", "read")


def test_a_kind_of_ones_own(tmp_path):
    register_db("mine", lambda path, mode: open_db(path, "minidb", mode))
    try:
        fill(tmp_path / "db", "mine")
        assert read(tmp_path / "db", "mine") == RECORDS
    finally:
        from c2lab.storage import databases

        del databases._openers["mine"]


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_a_reader_goes_round_and_round(tmp_path, db_type):
    path = str(tmp_path / "db")
    fill(path, db_type, [(b"%d" % k, b"") for k in range(5)])
    reader = DBReader(db_type, path)
    assert [reader.read()[0] for _ in range(7)] == [b"0", b"1", b"2", b"3", b"4", b"0", b"1"]
    reader.seek_to_first()
    assert reader.read()[0] == b"0"


def test_shards_share_the_records(tmp_path):
    path = str(tmp_path / "db")
    fill(path, "minidb", [(b"%d" % k, b"") for k in range(5)])
    read_by = [[DBReader("minidb", path, 2, shard).read()[0]] for shard in range(2)]
    assert read_by == [[b"0"], [b"1"]]
    first = DBReader("minidb", path, 2, 0)
    assert [first.read()[0] for _ in range(4)] == [b"0", b"2", b"4", b"0"]
    with pytest.raises(BadValue, match="fewer rows than shard id"):
        DBReader("minidb", path, 9, 7)
    with pytest.raises(BadArgument, match="shard_id"):
        DBReader("minidb", path, 2, 2)


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_a_reader_can_be_resumed(tmp_path, db_type):
    path = str(tmp_path / "db")
    fill(path, db_type, [(b"%d" % k, b"") for k in range(5)])
    reader = DBReader(db_type, path)
    for _ in range(3):
        reader.read()
    state = reader.state()
    other = DBReader(db_type, path)
    other.restore(state)
    again = DBReader.deserialize(reader.serialize())
    for resumed in (other, again):
        assert [resumed.read()[0] for _ in range(3)] == [b"3", b"4", b"0"]
    with pytest.raises(BadValue, match="has changed"):
        other.restore({**state, "key": b"9"})


def test_an_empty_database_has_nothing_to_read(tmp_path):
    fill(tmp_path / "db", "minidb", [])
    with pytest.raises(BadValue, match="no records"):
        DBReader("minidb", str(tmp_path / "db"))
