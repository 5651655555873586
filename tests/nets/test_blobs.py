"""Blob references."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.nets.blobs import blob_list


def test_a_reference_is_its_name():
    blob = core.BlobReference("a/b/x")
    assert blob == "a/b/x"
    assert blob == b"a/b/x"
    assert blob == core.BlobReference(b"a/b/x")
    assert blob != "x"
    assert blob != 3
    assert {blob: 1}["a/b/x"] == 1
    assert str(blob) == "a/b/x"
    assert repr(blob) == 'BlobReference("a/b/x")'
    assert sorted([core.BlobReference("b"), core.BlobReference("a")]) == ["a", "b"]


def test_a_reference_knows_its_scope():
    blob = core.BlobReference("a/b/x")
    assert (blob.GetNameScope(), blob.GetUnscopedName()) == ("a/b/", "x")
    assert core.BlobReference("x").GetNameScope() == ""


def test_text_is_added_and_nothing_else():
    net = core.Net("adding")
    blob = core.BlobReference("fc", net)
    assert blob + "_w" == "fc_w"
    assert "old_" + blob == "old_fc"
    assert (blob + "_w").Net() is net
    with pytest.raises(RuntimeError, match=r"Only text can be added to a BlobReference.*use net.Add"):
        blob + blob
    with pytest.raises(RuntimeError, match="can only be added to text"):
        1 + blob


def test_a_reference_builds_operators_on_its_net():
    net = core.Net("sugar")
    x = net.Relu("x", "h")
    y = x.Relu().Add("z", "sum").LeakyRelu([], ["y"], alpha=0.5)
    assert y == "y"
    assert [list(op.input) for op in net.Proto().op] == [["x"], ["h"], [f"{net.Name()}/Relu", "z"], ["sum"]]
    assert "Relu" in dir(x)
    with pytest.raises(AttributeError, match="Method Rellu is not a registered operator"):
        x.Rellu()


def test_without_a_net_there_is_nothing_to_build_on():
    with pytest.raises(AttributeError, match=r'"x" belongs to no net.*net.Relu\("x", ...\)'):
        core.BlobReference("x").Relu()


def test_lists_of_blobs_are_scoped_and_checked():
    with core.NameScope("s"):
        assert blob_list(["a", core.BlobReference("b"), b"c"]) == ["s/a", "b", "s/c"]
        assert core.ScopedName("a") == "s/a"
        assert core.ScopedBlobReference("a") == "s/a"
