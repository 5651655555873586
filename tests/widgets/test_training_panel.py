import numpy as np
import pytest

import c2lab as c2
from c2lab.widgets.training_panel import TrainingPanel
from tests.training.models import classifier, pictures

TRAIN, TEST = pictures()


class Watched(TrainingPanel):
    """A panel whose messages are kept, and which looks at its run only when asked to."""

    def __init__(self, run):
        self.messages = []
        super().__init__(run)

    def _follow(self):
        pass

    def send(self, content, buffers=None):
        self.messages.append((content, buffers or []))

    def of(self, kind):
        return [(content, buffers) for content, buffers in self.messages if content["kind"] == kind]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel")
    c2.train(classifier(), TRAIN, steps=4, folder=folder, name="earlier", block=True)
    return c2.train(classifier(), TRAIN, evaluate=TEST, epochs=1, folder=folder, block=True)


@pytest.fixture
def panel(run):
    panel = Watched(run)
    yield panel
    panel.close()


def columns(message):
    content, (buffer,) = message
    return np.frombuffer(buffer).reshape(len(content["names"]) + 1, content["count"])


def test_a_view_that_opens_gets_everything(panel, run):
    panel.do("hello")
    steps, loss, *_ = columns(panel.of("rows")[0])
    assert steps.tolist() == list(range(1, 23))
    assert np.array_equal(loss, run.curve("loss"))
    (known, _), (state, _) = panel.of("known")[0], panel.of("state")[0]
    assert "hidden_w" in known["blobs"]
    assert known["runs"][0].startswith("earlier-")
    assert (state["state"], state["step"], state["planned"]) == ("done", 22, 22)
    assert panel.of("tests")[0][0]["tests"]["test_loss"] == run.history.tests["test_loss"]
    assert np.sum(panel.of("evaluation")[0][0]["confusion"]) == len(TEST[1])


def test_then_only_what_is_new(panel):
    panel.do("hello")
    panel.messages.clear()
    panel.refresh()
    assert panel.messages == []


def test_rows_come_once_each_while_it_runs():
    run = c2.train(classifier(), TRAIN, steps=30, keep=False)
    panel = Watched(run)
    while not run.ended:
        panel.refresh()
    panel.refresh()
    seen = np.concatenate([columns(message)[0] for message in panel.of("rows")])
    assert seen.tolist() == list(range(1, 31))
    panel.close()


def test_a_long_past_is_thinned(panel, run, monkeypatch):
    monkeypatch.setattr("c2lab.widgets.training_panel._MOST_ROWS", 10)
    panel.do("hello")
    assert panel.of("rows")[0][0]["count"] <= 11


def test_the_buttons_steer_the_run():
    run = c2.train(classifier(), TRAIN, epochs=100_000, keep=False)
    panel = Watched(run)
    panel._receive(None, {"command": "pause"}, [])
    assert run.wait_until(lambda r: r.state == "paused")
    before = run.steps_done
    panel._receive(None, {"command": "rate", "value": 0.5}, [])
    panel._receive(None, {"command": "step"}, [])
    assert run.wait_until(lambda r: r.steps_done == before + 1)
    assert run.rate == pytest.approx(0.5)
    panel.refresh()
    assert panel.of("markers")[-1][0]["markers"] == [(before, "rate 0.5")]
    panel._receive(None, {"command": "go"}, [])
    assert run.wait_until(lambda r: r.steps_done > before + 2)
    panel._receive(None, {"command": "stop"}, [])
    assert run.wait(60)
    assert run.state == "stopped"
    panel.close()


def test_what_cannot_be_done_is_told_not_raised(panel):
    for message in (
        {"command": "rate", "value": "fast"}, {"command": "rate", "value": -1}, {"command": "pin", "value": "nothing"},
        {"command": "dance"}, {"command": "overlay", "value": "nothing"}, {},
    ):  # fmt: skip
        panel.messages.clear()
        panel._receive(None, message, [])
        assert [content["kind"] for content, _ in panel.messages] == ["problem"], message
    panel._receive(None, "no message", [])


def test_pinned_blobs(panel, run):
    panel.do("pin", "hidden_w")
    content, (counts, images) = panel.of("pin")[0]
    assert np.frombuffer(counts, np.float32).sum() == 64 * 16
    assert content["norm"] == pytest.approx(np.linalg.norm(run.fetch("hidden_w")), rel=1e-5)
    assert len(images) == np.prod(content["shape"])
    panel.do("hello")
    assert len(panel.of("pin")) == 2
    panel.do("unpin", "hidden_w")
    panel.do("hello")
    assert len(panel.of("pin")) == 2


def test_other_runs_and_numbers_to_take_away(panel, run):
    panel.do("overlay", panel.run.folder.name)
    assert np.array_equal(columns(panel.of("overlay")[0])[1], run.curve("loss"))
    panel.do("csv")
    assert panel.of("csv")[0][1] == [run.history.csv().encode()]
    assert (run.folder / "metrics.csv").read_text() == run.history.csv()


def test_a_still_picture_remains(panel):
    data, _ = panel._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<?xml")
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "done" in data["text/plain"]


def test_a_run_has_one_panel(run):
    first = run.panel()
    assert run.panel() is first
    first.close()
