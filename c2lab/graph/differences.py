"""The difference of two nets: what was added, removed and changed, as one net that shows both."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from c2lab.graph.canvas import Canvas, default_ids
from c2lab.graph.document import Document
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef

REMOVED = " (removed)"
"""Ends the names of what only the first net writes."""


class Difference(NamedTuple):
    """A document with the operators of both nets, and by id what became of them; no mark: the same in both."""

    document: Document
    marks: Mapping[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """How many operators were added, removed and changed."""
        found = list(self.marks.values())
        return {word: found.count(word) for word in ("added", "removed", "changed")}


def difference(before: Document, after: Document) -> Difference:
    """What has to be done to the first net to come to the second.

    Operators are told by their type and what they write; one of which arguments, inputs or device differ, or
    whose parameters are filled in another way, is changed.

    Example:
        >>> from c2lab.graph.sources import Source
        >>> def net(*types):
        ...     ops = [OperatorDef(type=type, input=["x"], output=[f"y{k}"]) for k, type in enumerate(types)]
        ...     return Document.of(Source(caffe2_pb2.NetDef(op=ops)))
        >>> difference(net("Relu", "Tanh"), net("Relu", "Sigmoid")).counts
        {'added': 1, 'removed': 1, 'changed': 0}
    """
    old, new = list(before.net.op), list(after.net.op)
    pairs = _pairs(old, new)
    merged = caffe2_pb2.NetDef()
    merged.CopyFrom(after.net)
    del merged.op[:]
    marks: dict[int, str] = {}
    now: dict[str, str] = {}  # blobs of the first net whose writers are gone, by the name that they have here
    filled = _fills(before), _fills(after)
    for position, (i, j) in enumerate(pairs):
        if j is None and i is not None:
            marks[position] = "removed"
            merged.op.append(_gone(old[i], now))
        elif j is not None:
            op = merged.op.add()
            op.CopyFrom(new[j])
            if i is None:
                marks[position] = "added"
            elif old[i] != new[j] or _fill_of(old[i], filled[0]) != _fill_of(new[j], filled[1]):
                marks[position] = "changed"
            if i is not None:
                for name in old[i].output:
                    now.pop(name, None)
    known = set(merged.external_input)
    merged.external_input.extend(name for name in before.net.external_input if name not in known)
    ids = default_ids(len(merged.op))
    parameters = {**before.parameters, **after.parameters}
    canvas = Canvas(ids=ids, inputs={**before.canvas.inputs, **after.canvas.inputs})
    document = Document(merged, after.init, parameters, canvas)
    return Difference(document, {ids[k]: mark for k, mark in marks.items()})


def _pairs(old: list[OperatorDef], new: list[OperatorDef]) -> list[tuple[int | None, int | None]]:
    """Positions in both nets, ``None`` where an operator is in one of them only, in an order to be drawn in."""
    keys = [[(op.type, *op.output) for op in ops] for ops in (old, new)]
    pairs: list[tuple[int | None, int | None]] = []
    matcher = difflib.SequenceMatcher(a=keys[0], b=keys[1], autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            pairs.extend(zip(range(a, a_end), range(b, b_end), strict=True))
        else:
            pairs.extend((i, None) for i in range(a, a_end))
            pairs.extend((None, j) for j in range(b, b_end))
    # What merely moved is the same operator: it stands where the second net has it.
    gone = {keys[0][i]: i for i, j in pairs if j is None and i is not None}
    found = {j: gone[keys[1][j]] for i, j in pairs if i is None and j is not None and keys[1][j] in gone}
    moved = set(found.values())
    return [(found.get(j, i) if j is not None else i, j) for i, j in pairs if not (j is None and i in moved)]


def _gone(op: OperatorDef, now: dict[str, str]) -> OperatorDef:
    """A removed operator; what it writes has a name of its own, so that it overwrites nothing."""
    copied = OperatorDef()
    copied.CopyFrom(op)
    for k, name in enumerate(copied.input):
        copied.input[k] = now.get(name, name)
    for k, name in enumerate(copied.output):
        now[name] = copied.output[k] = name + REMOVED
    return copied


def _fills(document: Document) -> dict[str, OperatorDef]:
    return {op.output[0]: op for op in document.init.op if len(op.output) == 1 and not op.input}


def _fill_of(op: OperatorDef, fills: Mapping[str, OperatorDef]) -> list[OperatorDef]:
    return [fills[name] for name in op.input if name in fills]
