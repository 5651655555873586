"""Cuts a graph into steps: stretches that compile into one function, and what runs on the host between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from c2lab.backend.devices import jax_device
from c2lab.backend.region_nodes import OWN, RegionNode
from c2lab.errors import DeviceMissing
from c2lab.graph.ir import Device, Graph, Node, Value

StepKind = Literal["compiled", "static", "host", "text"]

# What a parameter-filling net is made of: its draws run on the host, where nothing need be compiled.
GIVEN_FAMILIES = frozenset({"given_values", "quantized_fills"})
FILL_FAMILIES = GIVEN_FAMILIES | {"fillers", "random"}

# More values than these are data, not constants of a program: a saved net's parameters are copied, not compiled.
MOST_CONSTANTS = 1024


@dataclass(frozen=True, eq=False)
class Step:
    """Nodes that run together. ``static``: one node that is compiled for the values of some inputs."""

    kind: StepKind
    nodes: tuple[Node, ...]
    device: Device


def cut(graph: Graph, text: frozenset[int] = frozenset()) -> tuple[Step, ...]:
    """The steps of a graph, as few as its host operators and devices allow.

    Nodes may move before others as long as each still reads the same version of every blob;
    host operators keep their order among themselves, since they act on the world outside.

    Args:
        graph: The graph.
        text: The operators that move strings; each is a step of its own.

    Raises:
        DeviceMissing: Placed at the operator that wants a device which this machine does not have.
    """
    places = {node.index: _device_of(node) for node in graph.nodes}
    indexes = [node.index for node in graph.nodes]
    kinds = dict(zip(indexes, _kinds(graph, text), strict=True))
    waiting = list(graph.nodes)
    waits_for = dict(zip(indexes, _dependencies(graph), strict=True))
    done: set[int] = set()
    steps: list[Step] = []

    def take(kind: StepKind, place: Any = None) -> tuple[Node, ...]:
        taken: list[Node] = []
        for node in waiting:
            if kind == "compiled" and (kinds[node.index] != "compiled" or places[node.index] != place):
                continue
            if waits_for[node.index] <= done:
                taken.append(node)
                done.add(node.index)
        for node in taken:
            waiting.remove(node)
        return tuple(taken)

    for node in [n for n in waiting if n.op.type == "CreateScope" and waits_for[n.index] <= done]:
        # First, so that a compiled step is the last one where it can be: only that may work in place.
        waiting.remove(node)
        done.add(node.index)
        steps.append(Step("host", (node,), node.device))
    while waiting:
        compiled = next((n for n in waiting if kinds[n.index] == "compiled" and waits_for[n.index] <= done), None)
        if compiled is not None:
            steps.append(Step("compiled", take("compiled", places[compiled.index]), compiled.device))
            continue
        node = next(n for n in waiting if waits_for[n.index] <= done)
        waiting.remove(node)
        done.add(node.index)
        steps.append(Step(kinds[node.index], (node,), node.device))
    return tuple(steps)


def kept_values(graph: Graph, steps: Sequence[Step], observable: bool) -> frozenset[Value]:
    """The values that must leave the step that made them."""
    final: dict[str, Value] = {}
    for node in graph.nodes:
        for value in node.outputs:
            final[value.blob] = value
    if observable:
        keep = set(final.values())
    else:
        state = set(graph.reads) & set(final)
        keep = {final[name] for name in (*state, *graph.external_output) if name in final}
    latest: dict[str, Value] = {}
    for node in graph.nodes:
        if node.holds_nets:  # a net inside may read any blob as it stands there
            keep.update(latest.values())
        latest.update((value.blob, value) for value in node.outputs)
    maker = {value: number for number, step in enumerate(steps) for node in step.nodes for value in node.outputs}
    for number, step in enumerate(steps):
        for node in step.nodes:
            keep.update(value for value in node.inputs if maker.get(value, number) != number)
    # What a branch hands to its way back is no blob: the two are always in one step.
    return frozenset(value for value in keep if OWN not in value.blob)


def splits_pairs(steps: Iterable[Step]) -> bool:
    """Whether a region and the one that goes back through it are in two steps."""
    for step in steps:
        here = {node.index for node in step.nodes}
        if any(isinstance(n, RegionNode) and n.partner is not None and n.partner not in here for n in step.nodes):
            return True
    return False


def _device_of(node: Node) -> Any:
    # Compared as devices of this machine: without a GPU, "the CPU" and "wherever" are one and the same.
    try:
        return jax_device(node.device)
    except DeviceMissing as error:
        raise error.at(node.place) from None


def _kinds(graph: Graph, text: frozenset[int]) -> list[StepKind]:
    """How each node runs. A static input that holds sizes of other blobs is known while compiling."""
    known: set[Value] = set()
    kinds: list[StepKind] = []
    only_fills = all(node.host or not node.inputs or node.operator.family in FILL_FAMILIES for node in graph.nodes)
    for node in graph.nodes:
        unknown = any(value not in known for value in node.static_inputs)
        draws_here = only_fills and node.operator.host_rng and not node.inputs
        given = node.operator.family in GIVEN_FAMILIES and not node.inputs
        copied_here = given and (only_fills or len(node.arguments.get("values", ())) > MOST_CONSTANTS)
        kinds.append("host" if node.host or draws_here or copied_here else "static" if unknown else "compiled")
        if node.index in text:
            kinds[-1] = "text"
        elif not node.host:
            known.update(node.values_from_shapes)
    return kinds


def _dependencies(graph: Graph) -> list[set[int]]:
    """For each node the nodes that must run before it: writers of what it reads, readers of what it overwrites."""
    writer: dict[str, int] = {}
    readers: dict[str, list[int]] = {}
    last_host: int | None = None
    last_with_nets: int | None = None
    result: list[set[int]] = []
    for node in graph.nodes:
        before: set[int] = set()
        for value in node.inputs:
            if value.blob in writer:
                before.add(writer[value.blob])
        for value in node.outputs:
            before.update(readers.get(value.blob, ()))
            if value.blob in writer:
                before.add(writer[value.blob])
        if node.host and node.op.type != "CreateScope":  # which does nothing to the world outside
            if last_host is not None:
                before.add(last_host)
            last_host = node.index
        if isinstance(node, RegionNode):  # its host version, should it come to that, enters its scopes
            before.update(writer[scope] for scope in node.scopes if scope in writer)
        if last_with_nets is not None:
            before.add(last_with_nets)
        if node.holds_nets:  # a net inside may read and write any blob: all before it, all others after
            before.update(earlier.index for earlier in graph.nodes[: len(result)])
            last_with_nets = node.index
        before.discard(node.index)
        result.append(before)
        for value in node.inputs:
            readers.setdefault(value.blob, []).append(node.index)
        for value in node.outputs:
            writer[value.blob] = node.index
            readers[value.blob] = []
    return result
