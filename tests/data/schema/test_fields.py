"""Scalars, and what all fields can do."""

from __future__ import annotations

import copy
import logging
import pickle

import numpy as np
import pytest

from c2lab import core
from c2lab.data.schema import FeatureSpec, Field, Metadata, Scalar, Struct, Tuple


def test_inner_shapes():
    assert Scalar(np.int32).field_type().shape == ()
    assert Scalar((np.int32, 5)).field_type().shape == (5,)
    assert Scalar((np.int32, 1)).field_type().shape == (1,)
    assert Scalar((np.float32, (2, 3))).field_type().shape == (2, 3)
    with pytest.raises(ValueError, match=r"negative|shape"):
        Scalar((np.int32, -1))


def test_types_come_from_arrays():
    scalar = Scalar((np.float32, 2), np.zeros((4, 2)))
    assert scalar().dtype == np.float32
    assert scalar.field_type() == np.dtype((np.float32, (2,)))
    assert Scalar(np.int64, 3).get().tolist() == [3]
    assert Scalar((np.float32, 3), []).get().shape == (0, 3)
    assert Scalar().field_type() == np.void


def test_text_and_structures_are_no_blobs():
    with pytest.raises(ValueError, match="ambiguous"):
        Scalar(blob="x")
    assert Scalar(np.str_, core.BlobReference("x"))() == "x"
    with pytest.raises(AssertionError, match="from_dtype"):
        Scalar([("a", np.int32)])
    with pytest.raises(AssertionError, match="Invalid blob type"):
        Scalar(blob=[1, 2])


def test_a_schema_has_no_blobs():
    scalar = Scalar(np.int32)
    assert not scalar.has_blobs()
    with pytest.raises(AssertionError, match="Value is not set"):
        scalar.get()


def test_metadata():
    assert Metadata(10) == Metadata(10, None, None)
    assert FeatureSpec(feature_type="dense").feature_ids is None
    scalar = Scalar(np.int64, metadata=Metadata(categorical_limit=10))
    assert scalar.clone().metadata == scalar.metadata
    assert scalar.clone_schema().metadata is scalar.metadata
    with pytest.raises(AssertionError, match="integral"):
        Scalar(np.float32, metadata=Metadata(categorical_limit=10))
    with pytest.raises(AssertionError, match="must be Metadata"):
        scalar.set_metadata((1, 2, 3))
    with pytest.raises(AssertionError, match="integral"):
        scalar.set_type(np.float32)


def test_setting_says_when_it_is_unsafe(caplog):
    scalar = Scalar(np.int32)
    with caplog.at_level(logging.WARNING):
        scalar.set(np.float32, np.zeros(1), unsafe=True)
        assert not caplog.records
        scalar.set(np.float32)
    assert "unsafe=True" in caplog.text
    assert scalar.dtype == np.float32


def test_values_of_another_type():
    scalar = Scalar(np.int32)
    with pytest.raises(AssertionError, match="Expected int32, got float32"):
        scalar.set_value(np.zeros(1, np.float32), throw_on_type_mismatch=True, unsafe=True)
    scalar.set_value(np.ones(1, np.float32), unsafe=True)
    assert scalar().dtype == np.int32


def test_equality_is_by_contents():
    assert Scalar(np.int32) == Scalar(np.int32)
    assert Scalar(np.int32) != Scalar(np.int64)
    assert Scalar(np.int32) != Scalar(np.int32, metadata=Metadata(3))
    assert Scalar() != Struct()
    with pytest.raises(TypeError, match="unhashable"):
        hash(Scalar())


def test_positions_in_the_whole():
    whole = Struct(("a", Tuple(np.int32, np.float32)), ("b", np.int64), ("c", Tuple(np.int32)))
    assert whole.a.slice() == slice(0, 2)
    assert whole.c.slice() == slice(3, 4)
    assert whole.c.field_0.id() == 3
    assert whole.field_names()[whole.a.slice()] == ["a:field_0", "a:field_1"]


def test_copies_of_every_kind():
    whole = Struct(("a", Tuple(np.int32, np.float32)), ("b", Scalar(np.int64, np.array([1]))))
    for twin in (copy.deepcopy(whole), pickle.loads(pickle.dumps(whole)), whole.clone()):
        assert twin == whole
        assert twin.b() == [1]
        assert twin.a.field_1.id() == 1
    assert not whole.clone_schema().has_blobs()


def test_a_bare_field_is_nothing():
    with pytest.raises(NotImplementedError, match="Scalar, List or Struct"):
        Field([]).field_names()
