"""Recurrent networks, and their ways back, as regions whose steps are compiled: what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from c2lab.backend.region_nodes import Call


class Link(NamedTuple):
    """A blob of a step that stands for rows of a blob outside."""

    internal: str
    external: str
    offset: int
    window: int


class State(NamedTuple):
    """A state: its blob, its first value, and what stands for it before and after a step."""

    name: str
    first: str
    before: tuple[str, ...]
    after: str


class Flow(NamedTuple):
    """A gradient that flows into a state from outside: at each step, or at the last one."""

    gradient: str
    at_each_step: bool


class StateGradient(NamedTuple):
    """A state on the way back: what its gradient is called before and after a step, and what flows in."""

    state: str
    first: str
    arriving: tuple[str, ...]
    leaving: str
    flows: tuple[Flow, ...]


@dataclass(frozen=True, eq=False)
class Scan:
    """A recurrent network: the calls of a step, and what links it to the next one and to what is outside.

    ``kept``: the blobs of each step that the way back needs, with the names under which they are given out.
    """

    calls: tuple[Call, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    timestep: str
    sequence: str
    rows: tuple[Link, ...]
    states: tuple[State, ...]
    aliases: tuple[tuple[str, str, int], ...]
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class ScanBack:
    """The way back through a recurrent network. ``kept`` are the blobs of each step, by their names in it."""

    calls: tuple[Call, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    timestep: str
    sequence: str
    rows: tuple[str, ...]
    states: tuple[StateGradient, ...]
    params: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]


def scan_key(region: Scan | ScanBack, numbered: Callable[[Sequence[str]], tuple[int, ...]]) -> Any:
    """What is computed beside the calls, with numbers for names."""

    def number(value: Any) -> Any:
        if isinstance(value, str):
            return numbered((value,))
        return tuple(map(number, value)) if isinstance(value, tuple) else (value,)

    facts = [region.timestep, region.sequence, region.rows, region.states, region.kept]
    facts.append(region.aliases if isinstance(region, Scan) else region.params)
    return type(region).__name__, number(tuple(facts))
