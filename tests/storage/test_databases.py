"""Every kind of database: records come back, and an error undoes what was begun."""

from __future__ import annotations

import sys

import pytest

from c2lab.errors import BadArgument, BadValue, NotSupported
from c2lab.storage import db_types, open_db, register_db

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


def test_missing_files_and_unknown_kinds(tmp_path):
    for db_type in ("minidb", "protodb", "lmdb"):
        with pytest.raises(OSError, match="nothing"):
            open_db(str(tmp_path / "nothing"), db_type, "read")
    with pytest.raises(BadArgument, match="Did you mean: minidb"):
        open_db("x", "minidbb")
    with pytest.raises(BadArgument, match="mode"):
        open_db("x", "minidb", "append")
    assert {"minidb", "protodb", "lmdb", "leveldb"} <= set(db_types())


@pytest.mark.parametrize(("db_type", "package"), [("lmdb", "lmdb"), ("leveldb", "plyvel")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, db_type, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotSupported, match=f"pip install {package}"):
        open_db(str(tmp_path / "db"), db_type, "new")


def test_a_kind_of_ones_own(tmp_path):
    register_db("mine", lambda path, mode: open_db(path, "minidb", mode))
    try:
        fill(tmp_path / "db", "mine")
        assert read(tmp_path / "db", "mine") == RECORDS
    finally:
        from c2lab.storage import databases

        del databases._openers["mine"]
