"""What eyes need of a net: boxes, lines between them, and nothing that runs.

``NetView.of(net_def)`` reads a ``NetDef`` into operators and the blob versions that flow
between them.  Parameters are folded into the operator that reads them (a pill on its
box instead of a box of their own), and a big net can be ``folded`` along its scopes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field, argument_value

# Input names, in an operator's schema, that are learned or kept rather than computed by the net.
_PARAMETER_SLOTS = frozenset(
    {"filter", "weight", "weights", "w", "bias", "b", "scale", "mean", "var", "slope", "gamma", "beta"}
)
_PARAMETER_NAME = re.compile(r".*_(w|b|s|bias|weight|riv|rm|gamma|beta|momentum)$")

# Arguments that say how the original was to run an operator, not what it computes.
_TECHNICAL = frozenset(
    {"order", "use_cudnn", "cudnn_exhaustive_search", "exhaustive_search", "ws_nbytes_limit", "shared_buffer"}
)

FOLD_ABOVE = 150
"""Nets with more operators than this are drawn folded along their scopes."""


@dataclass(frozen=True)
class ViewNode:
    """One box: an operator, a blob that comes from outside, or a folded group of operators."""

    kind: Literal["operator", "input", "group"]
    type: str
    name: str = ""
    family: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    scope: str = ""
    gradient: bool = False
    update: bool = False
    members: tuple[int, ...] = ()
    """The operators' positions in the net: one for an operator, many for a group."""

    @property
    def essential_arguments(self) -> tuple[tuple[str, str], ...]:
        """The arguments that change what is computed."""
        return tuple(pair for pair in self.arguments if pair[0] not in _TECHNICAL)


@dataclass(frozen=True)
class ViewEdge:
    """A blob, at one version, from the box that wrote it to a box that reads it (positions in ``nodes``)."""

    source: int
    target: int
    blob: str
    version: int = 0
    count: int = 1


@dataclass(frozen=True)
class NetView:
    """Boxes and lines of one net, in the order in which its operators run.

    Example:
        >>> net = caffe2_pb2.NetDef(name="tiny")
        >>> _ = net.op.add(type="FC", input=["x", "w", "b"], output=["y"])
        >>> view = NetView.of(net)
        >>> [(node.kind, node.type, node.parameters) for node in view.nodes]
        [('input', 'x', ()), ('operator', 'FC', ('w', 'b'))]
    """

    name: str
    nodes: tuple[ViewNode, ...]
    edges: tuple[ViewEdge, ...]
    shapes: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Name scopes (``a``, ``a/b``) and the positions of the boxes inside each."""
    results: frozenset[str] = frozenset()
    """What the net declares as its external outputs."""
    operators: int = 0

    @classmethod
    def of(
        cls,
        net_def: caffe2_pb2.NetDef,
        *,
        parameters: Collection[str] | None = None,
        shapes: Mapping[str, Any] | None = None,
    ) -> NetView:
        """The view of a ``NetDef``.

        Args:
            net_def: The net.
            parameters: Names of its parameters; by default they are told from the places they stand in.
            shapes: Shapes by blob name: anything with a ``shape``, or a sequence of sizes, or text.
        """
        if parameters is None:
            parameters = find_parameters(net_def)
        nodes: list[ViewNode] = []
        edges: list[ViewEdge] = []
        writer: dict[str, tuple[int, int]] = {}
        groups: dict[str, list[int]] = {}
        for index, op in enumerate(net_def.op):
            gradient = is_gradient(op)
            update = not gradient and is_update(op, parameters)
            pills, sources = [], []
            for name in dict.fromkeys(op.input):
                # A pill stands for the parameter wherever it is read, also after an update; an
                # update takes the rate, the moments and the like as pills too, so that the one
                # line that reaches it is the gradient's.
                if name in parameters or (update and "_grad" not in name):
                    pills.append(name)
                    continue
                if name not in writer:
                    writer[name] = (len(nodes), 0)
                    nodes.append(ViewNode("input", type=name, outputs=(name,), scope=scope_of([name])))
                sources.append((*writer[name], name))
            position = len(nodes)
            # The first output decides: a gradient operator writes its parameters' gradients first, in its own scope.
            scope = scope_of((op.output or op.input)[:1])
            nodes.append(
                ViewNode(
                    "operator",
                    type=op.type,
                    name=op.name,
                    family=family_of(op.type),
                    arguments=tuple((arg.name, argument_text(arg)) for arg in op.arg),
                    inputs=tuple(op.input),
                    outputs=tuple(op.output),
                    parameters=tuple(pills),
                    scope=scope,
                    gradient=gradient,
                    update=update,
                    members=(index,),
                )
            )
            for source, version, name in sources:
                edges.append(ViewEdge(source, position, name, version))
            for name in op.output:
                version = writer[name][1] + 1 if name in writer else 1
                writer[name] = (position, version)
            while scope:
                groups.setdefault(scope, []).append(position)
                scope = scope.rpartition("/")[0]
        return cls(
            name=net_def.name,
            nodes=tuple(nodes),
            edges=tuple(edges),
            shapes={name: shape_text(shape) for name, shape in (shapes or {}).items()},
            groups={name: tuple(members) for name, members in groups.items()},
            results=frozenset(net_def.external_output),
            operators=len(net_def.op),
        )

    def folded(self, boxes: int = 40) -> NetView:
        """The same net with its scopes closed until at most about ``boxes`` boxes are left.

        Scopes are opened from the outside in, the biggest first, while there is room.
        Forward and gradient operators of one scope stay two groups, so that the way the
        data goes can still be seen.
        """
        closed = _close(self, boxes)
        place: dict[int, int] = {}
        nodes: list[ViewNode] = []
        for label, members in sorted(closed, key=lambda item: item[1][0]):
            for member in members:
                place[member] = len(nodes)
            nodes.append(self.nodes[members[0]] if len(members) == 1 else group_node(self, label, members))
        merged: dict[tuple[int, int], list[ViewEdge]] = {}
        for edge in self.edges:
            pair = place[edge.source], place[edge.target]
            if pair[0] != pair[1]:
                merged.setdefault(pair, []).append(edge)
        edges = []
        for (source, target), bundle in merged.items():
            names = {edge.blob for edge in bundle}
            edges.append(replace(bundle[0], source=source, target=target, count=len(names)))
        return replace(self, nodes=tuple(nodes), edges=tuple(edges), groups={})


def find_parameters(net_def: caffe2_pb2.NetDef) -> frozenset[str]:
    """The blobs that look like parameters: never computed, and read where an operator keeps its weights.

    Example:
        >>> net = caffe2_pb2.NetDef()
        >>> _ = net.op.add(type="FC", input=["x", "fc_w", "fc_b"], output=["y"])
        >>> sorted(find_parameters(net))
        ['fc_b', 'fc_w']
    """
    computed: set[str] = set()
    found: set[str] = set()
    for op in net_def.op:
        operator = registry.get(op.type)
        slots = operator.inputs if operator is not None and hasattr(operator, "inputs") else ()
        for position, name in enumerate(op.input):
            if name in computed or not name:
                continue
            slot = slots[position].name if position < len(slots) and not slots[position].variadic else ""
            stays = position > 0 and (slot.lower() in _PARAMETER_SLOTS or bool(_PARAMETER_NAME.match(name)))
            updated = name in op.output and len(op.input) > 1 and not is_gradient(op)
            if stays or (updated and f"{name}_grad" in op.input):
                found.add(name)
        computed.update(name for name in op.output if name not in found)
    return frozenset(found)


def family_of(type: str) -> str:
    """The family (file of ``c2lab.operators``) of an operator type, or ``""`` for an unknown one.

    Example:
        >>> family_of("Relu")
        'activations'
    """
    operator = registry.get(type)
    return operator.family if operator is not None else ""


def argument_text(argument: caffe2_pb2.Argument) -> str:
    """An argument's value as a person would write it.

    Example:
        >>> argument_text(caffe2_pb2.Argument(name="pads", ints=[1, 2]))
        '[1, 2]'
    """
    kind = argument_field(argument)
    if kind in ("floats", "ints", "strings"):
        values = getattr(argument, kind)  # may hold millions: only the first are looked at
        shown = [_scalar_text(item) for item in values[:8]]
        return f"[{', '.join(shown)}{', …' if len(values) > 8 else ''}]"
    if kind in ("tensors", "nets", "qtensors"):
        return f"{len(getattr(argument, kind))} {kind}"
    return _scalar_text(argument_value(argument)) if kind else "[]"


def _scalar_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        text = value[:200].decode("utf-8", "replace")
        return text if len(value) <= 200 else f"{len(value)} bytes"
    if isinstance(value, caffe2_pb2.NetDef):
        return f"net of {len(value.op)} operators"
    if isinstance(value, caffe2_pb2.TensorProto):
        return f"tensor {shape_text(value.dims)}"
    return str(value)


def shape_text(shape: Any) -> str:
    """A shape as text, sizes joined by a multiplication sign.

    Example:
        >>> shape_text((64, 20, 24, 24))
        '64×20×24×24'
        >>> shape_text(())
        'scalar'
    """
    if isinstance(shape, str):
        return shape
    sizes = tuple(getattr(shape, "shape", shape))
    return "×".join(str(size) for size in sizes) or "scalar"


def is_gradient(op: caffe2_pb2.OperatorDef) -> bool:
    """Whether an operator is one of a backward pass."""
    return op.is_gradient_op or (bool(op.output) and all("_grad" in name for name in op.output))


def is_update(op: caffe2_pb2.OperatorDef, parameters: Collection[str]) -> bool:
    """Whether ``op`` writes a parameter over itself by its gradient, as optimizers do."""
    overwritten = any(name in parameters and name in op.input for name in op.output)
    return overwritten and any("_grad" in name for name in op.input)


def scope_of(names: Iterable[str]) -> str:
    """The innermost scope that holds all ``names``."""
    paths = [name.split("/")[:-1] for name in names]
    shared = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) != 1:
            break
        shared.append(parts[0])
    return "/".join(shared)


def branch_of(node: ViewNode) -> tuple[str, ...]:
    """Where a box stands in the tree that folding walks: its scopes, then the parts of its name.

    Nets of one flat scope often carry their structure in names instead (``res2_0_branch2a``),
    so the stems of the first output go on where the scopes end.  Each entry is a whole path.
    """
    name = (node.outputs or node.inputs or (node.type,))[0]
    parts = node.scope.split("/") if node.scope else []
    scopes = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    stem = name.rsplit("/", 1)[-1].replace("_grad", "").split("_")
    stems = ["_".join(stem[: i + 1]) for i in range(min(len(stem) - 1, 3))]
    return (*scopes, *(f"{node.scope}/{stem}" if node.scope else stem for stem in stems))


_Closed = tuple[str, tuple[int, ...]]
"""A box of a folded net: its label, and the positions of what is inside."""


def _close(view: NetView, boxes: int) -> list[_Closed]:
    """Labels and members of the boxes that stay when ``view`` is folded to about ``boxes`` of them."""
    branches = [branch_of(node) for node in view.nodes]
    sides = [(node.gradient, node.update) for node in view.nodes]
    done: list[_Closed] = []
    waiting: list[tuple[int, _Closed]] = [(0, (view.name or "net", tuple(range(len(view.nodes)))))]
    while waiting:
        # Groups of one size are opened all or none, so that repeated blocks look alike.
        size = max(len(members) for _, (_, members) in waiting)
        largest = [item for item in waiting if len(item[1][1]) == size]
        waiting = [item for item in waiting if len(item[1][1]) < size]
        if size == 1:
            done.extend(closed for _, closed in largest)
            continue
        opened: list[tuple[int, _Closed]] = []
        for depth, (label, members) in largest:
            depth, children = children_of(branches, sides, depth, members)
            opened.extend((depth + 1, (name or label, inside)) for name, inside in children)
        if len(done) + len(waiting) + len(opened) <= boxes:
            waiting.extend(opened)
        elif done or waiting:
            done.extend(closed for _, closed in largest)
        else:
            return _chunks(largest[0][1][1], max(2, boxes // 2))
    return done


def children_of(
    branches: list[tuple[str, ...]], sides: list[tuple[bool, bool]], depth: int, members: tuple[int, ...]
) -> tuple[int, list[_Closed]]:
    """What a group holds at the first depth at which it holds more than one thing, and this depth."""
    while True:
        found: dict[tuple[Any, ...], list[int]] = {}
        for member in members:
            branch = branches[member]
            inner = branch[depth] if depth < len(branch) else member
            found.setdefault((inner, sides[member]), []).append(member)
        if len(found) > 1 or len(members) == 1:
            return depth, [(str(key[0]) if len(m) > 1 else "", tuple(m)) for key, m in found.items()]
        depth += 1


def _chunks(members: tuple[int, ...], count: int) -> list[_Closed]:
    """Neighbours in running order, for nets that have no scopes to go by."""
    size = -(-len(members) // count)
    return [("", members[i : i + size]) for i in range(0, len(members), size)]


def group_node(view: NetView, label: str, members: tuple[int, ...]) -> ViewNode:
    """The box that stands for some of the boxes of a view (positions in ``view.nodes``)."""
    inside = [view.nodes[m] for m in members]
    operators = [node for node in inside if node.kind == "operator"]
    kinds: dict[str, int] = {}
    for node in operators:
        kinds[node.type] = kinds.get(node.type, 0) + 1
    frequent = sorted(kinds.items(), key=lambda item: -item[1])
    families = [node.family for node in operators if node.family]
    outputs = tuple(dict.fromkeys(name for node in inside for name in node.outputs))
    if not label and operators:
        first, last = (node.outputs[0] if node.outputs else node.type for node in (operators[0], operators[-1]))
        label = f"{first} … {last}"
    return ViewNode(
        "group",
        type=label,
        name=f"{len(operators)} {'gradient ' if all(node.gradient for node in inside) else ''}operators",
        family=max(set(families), key=families.count) if families else "",
        arguments=tuple((kind, str(number)) for kind, number in frequent),
        outputs=outputs,
        scope=scope_of([node.scope + "/" for node in inside]),
        gradient=all(node.gradient for node in inside),
        update=all(node.update for node in inside),
        members=tuple(index for node in inside for index in node.members),
    )
