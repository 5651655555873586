"""Datasets: records with lists in lists, kept as columns, read batch by batch.

A column's name is a path: ``ids:lengths`` says how many of the rows of ``ids:values`` belong to
each record, ``ids:values:lengths`` how many of those of ``ids:values:values`` to each of these, and so on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from c2lab.operators.definition import host_operator
from c2lab.operators.values import Opaque
from c2lab.proto import caffe2_pb2
from c2lab.storage.blob_protos import array_to_tensor, tensor_to_array
from c2lab.storage.kinds import BlobKind, register_kind


class Layout:
    """Which column belongs to which level of lists: level 0 are the records, level k + 1 what length column k counts.

    Example:
        >>> Layout(["label", "ids:lengths", "ids:values"]).levels
        [0, 0, 1]
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = list(fields)
        paths = [field.split(":") for field in fields]
        self.lengths = [k for k, path in enumerate(paths) if path[-1] == "lengths"]
        self.levels = []
        for path in paths:
            level, deepest = 0, -1
            for number, column in enumerate(self.lengths):
                prefix = paths[column][:-1]
                if path != paths[column] and path[: len(prefix)] == prefix and len(prefix) > deepest:
                    level, deepest = number + 1, len(prefix)
            self.levels.append(level)

    def require_columns(self, columns: Sequence[Any]) -> None:
        """Demands one column a field."""
        if len(columns) != len(self.fields):
            raise ShapeMismatch(f"there are {len(columns)} columns for the {len(self.fields)} fields {self.fields}")
        for field, column in zip(self.fields, columns, strict=True):
            if column.ndim == 0:
                raise ShapeMismatch(f"{field} is a single value; a column has rows, one a record: ExpandDims makes one")

    def records(self, columns: Sequence[np.ndarray]) -> int:
        """How many records the columns hold."""
        self.require_columns(columns)
        return next((len(c) for c, level in zip(columns, self.levels, strict=True) if level == 0), 0)

    def offsets(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Where each record begins on every level, and where the last one ends: (records + 1, levels) int64."""
        table = np.zeros((self.records(columns) + 1, len(self.lengths) + 1), np.int64)
        table[:, 0] = np.arange(len(table))
        done, waiting = {0}, list(enumerate(self.lengths))
        while waiting:
            number, column = next((n, c) for n, c in waiting if self.levels[c] in done)
            waiting.remove((number, column))
            ends = np.concatenate([[0], np.cumsum(columns[column].reshape(-1), dtype=np.int64)])
            parents = table[:, self.levels[column]]
            if parents[-1] >= len(ends):
                raise ShapeMismatch(
                    f"{self.fields[column]} has {len(ends) - 1} rows, but the columns above it count {parents[-1]}"
                )
            table[:, number + 1] = ends[parents]
            done.add(number + 1)
        return table

    def require_consistent(self, columns: Sequence[np.ndarray]) -> None:
        """Demands that columns of one level have one length: what the length column above them adds up to."""
        sizes = self.offsets(columns)[-1]
        for field, column, level in zip(self.fields, columns, self.levels, strict=True):
            if len(column) != sizes[level]:
                raise ShapeMismatch(
                    f"{field} has {len(column)} rows, but the columns beside or above it say {sizes[level]}"
                )

    def cut(self, columns: Sequence[np.ndarray], begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, ...]:
        """The rows of each column from ``begin`` to ``end``, which are rows of the table of offsets."""
        return tuple(c[begin[level] : end[level]] for c, level in zip(columns, self.levels, strict=True))


class TreeCursor(Opaque):
    """A place in a dataset: the number of the next record."""

    type_name = "std::unique_ptr<caffe2::dataset_ops::TreeCursor>"

    def __init__(self, fields: Sequence[str]) -> None:
        self.layout = Layout(fields)
        self.record = 0
        self.offsets = np.zeros(len(self.layout.lengths) + 1, np.int64)
        self.lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        return {"record": self.record, "offsets": self.offsets.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        self.record = int(state["record"])
        self.offsets = np.array(state["offsets"], np.int64)


def _write_cursor(cursor: TreeCursor, proto: caffe2_pb2.BlobProto) -> None:
    with cursor.lock:
        proto.tensor.CopyFrom(array_to_tensor(cursor.offsets, proto.name))
    proto.content = "".join(f"{field} " for field in cursor.layout.fields).encode()


def _read_cursor(proto: caffe2_pb2.BlobProto) -> TreeCursor:
    cursor = TreeCursor(proto.content.decode().split())
    if proto.HasField("tensor"):
        offsets = tensor_to_array(proto.tensor)
        if offsets.shape != cursor.offsets.shape:
            raise ValueError(f"it has {offsets.size} offsets, but its fields {cursor.layout.fields} want others")
        cursor.restore({"record": offsets[0], "offsets": offsets})
    return cursor


register_kind(TreeCursor, BlobKind("std::unique_ptr<TreeCursor>", _write_cursor, _read_cursor))


def _cursor(cursor: Any) -> TreeCursor:
    if not isinstance(cursor, TreeCursor):
        raise BadArgument("the first input must be a cursor, made by CreateTreeCursor")
    return cursor


@host_operator("CreateTreeCursor", outputs="cursor", gradient="refused")
def create_tree_cursor(*, fields: tuple[str, ...]):
    """Makes a cursor at the first record of a dataset.

    Args:
        fields: The names of the dataset's columns.
    Outputs:
        cursor: The cursor.
    Example:
        >>> run("CreateTreeCursor", fields=["label", "ids:lengths", "ids:values"])
        cursor = b'cursor, a C++ native class of type std::unique_ptr<caffe2::dataset_ops::TreeCursor>.'
    """
    return TreeCursor(fields)


@host_operator("ResetCursor", outputs="", gradient="refused")
def reset_cursor(cursor):
    """Puts a cursor back to the first record.

    Inputs:
        cursor: The cursor.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> back = run("ResetCursor", cursor=TreeCursor(["label"]))
    """
    with _cursor(cursor).lock:
        cursor.record = 0
        cursor.offsets[:] = 0
    return ()


@host_operator("GetCursorOffset", outputs="offsets")
def get_cursor_offset(cursor):
    """Where a cursor stands on every level.

    Inputs:
        cursor: The cursor.
    Outputs:
        offsets: One number a level, int64.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> run("GetCursorOffset", cursor=TreeCursor(["ids:lengths", "ids:values"]))
        offsets = [0 0]
    """
    return _cursor(cursor).offsets.copy()


@host_operator("CheckDatasetConsistency", outputs="", gradient="refused")
def check_dataset_consistency(field_0, *more: Any, fields: tuple[str, ...]):
    """Stops the net where the columns of a dataset do not fit each other.

    Inputs:
        field_0: The first column.
        more: The others.
    Args:
        fields: The columns' names.
    Example:
        >>> good = run("CheckDatasetConsistency", field_0=[2, 1], more=([7, 8, 9],), fields=["x:lengths", "x:values"])
    """
    Layout(fields).require_consistent((field_0, *more))
    return ()


@host_operator("ComputeOffset", outputs="offsets", gradient="refused")
def compute_offset(cursor, *dataset: Any):
    """Where each record of a dataset begins on every level, for ReadRandomBatch.

    Inputs:
        cursor: A cursor of the dataset.
        dataset: Its columns.
    Outputs:
        offsets: A row a record and one for the end, a column a level; int64.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> run("ComputeOffset", cursor=TreeCursor(["x:lengths", "x:values"]), dataset=([2, 1], [7, 8, 9]))
        offsets = [[0 0]
         [1 2]
         [2 3]]
    """
    return _cursor(cursor).layout.offsets(dataset)


@host_operator("ReadNextBatch", outputs="*field", gradient="refused")
def read_next_batch(cursor, *dataset: Any, batch_size: int = 1, enforce_batch_size: bool = False):
    """Reads the next records of a dataset; no rows at all where it is at its end.

    Inputs:
        cursor: A cursor of the dataset, which moves on.
        dataset: Its columns.
    Args:
        batch_size: How many records to read at most.
        enforce_batch_size: Reads nothing where fewer records than this are left.
    Outputs:
        field: The columns of the records read.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> cursor = TreeCursor(["x:lengths", "x:values"])
        >>> run("ReadNextBatch", cursor=cursor, dataset=([2, 1], [7, 8, 9]), batch_size=1, outputs=2)
        field_0 = [2]
        field_1 = [7 8]
    """
    layout = _cursor(cursor).layout
    table = layout.offsets(dataset)
    with cursor.lock:
        begin = min(cursor.record, len(table) - 1)
        end = min(begin + batch_size, len(table) - 1)
        if enforce_batch_size and end - begin < batch_size:
            end = begin = len(table) - 1
        cursor.record, cursor.offsets = end, table[end].copy()
    return layout.cut(dataset, table[begin], table[end])


@host_operator("ReadRandomBatch", outputs="*field", gradient="refused")
def read_random_batch(
    cursor,
    idx,
    offsetsmat,
    *dataset: Any,
    batch_size: int = 1,
    loop_over: bool = False,
    enforce_batch_size: bool = False,
):
    """Reads records of a dataset in a given order.

    Inputs:
        cursor: A cursor of the dataset, which moves on along `idx`.
        idx: The order: numbers of records, int64.
        offsetsmat: Where records begin, from ComputeOffset.
        dataset: The columns.
    Args:
        batch_size: How many records to read at most.
        loop_over: Begins anew at the end of `idx`.
        enforce_batch_size: Reads nothing where fewer records than this are left.
    Outputs:
        field: The columns of the records read.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> run("ReadRandomBatch", cursor=TreeCursor(["x:lengths", "x:values"]), idx=[1, 0],
        ...     offsetsmat=[[0, 0], [1, 2], [2, 3]], dataset=([2, 1], [7, 8, 9]), batch_size=1, outputs=2)
        field_0 = [1]
        field_1 = [9]
    """
    layout = _cursor(cursor).layout
    layout.require_columns(dataset)
    order = idx.reshape(-1)
    with cursor.lock:
        begin = min(cursor.record, len(order))
        if loop_over and begin == len(order):
            begin = 0
        end = min(begin + batch_size, len(order))
        if enforce_batch_size and end - begin < batch_size:
            begin = end = len(order)
        cursor.record = end
        cursor.offsets[0] = end
    chosen = order[begin:end]
    if len(chosen) and not (0 <= chosen.min() and chosen.max() < len(offsetsmat) - 1):
        raise BadValue(f"idx holds {chosen.min()} to {chosen.max()}, but there are {len(offsetsmat) - 1} records")
    parts = [layout.cut(dataset, offsetsmat[k], offsetsmat[k + 1]) for k in chosen]
    nothing = tuple(column[:0] for column in dataset)
    return tuple(np.concatenate(column) for column in zip(nothing, *parts, strict=True))


@host_operator("SortAndShuffle", outputs="indices")
def sort_and_shuffle(
    cursor, *dataset: Any, rng, sort_by_field_idx: int = 1, batch_size: int = 1, shuffle_size: int = 1
):
    """An order of records in which those of one batch are alike: sorted, then shuffled a little, then by batches.

    Inputs:
        cursor: A cursor of the dataset.
        dataset: Its columns.
    Args:
        sort_by_field_idx: Which column is sorted by; -1 does not sort.
        batch_size: How many records make a batch.
        shuffle_size: Within how many batches records are shuffled.
    Outputs:
        indices: The numbers of the records in that order, int64.
    Example:
        >>> from c2lab.operators.datasets import TreeCursor
        >>> run("SortAndShuffle", cursor=TreeCursor(["size"]), dataset=([5, 2, 9],), sort_by_field_idx=0, batch_size=3)
        indices = [1 0 2]
    """
    layout = _cursor(cursor).layout
    order = np.arange(layout.records(dataset))
    if sort_by_field_idx >= 0:
        if sort_by_field_idx >= len(dataset) or layout.levels[sort_by_field_idx] != 0:
            raise BadArgument(f"sort_by_field_idx is {sort_by_field_idx}; it must be a column of one row a record")
        order = np.argsort(dataset[sort_by_field_idx].reshape(len(order)), kind="stable")
    if batch_size < 1 or shuffle_size < 1:
        raise BadArgument(f"batch_size is {batch_size}, shuffle_size {shuffle_size}; both must be 1 or more")
    chunk = batch_size * shuffle_size
    if shuffle_size > 1:
        for begin in range(0, len(order), chunk):
            rng.shuffle(order[begin : begin + chunk])
    full = len(order) // batch_size * batch_size
    batches = order[:full].reshape(-1, batch_size)
    return np.concatenate([rng.permutation(batches).reshape(-1), order[full:]]).astype(np.int64)


@host_operator("TrimDataset", outputs="*field", inplace=[(0, 0), (1, 1)])
def trim_dataset(*dataset: Any, fields: tuple[str, ...], multiple_of: int = 1):
    """Drops the last records, so that their number is a multiple.

    Inputs:
        dataset: The columns.
    Args:
        fields: The columns' names.
        multiple_of: Of which the number of records is made a multiple.
    Outputs:
        field: The columns, in place.
    Example:
        >>> rest = run("TrimDataset", dataset=([7, 8, 9],), fields=["x"], multiple_of=2, outputs=0)
    """
    if multiple_of < 1:
        raise BadArgument(f"multiple_of is {multiple_of}; it must be 1 or more")
    layout = Layout(fields)
    table = layout.offsets(dataset)
    kept = (len(table) - 1) // multiple_of * multiple_of
    return layout.cut(dataset, table[0], table[kept])


trim_dataset.inplace_enforced = frozenset((k, k) for k in range(256))
