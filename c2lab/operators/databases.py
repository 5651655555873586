"""Databases: blobs to files and back, and training examples out of a database."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from c2lab.errors import BadArgument, BadValue, C2LabError, DamagedFile, SchemaError, ShapeMismatch
from c2lab.operators.definition import host_operator
from c2lab.operators.reading_ahead import Preparation, Record
from c2lab.operators.values import Opaque
from c2lab.proto import caffe2_pb2
from c2lab.storage import Database, DBReader, open_db
from c2lab.storage.blob_protos import CHUNK_MARK, CHUNK_SIZE, BlobAssembly, blob_records, tensor_to_array


def _path(db: str, absolute_path: int, workspace: Any) -> str:
    """A database's path: under the workspace's root folder unless it is said to be absolute."""
    return db if absolute_path else os.path.join(workspace.root_folder, db)


def _save(names: list[str], values: Any, path: str, db_type: str, chunk_size: int) -> None:
    if not names:
        raise SchemaError("there is nothing to save: name at least one blob as an input")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise BadArgument(f"Duplicated feature: {', '.join(twice)} would be saved twice under one name")
    with open_db(path, db_type, "new") as database, database.new_transaction() as writing:
        for name, value in zip(names, values, strict=True):
            if value is None or type(value).__name__ == "Uninitialised":
                raise BadValue(f"the blob {name} is empty: nothing has written it yet, so it cannot be saved")
            for key, content in blob_records(name, value, chunk_size):
                writing.put(key, content)


@host_operator("Save", outputs="", gradient="refused")
def save(
    *X: Any,
    workspace: Any,
    op: Any,
    db: str,
    db_type: str,
    absolute_path: int = 0,
    strip_prefix: str = "",
    blob_name_overrides: tuple[str, ...] = (),
    chunk_size: int = -1,
):
    """Writes blobs to a new database; one that was there before stays until all is written.

    Inputs:
        X: The blobs: tensors, texts and readers.
    Args:
        db: The path of the database.
        db_type: Its kind: minidb, lmdb, ...
        absolute_path: Takes the path as it is, and not under the workspace's root folder.
        strip_prefix: Leaves out of each name all up to and with this text.
        blob_name_overrides: The names to save under, in place of the blobs' own.
        chunk_size: Elements of a tensor in one record; -1 is 1,000,000, 0 never cuts.
    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model.minidb"
        >>> saved = run("Save", X=([1.0, 2.0],), db=path, db_type="minidb", absolute_path=1)
        >>> run("DBExists", db_name=path, db_type="minidb", absolute_path=1)
        exists = True
    """
    names = list(op.input)
    if blob_name_overrides:
        if len(blob_name_overrides) != len(names):
            raise BadArgument(
                f"Number of blobs and blob_name_overrides mismatch: {len(names)} blobs, "
                f"{len(blob_name_overrides)} names"
            )
        if strip_prefix:
            raise BadArgument("strip_prefix and blob_name_overrides are mutually exclusive; give one of them")
        names = list(blob_name_overrides)
    elif strip_prefix:
        names = [_without(name, strip_prefix) for name in names]
    _save(names, X, _path(db, absolute_path, workspace), db_type, CHUNK_SIZE if chunk_size < 0 else chunk_size)
    return ()


def _without(name: str, prefix: str) -> str:
    """What stands behind ``prefix`` in a name, or the name where it does not occur."""
    _, found, rest = name.partition(prefix)
    return rest if found else name


def _checkpoint(X, workspace, op, db, db_type, absolute_path, every):
    """Saves all inputs where the iteration, which is the first, is a multiple of ``every``."""
    if every <= 0:
        raise BadArgument(f"every is {every}; it must be above 0")
    iteration = int(np.asarray(X[0]).reshape(-1)[0])
    if iteration % every == 0:
        try:
            name = db % iteration
        except TypeError as error:
            raise BadArgument(
                f"db is {db!r}; it must have one place for the iteration, such as 'model_%06d.minidb'"
            ) from error
        _save(list(op.input), X, _path(name, absolute_path, workspace), db_type, CHUNK_SIZE)
    return ()


@host_operator("Checkpoint", outputs="", gradient="refused")
def checkpoint(iter, *X: Any, workspace: Any, op: Any, db: str, db_type: str, absolute_path: int = 0, every: int = 1):
    """Saves blobs every so many iterations, each time to a database of its own.

    Inputs:
        iter: The iteration, one int64; it is saved too.
        X: The blobs.
    Args:
        db: The path of the database, with a place for the iteration: `model_%06d.minidb`.
        db_type: Its kind: minidb, lmdb, ...
        absolute_path: Takes the path as it is, and not under the workspace's root folder.
        every: Saves where the iteration is a multiple of this.
    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model_%03d.minidb"
        >>> saved = run("Checkpoint", iter=np.array([20]), X=([1.0, 2.0],), db=path, db_type="minidb",
        ...     absolute_path=1, every=10)
        >>> run("DBExists", db_name=path % 20, db_type="minidb", absolute_path=1)
        exists = True
    """
    return _checkpoint((iter, *X), workspace, op, db, db_type, absolute_path, every)


@host_operator("Snapshot", outputs="*Y", gradient="refused")
def snapshot(*X: Any, workspace: Any, op: Any, db: str, db_type: str, absolute_path: int = 0, every: int = 1):
    """The old name of Checkpoint.

    Inputs:
        X: The iteration, one int64, and the blobs.
    Args:
        db: The path of the database, with a place for the iteration: `model_%06d.minidb`.
        db_type: Its kind: minidb, lmdb, ...
        absolute_path: Takes the path as it is, and not under the workspace's root folder.
        every: Saves where the iteration is a multiple of this.
    Outputs:
        Y: None.
    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model_%03d.minidb"
        >>> saved = run("Snapshot", outputs=0, X=(np.array([20]), [1.0, 2.0]), db=path, db_type="minidb",
        ...     absolute_path=1, every=10)
        >>> run("DBExists", db_name=path % 20, db_type="minidb", absolute_path=1)
        exists = True
    """
    return _checkpoint(X, workspace, op, db, db_type, absolute_path, every)


@host_operator("Load", outputs="*Y", gradient="none")
def load(
    *readers: Any,
    workspace: Any,
    op: Any,
    db: str = "",
    dbs: tuple[str, ...] = (),
    db_type: str = "",
    absolute_path: int = 0,
    add_prefix: str = "",
    strip_prefix: str = "",
    keep_device: int = 0,
    load_all: int = 0,
    allow_incomplete: bool = False,
    source_blob_names: tuple[str, ...] = (),
):
    """Reads blobs from databases: those that the outputs name, or all.

    Inputs:
        readers: DB readers to load from, in place of paths; they are not moved.
    Args:
        db: The path of the database.
        dbs: The paths of several databases.
        db_type: Their kind: minidb, lmdb, ...
        absolute_path: Takes the paths as they are, and not under the workspace's root folder.
        add_prefix: Put in front of each name in the database, before it is compared or made a blob.
        strip_prefix: Left out of each name in the database, with all before it.
        keep_device: Without effect: blobs go where the operator runs.
        load_all: Makes a blob of everything in the databases.
        allow_incomplete: Leaves an output empty where the databases have nothing of its name.
        source_blob_names: The names in the database, in place of the outputs' own.
    Outputs:
        Y: The blobs.
    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model.minidb"
        >>> saved = run("Save", X=([1.0, 2.0],), db=path, db_type="minidb", absolute_path=1)
        >>> run("Load", db=path, db_type="minidb", absolute_path=1, source_blob_names=["X_0"])
        Y_0 = [1. 2.]
    """
    if source_blob_names:
        if len(source_blob_names) != len(op.output):
            raise BadArgument(
                f"Number of output blobs and source_blob_names mismatch: {len(op.output)} outputs, "
                f"{len(source_blob_names)} names"
            )
        if strip_prefix or load_all:
            raise BadArgument("source_blob_names goes neither with strip_prefix nor with load_all")
    if len(set(op.output)) < len(op.output):
        raise BadArgument(f"the outputs of Load are {', '.join(op.output)}; each blob may be named once")
    wanted = None if load_all else list(source_blob_names or op.output)
    found: dict[str, BlobAssembly] = {}
    for source, records in _sources(readers, db, dbs, db_type, absolute_path, workspace):
        begun: set[str] = set()
        for key, content in records:
            name = key.decode("utf-8").partition(CHUNK_MARK)[0]
            name = add_prefix + (_without(name, strip_prefix) if strip_prefix else name)
            if wanted is not None and name not in wanted:
                continue
            if name in found and name not in begun:
                raise BadValue(f"Duplicate Key {name} is found: it is in {source} and in a database before it")
            begun.add(name)
            found.setdefault(name, BlobAssembly(source)).add(content)
    for name, assembly in found.items():
        if not assembly.complete:
            raise DamagedFile(f"the blob {name} is not complete: some of its chunks are missing")
    if wanted is None:
        # Outputs may be named as well; they must be among what there is.
        wanted = list(op.output)
    missing = [name for name in wanted if name not in found]
    if missing and not allow_incomplete:
        raise BadValue(
            f"Expected to load {len(wanted)} blobs, got {len(wanted) - len(missing)} only. "
            f"Missing: {', '.join(missing)}. With allow_incomplete=1 they are left empty"
        )
    if load_all:
        for name, assembly in found.items():
            workspace[name] = assembly.value()
    return tuple(found[name].value() if name in found else Opaque() for name in wanted)


def _sources(readers, db, dbs, db_type, absolute_path, workspace):
    """Where to load from: a name for messages, and the records."""
    if readers:
        for reader in readers:
            if not isinstance(reader, DBReader):
                raise BadArgument("the inputs of Load must be DB readers, made by CreateDB")
            with reader.new_cursor() as cursor:
                yield reader.source, cursor
        return
    if not db_type:
        raise BadArgument("Must specify a db type: db_type='minidb', say")
    paths = dbs or ((db,) if db else ())
    if not paths:
        raise BadArgument("Must specify a db name: db='model.minidb', say")
    for path in paths:
        full = _path(path, absolute_path, workspace)
        with open_db(full, db_type, "read") as database, database.new_cursor() as cursor:
            yield full, cursor


@host_operator("DBExists", outputs="exists", gradient="refused")
def db_exists(*, workspace: Any, db_name: str, db_type: str, absolute_path: int = 0):
    """Says whether a database can be opened.

    Args:
        db_name: Its path.
        db_type: Its kind: minidb, lmdb, ...
        absolute_path: Takes the path as it is, and not under the workspace's root folder.
    Outputs:
        exists: Whether it opens for reading, one bool.
    Example:
        >>> run("DBExists", db_name="no/such/file", db_type="minidb")
        exists = False
    """
    try:
        database: Database = open_db(_path(db_name, absolute_path, workspace), db_type, "read")
    except (OSError, C2LabError):
        return np.array(False)
    database.close()
    return np.array(True)


@host_operator("CreateDB", outputs="reader", gradient="none")
def create_db(*, db: str = "", db_type: str = "leveldb", num_shards: int = 1, shard_id: int = 0):
    """Opens a database for reading: the reader that TensorProtosDBInput takes examples from.

    Args:
        db: The path of the database.
        db_type: Its kind: minidb, lmdb, leveldb, ...
        num_shards: How many readers share the records.
        shard_id: Which of these readers this is, from 0.
    Outputs:
        reader: The reader, at its first record.
    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model.minidb"
        >>> saved = run("Save", X=([1.0, 2.0],), db=path, db_type="minidb", absolute_path=1)
        >>> run("CreateDB", db=path, db_type="minidb")
        reader = b'reader, a C++ native class of type caffe2::db::DBReader.'
    """
    return DBReader(db_type, db, num_shards, shard_id)


@host_operator("TensorProtosDBInput", outputs="*output", gradient="none")
def tensor_protos_db_input(data, *, num_outputs: int, state: Any, batch_size: int = 0, no_prefetch: bool = False):
    """Takes the next examples out of a database, and stacks them to a batch.

    After the last example it goes on with the first, within a batch too.  From the second run on, a
    thread prepares the next batch while the net works on this one.

    Inputs:
        data: A reader, made by CreateDB; each of its records is a `TensorProtos`, one tensor an output.
    Args:
        batch_size: How many examples make a batch; 0 takes one, without a batch dimension.
        no_prefetch: Prepares examples when they are asked for.
    Outputs:
        output: The examples' first tensors, then their second ones, ...: (batch_size, ...) each.
    Example:
        >>> import tempfile
        >>> from c2lab.proto import caffe2_pb2
        >>> from c2lab.storage import DBReader, open_db
        >>> from c2lab.storage.blob_protos import array_to_tensor
        >>> path = tempfile.mkdtemp() + "/examples.minidb"
        >>> with open_db(path, "minidb", "new") as db, db.new_transaction() as writing:
        ...     for number in (7, 8):
        ...         example = caffe2_pb2.TensorProtos(protos=[array_to_tensor(np.int32(number))])
        ...         writing.put(str(number), example.SerializeToString())
        >>> run("TensorProtosDBInput", data=DBReader("minidb", path), batch_size=3)
        output_0 = [7 8 7]
    """
    if not isinstance(data, DBReader):
        raise BadArgument("the input of TensorProtosDBInput must be a DB reader, made by CreateDB")
    if batch_size < 0:
        raise BadArgument(f"batch_size is {batch_size}; it must not be negative")
    source, count = data.source, max(batch_size, 1)
    if no_prefetch:
        examples = [_example(data.read(), source, num_outputs) for _ in range(count)]
    else:
        if "preparation" not in state:
            state["preparation"] = Preparation(lambda record: _example(record, source, num_outputs), threads=1)
        examples = state["preparation"].batch(data, count)
    if batch_size == 0:
        return tuple(examples[0])
    return tuple(_stack(column, number, data.source) for number, column in enumerate(zip(*examples, strict=True)))


def _example(record: Record, source: str, tensors: int) -> list[np.ndarray]:
    key, value = record
    protos = caffe2_pb2.TensorProtos()
    try:
        protos.ParseFromString(value)
    except DecodeError as error:
        raise DamagedFile(f"{source}: the record {key!r} is no TensorProtos") from error
    if len(protos.protos) != tensors:
        raise ShapeMismatch(
            f"{source}: the record {key!r} holds {len(protos.protos)} tensors, but there are {tensors} outputs"
        )
    return [tensor_to_array(proto) for proto in protos.protos]


def _stack(column: tuple[np.ndarray, ...], number: int, source: str) -> np.ndarray:
    kinds = sorted({(array.shape, str(array.dtype)) for array in column})
    if len(kinds) > 1:
        raise ShapeMismatch(
            f"{source}: the examples of one batch differ in tensor {number}: "
            f"{' and '.join(f'{shape} {dtype}' for shape, dtype in kinds)}; they must be equal to be stacked"
        )
    return np.stack(column)
