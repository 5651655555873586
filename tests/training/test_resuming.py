import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import c2lab as c2
from c2lab.errors import BadArgument
from c2lab.training import run_folder
from tests.training.models import classifier, pictures

TRAIN, TEST = pictures()
SETTINGS = {"epochs": 3, "optimizer": "adam", "rate": 0.002, "evaluate": TEST}
SCRIPT = """
    import os, signal, sys
    import c2lab as c2
    from tests.training.models import classifier, pictures
    def kill(run):
        if run.steps_done == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    train, test = pictures()
    c2.train(classifier(dropout=0.3), train, epochs=3, optimizer="adam", rate=0.002, evaluate=test,
             folder=sys.argv[1], checkpoint_every=4, callbacks=[kill], block=True)
"""


def numbers(history):
    """All but the times."""
    return history.rows()[:, [k for k, name in enumerate(history.names) if name != "seconds"]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return c2.train(classifier(dropout=0.3), TRAIN, folder=folder, block=True, **SETTINGS)


@pytest.mark.parametrize("step", [2, 37])
def test_after_kill_9_the_curve_is_the_very_same(tmp_path, undisturbed, step):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path), str(step)]
    done = subprocess.run(command, check=False, timeout=180, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    (folder,) = (path for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert c2.runs(tmp_path)[0].state == "interrupted"
    run = c2.resume(folder, block=True)
    assert np.array_equal(numbers(run.history), numbers(undisturbed.history))
    assert run.history.tests == undisturbed.history.tests
    assert np.array_equal(run.fetch("hidden_w"), undisturbed.fetch("hidden_w"))
    kept = run_folder.read_history(folder)
    assert np.array_equal(numbers(kept), numbers(undisturbed.history))
    assert kept.tests == undisturbed.history.tests


def test_stopped_in_this_process_and_gone_on(tmp_path, undisturbed):
    run = c2.train(classifier(dropout=0.3), TRAIN, folder=tmp_path, callbacks=[_stop_at(15)], **SETTINGS)
    run.wait(120)
    assert run.state == "stopped"
    again = c2.resume(run, callbacks=(), block=True)
    assert again.state == "done"
    assert np.array_equal(numbers(again.history), numbers(undisturbed.history))


def _stop_at(step):
    def callback(run):
        if run.steps_done == step:
            run.stop()

    return callback


def test_a_finished_run_can_be_made_longer(tmp_path):
    longer = c2.train(classifier(), TRAIN, steps=12, folder=tmp_path, block=True)
    short = c2.train(classifier(), TRAIN, steps=5, folder=tmp_path, block=True)
    assert np.array_equal(numbers(c2.resume(short, steps=12, block=True).history), numbers(longer.history))


def test_generators_go_on_where_they_were(tmp_path):
    def batches():
        random = np.random.default_rng(1)
        for _ in range(8):
            chosen = random.integers(0, len(TRAIN[0]), 16)
            yield TRAIN[0][chosen], TRAIN[1][chosen]

    whole = c2.train(classifier(), batches, epochs=2, keep=False, block=True)
    run = c2.train(classifier(), batches, epochs=2, folder=tmp_path, callbacks=[_stop_at(11)])
    run.wait(120)
    with pytest.raises(BadArgument, match="Python object"):
        c2.resume(run.folder)
    again = c2.resume(run.folder, batches, block=True)
    assert np.array_equal(again.curve("loss"), whole.curve("loss"))


def test_other_data_is_refused(tmp_path):
    run = c2.train(classifier(), TRAIN, steps=2, folder=tmp_path, block=True)
    with pytest.raises(BadArgument, match="trained on other data: data was"):
        c2.resume(run.folder, (TRAIN[0] + 1, TRAIN[1]), steps=4)


def test_what_cannot_be_resumed_says_why(tmp_path):
    with pytest.raises(FileNotFoundError, match="is the folder of a run"):
        c2.resume(tmp_path / "nothing")
    run = c2.train(classifier(), TRAIN, steps=1, keep=False, block=True)
    with pytest.raises(BadArgument, match="was not kept"):
        c2.resume(run)


def test_a_running_run_is_not_resumed(tmp_path):
    run = c2.train(classifier(), TRAIN, epochs=1000, folder=tmp_path)
    try:
        with pytest.raises(BadArgument, match="still running"):
            c2.resume(run)
    finally:
        run.stop()
        run.wait(60)


def test_back_to_an_earlier_step(tmp_path):
    run = c2.train(classifier(), TRAIN, steps=6, checkpoint_every=3, folder=tmp_path, block=True)
    again = c2.resume(run, step=3, block=True)
    assert again.history.names == run.history.names
    assert np.array_equal(numbers(again.history), numbers(run.history))
