"""Who reads what, when blobs may be written more than once; and an order of operators in which they do.

Wires on a canvas go from an operator to an operator; a ``NetDef`` has names and an order. An order
is right for given wires where every reader of a blob stands behind the writer that it is wired to and
in front of the next one that overwrites the blob.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

from c2lab.graph.document import EditRefused
from c2lab.proto import caffe2_pb2

Wires = list[list[int | None]]
"""For each operator, the position of the writer of each input; ``None``: it comes from outside."""


class Circle(EditRefused):
    """Wires that no order of operators can give."""


def wires_of(ops: Sequence[caffe2_pb2.OperatorDef]) -> Wires:
    """The wires of operators as they stand.

    Example:
        >>> relu = caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["x"])
        >>> wires_of([relu, relu])
        [[None], [0]]
    """
    writer: dict[str, int] = {}
    wires: Wires = []
    for position, op in enumerate(ops):
        wires.append([writer.get(name) for name in op.input])
        for name in op.output:
            writer[name] = position
    return wires


def order_for(ops: Sequence[caffe2_pb2.OperatorDef], wires: Wires) -> list[int]:
    """Positions of ``ops`` in an order that gives these wires, as near to the present one as can be.

    Raises:
        Circle: There is none: the wires close a circle, or a blob is overwritten too early.
    """
    if wires_of(ops) == wires:
        return list(range(len(ops)))
    after: list[dict[int, str]] = [{} for _ in ops]

    def require(first: int, second: int, why: str) -> None:
        if first != second:
            after[first].setdefault(second, why)

    writers: dict[str, list[int]] = {}
    for position, op in enumerate(ops):
        for name in dict.fromkeys(op.output):
            writers.setdefault(name, []).append(position)
    for name, chain in writers.items():
        for first, second in itertools.pairwise(chain):
            require(first, second, f"{_told(ops[second])} overwrites {name}")
    for reader, (op, sources) in enumerate(zip(ops, wires, strict=True)):
        for name, source in zip(op.input, sources, strict=True):
            chain = writers.get(name, [])
            place = chain.index(source) + 1 if source is not None else 0
            if source is not None:
                if source == reader:
                    raise Circle(f"{_told(op)} cannot read its own output {name}")
                require(source, reader, f"{_told(op)} reads {name}")
            if place < len(chain):
                require(reader, chain[place], f"{_told(ops[chain[place]])} overwrites {name}")
    return _sorted(ops, after)


def _sorted(ops: Sequence[caffe2_pb2.OperatorDef], after: list[dict[int, str]]) -> list[int]:
    waits = [0] * len(ops)
    for targets in after:
        for target in targets:
            waits[target] += 1
    ready = [i for i, count in enumerate(waits) if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        position = heapq.heappop(ready)
        order.append(position)
        for target in after[position]:
            waits[target] -= 1
            if not waits[target]:
                heapq.heappush(ready, target)
    if len(order) < len(ops):
        raise Circle(_circle({i for i, count in enumerate(waits) if count}, after))
    return order


def _circle(stuck: set[int], after: list[dict[int, str]]) -> str:
    """A circle among the operators that could not be placed, in words."""
    before: dict[int, int] = {}
    for position in sorted(stuck):
        for target in after[position]:
            if target in stuck:
                before.setdefault(target, position)
    seen: list[int] = []
    position = min(before)
    while position not in seen:
        seen.append(position)
        position = before[position]
    ring = seen[seen.index(position) :][::-1]
    steps = [after[a].get(b, "") for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
    told = ", ".join(step for step in steps[:6] if step)
    overwritten = " Give what overwrites it an output of another name." if "overwrites" in told else ""
    return f"that would close a circle: {told}.{overwritten}"


def _told(op: caffe2_pb2.OperatorDef) -> str:
    name = op.name or (op.output[0] if op.output else "")
    return f"{op.type[:60]} {name[:60]!r}" if name else op.type[:60]
