"""minidb: one file of records, one after another.

A record is the length of its key and the length of its value, each an int32 with the
low byte first, then the key, then the value. There is no header and no index.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import tempfile
from typing import IO

from c2lab.errors import BadValue, DamagedFile
from c2lab.storage.databases import Cursor, Database, Mode, Transaction, as_bytes

_LENGTHS = struct.Struct("<ii")
_LARGEST = 2**31 - 1


class MiniDB(Database):
    """A database in one plain file."""

    def __init__(self, path: str, mode: Mode) -> None:
        super().__init__(path, mode)
        if mode == "read" and not os.path.isfile(path):
            raise FileNotFoundError(f"Cannot open file: {path} (no such file)")
        # A new database takes the old one's place at its first commit, not before.
        self.fresh = mode == "new"

    def new_cursor(self) -> MiniDBCursor:
        return MiniDBCursor(self.path)

    def new_transaction(self) -> MiniDBTransaction:
        self.require_writable()
        return MiniDBTransaction(self)


class MiniDBCursor(Cursor):
    """Reads a file from the first record to the last, checking each length on the way."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "rb")  # noqa: SIM115 - open for as long as the cursor lives
        self._size = os.fstat(self._file.fileno()).st_size
        self.seek_to_first()

    def seek_to_first(self) -> None:
        self._end = 0
        self.next()

    def next(self) -> None:
        self._offset = offset = self._end
        self._lengths = None
        if offset >= self._size:
            return
        self._file.seek(offset)
        header = self._file.read(_LENGTHS.size)
        if len(header) < _LENGTHS.size:
            raise DamagedFile(f"{self._path} is cut off: at byte {offset} begins a record of only {len(header)} bytes")
        key_length, value_length = _LENGTHS.unpack(header)
        end = offset + _LENGTHS.size + key_length + value_length
        if key_length < 0 or value_length < 0:
            raise DamagedFile(
                f"{self._path} is damaged or no minidb: the record at byte {offset} claims a key of {key_length} "
                f"and a value of {value_length} bytes"
            )
        if end > self._size:
            raise DamagedFile(
                f"{self._path} is cut off or damaged: the record at byte {offset} claims to end at byte {end}, "
                f"but the file has {self._size} bytes"
            )
        self._lengths = (key_length, value_length)
        self._key = self._file.read(key_length)
        self._end = end

    def valid(self) -> bool:
        return self._lengths is not None

    def _here(self) -> tuple[int, int]:
        if self._lengths is None:
            raise BadValue(f"the cursor stands at the end of {self._path}; there is no record to read")
        return self._lengths

    def key(self) -> bytes:
        self._here()
        return self._key

    def value(self) -> bytes:
        key_length, value_length = self._here()
        self._file.seek(self._offset + _LENGTHS.size + key_length)
        return self._file.read(value_length)

    def seek(self, key: str | bytes) -> None:
        wanted = as_bytes(key)
        self.seek_to_first()
        while self.valid() and self._key != wanted:
            self.next()

    def supports_seek(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self._file.close()


class MiniDBTransaction(Transaction):
    """Writes beside the file, and puts the result in its place at ``commit``: an error leaves the old file."""

    def __init__(self, database: MiniDB) -> None:
        self._database = database
        self._path = os.path.abspath(database.path)
        self._pending: IO[bytes] | None = None  # begun with the first record

    def _begin(self) -> IO[bytes]:
        folder, name = os.path.split(self._path)
        pending = tempfile.NamedTemporaryFile("wb", dir=folder, prefix=f".{name}.", delete=False)  # noqa: SIM115
        try:
            if not self._database.fresh and os.path.exists(self._path):
                with open(self._path, "rb") as old:
                    shutil.copyfileobj(old, pending)
        except BaseException:
            self._discard(pending)
            raise
        return pending

    def put(self, key: str | bytes, value: bytes) -> None:
        key = as_bytes(key)
        if len(key) > _LARGEST or len(value) > _LARGEST:
            raise BadValue(f"{self._path}: a key or value of more than {_LARGEST} bytes does not fit a record")
        if self._pending is None:
            self._pending = self._begin()
            self.closed = False
        try:
            self._pending.write(_LENGTHS.pack(len(key), len(value)))
            self._pending.write(key)
            self._pending.write(value)
        except OSError:
            self.abort()
            raise

    def commit(self) -> None:
        pending, self._pending = self._pending, None
        if pending is None and not self._database.fresh:
            return
        pending = pending or self._begin()
        try:
            pending.flush()
            os.fsync(pending.fileno())
            pending.close()
            os.chmod(pending.name, 0o666 & ~_umask())
            os.replace(pending.name, self._path)
        except BaseException:
            self.closed = True
            self._discard(pending)
            raise
        self._database.fresh = False

    def abort(self) -> None:
        self.closed = True
        pending, self._pending = self._pending, None
        if pending is not None:
            self._discard(pending)

    @staticmethod
    def _discard(pending: IO[bytes]) -> None:
        with contextlib.suppress(OSError):
            pending.close()
        with contextlib.suppress(OSError):
            os.unlink(pending.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
