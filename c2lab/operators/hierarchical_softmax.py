"""Hierarchical softmax: a tree of small softmaxes in place of one over very many words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.definition import host_operator
from c2lab.proto import hsm_pb2

SMALLEST = 1e-20  # a probability below this counts as this, so that its logarithm stays finite
Path = tuple[tuple[int, int, int], ...]  # of each node on the way to a word: first row, rows, the row to take


@lru_cache(maxsize=64)
def _paths(hierarchy: bytes) -> tuple[int, dict[int, Path]]:
    """The number of rows, and the path to each word, of a serialized HierarchyProto."""
    message = hsm_pb2.HierarchyProto()
    try:
        message.ParseFromString(hierarchy)
    except Exception as error:
        raise BadArgument("hierarchy cannot be read; it must be a serialized HierarchyProto") from error
    paths = {p.word_id: tuple((n.index, n.length, n.target) for n in p.path_nodes) for p in message.paths}
    return message.size, paths


def _paths_of(labels: Any, hierarchy: bytes, X: Any, W: Any, b: Any) -> list[Path]:
    size, paths = _paths(hierarchy)
    require_same_type(X, W, b)
    require_shape(
        X.ndim == 2 and W.shape == (size, X.shape[1]) and b.shape == (size,) and labels.size == X.shape[0],
        f"X is {X.shape}, W {W.shape}, b {b.shape} and labels {labels.shape}; "
        f"they must be (N, D), ({size}, D), ({size},) and (N), with the {size} rows of the hierarchy",
    )
    unknown = sorted({int(label) for label in labels.reshape(-1)} - set(paths))
    if unknown:
        raise BadValue(f"labels holds {unknown[0]}, which the hierarchy has no path to; it knows {len(paths)} words")
    return [paths[int(label)] for label in labels.reshape(-1)]


def _softmax(scores: Any) -> Any:
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


@host_operator("HSoftmax", outputs="Y, intermediate_output", types={"X": "float32", "labels": "int32"})
def h_softmax(X, W, b, labels, *, hierarchy: bytes):
    """The loss of words under a tree of softmaxes: only the nodes on the way to a word are computed.

    ``Y[i] = -sum over the nodes on the way to word i of log softmax(W X[i] + b)[the branch taken]``

    Inputs:
        X: (N, D).
        W: (rows, D): the rows of all nodes, one under the other.
        b: (rows).
        labels: int32 (N), the words.
    Args:
        hierarchy: A serialized HierarchyProto: the path to each word.
    Outputs:
        Y: (N) a loss a word.
        intermediate_output: Scores and probabilities of all nodes that were computed, for the backward pass.
    Example:
        >>> from c2lab.proto import hsm_pb2
        >>> tree = hsm_pb2.HierarchyProto(size=2)
        >>> for word in (0, 1):
        ...     node = tree.paths.add(word_id=word).path_nodes.add(index=0, length=2, target=word)
        >>> run("HSoftmax", X=[[1.0]], W=[[0.0], [0.0]], b=[0.0, 0.0], labels=[1], hierarchy=tree.SerializeToString())
        Y = [0.6931472]
        intermediate_output = [0.  0.  0.5 0.5]
    Source:
        Morin and Bengio, "Hierarchical probabilistic neural network language model", 2005.
    """
    losses, kept = np.zeros(X.shape[0], X.dtype), []
    for i, path in enumerate(_paths_of(labels, hierarchy, X, W, b)):
        for first, rows, target in path:
            scores = W[first : first + rows] @ X[i] + b[first : first + rows]
            probabilities = _softmax(scores)
            losses[i] -= np.log(max(probabilities[target], SMALLEST))
            kept += [scores, probabilities]
    return losses, np.concatenate(kept).astype(X.dtype) if kept else np.zeros(0, X.dtype)


@h_softmax.gradient("X, W, b, labels, intermediate_output, dY -> dX, dW, db, dintermediate_output")
def _(X, W, b, labels, intermediate_output, dY, *, hierarchy: bytes):
    """The gradient through the nodes on the way to each word, from the probabilities that were kept."""
    dX, dW, db, pulled, place = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b), [], 0
    for i, path in enumerate(_paths_of(labels, hierarchy, X, W, b)):
        for first, rows, target in path:
            probabilities = intermediate_output[place + rows : place + 2 * rows]
            place += 2 * rows
            dprobabilities = np.zeros_like(probabilities)
            dprobabilities[target] = -dY[i] / max(probabilities[target], SMALLEST)
            dscores = probabilities * dY[i]
            dscores[target] -= dY[i]
            part = slice(first, first + rows)
            dX[i] += dscores @ W[part]
            dW[part] += np.outer(dscores, X[i])
            db[part] += dscores
            pulled += [dscores, dprobabilities]
    return dX, dW, db, np.concatenate(pulled) if pulled else np.zeros(0, X.dtype)


@h_softmax.gradient_maker
def _(g):
    kept = g.GO(1) if g.has_GO(1) else f"{g.O(1)}_grad"
    sources = [g.I(0), g.I(1), g.I(2), g.I(3), g.O(1), g.GO(0)]
    return [g.define("HSoftmaxGradient", sources, [g.GI(0), g.GI(1), g.GI(2), kept])]
