"""Blob references and scopes."""

from __future__ import annotations

import threading

import pytest

from c2lab import core
from c2lab.nets.blobs import blob_list
from c2lab.proto import caffe2_pb2


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


# ---- scopes ------------------------------------------------------------------------------------------


def test_name_scopes_nest_and_reset():
    assert core.CurrentNameScope() == ""
    with core.NameScope("a"):
        with core.NameScope("b"):
            assert core.CurrentNameScope() == "a/b/"
            with core.NameScope("c", reset=True):
                assert core.CurrentNameScope() == "c/"
            with core.EmptyNameScope():
                assert core.CurrentNameScope() == ""
            with core.NameScope(None), core.NameScope(""):
                assert core.CurrentNameScope() == "a/b/"
        assert core.CurrentNameScope() == "a/"
    assert core.CurrentNameScope() == ""


def test_scopes_end_with_their_block_even_after_an_error():
    with pytest.raises(KeyError), core.NameScope("a"), core.DeviceScope(core.DeviceOption(1)):
        raise KeyError
    assert core.CurrentNameScope() == ""
    assert core.CurrentDeviceScope() is None


def test_a_name_scope_is_text():
    with pytest.raises(AssertionError, match="NameScope takes a string, not 3"), core.NameScope(3):
        pass


def test_scopes_belong_to_a_thread():
    seen = []
    with core.NameScope("a"), core.DeviceScope(core.DeviceOption(1)):
        thread = threading.Thread(target=lambda: seen.extend([core.CurrentNameScope(), core.CurrentDeviceScope()]))
        thread.start()
        thread.join()
    assert seen == ["", None]


def test_a_device_scope_places_operators_unless_they_place_themselves():
    gpu, cpu = core.DeviceOption(caffe2_pb2.CUDA, 1), core.DeviceOption(caffe2_pb2.CPU)
    with core.DeviceScope(gpu):
        assert core.CreateOperator("Relu", "x", "y").device_option == gpu
        assert core.CreateOperator("Relu", "x", "y", device_option=cpu).device_option == cpu
        with core.EmptyDeviceScope():
            assert not core.CreateOperator("Relu", "x", "y").HasField("device_option")
    assert not core.CreateOperator("Relu", "x", "y").HasField("device_option")


def test_inner_device_scopes_inherit_the_node_and_the_extra_info():
    outer = core.DeviceOption(caffe2_pb2.CPU, node_name="node1", extra_info=["b"])
    with core.DeviceScope(outer), core.DeviceScope(core.DeviceOption(caffe2_pb2.CUDA, 2, extra_info=["a"])):
        inner = core.CurrentDeviceScope()
        assert (inner.device_type, inner.device_id, inner.node_name) == (caffe2_pb2.CUDA, 2, "node1")
        assert list(inner.extra_info) == ["a", "b"]
    with core.DeviceScope(None, node_name="node2"):
        assert core.CurrentDeviceScope().node_name == "node2"
    assert list(outer.extra_info) == ["b"]


def test_a_device_scope_needs_a_device():
    with pytest.raises(AssertionError, match="needs a device, a node_name, or both"), core.DeviceScope(None):
        pass
    with pytest.raises(AssertionError, match="takes a DeviceOption, not 1"), core.DeviceScope(1):
        pass
