"""Who runs a net for a canvas: the current workspace, and XLA's analysis of what operators cost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from c2lab import workspace
from c2lab.builder.fitting import filled_shapes
from c2lab.errors import C2LabError
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import missing_slots
from c2lab.graph.scene import box_name
from c2lab.graph.shapes import ShapeAndType
from c2lab.proto import caffe2_pb2
from c2lab.storage import QuantizedTensor


class OperatorCost(NamedTuple):
    """What an operator costs, as far as XLA can tell."""

    flops: int | None
    bytes: int | None


class Runner:
    """Runs over the current workspace; a canvas is given one and knows no more of devices and blobs.

    Example:
        >>> runner = Runner()
        >>> runner.feed("runner_example", np.float32([1, 2]))
        >>> print(runner.shapes(["runner_example", "not_there"])["runner_example"])
        (2,) float32
    """

    def __init__(self) -> None:
        self._created: tuple[Document, Any, Any] | None = None

    def shapes(self, blobs: Iterable[str]) -> dict[str, ShapeAndType]:
        """Shapes and types of the blobs that are there."""
        found = {}
        for name in blobs:
            value = workspace.current().blobs.get(name)
            if hasattr(value, "shape") and hasattr(value, "dtype"):
                found[name] = ShapeAndType.of(value)
        return found

    def feed(self, blob: str, value: Any) -> None:
        """Writes a blob."""
        workspace.current().feed(blob, value)

    def fetch(self, blob: str) -> Any:
        """A copy of a blob, or ``None`` where there is none."""
        return workspace.current().fetch(blob) if self.has(blob) else None

    def has(self, blob: str) -> bool:
        """Whether a blob is there and has a value."""
        return blob in workspace.current().blobs and hasattr(workspace.current().blobs[blob], "shape")

    def run(self, document: Document) -> float:
        """Fills the parameters that are missing, runs the net once; returns the milliseconds of the run.

        Raises:
            EditRefused: A wire or an input is missing.
            C2LabError: An operator failed.
        """
        self.require_ready(document)
        self.prepare(document)
        current = workspace.current()
        if self._created is None or self._created[0] is not document or self._created[1] is not current:
            self._created = document, current, current.executable(runnable(document))
        started = time.perf_counter()
        self._created[2].run(current.blobs)
        for op in document.net.op[-1:]:
            for name in op.output:
                self.fetch(name)  # waits until it is there
        return (time.perf_counter() - started) * 1000

    def require_wired(self, document: Document) -> None:
        """Says which wires are missing before a run, in words of the canvas."""
        if not document.net.op:
            raise EditRefused("there is nothing to run on the canvas")
        for node, op in zip(document.ids, document.net.op, strict=True):
            missing = missing_slots(op)
            if missing:
                raise EditRefused(f"{box_name(document, node)} is not wired yet: {', '.join(missing)}")

    def require_ready(self, document: Document) -> None:
        """Says what is missing before a run: wires, and values of inputs."""
        self.require_wired(document)
        empty = [blob for blob in document.outside().values() if not self.has(blob)]
        if empty:
            raise EditRefused(f"{', '.join(repr(name[:60]) for name in empty[:5])} has no value yet; feed it first")

    def prepare(self, document: Document) -> None:
        """Runs the fillers of what is missing, or has another size than it should."""
        current = workspace.current()
        wanted, stale = filled_shapes(document), set()
        for op in document.init.op:
            missing = any(name not in current.blobs for name in op.output)
            resized = any(
                name in wanted and tuple(getattr(current.blobs.get(name), "shape", ())) != wanted[name]
                for name in op.output
            )
            if missing or resized or any(name in stale for name in op.input):
                current.run_operator(op)
                stale.update(op.output)

    def value_at(self, document: Document, position: int | None, blob: str) -> Any:
        """What an operator left in a blob; the net runs up to it where the blob was overwritten since.

        Args:
            document: The document, which was run.
            position: The operator; ``None`` for what was there before the net ran.
            blob: The blob.
        """
        writers = [k for k, op in enumerate(document.net.op) if blob in op.output]
        if not self.has(blob):
            raise EditRefused(f"{blob[:60]!r} has no value yet; run the net first")
        if position is None or not writers or writers[-1] == position:
            return _as_seen(self.fetch(blob))
        # A workspace of its own, with copies: what the net overwrites there must not be overwritten here.
        apart = workspace.Workspace("canvas")
        for name, value in list(workspace.current().blobs.items()):
            if hasattr(value, "shape"):
                apart.feed(name, workspace.current().fetch(name))
        part = runnable(document)
        del part.op[position + 1 :]
        del part.external_output[:]
        apart.run_once(part)
        return _as_seen(apart.fetch(blob))

    def cost(self, op: caffe2_pb2.OperatorDef, shapes: Mapping[str, ShapeAndType]) -> OperatorCost:
        """XLA's count of the operations of an operator, and the bytes that it reads and writes."""
        from c2lab.backend.cost import operator_cost

        blobs = {name: _Abstract(tuple(known.shape), np.dtype(known.dtype)) for name, known in shapes.items()}
        try:
            found = operator_cost(op, blobs)
        except (C2LabError, TypeError, ValueError, NotImplementedError):
            return OperatorCost(None, None)  # an operator that cannot be compiled alone has no count
        return OperatorCost(found.flops, found.bytes_read + found.bytes_written)

    def measure(self, document: Document, shapes: Mapping[str, ShapeAndType], *, runs: int = 3) -> dict[int, float]:
        """Milliseconds of each operator, in a run of its own kind: apart from the workspace, one operator at a time.

        Args:
            document: The document.
            shapes: Shapes of the inputs, for those that have no value.
            runs: How many runs the mean is of, after one that does not count.
        """
        apart = workspace.Workspace("canvas")
        random = np.random.RandomState(0)
        for blob in document.outside().values():
            value = self.fetch(blob)
            if value is None and blob in shapes:
                value = _some_value(shapes[blob], random)
            if value is not None:
                apart.feed(blob, value)
        for op in document.init.op:
            apart.run_operator(op)
        times: dict[int, float] = {}
        for position, op in enumerate(document.net.op):
            single = caffe2_pb2.NetDef(name=f"canvas/{position}", external_output=list(op.output), op=[op])
            if document.net.HasField("device_option"):
                single.device_option.CopyFrom(document.net.device_option)
            try:
                alone = apart.executable(single)
                alone.run(apart.blobs)
                _settled(apart, op)
                started = time.perf_counter()
                for _ in range(runs):
                    alone.run(apart.blobs)
                _settled(apart, op)
                times[position] = (time.perf_counter() - started) * 1000 / runs
            except C2LabError:
                continue  # what cannot run has no time; the canvas shows why
        return times


class _Abstract(NamedTuple):
    """A blob's shape and type without its values."""

    shape: tuple[int, ...]
    dtype: Any


def runnable(document: Document) -> caffe2_pb2.NetDef:
    """The net of a document, to be run once."""
    net = caffe2_pb2.NetDef()
    net.CopyFrom(document.net)
    return net


def _settled(where: Any, op: caffe2_pb2.OperatorDef) -> None:
    for name in op.output:
        value = where.blobs.get(name)
        if hasattr(value, "block_until_ready"):
            value.block_until_ready()


def _as_seen(value: Any) -> Any:
    """What eyes see of a quantized tensor: the real numbers that it stands for."""
    return value.real_values() if isinstance(value, QuantizedTensor) else value


def _some_value(known: ShapeAndType, random: np.random.RandomState) -> np.ndarray:
    """Values that most operators take: small numbers, and labels that are all 0."""
    if np.dtype(known.dtype).kind == "f":
        return random.uniform(0, 1, known.shape).astype(known.dtype)
    return np.zeros(known.shape, known.dtype)


def runner_for() -> Any:
    """The runner over the current workspace."""
    return Runner()
