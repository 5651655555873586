"""LMDB: a folder with a memory-mapped tree of sorted keys (needs the package ``lmdb``)."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import weakref
from typing import Any

from c2lab.errors import BadArgument, BadValue, DamagedFile, NotSupported
from c2lab.storage.databases import Cursor, Database, Mode, Transaction, as_bytes

_MAGIC = 0xBEEFC0DE
_PAGE_HEADER = 16
_META = struct.Struct("<IIQQ")  # magic, version, address, map size
_TREE = struct.Struct("<IHHQQQQQ")  # page size (or pad), flags, depth, branch, leaf, overflow, entries, root
_LAST = struct.Struct("<QQ")  # last page, transaction
_MAP_SIZES = tuple(1 << bits for bits in (40, 36, 32, 30))

# One environment a folder in a process: a second one would break the locks of the first.
_environments: weakref.WeakValueDictionary[str, _Environment]
_lock = threading.Lock()


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise NotSupported('an lmdb database needs the package "lmdb": pip install lmdb, or use minidb') from error
    return lmdb


def check_file(path: str) -> None:
    """Looks at the head of a data file before it is mapped, since a damaged one could end the process.

    Raises:
        DamagedFile: It is no LMDB file, or it is cut off.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        page_size = _page_size(path, file.read(_PAGE_HEADER + _META.size + _TREE.size), size)
        newest = (-1, 0)
        for page in (0, 1):
            file.seek(page * page_size + _PAGE_HEADER)
            meta = file.read(_META.size + 2 * _TREE.size + _LAST.size)
            if len(meta) < _META.size + 2 * _TREE.size + _LAST.size:
                raise DamagedFile(f"{path} is cut off: it has {size} bytes, less than its two head pages")
            if _META.unpack_from(meta)[0] != _MAGIC:
                raise DamagedFile(f"{path} is damaged: head page {page} has no LMDB mark at byte {page * page_size}")
            last_page, transaction = _LAST.unpack_from(meta, _META.size + 2 * _TREE.size)
            newest = max(newest, (transaction, last_page))
    if (newest[1] + 1) * page_size > size and not _readable_elsewhere(path):
        raise DamagedFile(
            f"{path} is cut off: it claims {newest[1] + 1} pages of {page_size} bytes, but has only {size} bytes"
        )


def _page_size(path: str, head: bytes, size: int) -> int:
    if len(head) < _PAGE_HEADER + _META.size + _TREE.size or _META.unpack_from(head, _PAGE_HEADER)[0] != _MAGIC:
        raise DamagedFile(f"{path} is no LMDB file: it has no LMDB mark at byte {_PAGE_HEADER}")
    version = _META.unpack_from(head, _PAGE_HEADER)[1]
    if version not in (1, 2):
        raise DamagedFile(f"{path} has LMDB version {version} at byte {_PAGE_HEADER + 4}; known are 1 and 2")
    page_size = _TREE.unpack_from(head, _PAGE_HEADER + _META.size)[0]
    if not 256 <= page_size <= 65536 or page_size & (page_size - 1):
        raise DamagedFile(f"{path} is damaged: it claims pages of {page_size} bytes")
    if size < 2 * page_size:
        raise DamagedFile(f"{path} is cut off: it has {size} bytes, less than its two head pages of {page_size}")
    return page_size


def _readable_elsewhere(path: str) -> bool:
    """Whether another process gets through the whole file: pages that were never written may miss at its end."""
    walk = (
        "import lmdb, sys\n"
        "with lmdb.open(sys.argv[1], subdir=False, readonly=True, lock=False) as env, env.begin() as t:\n"
        "    sum(len(k) + sum(v) for k, v in t.cursor())\n"
    )
    done = subprocess.run([sys.executable, "-c", walk, path], capture_output=True, check=False)
    return done.returncode == 0


class _Environment:
    """An open LMDB environment, shared by all who have this folder open."""

    def __init__(self, path: str, create: bool) -> None:
        lmdb = _lmdb()
        folder = not os.path.isfile(path)
        data = os.path.join(path, "data.mdb") if folder else path
        if os.path.exists(data):
            check_file(data)
        elif not create:
            raise FileNotFoundError(f"Cannot open lmdb: {data} (no such file)")
        self.readonly = not create and not os.access(data, os.W_OK)
        problem: Exception | None = None
        for map_size in _MAP_SIZES:
            try:
                self.env = lmdb.open(
                    path, subdir=folder, map_size=map_size, readonly=self.readonly, create=create, max_readers=512
                )
                break
            except (lmdb.MemoryError, lmdb.DiskError, MemoryError) as error:
                problem = error  # this system does not map so much: try less
            except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError) as error:
                raise DamagedFile(f"{data} is no LMDB file, or damaged: {error}") from error
            except lmdb.Error as error:
                raise OSError(f"Cannot open lmdb: {path}: {error}") from error
        else:
            raise OSError(f"Cannot open lmdb: {path}: {problem}")

    def __del__(self) -> None:
        env = getattr(self, "env", None)
        if env is not None:
            env.close()


_environments = weakref.WeakValueDictionary()


def _environment(path: str, create: bool) -> _Environment:
    with _lock:
        key = os.path.realpath(path)
        held = _environments.get(key)
        if held is None:
            held = _environments[key] = _Environment(path, create)
        return held


class LmdbStore(Database):
    """A database in an LMDB folder."""

    def __init__(self, path: str, mode: Mode) -> None:
        super().__init__(path, mode)
        _lmdb()
        if mode == "new" and os.path.exists(path):
            raise BadArgument(f'{path} exists; a new lmdb needs a path of its own: remove it, or use mode "write"')
        self._environment = _environment(path, create=mode != "read")
        if mode != "read" and self._environment.readonly:
            raise PermissionError(f"Cannot write to lmdb: {path} may only be read")

    def new_cursor(self) -> LmdbCursor:
        return LmdbCursor(self._environment, self.path)

    def new_transaction(self) -> LmdbTransaction:
        self.require_writable()
        return LmdbTransaction(self._environment, self.path)


class LmdbCursor(Cursor):
    """Goes through the keys in their sorted order."""

    def __init__(self, environment: _Environment, path: str) -> None:
        self._environment = environment
        self._path = path
        self._transaction = environment.env.begin(buffers=False)
        self._cursor = self._transaction.cursor()
        self.seek_to_first()

    def valid(self) -> bool:
        return self._valid

    def _here(self) -> Any:
        if not self._valid:
            raise BadValue(f"the cursor stands at the end of {self._path}; there is no record to read")
        return self._cursor

    def key(self) -> bytes:
        return self._here().key()

    def value(self) -> bytes:
        return self._here().value()

    def next(self) -> None:
        self._valid = self._valid and self._cursor.next()

    def seek_to_first(self) -> None:
        self._valid = self._cursor.first()

    def seek(self, key: str | bytes) -> None:
        self._valid = self._cursor.set_range(as_bytes(key))

    def close(self) -> None:
        if self._transaction is not None:
            self._cursor.close()
            self._transaction.abort()
            self._transaction, self._valid = None, False

    def __del__(self) -> None:
        if getattr(self, "_transaction", None) is not None:
            self.close()


class LmdbTransaction(Transaction):
    """One write transaction of LMDB at a time."""

    def __init__(self, environment: _Environment, path: str) -> None:
        self._environment = environment
        self._path = path
        self._transaction: Any = None

    def put(self, key: str | bytes, value: bytes) -> None:
        if self._transaction is None:
            self._transaction = self._environment.env.begin(write=True)
        try:
            self._transaction.put(as_bytes(key), value)
        except _lmdb().BadValsizeError as error:
            longest = self._environment.env.max_key_size()
            raise BadValue(f"{self._path}: a key must have 1 to {longest} bytes, got {len(as_bytes(key))}") from error
        except _lmdb().Error as error:
            self.abort()
            raise OSError(f"Cannot write to lmdb: {self._path}: {error}") from error

    def commit(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            try:
                transaction.commit()
            except _lmdb().Error as error:
                raise OSError(f"Cannot write to lmdb: {self._path}: {error}") from error

    def abort(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abort()
