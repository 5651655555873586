import numpy as np
import pytest

import c2lab as c2
from c2lab.errors import BadArgument
from tests.training.models import constant, line, pictures

TRAIN, TEST = pictures()


@pytest.fixture
def paused():
    run = c2.train(
        line(), constant(), batch=4, rate=0.1, steps=1000, keep=False, policy="step", stepsize=5, gamma=0.5,
        callbacks=[lambda r: r.pause() if r.steps_done == 1 else None],
    )  # fmt: skip
    assert run.wait_until(lambda r: r.state == "paused")
    yield run
    run.stop()
    run.wait(60)


def steps(run, number):
    wanted = run.steps_done + number
    run.step(number)
    assert run.wait_until(lambda r: r.steps_done == wanted and r.state == "paused" and r._control.waiting)


def test_a_rate_holds_from_the_next_step_on_and_its_policy_goes_on(paused):
    paused.set_rate(0.2)
    steps(paused, 1)
    assert paused.fetch("w").item() == pytest.approx(2 * 0.9 * 0.8, rel=1e-5)
    steps(paused, 5)
    assert paused.rate == pytest.approx(0.1)
    assert paused.history.markers == [(1, "rate 0.2")]


def test_a_rate_that_is_set_twice_before_a_step_is_the_last_one(paused):
    paused.set_rate(0.4)
    paused.set_rate(0.2)
    assert paused.rate == pytest.approx(0.2)
    steps(paused, 1)
    assert paused.rate == pytest.approx(0.2)
    assert paused.fetch("w").item() == pytest.approx(2 * 0.9 * 0.8, rel=1e-5)


def test_from_zero_a_rate_comes_back(paused):
    paused.set_rate(0.0)
    steps(paused, 1)
    before = paused.fetch("w").item()
    paused.set_rate(0.1)
    steps(paused, 1)
    assert paused.fetch("w").item() == pytest.approx(before * 0.9, rel=1e-5)


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_what_is_no_rate(paused, rate):
    with pytest.raises(BadArgument, match="must be a number from 0 on"):
        paused.set_rate(rate)
    with pytest.raises(BadArgument, match="at least 1"):
        paused.step(0)
    with pytest.raises(BadArgument, match="no loss scale"):
        paused.set_loss_scale(2.0)


def test_stop_ends_a_paused_run(paused):
    paused.stop()
    assert paused.wait(60)
    assert (paused.state, paused.steps_done) == ("stopped", 1)


def test_figures_and_blobs(paused):
    figures = paused.figures()
    assert figures["samples_a_second"] == pytest.approx(4 * figures["steps_a_second"])
    assert figures["seconds_left"] == pytest.approx(999 / figures["steps_a_second"])
    assert 0 <= figures["input_wait"] <= 1
    assert set(paused.fetch_all(["w", "y"])) == {"w", "y"}
    assert np.array_equal(paused.curve("loss"), [2.0])
