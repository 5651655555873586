"""Nets as arguments of ``If`` and ``While``: each becomes a ``Do`` operator, in a scope of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab.nets.creation import CreateOperator
from c2lab.operators.subnets import reads_of, writes_of
from c2lab.proto import caffe2_pb2


def get_external_blob_names(net: Any, lexical_scope: Iterable[Any]) -> tuple[set[str], set[str]]:
    """The blobs that a net takes from outside, and the blobs of ``lexical_scope`` that it writes.

    Args:
        net: A net, or its message.
        lexical_scope: The blobs outside that the net may write; what it writes besides is its own.
    """
    proto = net.Proto() if hasattr(net, "Proto") else net
    known = {str(name) for name in lexical_scope}
    return reads_of(proto), writes_of(proto) & known


def _in_a_scope(
    net: Any, reads: Iterable[str], writes: Iterable[str], scopes: str, *, reuse_scope: bool = False
) -> caffe2_pb2.NetDef:
    """A net of one ``Do`` operator, in which blobs that are known outside keep their names."""
    inputs, outputs = [*sorted(reads), scopes], [*sorted(writes), scopes]
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
        copy_external_blobs=not reuse_scope,
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
    """Adds an ``If`` operator whose branches see the blobs around it.

    What a branch reads before it writes it, and what it writes of ``lexical_scope``, are blobs outside;
    all others are its own.

    Args:
        if_net: The net that gets the operator.
        cond_blob: One bool.
        lexical_scope: The blobs outside that the branches may write.
        then_net: Runs where the condition is true.
        else_net: Runs where it is false.
    """
    known = {str(name) for name in lexical_scope}
    scopes = _new_scopes(if_net, "if")
    nets = {"then_net": then_net, "else_net": else_net}
    sides = {word: get_external_blob_names(net, known) if net else (set(), set()) for word, net in nets.items()}
    reads = sides["then_net"][0] | sides["else_net"][0]
    # What one branch writes and the other does not keeps its value there: it is an input too.
    kept = sides["then_net"][1] ^ sides["else_net"][1]
    writes = sides["then_net"][1] | sides["else_net"][1]
    branches = {
        word: _in_a_scope(net, sides[word][0] | (kept & sides[word][1]), sides[word][1], scopes)
        for word, net in nets.items()
        if net
    }
    if_net.If([cond_blob, *sorted(reads | kept), scopes], [*sorted(writes), scopes], **branches)


def add_while_op(
    while_net: Any, cond_blob: Any, lexical_scope: Iterable[Any], loop_body_net: Any, condition_body_net: Any = None
) -> None:
    """Adds a ``While`` operator whose nets see the blobs around it.

    What a net reads before it writes it, and what it writes of ``lexical_scope``, are blobs outside;
    all others are its own.

    Args:
        while_net: The net that gets the operator.
        cond_blob: One bool, which one of the nets must change.
        lexical_scope: The blobs outside that the nets may write.
        loop_body_net: Runs as long as the condition is true.
        condition_body_net: Runs before each look at the condition.
    """
    known = {*(str(name) for name in lexical_scope), str(cond_blob)}
    scopes = _new_scopes(while_net, "while")
    reads, writes = get_external_blob_names(loop_body_net, known)
    # Where the loop does not run at all, what it writes keeps its value: it is an input too.
    nets = {"loop_net": _in_a_scope(loop_body_net, reads | writes, writes, scopes)}
    inputs, outputs = [*sorted(reads | writes), scopes], [*sorted(writes), scopes]
    if condition_body_net is not None:
        # Nothing goes back through a condition: one scope serves all rounds.
        own = _new_scopes(while_net, "while_condition")
        read, written = get_external_blob_names(condition_body_net, known)
        nets["cond_net"] = _in_a_scope(condition_body_net, read, written, own, reuse_scope=True)
        inputs += [*sorted(read - reads - writes), own]
        outputs += [*sorted(written - writes), own]
    while_net.While([cond_blob, *(name for name in inputs if name != str(cond_blob))], outputs, **nets)
