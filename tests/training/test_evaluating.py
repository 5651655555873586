import numpy as np
import pytest

import c2lab as c2
from c2lab.training.evaluating import Evaluator, worst
from tests.training.models import classifier, pictures

TRAIN, TEST = pictures()


@pytest.fixture(scope="module")
def run():
    return c2.train(classifier(dropout=0.5), TRAIN, evaluate=TEST, steps=44, rate=0.2, keep=False, block=True)


def by_hand(run):
    w, b, v, c = (run.fetch(name) for name in ("hidden_w", "hidden_b", "scores_w", "scores_b"))
    scores = np.maximum(TEST[0] @ w.T + b, 0) @ v.T + c
    exponents = np.exp(scores - scores.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)


def test_every_sample_counts_once_and_dropout_is_off(run):
    probabilities = by_hand(run)
    found = run.evaluate()
    right = probabilities.argmax(1) == TEST[1]
    assert found.values["accuracy"] == pytest.approx(right.mean(), abs=1e-6)
    losses = -np.log(probabilities[np.arange(len(TEST[1])), TEST[1]])
    assert found.values["loss"] == pytest.approx(losses.mean(), rel=1e-4)


def test_confusion_and_mistakes(run):
    probabilities, found = by_hand(run), run.evaluate()
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (TEST[1], probabilities.argmax(1)), 1)
    assert np.array_equal(found.confusion, expected)
    sample, truth, guess, probability = found.worst[0]
    assert truth == TEST[1][sample] != guess == probabilities[sample].argmax()
    assert probability == pytest.approx(probabilities[sample, truth], rel=1e-3)
    assert [entry[3] for entry in found.worst] == sorted(entry[3] for entry in found.worst)


def test_it_changes_nothing_of_the_run(run):
    before = {name: run.fetch(name) for name in ("loss", "data", "hidden_w")}
    run.evaluate()
    assert all(np.array_equal(run.fetch(name), value) for name, value in before.items())


def test_it_can_be_given_up(run):
    answers = iter([True, True, False])
    evaluator = Evaluator(run.stepper.nets, {"data": TEST[0], "label": TEST[1]}, 64)
    assert evaluator.run(run.stepper.blobs, lambda: next(answers)) is None
    assert evaluator.run(run.stepper.blobs).confusion.sum() == len(TEST[1])


def test_no_mistakes_no_list():
    assert worst(np.array([0, 1]), np.eye(2)) == []
