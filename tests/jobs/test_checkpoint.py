"""Checkpoints after each epoch, and going on from any of them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.operations import ops
from c2lab.control.session import LocalSession
from c2lab.control.task import Cluster, Node, Task, TaskGroup, WorkspaceType
from c2lab.data.dataset import Dataset
from c2lab.data.limited_readers import ReaderWithLimit
from c2lab.data.pipeline import pipe
from c2lab.data.schema import ConstRecord, Struct
from c2lab.jobs.checkpoint import CheckpointManager, MultiNodeCheckpointManager, db_name, get_ckpt_filename
from c2lab.jobs.job import Job, JobRunner, epoch_limiter

TOTALS = [103, 115, 136, 145]  # 100, and then 0 + 1 + 2, 3 + 4 + 5, 6 + 7 + 8, 9 and the end of the data


def summing(number=0):
    """Adds ten numbers to a total, three an epoch, on a node of its own; the blob of the total."""
    with Node(f"reader_{number}"):
        with Job.current().init_group, Task():
            data = ConstRecord(ops, Struct(("val", np.arange(10))))
            reader = Dataset(data, name=f"numbers_{number}").reader(ops)
            total = ops.Const(np.int64([100]), blob_out=core.BlobReference(f"total_{number}"))
        limited = ReaderWithLimit(reader, num_iter=3)

        def add(record):
            ops.Add([total, record.val()], [total])

        pipe(limited, processor=add)
        Job.current().add_stop_condition(limited.data_finished())
    return total


@pytest.fixture
def job():
    with Cluster(), Job() as job:
        summing()
    job.compile(LocalSession)
    return job


KINDS = {
    "one node": lambda folder: CheckpointManager(folder, "reader_0", "minidb"),
    "many nodes": lambda folder: MultiNodeCheckpointManager(folder, "minidb"),
}


@pytest.fixture(params=KINDS)
def manager(request, tmp_path):
    """Makes managers of the same checkpoints."""
    return lambda: KINDS[request.param](str(tmp_path))


def total(session):
    return session._ws.blobs["total_0"].fetch().item()


def fresh():
    return LocalSession(workspace.C.Workspace())


def test_training_goes_on_after_any_epoch(job, manager):
    session = fresh()
    assert JobRunner(job, manager()).train(session) == len(TOTALS)
    assert total(session) == TOTALS[-1]
    for epoch in range(1, len(TOTALS)):
        again = fresh()
        assert JobRunner(job, manager(), resume_from_epoch=epoch).train(again) == len(TOTALS)
        assert total(again) == TOTALS[-1]


def test_the_state_of_every_epoch_comes_back(job, manager):
    session, checkpoints = fresh(), manager()
    JobRunner(job, checkpoints).train(session)
    for epoch, expected in enumerate([100, *TOTALS]):
        session.run(checkpoints.load(epoch))
        assert total(session) == expected


def test_a_job_that_was_cut_off_goes_on(job, manager, monkeypatch):
    class CutOff(Exception):
        pass

    class Sudden(JobRunner):
        def save_checkpoints(self, epoch, session):
            super().save_checkpoints(epoch, session)
            if epoch == 2:
                raise CutOff

    with pytest.raises(CutOff):
        Sudden(job, manager()).train(fresh())
    session = fresh()
    assert JobRunner(job, manager(), resume_from_epoch=2).train(session) == 4
    assert total(session) == TOTALS[-1]


def test_some_blobs_are_loaded_where_nothing_else_is(job, manager):
    JobRunner(job, manager()).train(fresh())
    session = fresh()
    runner = JobRunner(job, manager())
    for epoch, expected in enumerate(TOTALS, 1):
        assert runner.load_blobs_from_checkpoints(["total_0", "no_such_blob"], epoch, session)
        assert total(session) == expected
    assert not runner.load_blobs_from_checkpoints(["total_0"], 5, session)
    assert "val" not in session._ws.blobs


def test_a_counter_of_epochs_is_resumed(tmp_path):
    with Cluster(), Job() as job, job.init_group, Task():
        ops.Const([0.0], blob_out=core.BlobReference("weight"))
    epoch_limiter(job, 5)
    job.compile(LocalSession)
    make = KINDS["many nodes"]
    assert JobRunner(job, make(str(tmp_path))).train(fresh()) == 5
    assert JobRunner(job, make(str(tmp_path)), resume_from_epoch=2).train(fresh()) == 5


def test_each_node_has_files_of_its_own(tmp_path):
    manager = MultiNodeCheckpointManager(str(tmp_path), "minidb")
    with Cluster(), Job() as job:
        for number in range(3):
            summing(number)
    job.compile(LocalSession)
    with pytest.raises(AssertionError, match="init must be called first"):
        manager.save(1)
    manager.init(job.nodes_to_checkpoint())
    assert manager.get_ckpt_db_name("reader_1", 5) == str(tmp_path / "reader_1.5")
    assert manager.get_ckpt_db_name("elsewhere", 5) is None
    assert manager.init(job.nodes_to_checkpoint()).num_registered_tasks() == 0
    with pytest.raises(AssertionError, match="now they are"):
        manager.init(["elsewhere"])
    session = fresh()
    JobRunner(job, MultiNodeCheckpointManager(str(tmp_path), "minidb")).train(session)
    written = {f"reader_{number}.{epoch}" for number in range(3) for epoch in range(5)}
    assert set(os.listdir(tmp_path)) == written
    loaded = fresh()
    runner = JobRunner(job, MultiNodeCheckpointManager(str(tmp_path), "minidb"))
    assert runner.load_blobs_from_checkpoints(["total_1", "total_2"], 2, loaded)
    assert [loaded._ws.blobs[f"total_{number}"].fetch().item() for number in (1, 2)] == [TOTALS[1]] * 2


def test_paths():
    assert get_ckpt_filename("node", 3) == "node.3"
    assert db_name(3, "node", "/folder") == os.path.join("/folder", "node.3")
    assert db_name(3, "node", "/folder", path_prefix="/other/run-") == "/other/run-node.3"


def test_another_place_is_loaded_from(job, tmp_path):
    session, manager = fresh(), CheckpointManager(str(tmp_path), "reader_0", "minidb")
    JobRunner(job, manager).train(session)
    os.rename(tmp_path / "reader_0.2", tmp_path / "moved-reader_0.2")
    session.run(manager.load(2, path_prefix=str(tmp_path / "moved-"), path_type="minidb"))
    assert total(session) == TOTALS[1]


class Handler:
    """Keeps track of checkpoints."""

    def __init__(self, last=None, accessible=True):
        self.last, self.accessible, self.told, self.stats = last, accessible, [], {}

    def set_params(self, **params):
        self.params = params

    def write(self, epoch):
        self.told.append(epoch)

    def last_epoch(self, user_epoch):
        return self.last if user_epoch is None else user_epoch

    def report(self, action_name, stats):
        self.stats[action_name] = stats

    def cp_accessible(self, epoch):
        return self.accessible


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_is_told_and_asked(job, tmp_path, kind):
    handler = Handler()

    def make():
        manager = KINDS[kind](str(tmp_path))
        manager._metadata_handler = handler
        return manager

    JobRunner(job, make()).train(fresh())
    assert handler.told == [0, 1, 2, 3, 4]
    assert handler.params["node_names"] == ["reader_0"]
    assert (handler.params["db_prefix"], handler.params["db_type"]) == (str(tmp_path), "minidb")
    ((path, nanoseconds),) = handler.stats["checkpoint_save"].items()
    assert path == str(tmp_path / "reader_0.4")
    assert nanoseconds > 0
    handler.last = 3
    session = fresh()
    assert JobRunner(job, make()).train(session) == 4
    assert "checkpoint_load" in handler.stats


def test_checkpoints_that_cannot_be_written_do_not_end_training(job, tmp_path, caplog):
    missing = CheckpointManager(str(tmp_path / "no" / "folder"), "reader_0", "minidb")
    assert JobRunner(job, missing).train(fresh()) == 4
    assert caplog.text.count("Unable to write checkpoint") == 5
    away = CheckpointManager(str(tmp_path), "reader_0", "minidb", Handler(accessible=False))
    assert JobRunner(job, away).train(fresh()) == 4
    assert os.listdir(tmp_path) == []


def test_what_comes_in_the_wrong_order_is_said(tmp_path):
    manager = CheckpointManager(str(tmp_path), "node", "minidb")
    with pytest.raises(AssertionError, match="init must be called first"):
        manager.blob_list()
    with pytest.raises(AssertionError, match="only supports single node"):
        manager.init(nodes=["a", "b"])
    stats = {}
    manager.collect_checkpoint_stats(stats)
    assert stats == {}


def test_the_names_of_blobs_are_those_after_the_init_group(tmp_path):
    manager = CheckpointManager(str(tmp_path), "node", "minidb")
    session = fresh()
    with TaskGroup(WorkspaceType.GLOBAL) as group, Task():
        ops.Const([1.0], blob_out=core.BlobReference("w"))
    session.run(group)
    session.run(manager.init(nodes=["node"]))
    assert {"w", "blob_names"} <= set(manager.blob_list())
