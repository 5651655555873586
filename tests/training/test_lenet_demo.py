import contextlib
import csv
import io
import re

import numpy as np
import pytest

from c2lab import workspace
from c2lab.data import digits
from c2lab.predictor import files
from c2lab.training import lenet_demo


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """The same short run twice, with what it printed."""
    results = []
    for number in range(2):
        out = tmp_path_factory.mktemp("demo") / str(number)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            accuracies = lenet_demo.run(out, epochs=1, seed=5)
        results.append((out, printed.getvalue(), accuracies))
    return results


def test_it_learns(two_runs):
    _, _, accuracies = two_runs[0]
    assert accuracies.train > 0.8
    assert accuracies.test > 0.8


def test_the_last_lines_are_the_accuracies(two_runs):
    _, printed, accuracies = two_runs[0]
    *_, train, test = printed.splitlines()
    assert re.fullmatch(r"train accuracy: [01]\.\d{4}", train)
    assert test == f"test accuracy: {accuracies.test:.4f}"


def test_the_same_seed_gives_the_same_files_bit_for_bit(two_runs):
    (first, *_), (second, *_) = two_runs
    names = sorted(path.name for path in first.iterdir())
    assert names == [
        "curves.png", "curves.svg", "init_net.pb", "init_net.pbtxt", "metrics.csv", "net.svg", "predict_net.pb",
        "predict_net.pbtxt",
    ]  # fmt: skip
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_folder_predicts_as_well_as_the_run_said(two_runs):
    out, _, accuracies = two_runs[0]
    predictor = workspace.Predictor(*files.load(out))
    pictures = digits.load()
    (probabilities,) = predictor.run([pictures.test_images])
    assert np.mean(probabilities.argmax(axis=1) == pictures.test_labels) == pytest.approx(accuracies.test)


def test_the_table_has_a_row_for_each_iteration(two_runs):
    out, _, accuracies = two_runs[0]
    rows = list(csv.DictReader((out / "metrics.csv").read_text().splitlines()))
    assert [int(row["iteration"]) for row in rows] == list(range(1, 23))
    tested = [float(row["test_accuracy"]) for row in rows if row["test_accuracy"]]
    assert tested == [pytest.approx(accuracies.test)]


def test_accuracy_counts_the_last_odd_pictures_too(monkeypatch):
    class Answers:
        """Stands in for the workspace: reads the digit off the first pixel."""

        def FeedBlob(self, name, images):
            self.softmax = np.eye(10)[images[:, 0, 0, 0].astype(int)]

        def RunNet(self, net):
            pass

        def FetchBlob(self, name):
            return self.softmax

    monkeypatch.setattr(lenet_demo, "workspace", Answers())
    images = np.full((lenet_demo.TEST_BATCH + 3, 1, 28, 28), 7.0)
    labels = np.full(len(images), 7)
    labels[-1] = 3
    predictor = type("Model", (), {"net": None})
    assert lenet_demo.accuracy(predictor, images, labels) == pytest.approx(1 - 1 / len(images))
