import json

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue
from c2lab.training.sources import Arrays, Iterable, Itself


def taken(source, number):
    found = []
    for _ in range(number):
        batch = source.next()
        found.append(None if batch is None else {name: np.asarray(v).tolist() for name, v in batch.arrays.items()})
    return found


def test_every_epoch_has_its_own_order_and_every_sample_once():
    source = Arrays({"x": np.arange(10)}, 5, seed=1)
    first, second = ([x for b in taken(source, 2) for x in b["x"]] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert source.batches == 2


@pytest.mark.parametrize("position", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["arrays", "list", "generator", "own state"])
def test_from_its_state_it_goes_on(kind, position):
    def make():
        batches = [{"x": np.full(2, k)} for k in range(3)]
        return {
            "arrays": lambda: Arrays({"x": np.arange(7)}, 2, seed=4, transform=_noisy),
            "list": lambda: Iterable(batches, ["x"]),
            "generator": lambda: Iterable(lambda: iter(batches), ["x"]),
            "own state": lambda: Iterable(Loader(), ["x"]),
        }[kind]()

    whole = taken(make(), 12)
    source = make()
    taken(source, position)
    state = json.loads(json.dumps(source.state()))
    again = make()
    again.restore(state)
    assert taken(again, 12 - position) == whole[position:]


def _noisy(batch, random):
    return {"x": batch["x"] + random.integers(0, 100, 2)}


class Loader:
    """Like grain's: an iterator whose state is bytes, and which cannot be skipped cheaply."""

    def __iter__(self):
        return LoaderIterator()


class LoaderIterator:
    def __init__(self):
        self.position = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.position == 3:
            raise StopIteration
        self.position += 1
        return {"x": np.full(2, self.position)}

    def get_state(self):
        return bytes([self.position])

    def set_state(self, state):
        (self.position,) = state


def test_64_bits_become_32():
    batch = Iterable([(np.zeros(2), np.zeros(2, np.int64))], ["x", "y"]).next()
    assert [value.dtype for value in batch.arrays.values()] == [np.float32, np.int32]


def test_what_does_not_fit_is_told():
    with pytest.raises(BadValue, match=r"has 3 arrays, but the net takes 2: data, label"):
        Iterable([(1, 2, 3)], ["data", "label"]).next()
    with pytest.raises(BadValue, match="no batch at all"):
        Iterable([], ["x"]).next()
    with pytest.raises(BadArgument, match="batch is 0"):
        Arrays({"x": np.zeros(3)}, 0)


def test_a_net_that_reads_itself_needs_nothing():
    source = Itself()
    assert source.next().arrays == {}
    source.restore(source.state())
