"""Blobs of a workspace inside another one."""

from __future__ import annotations

import pytest

from c2lab.backend.child_blobs import ChildBlobs


def test_names_lead_to_where_they_are():
    outer = {"a": 1}
    middle = ChildBlobs(outer)
    inner = ChildBlobs(middle)
    middle["b"] = 2
    inner["a"], inner["b"], inner["c"] = 10, 20, 30
    assert outer == {"a": 10}
    assert middle.own == {"b": 20}
    assert inner.own == {"c": 30}
    assert sorted(inner) == ["a", "b", "c"]
    assert len(inner) == 3
    assert "b" in inner
    assert "c" not in middle
    assert inner.get("d") is None


def test_a_blob_that_appears_outside_later_does_not_take_the_place_of_an_own_one():
    outer: dict[str, int] = {}
    inner = ChildBlobs(outer)
    inner["x"] = 1
    outer["x"] = 2
    inner["x"] = 3
    assert (outer["x"], inner["x"]) == (2, 3)


def test_what_is_outside_is_not_deleted():
    inner = ChildBlobs({"x": 1})
    with pytest.raises(KeyError):
        del inner["x"]
    inner["y"] = 1
    del inner["y"]
    assert sorted(inner) == ["x"]
