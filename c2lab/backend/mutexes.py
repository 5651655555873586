"""Operators that take a mutex hold it from before they read their blobs until they have written them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence

from c2lab.backend.blobs import Blobs
from c2lab.graph.ir import Node
from c2lab.operators.values import Mutex


def mutexes_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The blobs with the mutexes that some operators take."""
    names = {
        value.blob
        for node in nodes
        for value, slot in zip(node.inputs, node.input_slots, strict=True)
        if slot in node.operator.opaque_inputs or slot.startswith("mutex")
    }
    # In one order everywhere, so that two nets never wait for each other.
    return tuple(sorted(names))


@contextlib.contextmanager
def hold(names: Sequence[str], blobs: Blobs) -> Iterator[None]:
    """Holds the mutexes in these blobs; a blob that has none is left to the operator to complain of."""
    with contextlib.ExitStack() as stack:
        for name in names:
            mutex = blobs.get(name)
            if isinstance(mutex, Mutex):
                stack.enter_context(mutex.lock)
        yield
