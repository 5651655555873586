"""Where the first number that is none came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from c2lab.backend.run import Executable
from c2lab.backend.workspaces import Workspace
from c2lab.graph.ir import Graph
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2

if TYPE_CHECKING:
    from c2lab.training.stepping import Stepper


@dataclass(frozen=True)
class Fault:
    """The first operator that made a bad number of good ones.

    Attributes:
        operator: Its type.
        position: In its net.
        blob: What it wrote.
        bad: How many of the blob's values are none.
        size: How many values it has.
        place: How errors name the operator.
    """

    operator: str
    position: int
    blob: str
    bad: int
    size: int
    place: str

    def __str__(self) -> str:
        return f"{self.place} wrote {self.blob}, in which {self.bad} of {self.size} values are not finite"


def find_fault(
    stepper: Stepper, before: Mapping[str, Any], random: Mapping[str, Any], batches: Sequence[Mapping[str, Any]]
) -> Fault | None:
    """Repeats a step operator by operator, with the same numbers; what a batch brings is looked at first.

    Args:
        stepper: The nets, and the blobs that last.
        before: The state before the step.
        random: The random state before the step.
        batches: What the step was given.
    """
    apart = Workspace("looking", seed=0)
    apart.blobs.update(stepper.blobs)
    apart.blobs.update(before)
    runs = dict(random["nets"])
    for batch in batches:
        for name, value in batch.items():
            bad = _bad(value)
            if bad:
                return Fault("the data", -1, name, bad, value.size, "the data")
        apart.blobs.update(batch)
        fault = _first(apart, stepper.nets.step, runs)
        if fault is not None:
            return fault
        if stepper.nets.step.name in runs:
            base, run = runs[stepper.nets.step.name]
            runs[stepper.nets.step.name] = [base, run + 1]
    return _first(apart, stepper.nets.update, runs) if stepper.nets.update is not None else None


def _first(apart: Workspace, net: caffe2_pb2.NetDef, runs: Mapping[str, Sequence[int]]) -> Fault | None:
    base, run = runs.get(net.name, (0, 0))
    spoilt: set[str] = set()
    for node in read(net).nodes:
        single = caffe2_pb2.NetDef(name=net.name, op=[node.op])
        if net.HasField("device_option"):
            single.device_option.CopyFrom(net.device_option)
        (alone,) = read(single).nodes
        # Random numbers depend on an operator's position: it must draw what it drew in its net.
        placed = Graph(net.name, (dataclasses.replace(alone, index=node.index),), tuple(node.op.output))
        executable = Executable(placed, apart, base)
        executable.runs = run
        executable.run_beside(apart.blobs)
        for name in node.op.output:
            value = apart.blobs.get(name)
            bad = _bad(value)
            if bad and not spoilt & set(node.op.input):
                return Fault(node.op.type, node.index, name, bad, int(np.asarray(value).size), node.place)
            (spoilt.add if bad else spoilt.discard)(name)
    return None


def _bad(value: Any) -> int:
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return 0
    array = np.asarray(value)
    if array.dtype.kind not in "fV":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array.astype(np.float64))))
