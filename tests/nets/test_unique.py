"""Names that are given only once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from c2lab.nets.unique import UniqueNames


def test_names_count_up():
    names = UniqueNames()
    assert [names.take("a"), names.take("a"), names.take("a_1"), names.take("b")] == ["a", "a_1", "a_1_1", "b"]


def test_threads_never_share_a_name():
    names = UniqueNames()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: names.take("a"), range(200)))
    assert len(set(taken)) == 200
