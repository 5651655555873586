"""Nets as arguments of ``If`` and ``While``: each becomes a ``Do`` operator, in a scope of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab.nets.creation import CreateOperator
from c2lab.proto import caffe2_pb2


def get_external_blob_names(net: Any, lexical_scope: Iterable[Any]) -> tuple[set[str], set[str]]:
    """The blobs of ``lexical_scope`` that a net reads before it writes them, and those that it writes.

    Args:
        net: A net, or its message.
        lexical_scope: The blobs that a net inside may know.
    """
    proto = net.Proto() if hasattr(net, "Proto") else net
    known = {str(name) for name in lexical_scope}
    reads: set[str] = set()
    writes: set[str] = set()
    for op in proto.op:
        reads.update(name for name in op.input if name not in writes)
        writes.update(op.output)
    return reads & known, writes & known


def _in_a_scope(
    net: Any, reads: list[str], writes: list[str], scopes: str, *, reuse_scope: bool = False
) -> caffe2_pb2.NetDef:
    """A net of one ``Do`` operator, in which blobs that are known outside keep their names."""
    inputs, outputs = [*reads, scopes], [*writes, scopes]
    names = [*inputs, *outputs]
    bound = sorted({*reads, *writes})
    made = caffe2_pb2.NetDef(name=f"do_{net.Proto().name}")
    do = CreateOperator(
        "Do",
        inputs,
        outputs,
        net=net.Proto(),
        inner_blobs=bound,
        outer_blobs_idx=[names.index(name) for name in bound],
        reuse_workspace=reuse_scope,
    )
    made.op.append(do)
    made.external_input.extend(inputs)
    made.external_output.extend(outputs)
    return made


def _new_scopes(net: Any, word: str) -> str:
    """A blob for scopes, and the operator that makes it."""
    scopes = str(net.NextScopedBlob(f"{net.Name()}/_{word}_scope"))
    net.CreateScope([], [scopes])
    return scopes


def add_if_op(if_net: Any, cond_blob: Any, lexical_scope: Iterable[Any], then_net: Any, else_net: Any = None) -> None:
    """Adds an ``If`` operator whose branches see the blobs of ``lexical_scope`` and keep all others to themselves.

    Args:
        if_net: The net that gets the operator.
        cond_blob: One bool.
        lexical_scope: The blobs that the branches may read and write.
        then_net: Runs where the condition is true.
        else_net: Runs where it is false.
    """
    known = {str(name) for name in lexical_scope}
    scopes = _new_scopes(if_net, "if")
    branches: dict[str, caffe2_pb2.NetDef] = {}
    reads: set[str] = set()
    writes: set[str] = set()
    for word, branch in (("then_net", then_net), ("else_net", else_net)):
        if branch is None:
            continue
        read, written = get_external_blob_names(branch, known)
        reads |= read
        writes |= written
        branches[word] = _in_a_scope(branch, sorted(read), sorted(written), scopes)
    if_net.If([cond_blob, *sorted(reads), scopes], [*sorted(writes), scopes], **branches)


def add_while_op(
    while_net: Any, cond_blob: Any, lexical_scope: Iterable[Any], loop_body_net: Any, condition_body_net: Any = None
) -> None:
    """Adds a ``While`` operator whose nets see the blobs of ``lexical_scope`` and keep all others to themselves.

    Args:
        while_net: The net that gets the operator.
        cond_blob: One bool, which one of the nets must change.
        lexical_scope: The blobs that the nets may read and write.
        loop_body_net: Runs as long as the condition is true.
        condition_body_net: Runs before each look at the condition.
    """
    known = {*(str(name) for name in lexical_scope), str(cond_blob)}
    scopes = _new_scopes(while_net, "while")
    reads, writes = get_external_blob_names(loop_body_net, known)
    inputs, outputs = [*sorted(reads), scopes], [*sorted(writes), scopes]
    nets = {"loop_net": _in_a_scope(loop_body_net, sorted(reads), sorted(writes), scopes)}
    if condition_body_net is not None:
        # Nothing goes back through a condition: one scope serves all rounds.
        own = _new_scopes(while_net, "while_condition")
        read, written = get_external_blob_names(condition_body_net, known)
        nets["cond_net"] = _in_a_scope(condition_body_net, sorted(read), sorted(written), own, reuse_scope=True)
        inputs += [*sorted(read - reads), own]
        outputs += [*sorted(written - writes), own]
    while_net.While([cond_blob, *(name for name in inputs if name != str(cond_blob))], outputs, **nets)
