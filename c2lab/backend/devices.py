"""Caffe2's device options as JAX devices."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

# A notebook must not take the whole GPU from the one beside it; JAX reads this when it starts.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax

from c2lab.errors import DeviceMissing
from c2lab.graph.ir import Device
from c2lab.proto import caffe2_pb2

_ACCELERATORS = frozenset({caffe2_pb2.PROTO_CUDA, caffe2_pb2.PROTO_HIP, caffe2_pb2.PROTO_XLA})


@cache
def accelerators() -> tuple[Any, ...]:
    """The GPUs or TPUs of this machine."""
    return tuple(d for d in jax.local_devices() if d.platform != "cpu")


@cache
def jax_device(device: Device) -> Any:
    """The JAX device for a device option; without one it is JAX's default device.

    Raises:
        DeviceMissing: The machine has no such device.
    """
    if device.type == -1:
        return jax.local_devices()[0]
    if device.type in _ACCELERATORS:
        found = accelerators()
        if device.index >= len(found):
            have = f"only {len(found)}" if found else "none"
            raise DeviceMissing(
                f"the device option wants accelerator {device.index} (device_type {device.type}), and this machine "
                f"has {have}; build the net outside of the device scope, or with core.DeviceOption(caffe2_pb2.CPU)"
            )
        return found[device.index]
    return jax.local_devices(backend="cpu")[0]
