"""Finds the ``If`` and ``While`` operators of a graph that can be compiled with what is around them.

One runs on the host where its nets hold host operators, random ones, or ones that need values to know
shapes, or where someone goes back through its scopes.  Otherwise it becomes a *region* (``region_nodes``):
a node with all that its nets read and write among its inputs and outputs.  An ``If`` and the one that goes
back through it become two regions, the first of which hands what its branch computed to the second.

Whether the shapes fit (both branches give the same, a loop keeps them) is known while tracing; a step that
is refused then falls back to the host (``fallback``).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from c2lab.backend.devices import jax_device
from c2lab.backend.region_nodes import OWN, Alias, AnyCall, Branches, Call, Loop, Region, RegionNode, reads, writes
from c2lab.backend.scan_nodes import scans
from c2lab.backend.segments import MOST_CONSTANTS
from c2lab.errors import C2LabError
from c2lab.graph.ir import Graph, Node, Value
from c2lab.graph.reader import read
from c2lab.operators.subnet_gradients import Bindings
from c2lab.operators.subnets import net_argument, sharing_nets
from c2lab.proto import caffe2_pb2

REGIONS = ("If", "While")

Rename = Callable[[str], str]


class _Impure(Exception):
    """What stands in the way of a region."""


def with_regions(graph: Graph, exists: Callable[[str], bool], *, inside: bool = False, pairs: bool = True) -> Graph:
    """The same graph, with regions in place of the ``If`` and ``While`` operators, and the recurrent
    networks, that can be compiled.

    Args:
        graph: The graph.
        exists: Whether a blob of this name holds something before the net runs.
        inside: Whether the net stands in an operator of another one, which may go back through its scopes.
        pairs: Whether an ``If`` may be compiled together with the one that goes back through it.
    """
    if not any(node.op.type in (*REGIONS, "RecurrentNetwork") for node in graph.nodes):
        return graph
    mentions = {node: _mentioned(node.op) for node in graph.nodes}
    uses = Counter(name for node in graph.nodes if node.op.type != "CreateScope" for name in mentions[node])
    uses.update(graph.external_output)
    made = {name for node in graph.nodes if node.op.type == "CreateScope" for name in node.op.output}
    numbers = itertools.count()
    found: dict[Node, Node] = {**scans(graph)} if pairs and not inside else {}

    def flattener(node: Node, ledger: _Ledger | None = None) -> _Flattener:
        # The blobs, and scopes, that nobody but this operator names.
        own = set() if inside else {name for name in mentions[node] if uses[name] <= 1}
        return _Flattener(node, own, {name for name in own if not exists(name)}, numbers, ledger)

    for node in graph.nodes:
        if node.op.type in REGIONS:
            try:
                own = set() if inside else {name for name in made & mentions[node] if uses[name] <= 1}
                found[node] = _region_node(node, flattener(node).region(node, _same, own, set()), own)
            except (_Impure, C2LabError):
                pass  # the host runs it, and says what is wrong if anything is
    for node, back, scope in _pairs(graph.nodes, made, mentions, uses) if pairs and not inside else ():
        try:
            ledger: _Ledger = {}
            forward = flattener(node, ledger).region(node, _same, {scope}, set())
            backward = flattener(back, ledger).region(back, _same, {scope}, set())
            forward = _exporting(forward, {name for name in backward.inputs if OWN in name})
        except (_Impure, C2LabError):
            continue
        found[node] = _region_node(node, forward, {scope}, partner=back.index)
        found[back] = _region_node(back, backward, {scope})
    return Graph(graph.name, tuple(_renumbered(found.get(node, node) for node in graph.nodes)), graph.external_output)


def _pairs(
    nodes: Iterable[Node], made: set[str], mentions: dict[Node, set[str]], uses: Counter[str]
) -> Iterator[tuple[Node, Node, str]]:
    """Each ``If`` with the one that goes back through it, where nobody else enters their scope."""
    for scope in sorted(made):
        users = [node for node in nodes if node.op.type != "CreateScope" and scope in mentions[node]]
        if uses[scope] == len(users) == 2 and all(node.op.type == "If" for node in users):
            forward, back = users
            if back.op.is_gradient_op and not forward.op.is_gradient_op:
                yield forward, back, scope


def _same(name: str) -> str:
    return name


def _exporting(region: Region, wanted: set[str]) -> Region:
    """A region that also gives out values of its scopes."""
    if not wanted:
        return region
    if isinstance(region, Loop):
        raise _Impure("each round of a loop has values of its own")
    bodies = []
    for calls in (region.then_calls, region.else_calls):
        bodies.append(tuple(
            _exporting(call, wanted & _all_writes((call,))) if isinstance(call, Branches | Loop) else call
            for call in calls
        ))  # fmt: skip
    given = {*writes(bodies[0]), *writes(bodies[1])}
    if not wanted <= given:
        raise _Impure("the way back needs what was not computed")
    return Branches(bodies[0], bodies[1], region.inputs, (*region.outputs, *sorted(wanted)))


def _all_writes(calls: Iterable[AnyCall]) -> set[str]:
    names: set[str] = set()
    for call in calls:
        names.update(call.outputs)
        if isinstance(call, Branches):
            names |= _all_writes(call.then_calls) | _all_writes(call.else_calls)
        elif isinstance(call, Loop):
            names |= _all_writes(call.loop_calls) | _all_writes(call.cond_calls)
    return names


def on_host(nodes: Iterable[Node]) -> Graph:
    """A graph of nodes in which each region is again the operator that it stands for."""
    originals = [node.original if isinstance(node, RegionNode) else node for node in nodes]
    return Graph("", tuple(_renumbered(sorted(originals, key=lambda node: node.index))), ())


def _renumbered(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes with the versions of their blobs counted anew, since regions write more."""
    versions: dict[str, int] = {}
    for node in nodes:
        inputs = tuple(Value(name, versions.get(name, 0)) for name in node.op.input)
        outputs = []
        for name in node.op.output:
            versions[name] = versions.get(name, 0) + 1
            outputs.append(Value(name, versions[name]))
        same = inputs == node.inputs and tuple(outputs) == node.outputs
        yield node if same else dataclasses.replace(node, inputs=inputs, outputs=tuple(outputs))


def _mentioned(op: caffe2_pb2.OperatorDef) -> set[str]:
    """The blobs that an operator names, or that its nets name and share with those around it."""
    names = {*op.input, *op.output}
    for net in sharing_nets(op):
        for inner in net.op:
            names |= _mentioned(inner)
    return names


def _used_once(nodes: Iterable[Node]) -> set[str]:
    """The scopes made in a net that one operator enters and nobody goes back through."""
    made: set[str] = set()
    uses: Counter[str] = Counter()
    for node in nodes:
        if node.op.type == "CreateScope":
            made.update(node.op.output)
        else:
            uses.update(_mentioned(node.op))
    return {name for name in made if uses[name] <= 1}


def _region_node(node: Node, region: Region, scopes: Iterable[str], partner: int | None = None) -> RegionNode:
    op = caffe2_pb2.OperatorDef()
    op.CopyFrom(node.op)
    op.input[:], op.output[:] = region.inputs, region.outputs
    return RegionNode(
        index=node.index, op=op, operator=node.operator, arguments=node.arguments, inputs=node.inputs,
        outputs=node.outputs, device=node.device, seed=node.seed, net_name=node.net_name, region=region,
        original=node, scopes=tuple(scopes), partner=partner,
    )  # fmt: skip


class _Run(NamedTuple):
    """A run of a ``Do`` as the way back sees it: what the blobs bound in it held at first, and at last."""

    number: int
    first: dict[str, str]
    last: dict[str, str]


# By scope, and by the argument of the ``If`` in whose net it was entered.
_Ledger = dict[tuple[str, str], _Run]


class _Flattener:
    """Makes lists of calls of the nets of one operator.

    Args:
        outermost: The operator.
        own: The blobs that nobody else names.
        new: Those of them that hold nothing before.
        numbers: Where scopes get their numbers from.
        ledger: The scopes that a gradient goes back through; filled forward, read on the way back.
    """

    def __init__(
        self, outermost: Node, own: set[str], new: set[str], numbers: Iterator[int], ledger: _Ledger | None
    ) -> None:
        self._own = own
        self._new = new
        self._device = jax_device(outermost.device)
        self._numbers = numbers
        self._ledger = ledger

    def region(self, node: Node, rename: Rename, scopes: set[str], elsewhere: set[str]) -> Region:
        """The region of an ``If`` or ``While``.

        Args:
            node: The operator.
            rename: The names of blobs outside of it.
            scopes: The scopes that nobody goes back through.
            elsewhere: Blobs, by their new names, that others name too.
        """
        op = node.op
        given = [rename(name) for name in op.input if name not in scopes]
        promised = [rename(name) for name in op.output if name not in scopes]
        condition = given[0]
        words = ("then_net", "else_net") if op.type == "If" else ("loop_net", "cond_net")
        entered = next(self._numbers)
        nets = [net_argument(op, word) for word in words]
        named = [{rename(name) for inner in net.op for name in _mentioned(inner)} for net in nets]
        first = self.calls(nets[0], rename, scopes, elsewhere | named[1], words[0])
        second = self.calls(nets[1], rename, scopes, elsewhere | named[0], words[1])
        both = [name for name in (*writes(first), *writes(second)) if _visible(name, entered)]
        outputs = list(dict.fromkeys([*promised, *both]))
        needed = [condition, *reads(second), *reads(first)]
        # What its nets compute on their way: where anything is promised, this is not what is wanted of it.
        on_the_way = {name for name in both if promised and (OWN in name or name in self._new)}
        on_the_way -= {*promised, *needed, *elsewhere}
        if op.type == "If":
            on_the_way |= {*writes(first)} & {*writes(second)}
            inputs = dict.fromkeys([*needed, *(name for name in outputs if name not in on_the_way)])
            return Branches(first, second, tuple(inputs), tuple(outputs))
        if condition not in both:
            raise _Impure("nothing in the loop changes its condition")
        inputs = dict.fromkeys([*needed, *(name for name in outputs if name not in on_the_way)])
        return Loop(first, second, tuple(inputs), tuple(outputs))

    def calls(
        self, net: caffe2_pb2.NetDef, rename: Rename, scopes: set[str], elsewhere: set[str], word: str = ""
    ) -> tuple[AnyCall, ...]:
        """The calls of a net whose blobs have the names that ``rename`` says."""
        if net.type not in ("", "simple", "dag"):
            raise _Impure(f"the net is of type {net.type}")
        graph = read(net)
        uses = Counter(name for node in graph.nodes for name in _mentioned(node.op))
        idle = scopes | self._scopes_in(graph.nodes, uses, rename)
        calls: list[AnyCall] = []
        known: set[str] = set()
        for node in graph.nodes:
            if node.op.type == "CreateScope":
                if node.op.output[0] not in idle:
                    raise _Impure("someone goes back through a scope")
            elif node.op.type == "Do":
                calls += self._in_scope(node, rename, idle, elsewhere, word)
            elif node.op.type in REGIONS:
                others = {rename(name) for name in _mentioned(node.op) if uses[name] > 1}
                calls.append(self.region(node, rename, idle, elsewhere | others))
            else:
                calls.append(self._call(node, rename, known))
        return tuple(calls)

    def _scopes_in(self, nodes: Iterable[Node], uses: Iterable[str], rename: Rename) -> set[str]:
        """The scopes of a net that need not be kept, or that the ledger keeps."""
        if self._ledger is None:
            return {name for name in _used_once(nodes) if OWN in rename(name) or name in self._own}
        made = {name for node in nodes if node.op.type == "CreateScope" for name in node.op.output}
        entered = {scope for scope, _ in self._ledger}
        return made | {name for name in uses if rename(name) in entered}

    def _in_scope(
        self, node: Node, rename: Rename, idle: set[str], elsewhere: set[str], word: str
    ) -> tuple[AnyCall, ...]:
        op = node.op
        if op.input[-1] not in idle or (op.is_gradient_op and self._ledger is None):
            raise _Impure("someone goes back through a scope")
        bindings, number, scope = Bindings(op).inner, next(self._numbers), rename(op.input[-1])
        kept = self._kept(node, scope, word) if op.is_gradient_op else {}

        def inside(name: str) -> str:
            if name in kept:
                return kept[name]
            return rename(bindings[name]) if name in bindings else f"{name}{OWN}{number}"

        calls = self.calls(net_argument(op, "net"), inside, set(), elsewhere | {rename(name) for name in op.output})
        if any(name.endswith(f"{OWN}{number}") for name in reads(calls)):
            raise _Impure("a blob of the scope is read before it is written")
        if self._ledger is None or op.is_gradient_op:
            return calls
        if (scope, word) in self._ledger:
            raise _Impure("one scope is entered twice")
        first = {inner: f"{inner} at first{OWN}{number}" for inner, outer in bindings.items() if outer in op.input}
        last = {inner: f"{inner} at last{OWN}{number}" for inner in bindings}
        self._ledger[scope, word] = _Run(number, first, last)
        begin = (Alias((rename(bindings[inner]),), (name,)) for inner, name in first.items())
        end = (Alias((rename(bindings[inner]),), (name,)) for inner, name in last.items())
        return (*begin, *calls, *end)

    def _kept(self, node: Node, scope: str, word: str) -> dict[str, str]:
        """What a gradient operator reads of the run that it goes back through, by its own names."""
        run = (self._ledger or {}).get((scope, word))
        if run is None:
            raise _Impure("the scope was not entered here")
        arguments = node.arguments
        kept = {name: run.last.get(name, f"{name}{OWN}{run.number}") for name in arguments["saved_fwd_blobs"]}
        firsts = zip(arguments["first_values"], arguments["first_values_of"], strict=True)
        for name, of in firsts:
            if of not in run.first:
                raise _Impure("a first value is none of the inputs")
            kept[name] = run.first[of]
        return kept

    def _call(self, node: Node, rename: Rename, known: set[str]) -> Call:
        operator = node.operator
        if node.host or "rng" in operator.reserved or operator.opaque_inputs:
            raise _Impure(f"{node.op.type} runs on the host, or is random")
        if any(value.blob not in known for value in node.static_inputs):
            raise _Impure(f"{node.op.type} needs values to know its shapes")
        if operator.family == "given_values" and len(node.arguments.get("values", ())) > MOST_CONSTANTS:
            raise _Impure(f"{node.op.type} holds data")
        if jax_device(node.device) != self._device:
            raise _Impure(f"{node.op.type} runs on another device")
        known.difference_update(node.op.output)
        known.update(value.blob for value in node.values_from_shapes)
        return Call(node, tuple(map(rename, node.op.input)), tuple(map(rename, node.op.output)))


def _visible(name: str, entered: int) -> bool:
    """Whether a blob is seen outside of the scopes with this number and those after it."""
    _, own, number = name.partition(OWN)
    return not own or int(number) < entered
