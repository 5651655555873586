"""What a blob holds: arrays on a device, text, objects, or nothing yet."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import jax
import numpy as np

from c2lab.backend.devices import jax_device
from c2lab.graph.ir import Device


class Uninitialised:
    """What a blob holds before anything was written to it."""

    type_name = "nullptr (uninitialized)"

    def __repr__(self) -> str:
        return "uninitialised"


UNINITIALISED = Uninitialised()

Blobs = MutableMapping[str, Any]


def to_device(value: Any, device: Device | None = None) -> Any:
    """A numeric numpy array as a JAX array of the very same type; anything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        with jax.enable_x64(True):
            target = jax_device(device or Device())
            # A copy: on the CPU JAX may otherwise read the caller's memory, which he may change.
            return jax.device_put(np.array(value, copy=True, order="C"), target)
    return value
