"""The face that all kinds of database share, and which kinds there are."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Literal, Self

from c2lab.errors import BadArgument, did_you_mean

Mode = Literal["read", "write", "new"]


def as_bytes(key: str | bytes) -> bytes:
    """A key or value as it is stored."""
    return key.encode("utf-8") if isinstance(key, str) else key


class Cursor(ABC):
    """A place in a database; a new one stands at the first record."""

    @abstractmethod
    def valid(self) -> bool:
        """Whether there is a record here, and not the end."""

    @abstractmethod
    def key(self) -> bytes:
        """The key of the record here."""

    @abstractmethod
    def value(self) -> bytes:
        """The value of the record here."""

    @abstractmethod
    def next(self) -> None:
        """Moves to the next record, or to the end."""

    @abstractmethod
    def seek_to_first(self) -> None:
        """Moves to the first record."""

    @abstractmethod
    def seek(self, key: str | bytes) -> None:
        """Moves to a key: where keys are sorted, to it or the one behind; else to it or the end."""

    def supports_seek(self) -> bool:
        """Whether seeking is quicker than reading all that lies before."""
        return True

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Lets go of what the cursor holds."""

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        while self.valid():
            yield self.key(), self.value()
            self.next()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transaction(ABC):
    """Writes that become visible together, at ``commit``.

    In a ``with`` block they are committed at its end, or undone where it raises. A transaction
    that is dropped is committed, as scripts for the original expect (``del transaction``).
    """

    closed = False  # nothing is left to commit

    @abstractmethod
    def put(self, key: str | bytes, value: bytes) -> None:
        """Adds a record."""

    @abstractmethod
    def commit(self) -> None:
        """Makes what was put permanent; more may be put afterwards."""

    @abstractmethod
    def abort(self) -> None:
        """Undoes what was put since the last commit."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.closed = True
        if kind is None:
            self.commit()
        else:
            self.abort()

    def __del__(self) -> None:
        if not self.closed:
            self.closed = True
            self.commit()


class Database(ABC):
    """An open database."""

    def __init__(self, path: str, mode: Mode) -> None:
        self.path = path
        self.mode = mode

    @abstractmethod
    def new_cursor(self) -> Cursor:
        """A cursor at the first record."""

    @abstractmethod
    def new_transaction(self) -> Transaction:
        """A transaction to put records in."""

    def cursor(self) -> Cursor:
        """The same as ``new_cursor``."""
        return self.new_cursor()

    def transaction(self) -> Transaction:
        """The same as ``new_transaction``."""
        return self.new_transaction()

    def require_writable(self) -> None:
        """
        Raises:
            BadArgument: The database was opened for reading.
        """
        if self.mode == "read":
            raise BadArgument(f'{self.path} is open for reading; open it with mode "write" or "new" to put records')

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Lets go of what the database holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


Opener = Callable[[str, Mode], Database]
_openers: dict[str, Opener | str] = {
    "minidb": "c2lab.storage.minidb:MiniDB",
    "protodb": "c2lab.storage.protodb:ProtoDB",
    "lmdb": "c2lab.storage.lmdb_store:LmdbStore",
    "leveldb": "c2lab.storage.leveldb_store:LevelDBStore",
}


def register_db(db_type: str, opener: Opener) -> None:
    """Adds a kind of database: ``opener(path, mode)`` gives a ``Database``."""
    _openers[db_type] = opener


def db_types() -> tuple[str, ...]:
    """The kinds of database that can be opened."""
    return tuple(_openers)


def open_db(path: str, db_type: str, mode: Mode = "read") -> Database:
    """Opens a database.

    Args:
        path: The file or folder.
        db_type: Its kind: one of ``db_types()``, in any spelling of upper and lower case.
        mode: ``"read"``, ``"write"`` (adds records to what is there), or ``"new"`` (begins an empty one).

    Raises:
        BadArgument: The kind or the mode is unknown.
        DamagedFile: The file is not what it claims to be.
        OSError: The file does not exist, or may not be opened.

    Example:
        >>> open_db("x", "minidbs")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        c2lab.errors.BadArgument: Cannot find db implementation of type minidbs ... Did you mean: minidb?
    """
    opener = _openers.get(db_type.lower())
    if opener is None:
        raise BadArgument(
            f"Cannot find db implementation of type {db_type} (while trying to open {path})."
            f"{did_you_mean(db_type, _openers)}"
        )
    if mode not in ("read", "write", "new"):
        raise BadArgument(f"mode is {mode!r}; it must be 'read', 'write' or 'new'")
    if isinstance(opener, str):
        module, _, name = opener.partition(":")
        opener = getattr(importlib.import_module(module), name)
    return opener(path, mode)
