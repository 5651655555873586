"""Decoders against looking at every possible path."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, pairwise, product

import numpy as np
import pytest

from c2lab.eager import run
from c2lab.errors import C2LabError

RANDOM = np.random.default_rng(11)


def collapse(path):
    return tuple(label for label, _ in groupby(path) if label)


def every_labelling(scores):
    """The probability of each label sequence, summed over all paths."""
    sums = defaultdict(float)
    for path in product(range(scores.shape[1]), repeat=len(scores)):
        sums[collapse(path)] += float(np.prod(scores[range(len(scores)), path]))
    return sorted(sums.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("candidates", [1, 3])
def test_a_wide_beam_finds_what_all_paths_add_up_to(candidates):
    scores = RANDOM.dirichlet(np.ones(3), size=(4, 2)).astype(np.float32)
    made = run("CTCBeamSearchDecoder", outputs=3, INPUTS=scores, SEQ_LEN=[4, 3], beam_width=200,
               prune_threshold=0.0, num_candidates=candidates)  # fmt: skip
    want = [item for n, t in ((0, 4), (1, 3)) for item in every_labelling(scores[:t, n])[:candidates]]
    np.testing.assert_array_equal(made["OUTPUT_LEN"], [len(labels) for labels, _ in want])
    np.testing.assert_array_equal(made["VALUES"], [label for labels, _ in want for label in labels])
    np.testing.assert_allclose(made["OUTPUT_PROB"], [p for _, p in want], rtol=1e-5)


@pytest.mark.parametrize("merge", [True, False])
def test_the_best_of_each_step(merge):
    scores = RANDOM.normal(size=(9, 4, 3)).astype(np.float32)
    lengths = [9, 4, 0, 6]
    made = run("CTCGreedyDecoder", INPUTS=scores, SEQ_LEN=lengths, merge_repeated=merge)
    want = []
    for n, length in enumerate(lengths):
        path = scores[:length, n].argmax(axis=1)
        want.append(collapse(path) if merge else tuple(path[path != 0]))
    np.testing.assert_array_equal(made["OUTPUT_LEN"], [len(labels) for labels in want])
    np.testing.assert_array_equal(made["VALUES"], [label for labels in want for label in labels])


def test_sequences_no_longer_than_the_scores():
    with pytest.raises(C2LabError, match="of lengths up to 2"):
        run("CTCGreedyDecoder", INPUTS=np.zeros((2, 1, 2), np.float32), SEQ_LEN=[3])


def test_viterbi_finds_the_best_of_all_paths():
    scores, steps = RANDOM.normal(size=(5, 3)).astype(np.float32), RANDOM.normal(size=(3, 3)).astype(np.float32)

    def total(path):
        return sum(scores[t, label] for t, label in enumerate(path)) + sum(steps[a, b] for a, b in pairwise(path))

    best = max(product(range(3), repeat=5), key=total)
    np.testing.assert_array_equal(run("ViterbiPath", predictions=scores, transitions=steps)["viterbi_path"], best)


def test_the_path_gets_the_best_scores():
    scores, path = RANDOM.normal(size=(6, 4)).astype(np.float32), RANDOM.integers(0, 4, 6).astype(np.int32)
    made = run("SwapBestPath", predictions=scores, bestPath=path)["new_predictions"]
    np.testing.assert_array_equal(made.argmax(axis=1), path)
    np.testing.assert_array_equal(np.sort(made, axis=1), np.sort(scores, axis=1))
    with pytest.raises(C2LabError, match="labels from 0 to 3"):
        run("SwapBestPath", predictions=scores, bestPath=path + 4)
