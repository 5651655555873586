"""Tasks and jobs as text, and what is wrong with them."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.control.nodes import Cluster, Node
from c2lab.control.operations import ops
from c2lab.control.task import Task, TaskGroup, WorkspaceType, final_output
from c2lab.errors import MissingBlob
from c2lab.graph import net_printer
from c2lab.jobs.job import Job


def example():
    with Cluster(), Job() as job:
        with job.init_group, Task():
            total = ops.Const(0, blob_out=core.BlobReference("total"))
            with ops.loop(10) as loop:
                with ops.If(ops.GE([loop.iter(), ops.Const(8)])) as large:
                    ops.Add([total, loop.iter()], [total])
                with large.Else():
                    ops.Add([total, ops.Const(1)], [total])
        with Task():
            with ops.task_init():
                one = ops.Const(1)
            two = ops.Add([one, one])
            with ops.task_exit():
                final_output(ops.Add([two, total]))
    return job


def test_a_job_as_text():
    text = net_printer.to_string(example())
    for part in ("Job()", "job.init_group", "job.epoch_group", "Task(node='local'", "Const", "should_stop_blob"):
        assert part in text
    assert net_printer.to_string(example().init_group).startswith("TaskGroup():")


def test_a_good_job_passes():
    net_printer.analyze(example())


@pytest.mark.parametrize("kind", [AssertionError, MissingBlob])
def test_a_blob_that_nothing_writes(kind):
    job = example()
    with job, Task():
        ops.Add(["nowhere", "total"])
    with pytest.raises(kind, match="Blob nowhere is read"):
        net_printer.analyze(job)


def test_blobs_that_two_tasks_make():
    job = Job(epoch_group=TaskGroup(WorkspaceType.GLOBAL))
    with job:
        for _ in range(2):
            with Task():
                ops.Const(1, blob_out=core.BlobReference("same"))
    with pytest.raises(AssertionError, match=r"Blobs created by multiple parallel steps: .*same"):
        net_printer.analyze(job)


def test_private_blobs_do_not_meet_and_do_not_stay():
    job = example()
    with job:
        for _ in range(2):
            with Task():
                ops.Const(1, blob_out=core.BlobReference("same"))
        with job.exit_group, Task():
            ops.Copy("same")
    with pytest.raises(MissingBlob, match="same"):
        net_printer.analyze(job)


def test_nodes_do_not_see_each_other():
    with Cluster(), TaskGroup(WorkspaceType.GLOBAL) as group:
        with Node("a"), Task():
            ops.Const(1, blob_out=core.BlobReference("on_a"))
        with Node("b"), Task():
            ops.Copy("on_a")
    with pytest.raises(MissingBlob, match="on_a"):
        net_printer.analyze(group)


def test_old_names():
    assert net_printer.analyze_job.__name__ == "analyze_job"
    assert net_printer.print_task_group.__name__ == "print_task_group"
    with pytest.raises(AttributeError):
        _ = net_printer.print_nothing
