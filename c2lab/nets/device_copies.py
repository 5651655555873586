"""Copies between devices, put into nets whose operators run on more than one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from c2lab.errors import BadArgument
from c2lab.nets.devices import (
    DeviceOption,
    InferOpBlobDevices,
    InferOpDeviceAsBlobDevices,
    IsGPUDeviceType,
    device_equal,
)
from c2lab.nets.net import Net
from c2lab.nets.scopes import DeviceScope
from c2lab.proto import caffe2_pb2

Places = dict[str, caffe2_pb2.DeviceOption]


class RemapEntry(NamedTuple):
    """A blob and a device where a copy of it is."""

    blob: str
    device: Any

    def __hash__(self) -> int:
        return hash((self.blob, self.device.device_type, self.device.device_id))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemapEntry) and self.blob == other.blob and device_equal(self.device, other.device)


def copy_func_between_devices(src: caffe2_pb2.DeviceOption, dst: caffe2_pb2.DeviceOption) -> Callable[..., Any] | None:
    """A function ``(net, source blob, target blob)`` that adds the copy, or ``None`` where none is needed."""
    cpu = caffe2_pb2.PROTO_CPU
    source_is_gpu, target_is_gpu = IsGPUDeviceType(src.device_type), IsGPUDeviceType(dst.device_type)
    if (src.device_type == dst.device_type == cpu) or (source_is_gpu and target_is_gpu and device_equal(src, dst)):
        return None
    if source_is_gpu and target_is_gpu:
        operator, place = "Copy", dst
    elif source_is_gpu and dst.device_type == cpu:
        operator, place = "CopyGPUToCPU", src
    elif src.device_type == cpu and target_is_gpu:
        operator, place = "CopyCPUToGPU", dst
    else:
        raise BadArgument(f"Blobs cannot be copied from {_describe(src)} to {_describe(dst)}: only CPU, CUDA and HIP.")

    def copy(net: Net, *args: Any, **kwargs: Any) -> Any:
        with DeviceScope(place):
            return getattr(net, operator)(*args, **kwargs)

    return copy


def _describe(device: caffe2_pb2.DeviceOption) -> str:
    return f"device type {device.device_type} number {device.device_id}"


def _name_on(blob: str, device: caffe2_pb2.DeviceOption) -> str:
    """What a blob's copy on a device is called."""
    if device.device_type == caffe2_pb2.PROTO_CPU:
        return f"{blob}_cpu"
    if IsGPUDeviceType(device.device_type):
        return f"{blob}_gpu_{device.device_id}"
    raise BadArgument(f"Blobs cannot be copied to {_describe(device)}: only CPU, CUDA and HIP.")


def update_placeholder_op_output(op: caffe2_pb2.OperatorDef, blob_to_device: Places) -> None:
    """Renames, in place, outputs that are known on another device: a placeholder always writes on the CPU."""
    elsewhere = {b for b in op.output if b in blob_to_device and blob_to_device[b].device_type != caffe2_pb2.PROTO_CPU}
    op.output[:] = [f"{blob}_cpu" if blob in elsewhere else blob for blob in op.output]


def InjectCrossDeviceCopies(
    net: Net,
    blob_to_device: Places | None = None,
    blob_remap: dict[RemapEntry, str] | None = None,
    placeHolderOps: Iterable[str] | None = None,
) -> tuple[Net, Places]:
    """A copy of ``net`` in which every operator finds its inputs on its own device.

    Args:
        net: A net whose operators say where they run.
        blob_to_device: Where blobs are; external inputs that are not in it are on the net's device.
            It is filled up and returned.
        blob_remap: The copies that exist, by blob and device; new ones are added.
        placeHolderOps: Types of operators that stand for something outside, and whose blobs are where they are.

    Raises:
        AttributeError: A blob of unknown place.
        AssertionError: A blob that is overwritten from another device.
    """
    places = {} if blob_to_device is None else blob_to_device
    copies = {} if blob_remap is None else blob_remap
    placeholders = frozenset(placeHolderOps or ())
    source = net.Proto()
    target = net.Clone(f"{source.name}_cross_device", op_id_mask=[])
    inherited = [copy for entry, copy in copies.items() if entry.blob in source.external_input]
    target.Proto().external_input.extend(copy for copy in inherited if copy not in source.external_input)
    net_device = source.device_option if source.HasField("device_option") else DeviceOption(caffe2_pb2.PROTO_CPU)

    for original in source.op:
        op = caffe2_pb2.OperatorDef()
        op.CopyFrom(original)
        infer = InferOpDeviceAsBlobDevices if op.type in placeholders else InferOpBlobDevices
        input_devices, output_devices = infer(op)
        moved: dict[str, str] = {}
        for blob, device in zip(original.input, input_devices, strict=True):
            if not net.BlobIsDefined(blob):
                raise AssertionError(f"input {blob} should be defined in the net.")
            if blob not in places:
                if not net.is_external_input(blob):
                    raise AttributeError(f"No device information found for blob {blob}.")
                places[blob] = net_device
            if device_equal(places[blob], device):
                continue
            entry = RemapEntry(blob, device)
            name = copies.get(entry)
            if name is None or not device_equal(places[name], device):
                name = _name_on(blob, device)
                copy = copy_func_between_devices(places[blob], device)
                assert copy is not None  # the devices differ
                copy(target, blob, name)
                copies[entry] = name
                places[name] = device
            moved[blob] = name
        if op.type in placeholders:
            update_placeholder_op_output(op, places)
        for blob, device in zip(op.output, output_devices, strict=True):
            if blob in places and blob not in moved and not device_equal(places[blob], device):
                raise AssertionError(
                    f"In-place blob: {blob} is not supported between operators with different device option: it is on "
                    f"{_describe(places[blob])}, and this operator would write it on {_describe(device)}.\n{op}"
                )
        # What was written in place stays in place: the output follows its input to the other device.
        op.input[:] = [moved.get(blob, blob) for blob in op.input]
        op.output[:] = [moved.get(blob, blob) for blob in op.output]
        places.update(zip(op.output, output_devices, strict=True))
        # A blob that is written anew has no copies any more.
        for entry in [e for e in copies if e.blob in op.output]:
            del copies[entry]
        target.extend_ops([op])
    return target, places


def InjectDeviceCopiesAmongNets(nets: list[Net], blob_to_device_init: Places | None = None) -> tuple[list[Net], Places]:
    """``InjectCrossDeviceCopies`` for nets that run one after the other and share blobs."""
    if not isinstance(nets, list) or not all(isinstance(net, Net) for net in nets):
        raise AssertionError(f"nets {nets} should be a list of nets.")
    places = blob_to_device_init or {}
    copies: dict[RemapEntry, str] = {}
    results = [InjectCrossDeviceCopies(net, places, copies)[0] for net in nets]
    return results, places


def InjectDeviceCopiesAmongNetsWithoutB2D(nets: list[Net], blob_to_device_init: Places | None = None) -> list[Net]:
    """``InjectDeviceCopiesAmongNets`` without the second result."""
    return InjectDeviceCopiesAmongNets(nets, blob_to_device_init)[0]
