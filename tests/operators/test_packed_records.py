"""Columns to packed records and back."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, SchemaError, ShapeMismatch, TypeMismatch
from tests.operators.test_datasets import COLUMNS, FIELDS, op, workspace

__all__ = ["workspace"]


def unpacked(workspace, source, extra=()):
    names = [f"out {k}" for k in range(len(FIELDS))]
    workspace.run_operator(op("UnPackRecords", [source, *extra], names, fields=FIELDS))
    return [workspace.fetch(name) for name in names]


def test_there_and_back(workspace):
    workspace.run_operator(op("PackRecords", FIELDS, ["packed"], fields=FIELDS))
    assert workspace.fetch("packed").shape == (3,)
    for got, want in zip(unpacked(workspace, "packed"), COLUMNS, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def test_records_are_moved_like_other_values(workspace):
    workspace.run_operator(op("PackRecords", FIELDS, ["packed"], fields=FIELDS))
    workspace.feed("order", np.int32([2, 0, 2]))
    workspace.run_operator(op("Gather", ["packed", "order"], ["chosen"]))
    labels, documents, ids, lengths, words = unpacked(workspace, "chosen")
    np.testing.assert_array_equal(labels, np.float32([0.3, 0.1, 0.3]))
    assert documents.tolist() == [2, 1, 2]
    assert ids.tolist() == [20, 30, 10, 20, 30]
    assert lengths.tolist() == [1, 3, 2, 1, 3]
    assert b"".join(words) == b"cdefabcdef"
    workspace.run_operator(op("Concat", ["packed", "chosen"], ["both", "sizes"], axis=0))
    assert len(unpacked(workspace, "both")[0]) == 6
    workspace.feed("again", workspace.fetch("chosen"))
    assert unpacked(workspace, "again")[2].tolist() == ids.tolist()


def test_no_records(workspace):
    workspace.feed("nothing", np.empty(0, object))
    with pytest.raises(BadValue, match="Unpacking empty record without shape"):
        unpacked(workspace, "nothing")
    for got, want in zip(unpacked(workspace, "nothing", FIELDS), COLUMNS, strict=True):
        assert (got.shape, got.dtype) == ((0,), want.dtype)


def test_rows_of_several_numbers(workspace):
    rows = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    workspace.feed("rows", rows)
    workspace.run_operator(op("PackRecords", ["rows"], ["packed"], fields=["rows"]))
    workspace.run_operator(op("UnPackRecords", ["packed"], ["again"], fields=["rows"]))
    np.testing.assert_array_equal(workspace.fetch("again"), rows)


def test_refusals(workspace):
    with pytest.raises(ShapeMismatch, match="2 columns for the 5 fields"):
        workspace.run_operator(op("PackRecords", FIELDS[:2], ["packed"], fields=FIELDS))
    workspace.feed("label", np.float32([1]))
    with pytest.raises(ShapeMismatch, match=r"has [13] rows, but the columns beside or above it say [13]"):
        workspace.run_operator(op("PackRecords", FIELDS, ["packed"], fields=FIELDS))
    workspace.run_operator(op("PackRecords", ["label"], ["packed"], fields=["label"]))
    with pytest.raises(SchemaError, match="2 outputs for the 1 fields"):
        workspace.run_operator(op("UnPackRecords", ["packed"], ["a", "b"], fields=["x"]))
    with pytest.raises(BadValue, match="1 columns, but there are 2 fields"):
        workspace.run_operator(op("UnPackRecords", ["packed"], ["a", "b"], fields=["x", "y"]))
    with pytest.raises(BadArgument, match="1 prototypes for 2 fields"):
        workspace.run_operator(op("UnPackRecords", ["packed", "label"], ["a", "b"], fields=["x", "y"]))
    with pytest.raises(TypeMismatch, match="no packed records"):
        workspace.run_operator(op("UnPackRecords", ["label"], ["a"], fields=["x"]))
