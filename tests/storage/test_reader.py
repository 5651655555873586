"""Readers: round and round, in shards, and resumed."""

from __future__ import annotations

import pytest

from c2lab.errors import BadArgument, BadValue
from c2lab.storage import DBReader, open_db

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


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


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_looking_ahead_moves_nothing(tmp_path, db_type):
    path = str(tmp_path / "db")
    fill(path, db_type, [(b"%d" % k, b"") for k in range(5)])
    reader = DBReader(db_type, path)
    reader.read()
    reader.read()
    before = reader.state(), reader.serialize()
    seen = reader.peek(4)
    assert [key for key, _ in seen] == [b"2", b"3", b"4", b"0"]
    assert (reader.state(), reader.serialize()) == before
    assert all(reader.read() is record for record in seen[:2])
    other = DBReader(db_type, path)
    other.restore(reader.state())
    for resumed in (reader, other, DBReader.deserialize(reader.serialize())):
        assert [resumed.read()[0] for _ in range(4)] == [b"4", b"0", b"1", b"2"]
    reader.peek(3)
    reader.seek_to_first()
    assert reader.read()[0] == b"0"
    reader.peek(3)
    reader.restore(before[0])
    assert reader.read()[0] == b"2"


def test_looking_ahead_in_shards(tmp_path):
    path = str(tmp_path / "db")
    fill(path, "minidb", [(b"%d" % k, b"") for k in range(5)])
    reader = DBReader("minidb", path, 2, 1)
    assert [key for key, _ in reader.peek(3)] == [b"1", b"3", b"1"]
    assert [reader.read()[0] for _ in range(5)] == [b"1", b"3", b"1", b"3", b"1"]
