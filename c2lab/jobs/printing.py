"""Tasks, groups of tasks and jobs for ``net_printer``: as text, and checked for blobs that nothing writes."""

from __future__ import annotations

from c2lab.control.task import Task, TaskGroup, WorkspaceType
from c2lab.graph.net_printer import Analyzer, Printer, call
from c2lab.jobs.job import Job
from c2lab.plan import Plan

LARGEST = 2**26  # bytes that a plan may take


def _plan(task: Task) -> Plan:
    plan = Plan(task.node)
    plan.AddStep(task.get_step())
    return plan


@Analyzer.register(Task)
def analyze_task(analyzer: Analyzer, task: Task) -> None:
    """The task's step; what a private task makes is gone after it.

    Raises:
        AssertionError: The task is too large to be sent anywhere.
    """
    plan = _plan(task)
    size = plan.Proto().ByteSize()
    if size >= LARGEST:
        raise AssertionError(
            f"Due to a protobuf limitation, tasks are smaller than {LARGEST} bytes; {task} has {size}."
        )
    with analyzer.set_workspace(do_copy=task.workspace_type() != WorkspaceType.GLOBAL):
        analyzer(plan)


@Analyzer.register(TaskGroup)
def analyze_task_group(analyzer: Analyzer, tg: TaskGroup) -> None:
    """The tasks, in the workspace of each one's node."""
    for task in tg.tasks_by_node().tasks():
        with analyzer.set_workspace(node=task.node):
            analyzer(task)


@Analyzer.register(Job)
def analyze_job(analyzer: Analyzer, job: Job) -> None:
    """All groups of tasks, in order."""
    for group in (job.init_group, job.epoch_group, job.download_group, job.exit_group):
        analyzer(group)


@Printer.register(Task)
def print_task(text: Printer, task: Task) -> None:
    """Where and how the task runs, what it leaves, and its step."""
    about = [("node", task.node), ("name", task.name), ("workspace_type", task.workspace_type())]
    with text.context(call("Task", [(key, repr(value)) for key, value in about])):
        text(_plan(task))
        for name in task.output_list().names():
            text.add(f"# leaves {name}")


@Printer.register(TaskGroup)
def print_task_group(text: Printer, tg: TaskGroup, header: str | None = None) -> None:
    """The tasks, by node."""
    with text.context(header or call("TaskGroup")):
        for task in tg.tasks_by_node().tasks():
            text(task)


@Printer.register(Job)
def print_job(text: Printer, job: Job) -> None:
    """All groups of tasks, in order, and what ends the job."""
    with text.context(call("Job")):
        for name in ("init_group", "epoch_group", "download_group", "exit_group"):
            print_task_group(text, getattr(job, name), header=f"job.{name}")
        for output in job.stop_conditions:
            text.add(call("job.add_stop_condition", [str(name) for name in output.names]))
