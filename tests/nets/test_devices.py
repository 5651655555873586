"""Devices in nets: options, where blobs are."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2

CPU = core.DeviceOption(caffe2_pb2.CPU)
GPU = core.DeviceOption(caffe2_pb2.CUDA, 1)


def test_device_option():
    option = core.DeviceOption(caffe2_pb2.CUDA, 2, random_seed=7, node_name="n", extra_info=["e"])
    assert (option.device_type, option.device_id, option.random_seed, option.node_name) == (1, 2, 7, "n")
    assert list(option.extra_info) == ["e"]
    assert core.DeviceOption(caffe2_pb2.CPU, numa_node_id=1).numa_node_id == 1
    assert core.DeviceOption(caffe2_pb2.CPU).HasField("device_id")
    with pytest.raises(AssertionError, match="for CPU devices only"):
        core.DeviceOption(caffe2_pb2.CUDA, numa_node_id=1)


def test_gpu_types():
    assert core.IsGPUDeviceType(caffe2_pb2.CUDA)
    assert core.IsGPUDeviceType(caffe2_pb2.HIP)
    assert not core.IsGPUDeviceType(caffe2_pb2.CPU)


def test_equal_options():
    equal = core.device_option_equal
    assert equal(core.DeviceOption(0), core.DeviceOption(0, 1))
    assert equal(core.DeviceOption(1, 1, random_seed=3), GPU)
    assert not equal(core.DeviceOption(1, 1, random_seed=3), GPU, ignore_random_seed=False)
    assert not equal(core.DeviceOption(1, 1, node_name="n"), GPU, ignore_node_name=False)
    assert not equal(core.DeviceOption(1, 0), GPU)
    assert not equal(None, GPU)
    assert equal(None, None)
    assert core.device_equal(caffe2_pb2.DeviceOption(), CPU)


@pytest.mark.parametrize(
    ("kind", "inputs", "outputs"),
    [
        ("FC", [GPU, GPU], [GPU, GPU]),
        ("CopyCPUToGPU", [CPU, GPU], [GPU, GPU]),
        ("CopyGPUToCPU", [GPU, GPU], [CPU, GPU]),
        ("EnsureCPUOutput", [GPU, GPU], [CPU, GPU]),
        ("CopyFromCPUInput", [CPU, GPU], [GPU, GPU]),
        ("Concat", [GPU, GPU], [GPU, CPU]),
        ("Split", [GPU, CPU], [GPU, GPU]),
    ],
)
def test_blobs_of_an_operator(kind, inputs, outputs):
    op = core.CreateOperator(kind, ["a", "b"], ["c", "d"], device_option=GPU)
    found = core.InferOpBlobDevices(op)
    for got, wanted in zip([*found[0], *found[1]], [*inputs, *outputs], strict=True):
        assert core.device_equal(got, wanted)
    as_dict = core.InferOpBlobDevicesAsDict(op)
    assert core.device_equal(as_dict[0]["b"], inputs[1])
    assert core.device_equal(as_dict[1]["d"], outputs[1])


def test_blobs_of_a_net():
    net = core.Net("places")
    with core.DeviceScope(GPU):
        net.Relu("x", "y")
    net.Relu("z", "w")
    devices = core.InferBlobDevices(net)
    assert devices["y"] == GPU
    assert core.device_equal(devices["w"], CPU)
    assert core.InferOpDeviceAsBlobDevices(net.Proto().op[0]) == ([GPU], [GPU])
