"""What a blob holds: arrays on a device, text, objects, or nothing yet."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import jax
import numpy as np

from c2lab.backend.devices import jax_device
from c2lab.graph.ir import Device
from c2lab.storage import QuantizedTensor


class Uninitialised:
    """What a blob holds before anything was written to it."""

    type_name = "nullptr (uninitialized)"

    def __repr__(self) -> str:
        return "uninitialised"


UNINITIALISED = Uninitialised()

Blobs = MutableMapping[str, Any]


def kind_of(value: Any) -> tuple[Any, ...]:
    """What two tensors have in common if one program takes both: shape, type and, of quantized ones, meaning."""
    return value.shape, value.dtype, getattr(value, "quantization", None)


def on_host(value: Any) -> Any:
    """A tensor, quantized ones too, as a numpy array; anything else as it is."""
    if isinstance(value, QuantizedTensor):
        return value.with_data(np.asarray(value.data))
    return np.asarray(value) if isinstance(value, jax.Array) else value


def to_device(value: Any, device: Device | None = None) -> Any:
    """A numeric numpy array as a JAX array of the very same type; anything else as it is."""
    if isinstance(value, QuantizedTensor):
        return value.with_data(to_device(value.data, device))
    if isinstance(value, np.ndarray) and value.dtype != object:
        with jax.enable_x64(True):
            target = jax_device(device or Device())
            # A copy: on the CPU JAX may otherwise read the caller's memory, which he may change.
            return jax.device_put(np.array(value, copy=True, order="C"), target)
    return value
