"""Puts blobs back as they were when a net of several pieces fails in the middle."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

from c2lab.graph.ir import Graph
from c2lab.proto import caffe2_pb2


class Rollback:
    """What some blobs held; ``with`` it, they hold that again if the body fails.

    Only references are kept, so nothing is copied: whoever writes the blobs meanwhile must
    not give their old arrays away (donate them).

    Example:
        >>> blobs = {"w": 1}
        >>> with Rollback(blobs, ["w", "y"]):
        ...     blobs["w"], blobs["y"] = 2, 3
        ...     raise KeyError("a later operator")
        Traceback (most recent call last):
        KeyError: 'a later operator'
        >>> blobs
        {'w': 1}
    """

    def __init__(self, blobs: MutableMapping[str, Any], names: Iterable[str]) -> None:
        self._blobs = blobs
        self._names = names

    def __enter__(self) -> None:
        self._before = {name: self._blobs[name] for name in self._names if name in self._blobs}

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            return
        for name in self._names:
            if name in self._before:
                self._blobs[name] = self._before[name]
            elif name in self._blobs:
                del self._blobs[name]


def blobs_written(graph: Graph) -> tuple[str, ...]:
    """The blobs that a net writes itself or through the nets in its operators' arguments."""
    names = dict.fromkeys(graph.writes)
    for node in graph.nodes:
        if node.holds_nets:
            names.update(dict.fromkeys(_written_inside(node.op)))
    return tuple(names)


def _written_inside(op: caffe2_pb2.OperatorDef) -> Iterable[str]:
    for argument in op.arg:
        for net in (argument.n, *argument.nets):
            for inner in net.op:
                yield from inner.output
                yield from _written_inside(inner)
