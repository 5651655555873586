"""What operators cost: operations, bytes, parameters, activations; and how long they took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from c2lab.builder.facts import bytes_of, open_size
from c2lab.builder.messages import Message, Reply, truth, whole
from c2lab.builder.session import Command, Session
from c2lab.graph.document import Document, EditRefused
from c2lab.graph.live_shapes import LiveShapes, document_shapes
from c2lab.graph.scene import box_name
from c2lab.graph.shapes import ShapeAndType
from c2lab.graph.view import is_gradient

_memory: dict[Any, Any] = {}


def cost(session: Session, message: Message) -> Reply:
    """Turns the cost overlay on or off; rows of all operators, and totals."""
    if not truth(message, "on", True):
        session.memory.pop("overlay", None)
        session.memory["facts_wanted"] = True
        return {"rows": [], "totals": {}}
    batch = whole(message, "batch", 1)
    if not 1 <= batch <= 100_000:
        raise EditRefused(f"the batch is {batch}; it must be 1 to 100,000")
    measured: Mapping[int, float] = {}
    document, live = session.document, document_shapes(session.document, session.known_outside())
    if truth(message, "measure"):
        if session.runner is None:
            raise EditRefused("there is nobody here to run the net")
        session.runner.require_wired(document)
        shapes = {name: _numbered(known, batch) for name, known in live.blobs.items()}
        measured = session.runner.measure(document, shapes)
        session.memory["times"] = {document.ids[k]: ms for k, ms in measured.items()}
    rows = cost_rows(document, live, session.runner, batch, session.memory.get("times", {}))
    totals = cost_totals(rows, document, live)
    session.memory["overlay"] = {"cost": {"rows": rows, "totals": totals, "batch": batch}, "heat": heat(rows)}
    session.memory["facts_wanted"] = True
    return {"rows": rows, "totals": totals, "groups": session.groups()}


def cost_rows(
    document: Document, live: LiveShapes, runner: Any, batch: int, times: Mapping[str, float]
) -> list[dict[str, Any]]:
    """One row an operator.

    Args:
        document: The document.
        live: Its shapes.
        runner: Who knows what an operator costs; without one, operations and bytes stay unknown.
        batch: What open sizes are counted as.
        times: Measured milliseconds, by id.
    """
    rows, counted = [], set()
    for position, (node, op) in enumerate(zip(document.ids, document.net.op, strict=True)):
        held = [
            known
            for name, known in zip(op.input, live.inputs[position], strict=True)
            if name in document.parameters and name not in counted and known is not None
        ]
        counted.update(name for name in op.input if name in document.parameters)
        outputs = [bytes_of(known, batch) for known in live.outputs[position]]
        flops = traffic = None
        if runner is not None and all(known is not None for known in live.inputs[position]):
            shapes = {n: _numbered(k, batch) for n, k in zip(op.input, live.inputs[position], strict=True) if k}
            flops, traffic = _cost_of(runner, op, shapes)
        rows.append(
            {
                "node": node,
                "name": box_name(document, node),
                "type": op.type,
                "flops": flops,
                "bytes": traffic,
                "parameters": sum(math.prod(known.shape) for known in held),
                "activations": None if None in outputs else sum(size or 0 for size in outputs),
                "ms": times.get(node),
                "gradient": is_gradient(op),
            }
        )
    return rows


def cost_totals(rows: list[dict[str, Any]], document: Document, live: LiveShapes) -> dict[str, Any]:
    """Sums over the net; ``complete`` says whether every operator could be counted."""
    totals: dict[str, Any] = {
        key: sum(row[key] or 0 for row in rows) for key in ("flops", "bytes", "parameters", "activations", "ms")
    }
    totals["operators"] = len(rows)
    totals["complete"] = all(row["flops"] is not None for row in rows)
    if not any(row["ms"] is not None for row in rows):
        totals["ms"] = None
    return totals


def heat(rows: list[dict[str, Any]]) -> dict[str, float]:
    """How hot each operator is, 0 to 1: its share of the time where it was measured, else of the operations."""
    key = "ms" if any(row["ms"] is not None for row in rows) else "flops"
    most = max((row[key] or 0 for row in rows), default=0)
    return {row["node"]: round((row[key] or 0) / most, 4) if most else 0.0 for row in rows}


def _cost_of(runner: Any, op: Any, shapes: Mapping[str, ShapeAndType]) -> tuple[int | None, int | None]:
    arguments = tuple((a.name, a.SerializeToString(deterministic=True)) for a in op.arg)
    places = {name: k for k, name in enumerate(dict.fromkeys((*op.input, *op.output)))}
    names = tuple(places[name] for name in (*op.input, *op.output))
    key = op.type, arguments, names, len(op.output), tuple(shapes[name] for name in op.input if name in shapes)
    if key not in _memory:
        if len(_memory) > 20_000:
            _memory.clear()
        _memory[key] = runner.cost(op, shapes)
    return _memory[key].flops, _memory[key].bytes


def _numbered(known: ShapeAndType, batch: int) -> ShapeAndType:
    sizes = tuple(size if isinstance(size, int) else open_size(size, batch) for size in known.shape)
    return ShapeAndType(sizes, known.dtype)


COMMANDS: dict[str, Command] = {"cost": cost}
