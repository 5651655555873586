"""Which forward operator each gradient operator belongs to."""

from __future__ import annotations

from collections import Counter

from c2lab.graph.document import Document
from c2lab.graph.view import is_gradient
from c2lab.operators import registry


def pairs_of(document: Document) -> dict[str, str]:
    """By id of a gradient operator, the id of its forward operator, where there is one.

    A gradient operator belongs to the forward operator of the type that it is the gradient of, which
    reads or writes the blobs that it mentions.
    """
    forward: dict[tuple[str, str], list[str]] = {}
    pairs: dict[str, str] = {}
    for name, op in zip(document.ids, document.net.op, strict=True):
        if not is_gradient(op):
            for blob in dict.fromkeys([*op.input, *op.output]):
                forward.setdefault((op.type, blob), []).append(name)
            continue
        operator = registry.get(op.type)
        of = (operator.gradient_of if operator is not None else "") or op.type.removesuffix("Gradient")
        mentioned = {blob.partition("_grad")[0] for blob in (*op.input, *op.output)}
        votes = Counter(found for blob in mentioned for found in forward.get((of, blob), ()))
        if votes:
            pairs[name] = votes.most_common(1)[0][0]
    return pairs
