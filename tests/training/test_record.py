import csv

import pytest

from c2lab.training.record import Record


@pytest.fixture
def record():
    record = Record()
    for loss, accuracy in ((2.25, 0.125), (1.5, 0.5), (0.5, 0.875)):
        record.add(1, loss, accuracy)
    record.tested(0.75)
    return record


def test_the_table(record):
    assert list(csv.reader(record.csv().splitlines())) == [
        ["iteration", "epoch", "loss", "accuracy", "test_accuracy"],
        ["1", "1", "2.25", "0.125", ""],
        ["2", "1", "1.5", "0.5", ""],
        ["3", "1", "0.5", "0.875", "0.75"],
    ]


def test_curves_are_pictures_and_the_same_each_time(record):
    assert record.curves("png").startswith(b"\x89PNG")
    svg = record.curves("svg")
    assert b"<svg" in svg
    assert svg == record.curves("svg")
