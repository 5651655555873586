"""LMDB: shared in a process, and damage that is found before a file is mapped."""

from __future__ import annotations

import struct

import pytest

from c2lab.errors import BadArgument, BadValue, DamagedFile
from c2lab.storage import open_db

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


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
