"""A training log as CSV."""

from __future__ import annotations

import csv

import pytest

from c2lab.compat.experiment_log import ExternalLogger, ModelTrainerLog


class Heard(ExternalLogger):
    def __init__(self):
        self.arguments, self.rows = None, []

    def set_runtime_args(self, runtime_args):
        self.arguments = runtime_args

    def log(self, log_dict):
        self.rows.append(log_dict)


def test_rows_are_written_and_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heard = Heard()
    log = ModelTrainerLog("run", {"batch": 4}, [heard])
    log.log(40, 10, {"loss": 0.5})
    log.log(80, 20, {"loss": 0.25})
    lines = [line for line in (tmp_path / log.filename).read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["loss"] for row in rows] == ["0.5", "0.25"]
    assert rows[1]["input_count"] == "80"
    assert heard.arguments == {"batch": 4}
    assert [row["batch_count"] for row in heard.rows] == [10, 20]


def test_loggers_must_log():
    with pytest.raises(NotImplementedError, match="must define log"):
        ExternalLogger().log({})
