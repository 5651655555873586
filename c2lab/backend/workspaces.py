"""The workspace: named blobs, and the nets that are created over them."""

from __future__ import annotations

import copy
import importlib
import os
import threading
import time
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab import events
from c2lab.backend.blobs import on_host
from c2lab.backend.child_blobs import ChildBlobs
from c2lab.backend.plans import run_plan
from c2lab.backend.run import UNINITIALISED, Executable, to_device
from c2lab.errors import BadArgument, MissingBlob, MissingNet, TypeMismatch, did_you_mean
from c2lab.graph.ir import Device
from c2lab.graph.reader import read
from c2lab.graph.rules import missing_inputs
from c2lab.operators.waiting import current_group
from c2lab.proto import caffe2_pb2
from c2lab.storage import Int8Tensor, QuantizedTensor, quantized_tensor

_NET_TYPES = frozenset(
    {"", "simple", "dag", "async_dag", "async_scheduling", "async_simple", "async_polling", "prof_dag",
     "simple_refcount", "parallel", "rnn"}
)  # fmt: skip
_FEEDABLE = frozenset(
    ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool", "bfloat16"]
)  # fmt: skip

_LONGEST_STEP = 10.0  # seconds that a fetch waits for a net in another thread
_drawing = threading.Lock()


class Workspace:
    """Named blobs and the nets created over them.

    Host operators see a workspace as a mapping of blobs with a ``root_folder``.

    Example:
        >>> ws = Workspace()
        >>> ws.feed("x", np.float32([-1, 2]))
        >>> ws.run_operator(caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["y"]))
        >>> ws.fetch("y")
        array([0., 2.], dtype=float32)
    """

    def __init__(self, name: str = "default", *, root_folder: str = ".", seed: int | None = None) -> None:
        self.name = name
        self.root_folder = root_folder
        self.blobs: MutableMapping[str, Any] = {}
        self.nets: dict[str, tuple[caffe2_pb2.NetDef, Executable]] = {}
        self.seed(seed)

    # Blobs

    def feed(self, name: str, value: Any, device: Device | None = None) -> None:
        """Writes a blob: a numpy array (copied), a string, bytes, an ``Int8Tensor`` or a JAX array (copied).

        Raises:
            TypeMismatch: Any other Python value, or an element type that blobs do not have.
        """
        if isinstance(value, caffe2_pb2.TensorProto):
            value = importlib.import_module("c2lab.storage.blob_protos").tensor_to_array(value)
        if isinstance(value, str):
            value = value.encode("utf-8")
        elif isinstance(value, Int8Tensor):
            value = to_device(quantized_tensor(*value), device)
        elif isinstance(value, QuantizedTensor):
            value = to_device(quantized_tensor(value.data, *value.quantization), device)
        elif isinstance(value, jax.Array):
            with jax.enable_x64(True):
                value = jnp.array(value, copy=True)
        elif isinstance(value, (np.ndarray, np.generic)):
            value = np.asarray(value)
            if value.dtype.kind in "USO":
                value = _bytes_array(value)
            elif value.dtype.name not in _FEEDABLE:
                raise TypeMismatch(
                    f"This numpy data type is not supported: {value.dtype.num}. ({value.dtype}, fed to {name}); "
                    f"blobs may be {', '.join(sorted(_FEEDABLE))} or strings"
                )
            else:
                value = to_device(value, device)
        elif not isinstance(value, bytes) and not hasattr(value, "type_name"):
            raise TypeMismatch(
                "Unexpected type of argument - only numpy array or string are supported for feeding "
                f"(got {type(value).__name__} for {name}); wrap it: np.array(value, np.float32)"
            )
        self.blobs[name] = value

    def fetch(self, name: str) -> Any:
        """A copy of a blob: an array, bytes, a quantized tensor, or the description of a blob that is no tensor.

        Raises:
            MissingBlob: There is no such blob.
        """
        try:
            value = self.blobs[name]
        except KeyError:
            raise MissingBlob(f"Can't find blob: {name}.{did_you_mean(name, self.blobs)}") from None
        if isinstance(value, jax.Array):
            return self._copied(name, value)
        if isinstance(value, np.ndarray):
            return np.array(value)
        if isinstance(value, QuantizedTensor):
            return value.with_data(np.array(value.data))
        if isinstance(value, bytes):
            return value
        return f"{name}, a C++ native class of type {value.type_name}.".encode()

    def _copied(self, name: str, value: Any) -> np.ndarray:
        end = time.monotonic() + _LONGEST_STEP
        while True:
            try:
                return np.array(value)
            except RuntimeError:
                # A net that runs in another thread was given the array, and is about to write the blob anew.
                if not value.is_deleted() or time.monotonic() > end:
                    raise
                time.sleep(0.001)
                value = self.blobs[name]

    def __getitem__(self, name: str) -> Any:
        return on_host(self.blobs[name])

    def __setitem__(self, name: str, value: Any) -> None:
        self.blobs[name] = to_device(value)

    def __contains__(self, name: object) -> bool:
        return name in self.blobs

    def clear(self, name: str) -> None:
        """Empties a blob; its name stays."""
        self.blobs[name] = UNINITIALISED

    def names(self) -> list[str]:
        """The names of all blobs, sorted."""
        return sorted(self.blobs)

    # Nets

    def create(self, net: caffe2_pb2.NetDef, *, overwrite: bool = False, input_blobs: Iterable[str] = ()) -> Executable:
        """Makes a net ready to run; it is then run by name.

        Raises:
            BadArgument: A net of this name exists and ``overwrite`` is false, or the net's type is unknown.
            MissingBlob: It reads a blob that does not exist.
            C2LabError: As ``graph.reader.read``.
        """
        if net.name in self.nets and not overwrite:
            raise BadArgument(
                "I respectfully refuse to overwrite an existing net of the same name "
                f'"{net.name}", unless you explicitly specify overwrite=true.'
            )
        executable = self.executable(net, input_blobs)
        kept = caffe2_pb2.NetDef()
        kept.CopyFrom(net)
        self.nets[net.name] = (kept, executable)
        return executable

    def executable(self, net: caffe2_pb2.NetDef, input_blobs: Iterable[str] = ()) -> Executable:
        """A net ready to run that is not kept under its name; errors as in ``create``."""
        if net.type not in _NET_TYPES:
            known = ", ".join(sorted(filter(None, _NET_TYPES)))
            raise BadArgument(f"Could not create net: {net.name} of type {net.type}; known types are {known}")
        graph = read(net)
        promised = set(input_blobs)
        for _, problem in missing_inputs(graph, lambda name: name in self.blobs or name in promised):
            raise problem
        executable = Executable(graph, self, self._draw_base())
        for name in (*graph.reads, *graph.writes):
            self.blobs.setdefault(name, UNINITIALISED)
        return executable

    def within(self, blobs: MutableMapping[str, Any]) -> Workspace:
        """What a net inside an operator runs in: other blobs, no nets, and the randomness of this workspace."""
        inner = copy.copy(self)
        inner.blobs = blobs
        inner.nets = {}
        inner._draw_base = self._draw_base  # type: ignore[method-assign] - two streams must never be one
        return inner

    def child(self) -> Workspace:
        """A workspace that sees the blobs of this one; what it makes anew is its own."""
        return self.within(ChildBlobs(self.blobs))

    def run(self, name: str, iterations: int = 1) -> None:
        """Runs a created net.

        Raises:
            MissingNet: No net of this name was created.
            C2LabError: Placed at the operator that failed; the blobs are as they were before the step.
        """
        try:
            executable = self.nets[name][1]
        except KeyError:
            raise MissingNet(
                f"Can't find net {name}; create it first with CreateNet.{did_you_mean(name, self.nets)}"
            ) from None
        if current_group() is not None:
            executable.run_beside(self.blobs)
        else:
            executable.run(self.blobs, iterations)
        events.emit("net_ran", workspace=self, net=name)

    def run_once(self, net: caffe2_pb2.NetDef) -> None:
        """Creates a net, runs it once, and forgets it."""
        self.executable(net).run(self.blobs)
        events.emit("net_ran", workspace=self, net=net.name)

    def run_operator(self, op: caffe2_pb2.OperatorDef) -> None:
        """Runs one operator."""
        net = caffe2_pb2.NetDef()
        net.op.add().CopyFrom(op)
        self.executable(net).run(self.blobs)

    def run_plan(self, plan: caffe2_pb2.PlanDef) -> None:
        """Creates the nets of a plan and runs its execution steps in order."""
        run_plan(plan, self)

    def reset(self, root_folder: str | None = None) -> None:
        """Forgets all blobs and nets; the name stays."""
        self.blobs.clear()
        self.nets.clear()
        if root_folder is not None:
            self.root_folder = root_folder

    # Randomness

    def seed(self, seed: int | None) -> None:
        """Seeds everything random that has no seed of its own, in nets created from now on."""
        self._seed = int.from_bytes(os.urandom(4), "little") if seed is None else seed
        self._nets_created = 0

    def _draw_base(self) -> int:
        with _drawing:
            number = self._nets_created
            self._nets_created += 1
        return int(np.random.default_rng([self._seed & 0xFFFFFFFF, number]).integers(2**32))

    def random_state(self) -> dict[str, Any]:
        """All random state as plain numbers, for ``restore_random_state``."""
        nets = {name: [executable.random_base, executable.runs] for name, (_, executable) in self.nets.items()}
        return {"seed": self._seed, "nets_created": self._nets_created, "nets": nets}

    def restore_random_state(self, state: Mapping[str, Any]) -> None:
        """Goes on where ``random_state`` was taken: the next run draws what it would have drawn."""
        self._seed, self._nets_created = state["seed"], state["nets_created"]
        for name, (base, runs) in state["nets"].items():
            if name in self.nets:
                self.nets[name][1].random_base, self.nets[name][1].runs = base, runs


def _bytes_array(value: np.ndarray) -> np.ndarray:
    result = np.empty(value.shape, object)
    for index, item in np.ndenumerate(value):
        if isinstance(item, str):
            item = item.encode("utf-8")
        elif not isinstance(item, bytes) and not hasattr(item, "type_name"):  # a packed record that was fetched
            raise TypeMismatch(
                f"an array of strings holds {type(item).__name__} at {index}; it may hold str and bytes only"
            )
        result[index] = item
    return result
