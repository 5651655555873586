"""Waits that end when something beside them fails."""

from __future__ import annotations

import threading

import pytest

from c2lab.operators.waiting import Together, WaitEnded, current_group, wait_for


def waiting_thread(group, started, outcome):
    condition = threading.Condition()

    def work():
        try:
            with group, condition:
                started.set()
                outcome.append(wait_for(condition, lambda: False))
        except WaitEnded as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_end_of_a_group_reaches_all_its_parts(depth):
    outer = group = Together()
    for _ in range(depth):
        group = Together(group)
    started, outcome = threading.Event(), []
    thread = waiting_thread(group, started, outcome)
    assert started.wait(30)
    outer.end()
    thread.join(30)
    assert isinstance(outcome[0], WaitEnded)


def test_nobody_waits_after_the_end():
    group = Together()
    group.end()
    for part in (group, Together(group)):
        with part, threading.Condition() as _, pytest.raises(WaitEnded):
            part.require_going()


def test_a_part_that_left_is_not_told():
    outer = Together()
    part = Together(outer)
    outer.leave(part)
    outer.end()
    part.require_going()


def test_alone_a_wait_is_a_plain_wait():
    condition = threading.Condition()
    assert current_group() is None
    with condition:
        assert wait_for(condition, lambda: True)
        assert not wait_for(condition, lambda: False, 0.01)


def test_in_a_group_a_wait_is_bounded_too():
    condition = threading.Condition()
    with Together() as group, condition:
        assert current_group() is group
        assert wait_for(condition, lambda: True)
        assert not wait_for(condition, lambda: False, 0.01)
    assert current_group() is None
