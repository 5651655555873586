"""Examples prepared ahead: the same ones, in the same order, by threads that end."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from c2lab.errors import DamagedFile
from c2lab.operators.reading_ahead import Preparation
from c2lab.storage import DBReader, open_db


@pytest.fixture
def reader(tmp_path):
    path = str(tmp_path / "db")
    with open_db(path, "minidb", "new") as db, db.new_transaction() as writing:
        for k in range(10):
            writing.put(str(k), b"%d" % k)
    return DBReader("minidb", path)


def number(record):
    return int(record[1])


def until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that within 5 seconds")


def test_batches_come_in_order_and_the_place_is_that_of_what_was_had(reader):
    preparation = Preparation(number, 3)
    for k in range(8):
        assert preparation.batch(reader, 4) == [(4 * k + i) % 10 for i in range(4)]
        assert reader.state()["records"] == (4 * k + 4) % 10


def test_the_next_batch_is_prepared_meanwhile_and_only_that(reader):
    asked = []

    def prepare(record):
        asked.append(number(record))
        return number(record)

    preparation = Preparation(prepare, 1)
    preparation.batch(reader, 2)
    time.sleep(0.05)
    assert asked == [0, 1]  # a net may run only once
    preparation.batch(reader, 2)
    until(lambda: asked == [0, 1, 2, 3, 4, 5])
    time.sleep(0.05)
    assert len(asked) == 6
    assert preparation.batch(reader, 2) == [4, 5]
    until(lambda: len(asked) == 8)
    assert asked == list(range(8))  # nothing twice


def test_whoever_moves_the_reader_is_minded(reader):
    preparation = Preparation(number, 2)
    preparation.batch(reader, 2)
    preparation.batch(reader, 2)
    assert reader.read()[0] == b"4"
    assert preparation.batch(reader, 2) == [5, 6]
    reader.seek_to_first()
    assert preparation.batch(reader, 3) == [0, 1, 2]


def test_an_error_comes_with_the_batch_it_belongs_to(reader):
    def prepare(record):
        if number(record) == 5:
            raise DamagedFile("the fifth")
        return number(record)

    preparation = Preparation(prepare, 2)
    assert preparation.batch(reader, 2) == [0, 1]
    assert preparation.batch(reader, 2) == [2, 3]
    with pytest.raises(DamagedFile, match="the fifth"):
        preparation.batch(reader, 2)
    assert preparation.batch(reader, 2) == [6, 7]


def test_threads_end_with_the_preparation(reader):
    def running():
        return sum(thread.name.startswith("c2lab-examples") for thread in threading.enumerate())

    gc.collect()
    until(lambda: running() == 0)
    preparation = Preparation(number, 3)
    for _ in range(4):
        preparation.batch(reader, 5)
    assert preparation.spread(lambda a, b: a + b, [1, 2], [3, 4]) == [4, 6]
    assert 1 <= running() <= 3
    del preparation
    gc.collect()
    until(lambda: running() == 0)
