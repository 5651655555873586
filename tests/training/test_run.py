import gc
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import c2lab as c2
from c2lab.training.run import running
from tests.training.models import classifier, pictures

TRAIN, TEST = pictures()


def test_it_returns_at_once_and_ends_by_itself():
    run = c2.train(classifier(), TRAIN, epochs=2, keep=False)
    assert run in running() or run.ended
    assert run.wait(120)
    assert run not in running()
    assert (run.state, run.steps_done, run.epoch, run.steps_planned) == ("done", 44, 2, 44)
    assert repr(run) == "<TrainingRun 'small', done, step 44 of 44>"


def test_interrupted_at_any_moment_everything_is_of_one_step():
    twin = c2.train(classifier(dropout=0.2), TRAIN, steps=40, keep=False, optimizer="adam", rate=0.001, block=True)
    run = c2.train(classifier(dropout=0.2), TRAIN, steps=40, keep=False, optimizer="adam", rate=0.001)
    random = np.random.default_rng(0)
    while not run.ended:
        run.pause()
        run.wait_until(lambda r: r.state == "paused")
        held = run.fetch_all(["optimizer_iteration", "hidden_w", "hidden_w_first_moment"])
        assert held["optimizer_iteration"].item() == run.steps_done
        if run.steps_done:
            assert np.abs(held["hidden_w_first_moment"]).sum() > 0
        run.step(int(random.integers(1, 6)))
        run.wait_until(lambda r: r.state == "paused" and r._control.waiting)
    assert np.array_equal(run.curve("loss"), twin.curve("loss"))
    assert np.array_equal(run.fetch("hidden_w"), twin.fetch("hidden_w"))


def test_a_process_that_ends_stops_its_runs():
    code = """
        import c2lab as c2
        from tests.training.models import classifier, pictures
        run = c2.train(classifier(), pictures()[0], epochs=100000, keep=False)
        run.wait_until(lambda r: r.steps_done > 3)
        print("leaving")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")


def test_stopped_in_the_middle_of_an_evaluation_it_begins_with_it(tmp_path):
    calls = []

    def stopping(run):
        if run.steps_done == 22 and not calls:
            calls.append(run)
            run.stop()  # the evaluation of the first epoch comes next

    whole = c2.train(classifier(), TRAIN, evaluate=TEST, epochs=2, keep=False, block=True)
    run = c2.train(classifier(), TRAIN, evaluate=TEST, epochs=2, folder=tmp_path, callbacks=[stopping])
    run.wait(120)
    assert (run.state, run.history.tests) == ("stopped", {})
    again = c2.resume(run, block=True)
    assert again.history.tests == whole.history.tests


def test_many_runs_leave_nothing_running():
    for _ in range(3):
        c2.train(classifier(), TRAIN, steps=1, keep=False, block=True)
    gc.collect()
    assert running() == []


def test_waiting_has_an_end():
    run = c2.train(classifier(), TRAIN, epochs=100_000, keep=False)
    assert not run.wait(0.01)
    assert not run.wait_until(lambda r: False, 0.01)
    run.stop()
    assert run.wait(60)
    with pytest.raises(Exception, match="not kept"):
        run.snapshot()
