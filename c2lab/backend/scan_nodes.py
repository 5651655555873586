"""Finds the recurrent networks of a graph whose steps can be compiled, and pairs them with their ways back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from c2lab.backend.devices import jax_device
from c2lab.backend.region_nodes import OWN, Call, RegionNode, reads, writes
from c2lab.backend.scans import Flow, Link, Scan, ScanBack, State, StateGradient
from c2lab.backend.segments import MOST_CONSTANTS
from c2lab.errors import C2LabError
from c2lab.graph.ir import Graph, Node
from c2lab.graph.reader import read
from c2lab.operators.recurrent_network import gradient_of
from c2lab.proto import caffe2_pb2


class _Impure(Exception):
    """What stands in the way of compiling the steps."""


def scans(graph: Graph) -> dict[Node, RegionNode]:
    """The recurrent networks of a graph that can be compiled, and their ways back."""
    found: dict[Node, RegionNode] = {}
    # An operator that is run alone leaves the blobs of its steps, for whoever wants to look at them.
    if len(graph.nodes) < 2:
        return found
    users = Counter(value for node in graph.nodes for value in set(node.inputs))
    hidden = {name for node in graph.nodes if node.holds_nets and node.op.type not in _TYPES for name in node.op.input}
    for node in graph.nodes:
        if node.op.type != "RecurrentNetwork":
            continue
        steps = node.outputs[-1]
        if steps.blob in graph.external_output or steps.blob in hidden:
            continue
        try:
            if users[steps] == 0:
                found[node] = _node(node, _forward(node))
            elif users[steps] == 1:
                back = next(other for other in graph.nodes if steps in other.inputs)
                if back.op.type == "RecurrentNetworkGradient" and back.inputs[-1] == steps:
                    forward = _forward(node)
                    backward, kept = _backward(back, node, forward)
                    outputs = (*forward.outputs, *(name for _, name in kept))
                    found[node] = _node(node, replace(forward, outputs=outputs, kept=kept), back.index)
                    found[back] = _node(back, backward)
        except (_Impure, C2LabError):
            found.pop(node, None)  # the host runs it, and says what is wrong if anything is
    return found


_TYPES = ("RecurrentNetwork", "RecurrentNetworkGradient")


def _node(node: Node, region: Scan | ScanBack, partner: int | None = None) -> RegionNode:
    op = caffe2_pb2.OperatorDef()
    op.CopyFrom(node.op)
    op.input[:], op.output[:] = region.inputs, region.outputs
    return RegionNode(
        index=node.index, op=op, operator=node.operator, arguments=node.arguments, inputs=node.inputs,
        outputs=node.outputs, device=node.device, seed=node.seed, net_name=node.net_name, region=region,
        original=node, scopes=(), partner=partner,
    )  # fmt: skip


def _calls(node: Node, net: caffe2_pb2.NetDef, known: Iterable[str] = ()) -> tuple[Call, ...]:
    """The operators of a step's net. ``known``: blobs whose values follow from shapes."""
    calls = []
    told = set(known)
    device = jax_device(node.device)
    for inner in read(net).nodes:
        operator = inner.operator
        if inner.host or "rng" in operator.reserved or operator.opaque_inputs:
            raise _Impure(f"{inner.op.type} runs on the host, or is random")
        if any(value.blob not in told for value in inner.static_inputs):
            raise _Impure(f"{inner.op.type} needs values to know its shapes")
        if operator.family == "given_values" and len(inner.arguments.get("values", ())) > MOST_CONSTANTS:
            raise _Impure(f"{inner.op.type} holds data")
        if jax_device(inner.device) != device:
            raise _Impure(f"{inner.op.type} runs on another device")
        told.difference_update(inner.op.output)
        told.update(value.blob for value in inner.values_from_shapes)
        calls.append(Call(inner, tuple(inner.op.input), tuple(inner.op.output)))
    return tuple(calls)


def _known(calls: Iterable[Call]) -> set[str]:
    """The blobs of a step whose values follow from shapes, at its end."""
    told: set[str] = set()
    for call in calls:
        told.difference_update(call.outputs)
        told.update(value.blob for value in call.node.values_from_shapes)
    return told


def _forward(node: Node) -> Scan:
    op, arguments = node.op, node.arguments
    calls = _calls(node, arguments["step_net"])
    made = set(writes(calls))
    window = arguments["link_window"] or (1,) * len(arguments["link_internal"])
    links = [
        Link(*link)
        for link in zip(
            arguments["link_internal"], arguments["link_external"], arguments["link_offset"], window, strict=True
        )
    ]
    names = arguments["recurrent_states"]
    firsts = [op.input[place] for place in arguments["initial_recurrent_state_ids"]]
    states = []
    for name, first in zip(names, firsts, strict=True):
        here = [link for link in links if link.external == name]
        after = [link.internal for link in here if link.internal in made and link.offset == 1]
        before = tuple(link.internal for link in here if link.internal not in made and link.offset == 0)
        if len(after) != 1 or len(before) + 1 != len(here) or any(link.window != 1 for link in here):
            raise _Impure(f"{name} is not simply handed on")
        states.append(State(name, first, before, after[0]))
    rows = tuple(link for link in links if link.external not in names)
    if any(link.internal in made or link.external in made for link in rows):
        raise _Impure("a step writes a row of what is no state")
    internal = {link.internal for link in links} | {arguments["timestep"]}
    aliases = zip(arguments["alias_dst"], arguments["alias_src"], arguments["alias_offset"], strict=True)
    given = {name: (source, offset) for name, source, offset in aliases}
    if not set(op.output[:-1]) <= {*given, *names} or not {source for source, _ in given.values()} <= set(names):
        raise _Impure("an output is neither a state nor one by another name")
    outside = [name for name in reads(calls) if name not in internal]
    return Scan(
        calls=calls,
        inputs=tuple(dict.fromkeys([op.input[0], *firsts, *(link.external for link in rows), *outside])),
        outputs=tuple(dict.fromkeys([*op.output[:-1], *names])),
        timestep=arguments["timestep"],
        sequence=op.input[0],
        rows=rows,
        states=tuple(states),
        aliases=tuple((name, *given[name]) for name in op.output[:-1] if name in given),
    )


def _backward(node: Node, partner: Node, forward: Scan) -> tuple[ScanBack, tuple[tuple[str, str], ...]]:
    op, arguments = node.op, node.arguments
    flowing = arguments["outputs_with_grads"]
    names = list(op.input[len(flowing) :])
    if names != [*partner.op.input, *partner.op.output] or arguments["timestep"] != forward.timestep:
        raise _Impure("it is not the way back through this recurrent network")
    step_blobs = {*writes(forward.calls), *(link.internal for link in forward.rows)}
    step_blobs |= {name for state in forward.states for name in state.before}
    calls = _calls(node, arguments["backward_step_net"], _known(forward.calls))
    made = set(writes(calls))
    links = list(
        zip(
            arguments["backward_link_internal"],
            arguments["backward_link_external"],
            arguments["backward_link_offset"],
            strict=True,
        )
    )
    states = []
    for state in forward.states:
        here = [(internal, offset) for internal, external, offset in links if external == f"{state.name}_grad"]
        arriving = tuple(internal for internal, offset in here if offset == 1)
        leaving = [internal for internal, offset in here if offset == 0]
        if len(leaving) > 1 or len(arriving) + len(leaving) != len(here):
            raise _Impure(f"the gradient of {state.name} is not simply handed on")
        flows = []
        aliases = zip(arguments["alias_src"], arguments["alias_offset"], strict=True)
        for place, (source, offset) in enumerate(aliases):
            if source == state.name and place in flowing:
                if offset not in (1, -1):
                    raise _Impure("an output is neither all steps nor the last one")
                flows.append(Flow(op.input[flowing.index(place)], offset == 1))
        states.append(StateGradient(state.name, state.first, arriving, (leaving or [""])[0], tuple(flows)))
    here = [(internal, offset) for internal, external, offset in links if external == f"{forward.sequence}_grad"]
    known = {f"{name}_grad" for name in (*(state.name for state in forward.states), forward.sequence)}
    if any(offset for _, offset in here) or any(external not in known for _, external, _ in links):
        raise _Impure("a link leads elsewhere")
    param_names = arguments["param_grads"] or tuple(f"{names[k]}_grad" for k in arguments["param"])
    params = tuple(zip((names[k] for k in arguments["param"]), param_names, strict=True))
    arriving = {name for state in states for name in state.arriving}
    leaving = {state.leaving for state in states if state.leaving} | {name for name, _ in here}
    if not leaving <= made | arriving:
        raise _Impure("a gradient that leaves a step is not made there")
    if len(set(op.output)) != len(op.output):
        raise _Impure("two gradients have one name")
    read_here = reads(calls)
    shaped = {gradient_of(name) for name in arriving}
    wanted = [name for name in dict.fromkeys([*read_here, *sorted(shaped)]) if name in step_blobs]
    wanted = [name for name in wanted if name not in arriving]
    kept = tuple((name, f"{name} of a step{OWN}{partner.index}") for name in wanted)
    outside = [
        name for name in read_here if name not in step_blobs and name not in arriving and name != forward.timestep
    ]
    inputs = [forward.sequence, *(flow.gradient for state in states for flow in state.flows)]
    inputs += [state.first for state in states] + [state.state for state in states]
    inputs += [name for name, _ in params] + outside + [name for _, name in kept]
    region = ScanBack(
        calls,
        tuple(dict.fromkeys(inputs)),
        tuple(op.output),
        forward.timestep,
        forward.sequence,
        tuple(name for name, _ in here),
        tuple(states),
        params,
        kept,
    )
    return region, kept
