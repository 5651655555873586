"""Schemas from types, column names, lists and dictionaries; and schemas compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.data.schema.containers import List, ListWithEvicted, Map, MapWithEvicted, Struct, Tuple
from c2lab.data.schema.fields import FIELD_SEPARATOR, Field, Metadata, Scalar, as_field
from c2lab.nets.blobs import BlobReference
from c2lab.proto import caffe2_pb2

_TENSOR = caffe2_pb2.TensorProto
_DATA_TYPES: list[tuple[Any, int]] = [
    (np.str_, _TENSOR.STRING),
    (np.float16, _TENSOR.FLOAT16),
    (np.float32, _TENSOR.FLOAT),
    (np.float64, _TENSOR.DOUBLE),
    (np.bool_, _TENSOR.BOOL),
    (np.int8, _TENSOR.INT8),
    (np.int16, _TENSOR.INT16),
    (np.int32, _TENSOR.INT32),
    (np.int64, _TENSOR.INT64),
    (np.uint8, _TENSOR.UINT8),
    (np.uint16, _TENSOR.UINT16),
]


def data_type_for_dtype(dtype: np.dtype) -> int:
    """The ``TensorProto`` data type of a NumPy type.

    Raises:
        TypeError: There is none.
    """
    base = np.dtype(dtype).base
    if base.kind in "US":
        return _TENSOR.STRING
    for numpy_type, data_type in _DATA_TYPES:
        if base == numpy_type:
            return data_type
    raise TypeError(f"Unknown dtype: {base}")


def dtype_for_core_type(core_type: int) -> Any:
    """The NumPy type of a ``TensorProto`` data type.

    Raises:
        TypeError: There is none.
    """
    for numpy_type, data_type in _DATA_TYPES:
        if data_type == core_type:
            return numpy_type
    raise TypeError(f"Unknown core type: {core_type}")


def from_dtype(dtype: Any, _outer_shape: tuple[int, ...] = ()) -> Field:
    """A schema of a NumPy type: structured types become structs, all others a ``Scalar``.

    Example:
        >>> from_dtype(np.dtype([("a", np.int32), ("b", np.float32, 2)])).field_types()
        [dtype('int32'), dtype(('<f4', (2,)))]
    """
    kind = np.dtype(dtype)
    shape = _outer_shape + kind.shape
    fields = kind.base.fields
    if fields is None:
        return Scalar(np.dtype((kind.base, shape)) if shape else kind)
    return Struct(*((name, from_dtype(kind.base[name], shape)) for name in kind.base.names or ()))


def from_column_list(
    col_names: Sequence[str],
    col_types: Sequence[Any] | None = None,
    col_blobs: Sequence[Any] | None = None,
    col_metadata: Sequence[Metadata | None] | None = None,
) -> Any:
    """The schema whose leaves have these names; ``a:lengths`` and ``a:values`` make a list of ``a``.

    Args:
        col_names: Paths of all leaves.
        col_types, col_blobs, col_metadata: What belongs to each.

    Example:
        >>> from_column_list(["a:lengths", "a:values"], [np.int32, np.int64])
        Struct(
          a: List(
            lengths: Scalar(int32)
            values: Scalar(int64)
          )
        )
    """
    empty: list[Any] = [None] * len(col_names)
    columns = [list(given) if given is not None else empty for given in (col_types, col_blobs, col_metadata)]
    for what, given in zip(("col_types", "col_blobs", "col_metadata"), columns, strict=True):
        if len(given) != len(col_names):
            raise AssertionError(f"{len(col_names)} column names, but {len(given)} {what}")
    tree: dict[str, Any] = {}
    for path, dtype, blob, metadata in zip(col_names, *columns, strict=True):
        *parents, leaf = path.split(FIELD_SEPARATOR)
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = Scalar(dtype, blob, metadata)
    return _struct(tree)


def _struct(tree: dict[str, Any]) -> Struct:
    return Struct(*((name, _field(child)) for name, child in tree.items()))


def _field(tree: Any) -> Any:
    if isinstance(tree, Field):
        return tree
    children = {name: _field(child) for name, child in tree.items()}
    lengths, evicted = children.get("lengths"), children.get("_evicted_values")
    match set(children):
        case names if names == {"lengths", "values"}:
            return List(children["values"], lengths)
        case names if names == {"lengths", "values", "_evicted_values"}:
            return ListWithEvicted(children["values"], lengths, evicted)
        case names if names == {"lengths", "keys", "values"}:
            return Map(children["keys"], children["values"], lengths_blob=lengths)
        case names if names == {"lengths", "keys", "values", "_evicted_values"}:
            return MapWithEvicted(children["keys"], children["values"], lengths_blob=lengths, evicted_values=evicted)
        case _:
            return _struct(tree)


def from_blob_list(schema: Field, values: Any, throw_on_type_mismatch: bool = False) -> Any:
    """The record of a schema with these blobs, or arrays, in the order of its leaves."""
    if not isinstance(schema, Field):
        raise AssertionError(f"Argument `schema` must be a Field, got {type(schema).__name__}.")
    blobs = [values] if isinstance(values, BlobReference) else list(values)
    record = schema.clone_schema()
    scalars = record.all_scalars()
    if len(scalars) != len(blobs):
        raise AssertionError(f"Values must have {len(scalars)} elements, got {len(blobs)}.")
    for scalar, blob in zip(scalars, blobs, strict=True):
        scalar.set_value(blob, throw_on_type_mismatch, unsafe=True)
    return record


def as_record(value: Any) -> Any:
    """A field as it is; of dictionaries and lists of pairs a ``Struct``, of other lists a ``Tuple``, else a ``Scalar``.

    Example:
        >>> as_record({"a": np.int32, "b": [np.int64, np.float32]}).field_names()
        ['a', 'b:field_0', 'b:field_1']
    """
    if isinstance(value, Field):
        return value
    if isinstance(value, dict):
        return Struct(*((name, as_record(child)) for name, child in value.items()))
    if isinstance(value, list | tuple):
        if value and all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value):
            return Struct(*((name, as_record(child)) for name, child in value))
        return Tuple(*(as_record(child) for child in value))
    return as_field(value)


def is_schema_subset(schema: Field, original_schema: Field) -> bool:
    """Whether all leaves of ``schema`` are leaves of ``original_schema``, by name."""
    return set(schema.field_names()) <= set(original_schema.field_names())


def equal_schemas(
    schema: Field,
    original_schema: Field,
    check_field_names: bool = True,
    check_field_types: bool = True,
    check_field_metas: bool = False,
) -> bool:
    """Whether two schemas agree in what is to be checked."""
    for field in (schema, original_schema):
        if not isinstance(field, Field):
            raise AssertionError(f"schemas are Fields, got {type(field).__name__}")
    return (
        (not check_field_names or schema.field_names() == original_schema.field_names())
        and (not check_field_types or schema.field_types() == original_schema.field_types())
        and (not check_field_metas or schema.field_metadata() == original_schema.field_metadata())
    )


def schema_check(schema: Any, previous: Field | None = None) -> Any:
    """``as_record(schema)``, which must equal ``previous`` where that is given."""
    record = as_record(schema)
    if previous is not None and not equal_schemas(record, previous):
        raise AssertionError(f"The schema is not the one before:\n{record!r}\nbefore:\n{previous!r}")
    return record


def attach_metadata_to_scalars(field: Field, metadata: Metadata) -> None:
    """Gives all leaves the same metadata."""
    for scalar in field.all_scalars():
        scalar.set_metadata(metadata)
