"""The graph of a net: operators as nodes, versions of blobs as values. All of it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from c2lab import origins
from c2lab.operators.definition import Operator
from c2lab.operators.schema import bind
from c2lab.proto import caffe2_pb2


class Value(NamedTuple):
    """A blob between two writes: version 0 is what the net finds, version k what its k-th write left."""

    blob: str
    version: int


class Device(NamedTuple):
    """Where an operator runs; ``type`` is a number of ``DeviceTypeProto``, -1 the default device."""

    type: int = -1
    index: int = 0


@dataclass(frozen=True, eq=False)
class Node:
    """One operator of a net, with its definition found and its arguments read."""

    index: int
    op: caffe2_pb2.OperatorDef
    operator: Operator
    arguments: dict[str, Any]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    device: Device
    seed: int | None
    net_name: str

    @property
    def place(self) -> str:
        """How errors name this operator."""
        return origins.place(self.op.type, self.op.name, self.index, self.net_name)

    @cached_property
    def input_slots(self) -> tuple[str, ...]:
        """The schema's name for each input."""
        places = bind(self.operator.inputs, range(len(self.inputs)))
        names = {place: name for name, place in places.items() if isinstance(place, int)}
        names.update((place, name) for name, many in places.items() if isinstance(many, tuple) for place in many)
        return tuple(names[place] for place in range(len(self.inputs)))

    @cached_property
    def host(self) -> bool:
        """Whether this operator runs on the host, never traced."""
        return self.operator.host_for(self.op)

    @cached_property
    def holds_nets(self) -> bool:
        """Whether it runs nets of its own, which may read and write any blob."""
        return self.host and any(isinstance(value, caffe2_pb2.NetDef) for value in self.arguments.values())

    @cached_property
    def static_inputs(self) -> tuple[Value, ...]:
        """The inputs whose values must be known before this operator can be compiled."""
        wanted = self.operator.static_for(self.op)
        return tuple(value for value, slot in zip(self.inputs, self.input_slots, strict=True) if slot in wanted)

    @cached_property
    def values_from_shapes(self) -> tuple[Value, ...]:
        """The outputs whose values follow from the shapes of the inputs."""
        slots = self.operator.outputs
        return tuple(
            value for value, slot in zip(self.outputs, slots, strict=False) if slot.name in self.operator.from_shapes
        )


@dataclass(frozen=True, eq=False)
class Graph:
    """A net: nodes in running order, and which blobs it finds and leaves."""

    name: str
    nodes: tuple[Node, ...]
    external_output: tuple[str, ...]

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The blobs that must exist before the net runs, in the order they are first read."""
        seen: dict[str, None] = {}
        for node in self.nodes:
            for value in node.inputs:
                if value.version == 0:
                    seen.setdefault(value.blob)
        return tuple(seen)

    @cached_property
    def writes(self) -> tuple[str, ...]:
        """The blobs that the net writes, in the order they are first written."""
        seen: dict[str, None] = {}
        for node in self.nodes:
            for value in node.outputs:
                seen.setdefault(value.blob)
        return tuple(seen)
