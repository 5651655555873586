import importlib.metadata

import pytest

import c2lab as c2
from c2lab.training import hooks
from tests.training.models import classifier, pictures


class Tracker:
    ended: list = []  # noqa: RUF012

    def __call__(self, run):
        self.steps = run.steps_done

    def on_end(self, run):
        self.ended.append((run.state, self.steps))


def fails():
    raise RuntimeError("no server")


@pytest.fixture
def entries(monkeypatch):
    def install(*names):
        found = [importlib.metadata.EntryPoint(n, f"{__name__}:{n}", hooks.GROUP) for n in names]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found if group == hooks.GROUP else [])

    return install


def test_an_installed_package_follows_every_run(entries):
    entries("Tracker")
    Tracker.ended.clear()
    c2.train(classifier(), pictures()[0], steps=3, keep=False, block=True)
    assert Tracker.ended == [("done", 3)]


def test_one_that_fails_is_told_about(entries):
    entries("fails")
    with pytest.warns(RuntimeWarning, match="training hook fails .* no server"):
        assert hooks.installed() == []
