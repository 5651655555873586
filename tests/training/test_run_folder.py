import json
from pathlib import Path

import pytest

import c2lab as c2
from c2lab.predictor import files
from c2lab.training import run_folder
from c2lab.training.history import History
from tests.training.models import classifier, pictures


def test_what_a_run_leaves(tmp_path):
    train, test = pictures()
    run = c2.train(classifier(), train, evaluate=test, epochs=1, seed=5, folder=tmp_path, block=True)
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "config.json", "metrics.csv", "events.jsonl", "checkpoints", "init_net.pb", "init_net.pbtxt", "train_net.pb",
        "train_net.pbtxt", "test_net.pb", "test_net.pbtxt",
    }  # fmt: skip
    config = run_folder.read_config(run.folder)
    assert config["settings"]["seed"] == 5
    assert set(config["versions"]) >= {"jax", "numpy", "python", "c2lab"}
    assert files.read_net(run.folder / "train_net.pb") == run.stepper.nets.step
    events = [event["event"] for event in run_folder.read_events(run.folder)]
    assert events[0] == "started"
    assert events[-1] == "ended"
    assert {"evaluation", "checkpoint"} <= set(events)


def test_names_are_safe_and_differ(tmp_path):
    first, second = (run_folder.new_folder("../a b/c", tmp_path) for _ in range(2))
    assert first != second
    assert first.parent == second.parent == tmp_path
    assert first.name.startswith("a-b-c-")


def test_the_root_follows_the_environment(monkeypatch):
    monkeypatch.setenv("C2LAB_RUNS", "somewhere")
    assert run_folder.root() == Path("somewhere")
    monkeypatch.delenv("C2LAB_RUNS")
    assert run_folder.root() == Path("runs")


def test_a_full_disk_loses_no_number(tmp_path, monkeypatch):
    history = History(["loss"])
    folder = run_folder.RunFolder(tmp_path, history)
    history.add([1.0])
    folder.flush(now=True)
    history.add([2.0])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", _full)
        folder.flush(now=True)
        folder.event("marker", step=1, text="lost")
    assert folder.problem is not None
    history.add([3.0])
    folder.flush(now=True)
    assert folder.problem is None
    assert run_folder.read_history(tmp_path).column("loss").tolist() == [1, 2, 3]


def _full(*_, **__):
    raise OSError(28, "No space left on device")


def test_lines_that_were_cut_off_are_left_out(tmp_path):
    (tmp_path / "events.jsonl").write_text(json.dumps({"event": "started", "step": 0}) + '\n{"event": "mar')
    assert [event["event"] for event in run_folder.read_events(tmp_path)] == ["started"]


def test_what_happened_after_the_checkpoint_is_forgotten(tmp_path):
    folder = run_folder.RunFolder(tmp_path, History([]))
    for step in (2, 5):
        folder.event("evaluation", step=step, values={"test_loss": float(step)})
    folder.event("resumed", step=3)
    folder.event("evaluation", step=4, values={"test_loss": 4.0})
    assert run_folder.read_history(tmp_path).tests == {"test_loss": [(2, 2.0), (4, 4.0)]}


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of a run"):
        run_folder.read_config(tmp_path)
