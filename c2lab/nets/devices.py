"""Devices as they stand in a net: options, and where the blobs of an operator live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from c2lab.proto import caffe2_pb2

if TYPE_CHECKING:
    from c2lab.nets.net import Net

Devices = list[caffe2_pb2.DeviceOption]


def DeviceOption(
    device_type: int,
    device_id: int = 0,
    random_seed: int | None = None,
    node_name: str | None = None,
    numa_node_id: int | None = None,
    extra_info: Iterable[str] | None = None,
) -> caffe2_pb2.DeviceOption:
    """A device: its type and number, and what else an operator is to know about its place."""
    option = caffe2_pb2.DeviceOption()
    option.device_type = device_type
    option.device_id = device_id
    if node_name is not None:
        option.node_name = node_name
    if random_seed is not None:
        option.random_seed = random_seed
    if numa_node_id is not None:
        if device_type != caffe2_pb2.PROTO_CPU:
            raise AssertionError("numa_node_id is for CPU devices only.")
        option.numa_node_id = numa_node_id
    if extra_info is not None:
        option.extra_info.extend(extra_info)
    return option


def IsGPUDeviceType(device_type: int) -> bool:
    """Whether this is one of the two GPU types, CUDA and HIP."""
    return device_type in (caffe2_pb2.PROTO_CUDA, caffe2_pb2.PROTO_HIP)


def device_equal(src: caffe2_pb2.DeviceOption, dst: caffe2_pb2.DeviceOption) -> bool:
    """Whether both name the same device (a field that is not set counts as its default)."""
    return src.device_type == dst.device_type and src.device_id == dst.device_id


def device_option_equal(
    opt1: caffe2_pb2.DeviceOption | None,
    opt2: caffe2_pb2.DeviceOption | None,
    ignore_node_name: bool = True,
    ignore_random_seed: bool = True,
) -> bool:
    """Whether two options place an operator alike; with no option, only ``None`` is equal."""
    if not opt1 or not opt2:
        return opt1 == opt2
    if not ignore_node_name and opt1.node_name != opt2.node_name:
        return False
    if not ignore_random_seed and opt1.random_seed != opt2.random_seed:
        return False
    # On the CPU the number of the device says nothing.
    return opt1.device_type == opt2.device_type and (
        opt1.device_type == caffe2_pb2.PROTO_CPU or opt1.device_id == opt2.device_id
    )


# Blobs that live on the CPU whatever the device of the operator: input positions, output positions.
_ON_CPU: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "Concat": ((), (1,)),
    "Split": ((1,), ()),
    "EnsureCPUOutput": ((), (0,)),
    "CopyCPUToGPU": ((0,), ()),
    "CopyGPUToCPU": ((), (0,)),
    "CopyFromCPUInput": ((0,), ()),
    "LearningRate": ((0,), (0,)),
    "Iter": ((0,), (0,)),
    "AtomicIter": ((0, 1), (0,)),
}


def InferOpBlobDevices(op: caffe2_pb2.OperatorDef) -> tuple[Devices, Devices]:
    """The devices of the inputs and of the outputs of an operator."""
    cpu = caffe2_pb2.DeviceOption()
    inputs_on_cpu, outputs_on_cpu = _ON_CPU.get(op.type, ((), ()))
    return (
        [cpu if i in inputs_on_cpu else op.device_option for i in range(len(op.input))],
        [cpu if i in outputs_on_cpu else op.device_option for i in range(len(op.output))],
    )


def InferOpBlobDevicesAsDict(
    op: caffe2_pb2.OperatorDef,
) -> tuple[dict[str, caffe2_pb2.DeviceOption], dict[str, caffe2_pb2.DeviceOption]]:
    """The devices of the inputs and of the outputs of an operator, by name."""
    inputs, outputs = InferOpBlobDevices(op)
    return dict(zip(op.input, inputs, strict=True)), dict(zip(op.output, outputs, strict=True))


def InferOpDeviceAsBlobDevices(op: caffe2_pb2.OperatorDef) -> tuple[Devices, Devices]:
    """The operator's own device for each of its inputs and outputs."""
    option = op.device_option if op.HasField("device_option") else caffe2_pb2.DeviceOption()
    return [option] * len(op.input), [option] * len(op.output)


def InferBlobDevices(net: Net) -> dict[str, caffe2_pb2.DeviceOption]:
    """The device of every blob of a net; the last operator that touches a blob decides."""
    devices: dict[str, caffe2_pb2.DeviceOption] = {}
    for op in net.Proto().op:
        inputs, outputs = InferOpBlobDevicesAsDict(op)
        devices.update(inputs)
        devices.update(outputs)
    return devices
