"""Regions: an ``If`` or ``While`` whose nets are part of a compiled function.

A region's nets are flat lists of calls over names.  Blobs of scopes have names of their own in them, so that
``Do`` operators are gone; nested branches and loops are calls as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from c2lab.backend.scans import Scan, ScanBack, scan_key
from c2lab.graph.ir import Node, Value
from c2lab.operators.definition import Operator

# Put into the names of values that only a scope knows; no blob has it.
OWN = "\0"


class RegionRefused(Exception):
    """A region cannot be compiled for these shapes, types or values; the host must run it."""


@dataclass(frozen=True, eq=False)
class Call:
    """An operator in a region: which names it reads and writes."""

    node: Node
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Branches:
    """An ``If``. The first input is its condition.

    An output that a branch leaves alone is an input too, or it is one that nobody was promised (what a branch
    computes on its way); such a one is zeros where the branch does not run.
    """

    then_calls: tuple[AnyCall, ...]
    else_calls: tuple[AnyCall, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Loop:
    """A ``While``. The first input is its condition; outputs are inputs too, but for those nobody was promised."""

    loop_calls: tuple[AnyCall, ...]
    cond_calls: tuple[AnyCall, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Alias:
    """Other names for values, so that they can be told from what is written under the names later."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


AnyCall = Call | Branches | Loop | Alias
Region = Branches | Loop
AnyRegion = Region | Scan | ScanBack


def reads(calls: Iterable[AnyCall]) -> list[str]:
    """The names that calls read before they write them, in order."""
    found: dict[str, None] = {}
    written: set[str] = set()
    for call in calls:
        found.update(dict.fromkeys(name for name in call.inputs if name not in written))
        written.update(call.outputs)
    return list(found)


def writes(calls: Iterable[AnyCall]) -> list[str]:
    """The names that calls write, in order."""
    return list(dict.fromkeys(name for call in calls for name in call.outputs))


def _made_up(region: AnyRegion) -> tuple[str, ...]:
    """The outputs that are zeros where the nets that write them do not run."""
    if isinstance(region, Scan | ScanBack):
        return ()
    always = {*writes(region.then_calls)} & {*writes(region.else_calls)} if isinstance(region, Branches) else set()
    return tuple(name for name in region.outputs if name not in region.inputs and name not in always)


@dataclass(frozen=True, eq=False)
class RegionNode(Node):
    """A node whose nets are compiled with what is around it.

    ``original`` is the same node for the host, ``scopes`` are those that it enters there.  ``partner`` is the
    node that goes back through it, and must be compiled together with it.
    """

    region: AnyRegion
    original: Node
    scopes: tuple[str, ...]
    partner: int | None = None

    # It runs neither on the host nor nets that nobody sees, and no value decides its shapes.

    @cached_property
    def made_up(self) -> tuple[str, ...]:
        """The blobs that are zeros where the nets that write them do not run."""
        return tuple(name for name in _made_up(self.region) if OWN not in name)

    @cached_property
    def host(self) -> bool:
        """No."""
        return False

    @cached_property
    def holds_nets(self) -> bool:
        """Not without saying what they read and write."""
        return False

    @cached_property
    def static_inputs(self) -> tuple[Value, ...]:
        """None."""
        return ()

    @cached_property
    def values_from_shapes(self) -> tuple[Value, ...]:
        """None."""
        return ()


def region_key(region: AnyRegion, of_call: Callable[[Node], Any]) -> Any:
    """What a region computes, as a key: names are numbered in the order in which they come up.

    Args:
        region: The region.
        of_call: The key of one operator's arguments.
    """
    numbers: dict[str, int] = {}

    def numbered(names: Sequence[str]) -> tuple[int, ...]:
        return tuple(numbers.setdefault(name, len(numbers)) for name in names)

    def key(calls: Iterable[AnyCall]) -> Any:
        return tuple(one(call) for call in calls)

    def one(call: AnyCall | AnyRegion) -> Any:
        ends = numbered(call.inputs), numbered(call.outputs)
        if isinstance(call, Alias):
            return "=", ends
        if isinstance(call, Call):
            operator: Operator = call.node.operator
            return operator, of_call(call.node), ends
        if isinstance(call, Branches):
            return "If", ends, key(call.then_calls), key(call.else_calls)
        if isinstance(call, Scan | ScanBack):
            return ends, scan_key(call, numbered), key(call.calls)
        return "While", ends, key(call.loop_calls), key(call.cond_calls)

    return one(region)
