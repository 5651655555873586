"""The blobs of a net: which are defined, free names, what comes from outside."""

from __future__ import annotations

import pytest

from c2lab import core


@pytest.fixture
def net():
    return core.Net("a_net")


# ---- names ---


def test_next_names(net):
    name = net.Name()
    assert [net.NextName(), net.NextName(), net.NextName("pre")] == [f"{name}_blob_0", f"{name}_blob_1", f"{name}/pre"]


def test_next_blobs_are_never_given_twice(net):
    assert [net.NextBlob("p"), net.NextBlob("p"), net.NextBlob("p")] == ["p", "p_auto_0", "p_auto_1"]
    with core.NameScope("s"):
        assert [net.NextScopedBlob("p"), net.NextScopedBlob("p")] == ["s/p", "s/p_auto_0"]
    net.Relu("x", "taken")
    assert net.NextBlob("taken") == "taken_auto_0"
    net.Relu(net.NextBlob("fed"), "y")


def test_references_of_defined_blobs(net):
    net.Relu("x", "y")
    assert net.GetBlobRef("y").Net() is net
    with pytest.raises(AssertionError, match="neither writes a blob"):
        net.GetBlobRef("z")


def test_used_blobs(net):
    net.Relu("x", "y")
    net.AddExternalInput("unused")
    assert net.UsedBlobNames() == {"x", "y"}
    assert net.UsesBlob("x")
    assert not net.UsesBlob("unused")


def test_changes_of_the_proto_are_seen(net):
    proto = net.Proto()
    assert not net.BlobIsDefined("y")
    proto.op.append(core.CreateOperator("Relu", "x", "y"))
    assert net.BlobIsDefined("y")
    net._net.external_input.append("late")
    assert net.is_external_input("late")
    proto = net.Proto()
    proto.op[0].output[0] = "renamed"
    assert net.BlobIsDefined("renamed")
    assert not net.BlobIsDefined("y")


# ---- outside ---


def test_undeclared_inputs_become_external(net):
    net.Relu("x", "y")
    net.Add(["y", "z"], "w")
    assert net.external_inputs == ["x", "z"]
    assert net.external_outputs == []


def test_external_inputs_are_declared_once(net):
    assert net.AddExternalInput("a") == "a"
    assert net.AddExternalInputs("b", "c") == ["b", "c"]
    with pytest.raises(AssertionError, match="Net already contains an input named a"):
        net.AddExternalInput("a")
    with pytest.raises(AssertionError, match="Net already contains an input named d"):
        net.AddExternalInput("d", "d")
    assert net.external_inputs == ["a", "b", "c"]


def test_external_outputs_must_be_defined(net):
    y = net.Relu("x", "y")
    net.AddExternalOutput(y)
    net.AddExternalOutputs("x")
    assert net.external_outputs == ["y", "x"]
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        net.AddExternalOutput(core.BlobReference("nowhere"))
    with pytest.raises(AssertionError, match="takes names and BlobReferences"):
        net.AddExternalOutput(3)


def test_scoped_externals(net):
    with core.NameScope("s"):
        assert net.AddScopedExternalInputs("x") == "s/x"
        net.AddScopedExternalOutputs("x")
    assert net.external_outputs == ["s/x"]
