"""Packed records: the columns of a dataset as one blob with a record an element, and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import total_ordering
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue, SchemaError, TypeMismatch
from c2lab.operators.datasets import Layout
from c2lab.operators.definition import host_operator

_numbers = itertools.count()


@total_ordering
class PackedRecord:
    """All that one record holds: an array a column.

    Operators that only move values (Gather, Concat, Copy, ...) move records as they move texts, and so
    records have an order: that of their making.
    """

    type_name = "std::shared_ptr<std::vector<caffe2::Tensor> >"

    def __init__(self, columns: Sequence[np.ndarray]) -> None:
        self.columns = tuple(np.array(column) for column in columns)
        self._number = next(_numbers)

    def __lt__(self, other: PackedRecord) -> bool:
        return self._number < other._number

    def __len__(self) -> int:
        return sum(column.nbytes for column in self.columns)

    def __repr__(self) -> str:
        return f"<record of {len(self.columns)} columns>"


@host_operator("PackRecords", outputs="tensor", gradient="refused")
def pack_records(field_0, *more: Any, fields: tuple[str, ...]):
    """Puts the columns of a dataset into one blob, a record an element.

    Inputs:
        field_0: The first column.
        more: The others.
    Args:
        fields: The columns' names.
    Outputs:
        tensor: The records, one-dimensional; UnPackRecords makes columns of them again.
    Example:
        >>> run("PackRecords", field_0=[2, 1], more=([7, 8, 9],), fields=["x:lengths", "x:values"])
        tensor = [<record of 2 columns> <record of 2 columns>]
    """
    layout, columns = Layout(fields), (field_0, *more)
    layout.require_consistent(columns)
    table = layout.offsets(columns)
    records = np.empty(len(table) - 1, object)
    for k in range(len(records)):
        records[k] = PackedRecord(layout.cut(columns, table[k], table[k + 1]))
    return records


@host_operator("UnPackRecords", outputs="*field", gradient="refused")
def unpack_records(packed_tensor, *prototypes: Any, fields: tuple[str, ...], num_outputs: int):
    """Makes columns of packed records again.

    Inputs:
        packed_tensor: The records, as PackRecords left them, or some of them, in any order.
        prototypes: A tensor for each column, of its type and the sizes of its rows; needed where there are no records.
    Args:
        fields: The columns' names.
    Outputs:
        field: The columns, as many as there are names.
    Example:
        >>> from c2lab.operators.packed_records import PackedRecord
        >>> records = np.array([PackedRecord([np.int32([7])]), PackedRecord([np.int32([8])])])
        >>> run("UnPackRecords", packed_tensor=records, fields=["x"])
        field_0 = [7 8]
    """
    if num_outputs != len(fields):
        raise SchemaError(f"there are {num_outputs} outputs for the {len(fields)} fields {list(fields)}; give one each")
    if prototypes and len(prototypes) != len(fields):
        raise BadArgument(f"there are {len(prototypes)} prototypes for {len(fields)} fields; give one each, or none")
    records = list(packed_tensor.reshape(-1)) if isinstance(packed_tensor, np.ndarray) else [None]
    for record in records:
        if not isinstance(record, PackedRecord):
            raise TypeMismatch("packed_tensor holds no packed records; PackRecords makes them")
        if len(record.columns) != len(fields):
            raise BadValue(f"a record has {len(record.columns)} columns, but there are {len(fields)} fields")
    if not records and not prototypes:
        raise BadValue(
            "Unpacking empty record without shape will leave output blobs in undefined state: "
            "give a prototype of each column as further inputs"
        )
    outputs = []
    for k, field in enumerate(fields):
        parts = [record.columns[k] for record in records]
        like = prototypes[k] if prototypes else parts[0]
        for part in parts:
            if part.dtype != like.dtype or part.shape[1:] != like.shape[1:]:
                raise BadValue(
                    f"{field}: a record holds {part.dtype} rows of {part.shape[1:]}, where {like.dtype} rows of "
                    f"{like.shape[1:]} are wanted"
                )
        outputs.append(np.concatenate([like[:0], *parts]))
    return tuple(outputs)
