"""Name and device scopes."""

from __future__ import annotations

import threading

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2


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
