"""Sequence decoding: from scores of each step to the labels of the whole."""

from __future__ import annotations

from collections import defaultdict

import jax.numpy as jnp
import numpy as np

from c2lab.errors import ShapeMismatch
from c2lab.operators.checks import require
from c2lab.operators.definition import host_operator, operator

Prefix = tuple[int, ...]


def _sequence_lengths(INPUTS: np.ndarray, SEQ_LEN: np.ndarray | None) -> np.ndarray:
    if INPUTS.ndim != 3:
        raise ShapeMismatch(f"INPUTS is {INPUTS.shape}; it must be (T, N, labels)")
    if SEQ_LEN is None:
        return np.full(INPUTS.shape[1], INPUTS.shape[0])
    if SEQ_LEN.shape != (INPUTS.shape[1],) or (SEQ_LEN > INPUTS.shape[0]).any():
        raise ShapeMismatch(
            f"SEQ_LEN is {list(SEQ_LEN)}; it must be ({INPUTS.shape[1]},), of lengths up to {INPUTS.shape[0]}"
        )
    return SEQ_LEN


@host_operator(
    "CTCGreedyDecoder",
    outputs="OUTPUT_LEN, VALUES",
    gradient="refused",
    types={"INPUTS": "float32", "SEQ_LEN": "int32"},
)
def ctc_greedy_decoder(INPUTS, SEQ_LEN=None, *, merge_repeated: bool = True):
    """The best label of each step, without blanks: label 0.

    Inputs:
        INPUTS: Scores (T, N, labels), float32.
        SEQ_LEN: How long each sequence is, (N,), int32; T where left out.
    Args:
        merge_repeated: A label that repeats the one of the step before counts once.
    Outputs:
        OUTPUT_LEN: How many labels each sequence has, (N,), int32.
        VALUES: The labels of all sequences, one after the other, int32.
    Example:
        >>> run("CTCGreedyDecoder", INPUTS=[[[0.0, 1.0]], [[0.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
        OUTPUT_LEN = [2]
        VALUES = [1 1]
    Source:
        Graves et al., Connectionist temporal classification, 2006.
    """
    counts, labels = [], []
    for n, length in enumerate(_sequence_lengths(INPUTS, SEQ_LEN)):
        best = INPUTS[:length, n].argmax(axis=1)
        keep = best != 0
        if merge_repeated:
            keep[1:] &= best[1:] != best[:-1]
        counts.append(int(keep.sum()))
        labels.append(best[keep])
    return np.array(counts, np.int32), np.concatenate([*labels, np.zeros(0, np.int32)]).astype(np.int32)


@host_operator(
    "CTCBeamSearchDecoder",
    outputs="OUTPUT_LEN, VALUES, OUTPUT_PROB?",
    gradient="refused",
    types={"INPUTS": "float32", "SEQ_LEN": "int32"},
)
def ctc_beam_search_decoder(
    INPUTS, SEQ_LEN=None, *, beam_width: int = 10, prune_threshold: float = 0.001, num_candidates: int = 1
):
    """The most probable label sequences, summed over all ways to spread them over the steps.

    Inputs:
        INPUTS: Probabilities (T, N, labels), float32; label 0 is the blank.
        SEQ_LEN: How long each sequence is, (N,), int32; T where left out.
    Args:
        beam_width: How many beginnings are followed from step to step.
        prune_threshold: Labels that are less probable are left out of a step.
        num_candidates: How many label sequences are given for each sequence.
    Outputs:
        OUTPUT_LEN: How many labels each candidate has, (N * num_candidates,), int32.
        VALUES: The labels of all candidates, one after the other, int32.
        OUTPUT_PROB: How probable each candidate is, (N * num_candidates,).
    Example:
        >>> run("CTCBeamSearchDecoder", outputs=3, INPUTS=[[[0.25, 0.75]], [[0.5, 0.5]]])
        OUTPUT_LEN = [1]
        VALUES = [1]
        OUTPUT_PROB = [0.875]
    Source:
        Hannun et al., First-pass large vocabulary continuous speech recognition using bi-directional
        recurrent DNNs, 2014.
    """
    counts: list[int] = []
    labels: list[int] = []
    probabilities: list[np.float32] = []
    for n, length in enumerate(_sequence_lengths(INPUTS, SEQ_LEN)):
        found = _beam_search(INPUTS[:length, n], beam_width, prune_threshold)[:num_candidates]
        found += [((), np.float32(0))] * (num_candidates - len(found))
        for prefix, probability in found:
            counts.append(len(prefix))
            labels += prefix
            probabilities.append(probability)
    return np.array(counts, np.int32), np.array(labels, np.int32), np.array(probabilities, np.float32)


def _beam_search(scores: np.ndarray, width: int, threshold: float) -> list[tuple[Prefix, np.float32]]:
    """The beginnings left after the last step with their probabilities, the best first."""
    zero = np.float32(0)
    # How probable a beginning is with a blank at its end, and with its last label there.
    blank: dict[Prefix, np.float32] = defaultdict(lambda: zero, {(): np.float32(1)})
    label: dict[Prefix, np.float32] = defaultdict(lambda: zero)
    beam: list[tuple[Prefix, np.float32]] = [((), np.float32(1))]
    for row in scores:
        next_blank: dict[Prefix, np.float32] = defaultdict(lambda: zero)
        next_label: dict[Prefix, np.float32] = defaultdict(lambda: zero)
        followed = {prefix for prefix, _ in beam}
        kept = np.flatnonzero(row > threshold)
        for prefix, _ in beam:
            both = blank[prefix] + label[prefix]
            for c in kept if kept.size else range(row.size):
                if c == 0:
                    next_blank[prefix] += row[0] * both
                    continue
                longer = (*prefix, int(c))
                if prefix and prefix[-1] == c:
                    next_label[longer] += row[c] * blank[prefix]
                    next_label[prefix] += row[c] * label[prefix]
                else:
                    next_label[longer] += row[c] * both
                if longer not in followed:
                    next_blank[longer] += row[0] * (blank[longer] + label[longer])
                    next_label[longer] += row[c] * label[longer]
        blank, label = next_blank, next_label
        sums = {prefix: blank[prefix] + label[prefix] for prefix in {**blank, **label}}
        beam = sorted(sums.items(), key=lambda item: -item[1])[:width]
    return beam


@host_operator("ViterbiPath", outputs="viterbi_path", gradient="none", types={"predictions": "float32"})
def viterbi_path(predictions, transitions):
    """The sequence of labels with the highest score, of labels and of the steps between them.

    Inputs:
        predictions: Scores of labels at each step, (T, L), float32.
        transitions: Scores of the step from one label (row) to the next (column), (L, L).
    Outputs:
        viterbi_path: The labels (T,), int32.
    Example:
        >>> run("ViterbiPath", predictions=[[1.0, 0.0], [0.0, 0.5]], transitions=[[1.0, 0.0], [0.0, 0.0]])
        viterbi_path = [0 0]
    Source:
        Viterbi, Error bounds for convolutional codes and an asymptotically optimum decoding algorithm, 1967.
    """
    if predictions.ndim != 2 or transitions.shape != (predictions.shape[1],) * 2:
        raise ShapeMismatch(
            f"predictions is {predictions.shape} and transitions {transitions.shape}; they must be (T, L) and (L, L)"
        )
    score, came_from = predictions[0], []
    for row in predictions[1:]:
        steps = score[:, None] + transitions
        came_from.append(steps.argmax(axis=0))
        score = steps.max(axis=0) + row
    path = [int(score.argmax())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1], np.int32)


@operator("SwapBestPath", outputs="new_predictions", gradient="none", types={"bestPath": "int32"})
def swap_best_path(predictions, bestPath):
    """Gives the labels of a path the best score of their step, by an exchange with whatever had it.

    Inputs:
        predictions: Scores of labels at each step, (T, L).
        bestPath: The label of each step, (T,), int32.
    Outputs:
        new_predictions: The scores, exchanged.
    Example:
        >>> run("SwapBestPath", predictions=[[3.0, 1.0, 2.0]], bestPath=[2])
        new_predictions = [[2. 1. 3.]]
    """
    count = predictions.shape[1]
    require((bestPath >= 0) & (bestPath < count), f"bestPath must hold labels from 0 to {count - 1}", bestPath)
    row = jnp.arange(predictions.shape[0])
    best = jnp.argmax(predictions, axis=1)
    exchanged = predictions.at[row, best].set(predictions[row, bestPath])
    return exchanged.at[row, bestPath].set(predictions[row, best])
