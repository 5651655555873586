"""Schemas from other descriptions, and schemas compared."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.data.schema import (
    List,
    ListWithEvicted,
    Map,
    Metadata,
    Scalar,
    Struct,
    Tuple,
    as_record,
    attach_metadata_to_scalars,
    data_type_for_dtype,
    dtype_for_core_type,
    equal_schemas,
    from_blob_list,
    from_column_list,
    from_dtype,
    is_schema_subset,
    schema_check,
)

WHOLE = Struct(
    ("label", np.int32),
    ("clicks", List(np.int64)),
    ("scores", Map(np.int64, np.float32)),
    ("kept", ListWithEvicted(np.float32)),
    ("deep", Struct(("er", List(Struct(("x", np.int8), ("y", np.str_)))))),
)


def test_columns_give_the_schema_back():
    again = from_column_list(WHOLE.field_names(), WHOLE.field_types())
    assert again == WHOLE


def test_keys_beside_values_are_a_map():
    scores = from_column_list(["m:lengths", "m:keys", "m:values"], [np.int32, np.int64, np.float32]).m
    assert scores == Map(np.int64, np.float32)


def test_columns_carry_blobs_and_metadata():
    record = from_column_list(["a", "b"], col_blobs=[core.BlobReference("x"), core.BlobReference("y")])
    assert record.field_blobs() == ["x", "y"]
    assert from_column_list(["a"], [np.int32], col_metadata=[Metadata(5)]).a.metadata == Metadata(5)
    with pytest.raises(AssertionError, match="2 column names, but 1 col_types"):
        from_column_list(["a", "b"], [np.int32])


def test_numpy_types():
    kind = np.dtype([("a", np.int32), ("b", [("c", np.float32, (2,))])])
    assert from_dtype(kind) == Struct(("a", np.int32), ("b", Struct(("c", Scalar((np.float32, (2,)))))))
    assert from_dtype(np.float32) == Scalar(np.float32)


def test_blobs_in_order():
    record = from_blob_list(Struct(("a", np.int32), ("b", np.float32)), [np.array([1]), np.array([2.0])])
    assert record.b().dtype == np.float32
    with pytest.raises(AssertionError, match="must have 2 elements, got 1"):
        from_blob_list(record, [np.array([1])])
    with pytest.raises(AssertionError, match="got int64"):
        from_blob_list(Scalar(np.int32), [np.array([1])], throw_on_type_mismatch=True)
    assert from_blob_list(Scalar(), core.BlobReference("x"))() == "x"


def test_records_of_plain_values():
    assert as_record([("a", np.int32), ("b", np.float32)]) == Struct(("a", np.int32), ("b", np.float32))
    assert as_record((np.int32, np.float32)) == Tuple(np.int32, np.float32)
    assert as_record({"a": np.array([1])}).a().tolist() == [1]
    assert as_record(WHOLE) is WHOLE


def test_comparisons():
    part = Struct(("label", np.int64))
    assert is_schema_subset(part, WHOLE)
    assert not is_schema_subset(WHOLE, part)
    other = Struct(("label", Scalar(np.int64, metadata=Metadata(3))))
    assert equal_schemas(part, other)
    assert not equal_schemas(part, other, check_field_metas=True)
    assert not equal_schemas(part, Struct(("x", np.int64)))
    assert equal_schemas(part, Struct(("x", np.int64)), check_field_names=False)
    assert equal_schemas(part, Struct(("label", np.int32)), check_field_types=False)
    assert schema_check({"label": np.int64}, part) == part
    with pytest.raises(AssertionError, match="not the one before"):
        schema_check({"label": np.int32}, part)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bool", "int8", "int64", "uint8", "uint16"])
def test_types_and_their_numbers(dtype):
    assert np.dtype(dtype_for_core_type(data_type_for_dtype(np.dtype(dtype)))) == dtype


def test_types_without_a_number():
    assert data_type_for_dtype(np.dtype(str)) == core.DataType.STRING
    assert data_type_for_dtype(np.dtype((np.float32, (3,)))) == core.DataType.FLOAT
    with pytest.raises(TypeError, match="Unknown dtype"):
        data_type_for_dtype(np.dtype(np.void))
    with pytest.raises(TypeError, match="Unknown core type"):
        dtype_for_core_type(core.DataType.UNDEFINED)


def test_metadata_for_all():
    record = Tuple(np.int32, np.int64)
    attach_metadata_to_scalars(record, Metadata(7))
    assert record.field_metadata() == [Metadata(7)] * 2
