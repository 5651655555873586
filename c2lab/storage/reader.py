"""A reader that goes through a database again and again."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice
from typing import Any

from c2lab.errors import BadArgument, BadValue
from c2lab.proto import caffe2_pb2
from c2lab.storage.databases import Cursor, Database, open_db

Record = tuple[bytes, bytes]


class DBReader:
    """Hands out records in order, from the beginning again after the last one.

    Of ``num_shards`` readers, each with its own ``shard_id``, every record goes to one.
    """

    type_name = "caffe2::db::DBReader"

    def __init__(self, db_type: str, source: str, num_shards: int = 1, shard_id: int = 0) -> None:
        if not 0 <= shard_id < num_shards:
            raise BadArgument(f"shard_id is {shard_id}; with num_shards {num_shards} it must be 0 to {num_shards - 1}")
        self.db_type, self.source = db_type, source
        self.num_shards, self.shard_id = num_shards, shard_id
        self._lock = threading.Lock()
        self._ahead: deque[tuple[tuple[int, bytes], Record]] = deque()  # fetched, but not read: place and record
        self._database: Database = open_db(source, db_type, "read")
        self._cursor = self._database.new_cursor()
        self._rewind()

    def _rewind(self) -> None:
        self._cursor.seek_to_first()
        self._records = self.shard_id  # the record under the cursor, counted from 0
        for _ in range(self.shard_id):
            self._cursor.next()
        if not self._cursor.valid():
            raise BadValue(
                f"{self.source} has {'no records' if self.shard_id == 0 else 'fewer rows than shard id'}: "
                f"nothing to read for shard {self.shard_id} of {self.num_shards}"
            )

    def read(self) -> Record:
        """The next key and value."""
        with self._lock:
            return self._ahead.popleft()[1] if self._ahead else self._fetch()

    def peek(self, count: int) -> list[Record]:
        """The next ``count`` records, which stay the next ones: ``read`` will give these very objects.

        So examples can be prepared ahead of the net, and the reader's place is still that of what was read.
        """
        with self._lock:
            while len(self._ahead) < count:
                place = self._records, self._cursor.key()
                self._ahead.append((place, self._fetch()))
            return [record for _, record in islice(self._ahead, count)]

    def _fetch(self) -> Record:
        record = self._cursor.key(), self._cursor.value()
        for _ in range(self.num_shards):
            self._cursor.next()
            if not self._cursor.valid():
                self._rewind()
                break
        else:
            self._records += self.num_shards
        return record

    def _place(self) -> tuple[int, bytes]:
        """Number and key of the next record to be read."""
        return self._ahead[0][0] if self._ahead else (self._records, self._cursor.key())

    def new_cursor(self) -> Cursor:
        """A cursor of its own, which does not move the reader."""
        return self._database.new_cursor()

    def seek_to_first(self) -> None:
        """Begins anew."""
        with self._lock:
            self._ahead.clear()
            self._rewind()

    def state(self) -> dict[str, Any]:
        """Where the reader stands, in plain values."""
        with self._lock:
            records, key = self._place()
        return {
            "db_type": self.db_type,
            "source": self.source,
            "num_shards": self.num_shards,
            "shard_id": self.shard_id,
            "records": records,
            "key": key,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to where ``state`` was taken.

        Raises:
            BadValue: The database has no longer that record there.
        """
        with self._lock:
            self._ahead.clear()
            if self._cursor.supports_seek():
                self._cursor.seek(state["key"])
            else:
                self._cursor.seek_to_first()
                for _ in range(state["records"]):
                    self._cursor.next()
            if not self._cursor.valid() or self._cursor.key() != state["key"]:
                raise BadValue(
                    f"{self.source} has changed: record {state['records']} is no longer {state['key']!r}; "
                    "begin anew with seek_to_first"
                )
            self._records = state["records"]

    def serialize(self) -> bytes:
        """The reader as a ``DBReaderProto``."""
        message = caffe2_pb2.DBReaderProto(source=self.source, db_type=self.db_type)
        with self._lock:
            message.key = self._place()[1].decode("utf-8", "surrogateescape")
        return message.SerializeToString()

    @classmethod
    def deserialize(cls, content: bytes) -> DBReader:
        """A reader that stands where the serialized one stood."""
        message = caffe2_pb2.DBReaderProto.FromString(content)
        reader = cls(message.db_type, message.source)
        if message.key:
            wanted = message.key.encode("utf-8", "surrogateescape")
            while reader._cursor.valid() and reader._cursor.key() != wanted:
                reader._cursor.next()
                reader._records += 1
            if not reader._cursor.valid():
                raise BadValue(f"{message.source} has no record {message.key!r} any more")
        return reader
