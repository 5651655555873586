import threading

import numpy as np
import pytest

from c2lab.training.prefetch import Prefetcher
from c2lab.training.sources import Arrays, Batch


def test_batches_come_in_order_with_their_states():
    prefetcher = Prefetcher(Arrays({"x": np.arange(6)}, 2, shuffle=False))
    taken = [prefetcher.next() for _ in range(4)]
    prefetcher.close()
    assert [np.asarray(ready.arrays["x"]).tolist() for ready in taken] == [[0, 1], [2, 3], [4, 5], [0, 1]]
    assert [ready.ends_epoch for ready in taken] == [False, False, True, False]
    assert taken[1].state == {"epoch": 0, "position": 2}  # not where the reading ahead has come to


class Slow:
    batches = None

    def __init__(self):
        self.may, self.given = threading.Semaphore(0), 0

    def next(self):
        self.may.acquire()
        self.given += 1
        return Batch({"x": np.zeros(1)}, False) if self.given < 3 else None

    def state(self):
        return {}


def test_waiting_can_be_given_up_and_is_counted():
    source = Slow()
    prefetcher = Prefetcher(source)
    asked = iter([False, True])
    assert prefetcher.next(lambda: next(asked)) is None
    assert prefetcher.waited > 0
    source.may.release()
    assert prefetcher.next() is not None
    source.may.release(2)
    assert prefetcher.next() is not None
    assert prefetcher.next() is None
    prefetcher.close()


def test_it_reads_no_further_than_its_depth():
    source = Slow()
    source.given = -1000
    prefetcher = Prefetcher(source, depth=2)
    source.may.release(100)
    prefetcher.next()
    prefetcher.close()
    assert source.given + 1000 <= 5


def test_what_the_source_raises_arrives():
    def broken():
        yield {"x": np.zeros(1)}
        raise KeyError("mine")

    from c2lab.training.sources import Iterable

    prefetcher = Prefetcher(Iterable(broken, ["x"]))
    with pytest.raises(KeyError, match="mine"):
        prefetcher.next()
    prefetcher.close()
