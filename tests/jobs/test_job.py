"""Jobs run epoch by epoch until a condition holds."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.operations import ops
from c2lab.control.session import CompiledRunnable, LocalSession
from c2lab.control.task import Node, Task, TaskGroup, WorkspaceType
from c2lab.jobs.job import Job, JobRunner, UploadTaskGroupBuilder, epoch_limiter


def marking(name):
    """A net that counts how often it ran, in the blob of its name."""
    net = core.Net(name)
    net.Iter([], [f"{name}_runs"])
    return net


def runs(name):
    return int(workspace.FetchBlob(f"{name}_runs")[0]) if workspace.HasBlob(f"{name}_runs") else 0


def build(epochs=None):
    with Job(epoch_group=TaskGroup(WorkspaceType.GLOBAL)) as job:
        for name in ("init", "download", "exit"):
            with getattr(job, f"{name}_group"):
                Task(step=marking(name), workspace_type=WorkspaceType.GLOBAL)
        Task(step=marking("epoch"))
    if epochs:
        epoch_limiter(job, epochs)
    return job


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("epochs", [1, 4])
def test_groups_run_as_often_as_they_should(epochs, compiled):
    job = build(epochs)
    if compiled:
        job.compile(LocalSession)
        assert isinstance(job.epoch_group, CompiledRunnable)
    with LocalSession() as session:
        assert JobRunner(job).train(session) == epochs
    assert [runs(name) for name in ("init", "epoch", "download", "exit")] == [1, epochs, 1, 1]


def test_any_condition_ends_it():
    job = build()
    for limit in (5, 2, 9):
        epoch_limiter(job, limit)
    with LocalSession() as session:
        assert JobRunner(job).train(session) == 2


def test_a_blob_is_a_condition():
    job = build()
    workspace.FeedBlob("three", np.int64([3]))
    with job.epoch_group:
        net = marking("more")
        job.add_stop_condition(net.GE(["more_runs", "three"], "over"))
        Task(step=net)
    workspace.FeedBlob("over", np.array([False]))
    with LocalSession() as session:
        # Beside each other the condition may be read before it is set: one epoch more at most.
        assert JobRunner(job).train(session) in (3, 4)
    with pytest.raises(AssertionError, match="BlobReference or TaskOutput, not str"):
        job.add_stop_condition("over")


def test_nodes_are_those_of_the_init_group():
    with Job() as job:
        assert Job.current() is job
        for name in ("b", "a"):
            with Node(name), job.init_group, Task():
                ops.Const(1)
    assert job.nodes_to_checkpoint() == ["b", "a"]
    assert Job(nodes_to_checkpoint=["c"]).nodes_to_checkpoint() == ["c"]
    job.compile(LocalSession)
    assert job.nodes_to_checkpoint() == ["b", "a"]


def test_the_last_checkpoints_are_carried_away():
    class Uploading(UploadTaskGroupBuilder):
        def build(self, epoch, checkpoint_manager):
            with TaskGroup(WorkspaceType.GLOBAL) as group:
                Task(step=marking(f"upload_{epoch}_{checkpoint_manager}"))
            return group

    with LocalSession() as session:
        JobRunner(build(2), upload_task_group_builder=Uploading()).train(session)
    assert runs("upload_2_None") == 1
    with pytest.raises(NotImplementedError, match="carried away"):
        UploadTaskGroupBuilder().build(1, None)


def test_loading_needs_a_manager():
    with LocalSession() as session, pytest.raises(ValueError, match="Checkpoint manager is None"):
        JobRunner(build(1)).load_blobs_from_checkpoints(["x"], 1, session)


def test_a_failing_epoch_is_told():
    job = build(3)
    with job.epoch_group, Task(workspace_type=WorkspaceType.GLOBAL):
        ops.Relu("nowhere", "y")
    with LocalSession() as session, pytest.raises(RuntimeError, match="nowhere"):
        JobRunner(job).train(session)
