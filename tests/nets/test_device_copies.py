"""Copies between devices."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2

CPU = core.DeviceOption(caffe2_pb2.CPU)
GPU = core.DeviceOption(caffe2_pb2.CUDA, 1)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    """The operators that copy between devices; their kernels play no part here."""
    from c2lab.operators import registry
    from c2lab.operators.definition import host_operator

    registry.load()
    monkeypatch.setattr(registry, "_operators", dict(registry._operators))
    for kind in ("Copy", "CopyCPUToGPU", "CopyGPUToCPU"):
        host_operator(kind)(lambda X: X)


def moves(net):
    return [f"{op.type} {' '.join(op.input)} -> {' '.join(op.output)}" for op in net.Proto().op]


def test_inputs_are_copied_to_the_operators_device():
    net = core.Net("copying")
    with core.DeviceScope(GPU):
        net.FC(["data", "w", "b"], "fc1")
    net.Relu("fc1", "r")
    made, places = core.InjectCrossDeviceCopies(net)
    assert moves(made) == [
        "CopyCPUToGPU data -> data_gpu_1",
        "CopyCPUToGPU w -> w_gpu_1",
        "CopyCPUToGPU b -> b_gpu_1",
        "FC data_gpu_1 w_gpu_1 b_gpu_1 -> fc1",
        "CopyGPUToCPU fc1 -> fc1_cpu",
        "Relu fc1_cpu -> r",
    ]
    assert all(op.device_option == GPU for op in made.Proto().op[:5])
    assert list(made.Proto().external_input) == ["data", "w", "b"]
    assert places["fc1"] == GPU
    assert core.device_equal(places["data"], CPU)
    assert moves(net) == ["FC data w b -> fc1", "Relu fc1 -> r"]


def test_a_copy_is_made_once_for_each_device():
    net = core.Net("once")
    for number, device in enumerate([1, None, 1, 0, 1]):
        with core.EmptyDeviceScope() if device is None else core.DeviceScope(core.DeviceOption(1, device)):
            net.Relu("data", f"r{number}")
    made, _ = core.InjectCrossDeviceCopies(net)
    assert moves(made) == [
        "CopyCPUToGPU data -> data_gpu_1",
        "Relu data_gpu_1 -> r0",
        "Relu data -> r1",
        "Relu data_gpu_1 -> r2",
        "CopyCPUToGPU data -> data_gpu_0",
        "Relu data_gpu_0 -> r3",
        "Relu data_gpu_1 -> r4",
    ]


def test_what_is_written_in_place_stays_in_place():
    net = core.Net("in_place")
    with core.DeviceScope(GPU):
        net.Relu("x", "x")
    assert moves(core.InjectCrossDeviceCopies(net)[0]) == ["CopyCPUToGPU x -> x_gpu_1", "Relu x_gpu_1 -> x_gpu_1"]


def test_a_blob_written_anew_is_copied_anew():
    net = core.Net("anew")
    with core.DeviceScope(GPU):
        net.Relu("x", "a")
    net.Relu("y", "x")
    with core.DeviceScope(GPU):
        net.Relu("x", "b")
    assert moves(core.InjectCrossDeviceCopies(net)[0]).count("CopyCPUToGPU x -> x_gpu_1") == 2


def test_a_blob_may_not_be_overwritten_from_another_device():
    net = core.Net("clash")
    net.Relu("y", "x")
    with core.DeviceScope(GPU):
        net.Relu("y", "x")
    with pytest.raises(AssertionError, match="In-place blob: x is not supported between operators with different"):
        core.InjectCrossDeviceCopies(net)


def test_nets_share_places_and_copies():
    first, second = core.Net("first"), core.Net("second")
    first.Relu("a", "c")
    with core.DeviceScope(GPU):
        first.Relu("c", "c")
        second.Add(["w", "c"], "y")
    nets, places = core.InjectDeviceCopiesAmongNets([first, second], {"w": GPU})
    assert moves(nets[0]) == ["Relu a -> c", "CopyCPUToGPU c -> c_gpu_1", "Relu c_gpu_1 -> c_gpu_1"]
    assert moves(nets[1]) == ["Add w c_gpu_1 -> y"]
    assert list(nets[1].Proto().external_input) == ["w", "c", "c_gpu_1"]
    assert places["y"] == GPU
    assert len(core.InjectDeviceCopiesAmongNetsWithoutB2D([first, second], {"w": GPU})) == 2
    with pytest.raises(AssertionError, match="should be a list of nets"):
        core.InjectDeviceCopiesAmongNets(first)


def test_placeholders_write_on_the_cpu():
    net = core.Net("placeholders")
    net.extend_ops([core.CreateOperator("Receive", [], ["w"])])
    net.Relu("w", "y")
    made, _ = core.InjectCrossDeviceCopies(net, {"w": GPU}, placeHolderOps=["Receive"])
    assert moves(made) == ["Receive  -> w_cpu", "CopyGPUToCPU w -> w_cpu", "Relu w_cpu -> y"]


def test_which_copies_there_are():
    between = core.copy_func_between_devices
    assert between(CPU, core.DeviceOption(0, 3)) is None
    assert between(GPU, GPU) is None
    net = core.Net("kinds")
    between(GPU, core.DeviceOption(1, 0))(net, "x", "y")
    assert moves(net) == ["Copy x -> y"]
    assert net.Proto().op[0].device_option.device_id == 0
    with pytest.raises(ValueError, match="only CPU, CUDA and HIP"):
        between(CPU, core.DeviceOption(caffe2_pb2.MKLDNN))
