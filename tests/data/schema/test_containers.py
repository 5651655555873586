"""Structs, lists and maps."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.data.schema import (
    List,
    ListWithEvicted,
    Map,
    MapWithEvicted,
    NamedTuple,
    RawTuple,
    Scalar,
    Struct,
    Tuple,
)


def test_lists_name_their_lengths():
    clicks = List(List(np.int64))
    assert clicks.field_names() == ["lengths", "values:lengths", "values:values"]
    assert clicks.field_types() == [np.int32, np.int32, np.int64]
    assert clicks["values:values"] is clicks.items.items
    assert clicks["lengths"] is clicks.lengths
    with pytest.raises(KeyError, match="nothing"):
        clicks["nothing"]
    with pytest.raises(AttributeError, match="Field not found in list: nothing"):
        _ = clicks.nothing


def test_lists_of_structs_show_their_fields():
    scores = Map(np.int64, Scalar((np.float32, 2)), keys_name="id", values_name="score", lengths_blob=np.array([1]))
    assert scores.field_names() == ["lengths", "values:id", "values:score"]
    assert scores.score.id() == 2
    assert scores.lengths().tolist() == [1]
    assert not scores.has_blobs()


def test_lengths_may_be_a_scalar():
    given = Scalar(np.int32, np.array([2]))
    assert List(np.int32, given).lengths().tolist() == [2]
    with pytest.raises(AssertionError, match="lengths of a list are a Scalar"):
        List(np.int32, Struct())


def test_evicted_values_come_last():
    kept = ListWithEvicted(np.float32)
    assert kept.field_names() == ["lengths", "values", "_evicted_values"]
    assert kept.field_types()[2] == np.int64
    whole = Struct(("kept", kept), ("more", np.int32))
    assert whole["kept:_evicted_values"].id() == 2
    assert whole.more.id() == 3
    assert whole.clone() == whole
    assert MapWithEvicted(np.int64, np.float32).field_names()[-1] == "_evicted_values"


def test_paths_are_nested_structs():
    flat = Struct(("a", np.int32), ("b:c", np.int64), ("b:d:e", np.float32), ("b", Struct(("f", np.int8))))
    nested = Struct(
        ("a", np.int32),
        ("b", Struct(("c", np.int64), ("d", Struct(("e", np.float32))), ("f", np.int8))),
    )
    assert flat == nested
    assert flat["b:d:e"] is flat.b.d.e
    assert "b:d:e" in flat
    assert "b:d:x" not in flat
    assert "a:x" not in flat


def test_lists_inside_structs_have_paths():
    whole = Struct(("a", List(np.int64)))
    assert whole["a:lengths"] is whole.a.lengths
    assert whole["a:values"] is whole.a.items
    for path in ("a:items:x", "a:value", "b"):
        with pytest.raises(KeyError, match="not found"):
            whole[path]


def test_several_fields_at_once():
    whole = Struct(("a", np.int32), ("b", np.int64), ("c", np.float32))
    assert whole[("a", 2)].field_names() == ["a", "c"]
    assert whole[1] is whole.b
    assert list(whole) == [whole.a, whole.b, whole.c]
    assert len(whole) == 3
    assert whole.get("b", None) is whole.b
    assert whole.get("x", "none") == "none"


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ([("a", np.int32), ("a", np.int64)], ValueError, "Duplicate field name: a"),
        ([("lengths", np.int32)], AssertionError, "named `lengths`"),
        ([("", np.int32)], AssertionError, "cannot be empty"),
        ([("a", np.int32, 3)], AssertionError, "pairs"),
    ],
)
def test_what_is_no_struct(fields, error, says):
    with pytest.raises(error, match=says):
        Struct(*fields)


def test_fields_are_not_replaced():
    whole = Struct(("a", np.int32))
    with pytest.raises(TypeError, match="disabled"):
        whole.a = np.zeros(1)


def test_addition_merges():
    left = Struct(("a", np.int32), ("s", Struct(("x", np.int32))))
    right = Struct(("b", np.float32), ("s", Struct(("y", np.int64))))
    assert (left + right).field_names() == ["a", "s:x", "s:y", "b"]
    with pytest.raises(TypeError, match="a is Scalar here"):
        left + Struct(("a", np.int64))
    with pytest.raises(TypeError):
        left + 3


def test_subtraction_takes_away():
    whole = Struct(("a", np.int32), ("s", Struct(("x", np.int32), ("y", np.int64))), ("b", np.int8))
    assert (whole - Struct(("a", np.int32), ("s:x", np.int32))).field_names() == ["s:y", "b"]
    assert (whole - whole).field_names() == []
    assert (whole - Struct(("s", Struct(("x", np.int32), ("y", np.int64))))).field_names() == ["a", "b"]
    with pytest.raises(TypeError, match="cannot be taken away"):
        whole - Struct(("s", np.int32))


def test_tuples():
    assert Tuple(np.int32, np.str_).field_names() == ["field_0", "field_1"]
    assert NamedTuple("f", np.int32).field_names() == ["f_0"]
    assert RawTuple(2).field_types() == [np.void, np.void]
    with pytest.raises(AssertionError, match="number of fields"):
        RawTuple(-1)
