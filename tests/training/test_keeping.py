import errno
import os

import numpy as np

import c2lab as c2
from c2lab.training import checkpoints, run_folder
from tests.training.models import classifier, pictures

TRAIN, TEST = pictures()


def saved(run):
    return [event["file"] for event in run_folder.read_events(run.folder) if event["event"] == "checkpoint"]


def test_after_so_many_steps_at_the_beginning_and_at_the_end(tmp_path):
    def slowly(run):  # one that is due while another is being written waits for the next time
        run.wait_until(lambda r: not r.keeper.writer.busy)

    run = c2.train(classifier(), TRAIN, steps=7, checkpoint_every=3, callbacks=[slowly], folder=tmp_path, block=True)
    assert saved(run) == [f"step_{step:010}.checkpoint" for step in (0, 3, 6, 7)]
    assert len(checkpoints.all_in(run.folder / "checkpoints")) == 2


def test_a_snapshot_stays(tmp_path):
    made = []

    def at(run):
        if run.steps_done == 2:
            made.append(run.snapshot())

    run = c2.train(classifier(), TRAIN, steps=30, checkpoint_every=5, callbacks=[at], folder=tmp_path, block=True)
    found = checkpoints.read(made[0])
    assert found.step == 2
    assert np.array_equal(found.arrays["optimizer_iteration"], [2])
    assert run.state == "done"


def test_a_disk_that_is_full_ends_no_run(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr("c2lab.predictor.files.os.fsync", lambda handle: None)
    run = c2.train(classifier(), TRAIN, steps=5, keep=False, block=True)
    monkeypatch.undo()
    kept = c2.train(classifier(), TRAIN, steps=5, folder=tmp_path, callbacks=[_break_disk(monkeypatch, full)])
    assert kept.wait(60)
    monkeypatch.undo()
    assert kept.state == "done"
    assert np.array_equal(kept.curve("loss"), run.curve("loss"))
    events = [event for event in run_folder.read_events(kept.folder) if event["event"] == "checkpoint failed"]
    assert "No space left" in events[-1]["reason"]


def _break_disk(monkeypatch, full):
    def callback(run):
        if run.steps_done == 2:
            run.wait_until(lambda r: not r.keeper.writer.busy)
            monkeypatch.setattr(os, "fsync", full)

    return callback
