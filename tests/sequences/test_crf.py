"""Chains of labels against all chains written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from c2lab import core
from c2lab.sequences.crf import CRFWithLoss
from c2lab.workspace import FeedBlob, FetchBlob, RunNetOnce
from tests.operators import recorded_cases
from tests.sequences.references import Trial


def score(scores, transitions, path):
    """What one chain is worth, beginning and end included."""
    classes = scores.shape[1]
    whole = [classes, *path, classes + 1]
    pairs = sum(transitions[a, b] for a, b in itertools.pairwise(whole))
    return pairs + sum(scores[t, label] for t, label in enumerate(path))


def chains(scores):
    return list(itertools.product(range(scores.shape[1]), repeat=len(scores)))


def loss_of(scores, labels, transitions):
    return np.log(sum(np.exp(score(scores, transitions, p)) for p in chains(scores))) - score(
        scores, transitions, labels
    )


@pytest.mark.parametrize(("length", "classes"), [(1, 2), (2, 3), (4, 2)])
def test_the_loss_and_its_gradients(length, classes):
    random = np.random.default_rng(length)
    labels = random.integers(0, classes, length)
    trial = Trial({"scores": random.normal(size=(length, classes)), "labels": labels})
    crf = CRFWithLoss(trial.model, classes)
    loss = crf.crf_loss(trial.blob("scores"), trial.blob("labels"))
    gradients = trial.model.AddGradientOperators([loss])
    RunNetOnce(trial.model.param_init_net)
    RunNetOnce(trial.model.net)
    blobs = trial.blobs()
    scores, transitions = blobs["scores"], blobs["crf_transitions"]
    np.testing.assert_allclose(FetchBlob(loss), loss_of(scores, labels, transitions), rtol=1e-4)
    for name, value in (("scores", scores), ("crf_transitions", transitions)):
        slope = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * 1e-5
                given = {"scores": scores, "crf_transitions": transitions} | {name: moved}
                ends.append(loss_of(given["scores"], labels, given["crf_transitions"]))
            slope[index] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(FetchBlob(gradients[name]), slope, rtol=1e-3, atol=1e-3, err_msg=name)


def test_the_best_chain_gets_the_highest_scores():
    random = np.random.default_rng(8)
    trial = Trial({"scores": random.normal(size=(5, 3))})
    crf = CRFWithLoss(trial.model, 3)
    new = crf.update_predictions(trial.blob("scores"))
    RunNetOnce(trial.model.param_init_net)
    FeedBlob("crf_transitions", random.normal(size=(5, 5), scale=2).astype(np.float32))
    RunNetOnce(trial.model.net)
    scores, transitions = trial.blobs()["scores"], trial.blobs()["crf_transitions"]
    best = max(chains(scores), key=lambda path: score(scores, transitions, path))
    assert tuple(scores.argmax(1)) != best
    found = FetchBlob(new)
    np.testing.assert_array_equal(found.argmax(1), best)
    np.testing.assert_allclose(np.sort(found, 1), np.sort(scores, 1), rtol=1e-6)


def test_transitions_may_be_given():
    trial = Trial({"given": np.zeros((4, 4))})
    crf = CRFWithLoss(trial.model, 2, trial.blob("given"))
    assert str(crf.transitions) == "given"
    assert [str(p) for p in trial.model.params] == ["given"]


def test_padding():
    trial = Trial({"scores": np.ones((2, 2)), "labels": np.int32([1, 0])})
    crf = CRFWithLoss(trial.model, 2)
    scores, labels = crf.pad_predictions(trial.blob("scores")), crf.pad_labels(trial.blob("labels"))
    RunNetOnce(trial.model.param_init_net)
    RunNetOnce(trial.model.net)
    np.testing.assert_array_equal(FetchBlob(labels), [2, 1, 0, 3])
    low = -1000
    np.testing.assert_array_equal(
        FetchBlob(scores), [[low, low, 0, low], [1, 1, low, low], [1, 1, low, low], [low, low, low, 0]]
    )


def test_the_operator_is_the_recorded_one():
    recorded = recorded_cases.read_cases("RecurrentNetwork")[0].op
    trial = Trial({})
    crf = CRFWithLoss(trial.model, 1)
    crf.build_crf_net(*map(core.BlobReference, ("predictions_blob", "inital_blob", "crf_transitions")))
    op = trial.model.net.Proto().op[-1]
    assert list(op.input) == list(recorded.input)
    assert list(op.output) == list(recorded.output)
    for name in ("link_internal", "backward_link_internal", "backward_link_external", "param_grads", "alias_dst"):
        found, want = (next(a.strings for a in each.arg if a.name == name) for each in (op, recorded))
        assert list(found) == list(want), name
    for name in ("step_net", "backward_step_net"):
        found, want = (
            [(i.type, list(i.input), list(i.output)) for i in next(a.n for a in each.arg if a.name == name).op]
            for each in (op, recorded)
        )
        assert found == want, name
