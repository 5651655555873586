import time
import types

import pytest

from c2lab.training import pace


@pytest.fixture
def clock(monkeypatch):
    now = types.SimpleNamespace(value=0.0)
    monkeypatch.setattr(pace, "time", types.SimpleNamespace(perf_counter=lambda: now.value))
    assert time is not pace.time
    return now


def test_speed_without_the_first_step_and_share_of_waiting(clock):
    found = pace.Pace()
    assert (found.steps_a_second(), found.input_wait()) == (0, 0)
    for seconds in (10.0, 0.5, 0.5):
        found.begin()
        clock.value += seconds
        found.end()
    found.waited(1.1)
    assert found.steps_a_second() == 2
    assert found.seconds == 11
    assert found.input_wait() == pytest.approx(0.1)


def test_between_steps_counts_and_pauses_do_not(clock):
    found = pace.Pace()
    for gap in (0.0, 1.0):
        clock.value += gap
        found.begin()
        clock.value += 1.0
        found.end()
    assert found.seconds == 3
    found.rest()
    clock.value += 100
    found.begin()
    clock.value += 1
    found.end()
    assert found.seconds == 4
