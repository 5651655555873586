"""protodb: one ``TensorProtos`` message in a file, each tensor under its own name."""

from __future__ import annotations

import os

from google.protobuf.message import DecodeError

from c2lab.errors import BadValue, DamagedFile
from c2lab.proto import caffe2_pb2
from c2lab.storage.databases import Cursor, Database, Mode, Transaction, as_bytes


class ProtoDB(Database):
    """A database of named tensors that is held in memory and written as a whole."""

    def __init__(self, path: str, mode: Mode) -> None:
        super().__init__(path, mode)
        self.message = caffe2_pb2.TensorProtos()
        if mode != "new" and (mode == "read" or os.path.exists(path)):
            with open(path, "rb") as file:
                content = file.read()
            try:
                self.message.ParseFromString(content)
            except DecodeError as error:
                raise DamagedFile(f"{path} is no protodb, or damaged: {error}") from error

    def write(self) -> None:
        """Writes the file beside the old one, then puts it in its place."""
        beside = f"{self.path}.{os.getpid()}.tmp"
        try:
            with open(beside, "wb") as file:
                file.write(self.message.SerializeToString())
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        finally:
            if os.path.exists(beside):
                os.unlink(beside)

    def new_cursor(self) -> ProtoDBCursor:
        return ProtoDBCursor(self.message)

    def new_transaction(self) -> ProtoDBTransaction:
        self.require_writable()
        return ProtoDBTransaction(self)


class ProtoDBCursor(Cursor):
    """Goes through the tensors of the message."""

    def __init__(self, message: caffe2_pb2.TensorProtos) -> None:
        self._protos = message.protos
        self._index = 0

    def valid(self) -> bool:
        return self._index < len(self._protos)

    def _here(self) -> caffe2_pb2.TensorProto:
        if not self.valid():
            raise BadValue("the cursor stands at the end; there is no record to read")
        return self._protos[self._index]

    def key(self) -> bytes:
        return self._here().name.encode("utf-8")

    def value(self) -> bytes:
        return self._here().SerializeToString()

    def next(self) -> None:
        self._index += 1

    def seek_to_first(self) -> None:
        self._index = 0

    def seek(self, key: str | bytes) -> None:
        wanted = as_bytes(key).decode("utf-8")
        names = (index for index, proto in enumerate(self._protos) if proto.name == wanted)
        self._index = next(names, len(self._protos))


class ProtoDBTransaction(Transaction):
    """Collects tensors, and writes them with the others at ``commit``."""

    def __init__(self, database: ProtoDB) -> None:
        self._database = database
        self._pending: list[caffe2_pb2.TensorProto] = []

    def put(self, key: str | bytes, value: bytes) -> None:
        name = as_bytes(key).decode("utf-8")
        tensor = caffe2_pb2.TensorProto()
        try:
            tensor.ParseFromString(value)
        except DecodeError:
            tensor.name = "\0"
        if tensor.name not in ("", name) or tensor.SerializeToString() == b"":
            raise BadValue(
                f"{self._database.path}: a protodb holds TensorProtos, each under its own name, but the value under "
                f"{name!r} is none of that name; use minidb for blobs and for records of several tensors"
            )
        held = {proto.name for proto in (*self._database.message.protos, *self._pending)}
        if name in held:
            raise BadValue(f"{self._database.path}: an item with key {name} already exists")
        tensor.name = name
        self._pending.append(tensor)

    def commit(self) -> None:
        before = len(self._database.message.protos)
        self._database.message.protos.extend(self._pending)
        try:
            self._database.write()
        except BaseException:
            del self._database.message.protos[before:]
            raise
        self._pending = []

    def abort(self) -> None:
        self._pending = []
