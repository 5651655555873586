"""Parts of nets as text, for the clipboard: operators with the fillers of their parameters."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf import text_format

from c2lab.graph.document import Document, EditRefused
from c2lab.graph.draft import Draft
from c2lab.graph.naming import rename_in
from c2lab.graph.view import find_parameters
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

FILLERS = "c2lab_fillers"
"""The argument of a copied part that holds the net which fills its parameters."""

LONGEST = 16 * 2**20
"""Characters that a pasted text may have."""


def copied(document: Document, nodes: Sequence[str]) -> caffe2_pb2.NetDef:
    """The operators and their fillers, as a net of their own.

    Raises:
        EditRefused: None of them is an operator.
    """
    positions = sorted(document.position(node) for node in nodes if node in document.ids)
    if not positions:
        raise EditRefused("there is no operator among what is selected")
    part = caffe2_pb2.NetDef(name=document.net.name)
    part.op.extend(document.net.op[position] for position in positions)
    read = {name for op in part.op for name in op.input if name in document.parameters}
    fillers = [op for op in document.init.op if any(name in read for name in op.output)]
    if fillers:
        part.arg.append(make_argument(FILLERS, caffe2_pb2.NetDef(name="fillers", op=fillers)))
    return part


def copied_text(document: Document, nodes: Sequence[str]) -> str:
    """The operators as text, which ``pasted`` reads."""
    return text_format.MessageToString(copied(document, nodes))


def parsed(text: str) -> caffe2_pb2.NetDef:
    """The net in a text.

    Raises:
        EditRefused: It is too long, or holds no operators.
    """
    if len(text) > LONGEST:
        raise EditRefused(f"the text has {len(text)} characters; {LONGEST} are the most")
    net = caffe2_pb2.NetDef()
    try:
        text_format.Parse(text, net)
    except (text_format.ParseError, UnicodeError, RecursionError) as error:
        raise EditRefused(f"the text is no net: {str(error).splitlines()[0][:200]}") from None
    if not net.op:
        raise EditRefused("the text holds no operators")
    if not all(op.type for op in net.op):
        raise EditRefused("the text holds operators without a type")
    return net


def pasted(document: Document, net: caffe2_pb2.NetDef) -> tuple[Document, list[str]]:
    """Adds a copied part: what it writes, and its parameters, get free names; the rest is read where it is there.

    Returns:
        The document, and the ids of the new operators.
    """
    fillers = next((argument.n for argument in net.arg if argument.name == FILLERS), caffe2_pb2.NetDef())
    known = document.names()
    taken = known | {name for op in (*fillers.op, *net.op) for name in (*op.input, *op.output)}
    # By name in the text, the name here: of what was filled or written so far. What was not is read as it is.
    now: dict[str, str] = {}
    filling = [_renamed(op, now, known, taken) for op in fillers.op]
    filled = {name for op in filling for name in op.output}
    operators = [_renamed(op, now, known, taken) for op in net.op]
    kinds = {now.get(name, name): kind for name, kind in document.parameters.items()}
    draft = Draft(document)
    init = caffe2_pb2.NetDef()
    init.CopyFrom(draft.init)
    init.op.extend(filling)
    draft.init = init
    found = find_parameters(caffe2_pb2.NetDef(op=operators))
    draft.parameters |= {name: kinds.get(name, "") for name in sorted(filled & found)}
    writer = {name: part.id for part in draft.parts for name in part.op.output}
    placed = []
    for op in operators:
        part = draft.insert(op, [writer.get(name) for name in op.input], draft.parts[-1].id if draft.parts else None)
        writer.update(dict.fromkeys(op.output, part.id))
        placed.append(part.id)
    return draft.document(), placed


def duplicated(document: Document, nodes: Sequence[str]) -> tuple[Document, list[str]]:
    """Copies operators; the copies read the same things, have parameters of their own, and hang together as they did.

    Returns:
        The document, and the ids of the copies in the order of ``nodes``.
    """
    operators = [node for node in nodes if node in document.ids]
    order = sorted(operators, key=document.position)
    after, placed = pasted(document, copied(document, operators))
    copies = dict(zip(order, placed, strict=True))
    return after, [copies[node] for node in nodes if node in copies]


def _renamed(
    op: caffe2_pb2.OperatorDef, now: dict[str, str], known: set[str], taken: set[str]
) -> caffe2_pb2.OperatorDef:
    """An operator with the names of here; what it writes gets a free name where there is such a blob."""
    whole = caffe2_pb2.NetDef(op=[op])
    del whole.op[0].output[:]
    rename_in(whole, now)
    for name in op.output:
        if name in known and name not in now:
            now[name] = _free(name, taken)
            taken.add(now[name])
        whole.op[0].output.append(now.get(name, name))
    return whole.op[0]


def _free(name: str, taken: set[str]) -> str:
    stem, number = f"{name}_", 2
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
