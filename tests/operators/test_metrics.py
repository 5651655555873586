import numpy as np
import pytest

from c2lab.errors import BadValue, NoGradient, ShapeMismatch, TypeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.calls import call, operator_def, wiring

rng = np.random.default_rng(7)


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_accuracy(top_k):
    predictions, labels = rng.normal(size=(50, 5)).astype(np.float32), rng.integers(0, 5, size=50).astype(np.int32)
    right = [label in np.argsort(-row, kind="stable")[:top_k] for row, label in zip(predictions, labels, strict=True)]
    accuracy = call("Accuracy", predictions, labels, top_k=top_k)
    assert accuracy.shape == ()
    np.testing.assert_allclose(accuracy, np.mean(right), rtol=1e-6)


@pytest.mark.parametrize(("label", "accuracy"), [(0, 1), (1, 0)])
def test_of_equal_scores_the_lower_class_ranks_higher(label, accuracy):
    assert call("Accuracy", np.float32([[0.5, 0.5]]), np.int32([label])) == accuracy


def test_accuracy_refuses_labels_that_do_not_fit():
    with pytest.raises(BadValue, match="outside 0 to 2 - 1"):
        call("Accuracy", np.ones((1, 2), np.float32), np.int32([2]))
    with pytest.raises(TypeMismatch, match="labels is int64"):
        call("Accuracy", np.ones((1, 2), np.float32), np.int64([0]))
    with pytest.raises(ShapeMismatch, match=r"predictions is \(1, 2\) and labels is \(3,\)"):
        call("Accuracy", np.ones((1, 2), np.float32), np.int32([0, 1, 1]))


def test_accuracy_has_no_gradient():
    with pytest.raises(NoGradient, match="One should not call gradient for operator Accuracy"):
        wiring("Accuracy", 2)


def test_multi_class_accuracy():
    prediction, labels = rng.normal(size=(40, 4)).astype(np.float32), rng.integers(0, 3, size=40).astype(np.int32)
    accuracies, amounts = call("MultiClassAccuracy", prediction, labels, outputs=2)
    best = prediction.argmax(axis=1)
    for k in range(4):
        assert amounts[k] == (labels == k).sum()
        share = (best[labels == k] == k).mean() if (labels == k).any() else 0
        np.testing.assert_allclose(accuracies[k], share, rtol=1e-6)


def test_perplexity():
    p = rng.uniform(0.1, 1, size=10).astype(np.float32)
    np.testing.assert_allclose(call("Perplexity", p), np.exp(-np.log(p).mean()), rtol=1e-5)


def average_precision(scores, labels):
    order = np.argsort(-scores, kind="stable")
    hits = np.flatnonzero(labels[order])
    return np.mean([(i + 1) / (place + 1) for i, place in enumerate(hits)]) if len(hits) else 0.0


def test_ap_meter_looks_back_as_far_as_its_buffer():
    scores, labels = rng.normal(size=(12, 3)).astype(np.float32), rng.integers(0, 2, size=(12, 3)).astype(np.int32)
    workspace = Workspace("meter")
    workspace.feed("I0", scores[:5])
    workspace.feed("I1", labels[:5])
    net = caffe2_pb2.NetDef(name="meter", op=[operator_def("APMeter", 2, buffer_size=8)])
    workspace.create(net)
    for start, end, seen in [(0, 5, slice(0, 5)), (5, 12, slice(4, 12))]:
        workspace.feed("I0", scores[start:end])
        workspace.feed("I1", labels[start:end])
        workspace.run("meter")
        want = [average_precision(scores[seen, k], labels[seen, k]) for k in range(3)]
        np.testing.assert_allclose(workspace.fetch("O0"), want, rtol=1e-5)
