"""LevelDB: a folder of sorted tables (needs the package ``plyvel``)."""

from __future__ import annotations

from typing import Any

from c2lab.errors import BadValue, DamagedFile, NotSupported
from c2lab.storage.databases import Cursor, Database, Mode, Transaction, as_bytes


class LevelDBStore(Database):
    """A database in a LevelDB folder."""

    def __init__(self, path: str, mode: Mode) -> None:
        super().__init__(path, mode)
        try:
            import plyvel
        except ImportError as error:
            raise NotSupported(
                'a leveldb database needs the package "plyvel": pip install plyvel, or use minidb or lmdb'
            ) from error
        try:
            self._store = plyvel.DB(path, create_if_missing=mode != "read", error_if_exists=mode == "new")
        except plyvel.CorruptionError as error:
            raise DamagedFile(f"{path} is damaged: {error}") from error
        except plyvel.Error as error:
            raise OSError(f"Cannot open leveldb: {path}: {error}") from error

    def new_cursor(self) -> LevelDBCursor:
        return LevelDBCursor(self._store, self.path)

    def new_transaction(self) -> LevelDBTransaction:
        self.require_writable()
        return LevelDBTransaction(self._store)

    def close(self) -> None:
        self._store.close()


class LevelDBCursor(Cursor):
    """Goes through the keys in their sorted order."""

    def __init__(self, store: Any, path: str) -> None:
        self._path = path
        self._iterator = store.raw_iterator()
        self.seek_to_first()

    def valid(self) -> bool:
        return self._iterator.valid()

    def _here(self) -> Any:
        if not self.valid():
            raise BadValue(f"the cursor stands at the end of {self._path}; there is no record to read")
        return self._iterator

    def key(self) -> bytes:
        return self._here().key()

    def value(self) -> bytes:
        return self._here().value()

    def next(self) -> None:
        if self.valid():
            self._iterator.next()

    def seek_to_first(self) -> None:
        self._iterator.seek_to_first()

    def seek(self, key: str | bytes) -> None:
        self._iterator.seek(as_bytes(key))

    def close(self) -> None:
        self._iterator.close()


class LevelDBTransaction(Transaction):
    """Collects records, and writes them at once."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._batch = store.write_batch()

    def put(self, key: str | bytes, value: bytes) -> None:
        self._batch.put(as_bytes(key), value)

    def commit(self) -> None:
        self._batch.write()
        self._batch = self._store.write_batch()

    def abort(self) -> None:
        self._batch = self._store.write_batch()
