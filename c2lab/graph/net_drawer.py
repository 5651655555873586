"""Caffe2's ``net_drawer``: nets as graphs for Graphviz, and as JSON.

``GetPydotGraph`` returns a ``graphviz.Digraph``.  Only making PNG or PDF files of it needs the
program ``dot``; in a notebook it is shown by c2lab's own drawing where ``dot`` is absent.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from c2lab.errors import NotSupported
from c2lab.graph.drawing import draw
from c2lab.graph.lettering import plain
from c2lab.graph.sources import open_file
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2

OP_STYLE = {"shape": "box", "style": "filled,rounded", "color": "#2f6fde", "fillcolor": "#eef4ff"}
BLOB_STYLE = {"shape": "ellipse", "color": "#667085", "fontsize": "11"}

Operators = Iterable[caffe2_pb2.OperatorDef]


@dataclass(frozen=True)
class DotNode:
    """A node of the graph: its key, its label and Graphviz's attributes."""

    key: str
    label: str
    attributes: dict[str, str] = field(default_factory=dict)


OpNodeProducer = Callable[[caffe2_pb2.OperatorDef, int], DotNode]
BlobNodeProducer = Callable[[str, str], DotNode]


def GetOpNodeProducer(append_output: bool, **kwargs: str) -> OpNodeProducer:
    """A function that makes the node of an operator: ``(op, op_id)``.

    Args:
        append_output: Whether the label lists the outputs.
        kwargs: Graphviz attributes of the nodes.
    """

    def produce(op: caffe2_pb2.OperatorDef, op_id: int) -> DotNode:
        label = f"{op.name} ({op.type})" if op.name else op.type
        if append_output:
            label += "".join(f"\n{name}" for name in op.output)
        return DotNode(f"op {op_id}", label, dict(kwargs))

    return produce


def GetBlobNodeProducer(**kwargs: str) -> BlobNodeProducer:
    """A function that makes the node of a blob: ``(name, label)``."""
    return lambda name, label: DotNode(f"blob {name}", label, dict(kwargs))


def GetPydotGraph(
    operators_or_net: Any,
    name: str | None = None,
    rankdir: str = "LR",
    op_node_producer: OpNodeProducer | None = None,
    blob_node_producer: BlobNodeProducer | None = None,
) -> Any:
    """A graph of operators and blobs; a blob that is written again is a node of its own for each write.

    Example:
        >>> net = caffe2_pb2.NetDef(name="n")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["x"])
        >>> graph = GetPydotGraph(net)
        >>> graph.source.count("->")
        2
    """
    operators, name = _operators_and_name(operators_or_net, name)
    graph = _new_graph(operators, name, rankdir)
    _draw_operators(graph, operators, "", op_node_producer, blob_node_producer)
    return graph


def GetPydotGraphMinimal(
    operators_or_net: Any,
    name: str | None = None,
    rankdir: str = "LR",
    minimal_dependency: bool = False,
    op_node_producer: OpNodeProducer | None = None,
) -> Any:
    """A graph of operators alone; the labels of the edges are the blobs.

    Args:
        operators_or_net: A net, or its operators.
        name: Name of the graph; the net's name, or that of the first output, where left out.
        rankdir: ``LR`` or ``TB``.
        minimal_dependency: Leaves out an edge where another way already leads from the one
            operator to the other.
        op_node_producer: Makes an operator's node.
    """
    operators, name = _operators_and_name(operators_or_net, name)
    produce = op_node_producer or GetOpNodeProducer(True, **OP_STYLE)
    graph = _new_graph(operators, name, rankdir)
    writer: dict[str, int] = {}
    before: list[set[int]] = []
    for op_id, op in enumerate(operators):
        _add(graph, produce(op, op_id))
        parents: dict[int, list[str]] = {}
        for blob in op.input:
            if blob in writer:
                parents.setdefault(writer[blob], []).append(blob)
        implied = set().union(*(before[parent] for parent in parents)) if minimal_dependency else set()
        for parent, blobs in parents.items():
            if parent not in implied:
                graph.edge(f"op {parent}", f"op {op_id}", label=_dot_text("\n".join(dict.fromkeys(blobs))))
        before.append(set(parents).union(*(before[parent] for parent in parents)))
        writer.update(dict.fromkeys(op.output, op_id))
    return graph


def GetOperatorMapForPlan(plan_def: Any) -> dict[str, list[caffe2_pb2.OperatorDef]]:
    """The operators of each net of a plan, by the net's name."""
    plan_def = plan_def.Proto() if hasattr(plan_def, "Proto") else plan_def
    return {net.name: list(net.op) for net in plan_def.network}


def GetPlanGraph(plan_def: Any, name: str | None = None, rankdir: str = "TB") -> Any:
    """A graph of a plan: one cluster a net, one node an execution step."""
    plan_def = plan_def.Proto() if hasattr(plan_def, "Proto") else plan_def
    operator_map = GetOperatorMapForPlan(plan_def)
    everything = [op for operators in operator_map.values() for op in operators]
    graph = _new_graph(everything, name or plan_def.name or "plan", rankdir)
    for net_name, operators in operator_map.items():
        with graph.subgraph(name=f"cluster {net_name}") as cluster:
            cluster.attr(label=_dot_text(net_name), style="rounded")
            _draw_operators(cluster, operators, f"{net_name} ", None, None)
    for number, step in enumerate(plan_def.execution_step):
        _draw_step(graph, step, f"step {number}", operator_map)
    return graph


def GetGraphInJson(operators_or_net: Any, output_filepath: str | Path) -> None:
    """Writes nodes (operators and versions of blobs) and edges as JSON."""
    operators, _ = _operators_and_name(operators_or_net, None)
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, int]] = []
    current: dict[str, int] = {}

    def blob_node(blob: str) -> int:
        nodes.append({"id": len(nodes), "label": blob, "type": "blob"})
        current[blob] = len(nodes) - 1
        return current[blob]

    for op_id, op in enumerate(operators):
        label = f"{op.name}/{op.type}" if op.name else op.type
        position = len(nodes)
        nodes.append({"id": position, "label": label, "op_id": op_id, "type": "op"})
        for blob in op.input:
            source = current[blob] if blob in current else blob_node(blob)
            edges.append({"source": source, "target": position})
        for blob in op.output:
            edges.append({"source": position, "target": blob_node(blob)})
    Path(output_filepath).write_text(json.dumps({"nodes": nodes, "edges": edges}), encoding="utf-8")


def GetGraphPngSafe(func: Callable[..., Any], *args: Any, **kwargs: Any) -> bytes | None:
    """The PNG of ``func(*args, **kwargs)``, or ``None`` where it cannot be made."""
    try:
        return func(*args, **kwargs).create_png()
    except Exception as error:  # this function's purpose: a script goes on without its picture
        print(f"Failed to draw graph: {error}")
        return None


def main(arguments: list[str] | None = None) -> None:
    """Draws the net or plan of a file: ``--input net.pbtxt [--output_prefix P] [--minimal] [--rankdir TB]``."""
    parser = argparse.ArgumentParser(description="Draw a Caffe2 net or plan.")
    parser.add_argument("--input", required=True, help="a .pb or .pbtxt file")
    parser.add_argument("--output_prefix", default="", help="what the names of the files begin with")
    parser.add_argument("--minimal", action="store_true", help="operators only")
    parser.add_argument("--minimal_dependency", action="store_true", help="leave out edges that others imply")
    parser.add_argument("--append_output", action="store_true", help="list the outputs in the labels")
    parser.add_argument("--rankdir", default="LR", help="LR or TB")
    options = parser.parse_args(arguments)
    found = open_file(options.input)
    if isinstance(found, caffe2_pb2.PlanDef):
        graphs = [GetPlanGraph(found, rankdir=options.rankdir)]
    elif options.minimal or options.minimal_dependency:
        producer = GetOpNodeProducer(options.append_output, **OP_STYLE)
        graphs = [
            GetPydotGraphMinimal(found, None, options.rankdir, options.minimal_dependency, op_node_producer=producer)
        ]
    else:
        producer = GetOpNodeProducer(options.append_output, **OP_STYLE)
        graphs = [GetPydotGraph(found, rankdir=options.rankdir, op_node_producer=producer)]
    for graph in graphs:
        stem = f"{options.output_prefix}{Path(graph.name or 'graph').name}"
        Path(f"{stem}.dot").write_text(graph.source, encoding="utf-8")
        Path(f"{stem}.svg").write_bytes(graph.create_svg())
        print(f"wrote {stem}.dot and {stem}.svg")


@cache
def _graph_class() -> type:
    from graphviz import Digraph

    class NetGraph(Digraph):
        """A ``graphviz.Digraph`` that also answers to pydot's names, and is shown without ``dot`` too."""

        operators: tuple[caffe2_pb2.OperatorDef, ...] = ()

        def create_png(self) -> bytes:
            if shutil.which("dot") is None:
                raise NotSupported(
                    "PNG files need Graphviz' program dot, which is not installed; "
                    "use create_svg(), or c2lab.show(net), which do not"
                )
            return self.pipe("png")

        def create_svg(self) -> bytes:
            if shutil.which("dot") is None:
                net = caffe2_pb2.NetDef(name=self.name or "net", op=self.operators)
                return draw(NetView.of(net)).encode()
            return self.pipe("svg")

        def write_png(self, path: str | Path) -> bool:
            Path(path).write_bytes(self.create_png())
            return True

        def write_svg(self, path: str | Path) -> bool:
            Path(path).write_bytes(self.create_svg())
            return True

        def to_string(self) -> str:
            return self.source

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
            return {"image/svg+xml": self.create_svg().decode(), "text/plain": self.source}

    return NetGraph


def _new_graph(operators: list[caffe2_pb2.OperatorDef], name: str, rankdir: str) -> Any:
    graph = _graph_class()(name=_dot_text(name), graph_attr={"rankdir": rankdir})
    graph.operators = tuple(operators)
    return graph


def _operators_and_name(operators_or_net: Any, name: str | None) -> tuple[list[caffe2_pb2.OperatorDef], str]:
    found = operators_or_net
    if hasattr(found, "Proto"):
        found = found.Proto()
    if isinstance(found, caffe2_pb2.NetDef):
        return list(found.op), name or found.name
    operators = list(found)
    return operators, name or next((output for op in operators for output in op.output), "net")


def _draw_operators(
    graph: Any,
    operators: Iterable[caffe2_pb2.OperatorDef],
    prefix: str,
    op_node_producer: OpNodeProducer | None,
    blob_node_producer: BlobNodeProducer | None,
) -> None:
    op_node = op_node_producer or GetOpNodeProducer(False, **OP_STYLE)
    blob_node = blob_node_producer or GetBlobNodeProducer(**BLOB_STYLE)
    versions: dict[str, int] = {}
    drawn: set[str] = set()

    def blob(name: str) -> str:
        node = blob_node(f"{prefix}{name} {versions.get(name, 0)}", name)
        if node.key not in drawn:
            drawn.add(node.key)
            _add(graph, node)
        return _dot_name(node.key)

    for op_id, op in enumerate(operators):
        node = op_node(op, op_id)
        key = _add(graph, DotNode(prefix + node.key, node.label, node.attributes))
        for name in op.input:
            graph.edge(blob(name), key)
        for name in op.output:
            versions[name] = versions.get(name, 0) + 1
            graph.edge(key, blob(name))


def _draw_step(graph: Any, step: caffe2_pb2.ExecutionStep, key: str, nets: dict[str, Any]) -> None:
    graph.node(key, _dot_text(step.name or key), shape="note")
    for net in step.network:
        if nets.get(net):
            graph.edge(key, _dot_name(f"{net} op 0"), style="dashed")
    for number, inner in enumerate(step.substep):
        _draw_step(graph, inner, f"{key}.{number}", nets)
        graph.edge(key, f"{key}.{number}")


def _add(graph: Any, node: DotNode) -> str:
    key = _dot_name(node.key)
    graph.node(key, _dot_text(node.label), **node.attributes)
    return key


def _dot_name(text: str) -> str:
    """A key that Graphviz does not read as node and port, or as markup."""
    return plain(text).replace(":", "∶").replace("\\", "⧵")


def _dot_text(text: str) -> str:
    """A label that is shown as it is."""
    shown = plain(text).replace("\\", "\\\\").replace("\n", "\\n")
    return f" {shown}" if shown.startswith("<") and shown.endswith(">") else shown
