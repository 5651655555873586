"""What must hold of a net before it runs, beyond the schema of each operator."""

from __future__ import annotations

from collections.abc import Callable

from c2lab.errors import C2LabError, MissingBlob, did_you_mean
from c2lab.graph.ir import Graph


def missing_inputs(graph: Graph, exists: Callable[[str], bool]) -> list[tuple[str, C2LabError]]:
    """The blobs that the net reads and nobody wrote, each with the error that says so.

    An input that its operator may do without (``Iter`` makes its own counter) is not missing.
    """
    problems = []
    seen = set()
    for node in graph.nodes:
        for value in node.inputs:
            if value.version or value.blob in seen or exists(value.blob):
                continue
            seen.add(value.blob)
            written_later = any(value.blob == v.blob for later in graph.nodes[node.index :] for v in later.outputs)
            if written_later and node.op.type in CREATES_ITS_INPUT:
                continue
            hint = (
                "it is written only later in this net"
                if written_later
                else "feed it with FeedBlob, or run the net that fills it (often param_init_net) first"
            )
            near = did_you_mean(value.blob, graph.writes)
            problems.append(
                (
                    value.blob,
                    MissingBlob(
                        f"op {node.op.type}: Encountered a non-existing input blob: {value.blob}; {hint}.{near}"
                    ).at(node.place),
                )
            )
    return problems


# Operators that make the blob they count in when it is not there.
CREATES_ITS_INPUT = frozenset({"Iter", "AtomicIter"})
