"""minidb: its layout, damage that is named, and a full disk."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from c2lab.errors import DamagedFile
from c2lab.storage import minidb, open_db

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


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
