"""What a builder holds at one moment: a net, the net that fills its parameters, and the canvas.

A ``Document`` is never changed: every edit makes a new one, so that undoing is taking the old one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from c2lab.errors import C2LabError
from c2lab.graph.canvas import ARGUMENT, Canvas, default_ids, fresh_id, input_id, read_canvas, without_canvas
from c2lab.graph.sources import Source
from c2lab.graph.view import find_parameters
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef

_COMPUTED_SLOTS = ("_rm", "_riv")


class EditRefused(C2LabError, ValueError):
    """An edit that cannot be; nothing was changed."""


@dataclass(frozen=True, eq=False)
class Document:
    """A net without its canvas argument, its init net, its parameters (name: kind), and the canvas."""

    net: caffe2_pb2.NetDef
    init: caffe2_pb2.NetDef
    parameters: Mapping[str, str]
    """What the net learns or keeps: by name ``weight``, ``bias``, ``computed`` or ``""``."""
    canvas: Canvas

    @classmethod
    def of(cls, source: Source, kinds: Mapping[str, str] | None = None) -> Document:
        """The document of a net from elsewhere.

        Args:
            source: The net, and its init net where there is one.
            kinds: The parameters, where the model says them.
        """
        init = caffe2_pb2.NetDef(name=f"{source.net.name}_init")
        if source.init is not None:
            init.CopyFrom(source.init)
        net = without_canvas(source.net)
        parameters = dict(kinds or {})
        # What a model's init net makes beside its parameters (moments, rates) is not learned.
        made = {name for op in init.op for name in op.output} if kinds else set()
        canvas = read_canvas(source.net)
        for name in sorted(find_parameters(net) - made - canvas.boxes):
            parameters.setdefault(name, "computed" if name.endswith(_COMPUTED_SLOTS) else "")
        return cls(net, init, parameters, canvas)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each operator."""
        return self.canvas.ids

    def with_canvas(self, **changes: Any) -> Document:
        """The same net on a changed canvas."""
        return replace(self, canvas=replace(self.canvas, **changes))

    def written(self) -> caffe2_pb2.NetDef:
        """The net as it is handed out and saved: with its canvas."""
        net = caffe2_pb2.NetDef()
        net.CopyFrom(self.net)
        argument = self.canvas.argument()
        if argument is not None:
            net.arg.append(argument)
        return net

    def same(self, other: Document) -> bool:
        """Whether there is no difference between two documents."""
        return (
            self.net == other.net
            and self.init == other.init
            and dict(self.parameters) == dict(other.parameters)
            and self.canvas == other.canvas
        )

    def position(self, node: str) -> int:
        """The position of an operator in the net.

        Raises:
            EditRefused: There is no such operator.
        """
        place = self._places.get(node)
        if place is None:
            raise EditRefused(f"there is no operator {str(node)[:40]!r} on the canvas")
        return place

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.ids)}

    def op(self, node: str) -> OperatorDef:
        """An operator, by its id."""
        return self.net.op[self.position(node)]

    @cached_property
    def kept(self) -> frozenset[str]:
        """What the net finds and has no box of its own: parameters, and whatever else the init net makes."""
        return frozenset(self.parameters) | {name for op in self.init.op for name in op.output}

    def outside(self) -> dict[str, str]:
        """The blobs that come from outside and have a box, by the id of the box."""
        return self._outside

    @cached_property
    def _outside(self) -> dict[str, str]:
        written: set[str] = set()
        found: dict[str, None] = {}
        kept = self.kept
        for op in self.net.op:
            for name in op.input:
                if name and name not in written and name not in kept:
                    found.setdefault(name)
            written.update(op.output)
        for name in self.net.external_input:
            if name and name not in written and name not in kept:
                found.setdefault(name)
        return {input_id(name): name for name in found}

    def names(self) -> set[str]:
        """Every blob name of the net and its init net."""
        found = {name for net in (self.net, self.init) for op in net.op for name in (*op.input, *op.output)}
        return found | set(self.net.external_input) | set(self.net.external_output) | set(self.parameters)

    def fresh_name(self, stem: str, taken: Iterable[str] = ()) -> str:
        """``stem`` with the first number that makes it a free blob name: ``conv1``."""
        names = self.names() | set(taken)
        number = 1
        while f"{stem}{number}" in names:
            number += 1
        return f"{stem}{number}"


def empty_document(name: str) -> Document:
    """A canvas with nothing on it."""
    return Document(caffe2_pb2.NetDef(name=name), caffe2_pb2.NetDef(name=f"{name}_init"), {}, Canvas())


def changed_by_code(
    before: Document, net: caffe2_pb2.NetDef, init: caffe2_pb2.NetDef, kinds: Mapping[str, str] | None = None
) -> Document:
    """The document after code changed the nets; what is still the same operator keeps its id and its place.

    Args:
        before: The document as the canvas last saw it.
        net, init: The nets now.
        kinds: The parameters that the model says it has.
    """
    after = Document.of(Source(net, init), kinds if kinds is not None else before.parameters)
    held = next((argument for argument in net.arg if argument.name == ARGUMENT), None)
    if held is not None and held != before.canvas.argument():
        return after  # somebody wrote another canvas: theirs holds
    ids = matching_ids(before.net.op, before.ids, after.net.op)
    return replace(after, canvas=replace(before.canvas, ids=ids))


def matching_ids(before: Sequence[OperatorDef], ids: Sequence[str], after: Sequence[OperatorDef]) -> tuple[str, ...]:
    """Ids for the operators of ``after``: those of ``before`` where an operator is still there."""
    found: dict[int, str] = {}
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        found[start] = ids[start]
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        found[len(after) - 1 - end] = ids[len(before) - 1 - end]
        end += 1
    old, new = list(range(start, len(before) - end)), list(range(start, len(after) - end))
    # What is in between is told by type and outputs, then by type alone, in the order of the nets.
    for key in (_key, lambda op: (op.type,)):
        old_keys, new_keys = [key(before[i]) for i in old], [key(after[i]) for i in new]
        blocks = difflib.SequenceMatcher(a=old_keys, b=new_keys, autojunk=False).get_matching_blocks()
        for a, b, size in blocks:
            for k in range(size):
                found[new[b + k]] = ids[old[a + k]]
        taken = set(found.values())
        old, new = [i for i in old if ids[i] not in taken], [i for i in new if i not in found]
    used = set(ids)
    for i in new:
        found[i] = fresh_id("o", used)
        used.add(found[i])
    result = tuple(found[i] for i in range(len(after)))
    return result if len(set(result)) == len(result) else default_ids(len(after))


def _key(op: OperatorDef) -> tuple[str, ...]:
    return (op.type, *op.output)
