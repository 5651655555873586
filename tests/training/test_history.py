import math

import numpy as np

from c2lab.training.history import History


def filled(rows):
    history = History(["loss", "accuracy"])
    for k in range(rows):
        history.add([1 / (k + 1), k])
    return history


def test_rows_come_back_across_pieces():
    history = filled(10_000)
    assert len(history) == 10_000
    assert history.rows(4095, 4098)[:, 1].tolist() == [4095, 4096, 4097]
    assert history.column("accuracy").tolist() == list(range(10_000))
    assert history.rows(10_000).shape == (0, 2)


def test_text_gives_the_very_same_numbers_back():
    history = filled(100)
    history.add([math.nan, math.inf])
    again = History.read(history.csv())
    assert again.names == history.names
    assert np.array_equal(again.rows(), history.rows(), equal_nan=True)
    assert History.read(history.csv()[:-3]).rows().shape == (100, 2)


def test_what_comes_after_a_step_is_forgotten():
    history = filled(5000)
    history.tested(10, {"test_loss": 1.0})
    history.tested(4500, {"test_loss": 0.5})
    history.markers += [(10, "a"), (4500, "b")]
    history.cut(4100)
    assert (len(history), history.tests, history.markers) == (4100, {"test_loss": [(10, 1.0)]}, [(10, "a")])
    history.add([7, 7])
    assert history.rows(4099)[:, 1].tolist() == [4099, 7]
    assert history.latest() == {"loss": 7, "accuracy": 7, "test_loss": 1.0}


def test_lost_rows_are_no_numbers():
    history = filled(2)
    history.fill(4)
    assert np.isnan(history.column("loss")).tolist() == [False, False, True, True]


def test_many_rows_take_little_memory():
    history = filled(100_000)
    assert sum(piece.nbytes for piece in history._pieces) < 100_000 * 2 * 8 * 1.1
