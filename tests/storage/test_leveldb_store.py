"""LevelDB through plyvel, which a stand-in plays."""

from __future__ import annotations

import sys
import types
from typing import ClassVar

import pytest

from c2lab.storage import open_db

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


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
