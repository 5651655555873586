"""Sessions run tasks, groups of tasks, steps and nets, and hand out what tasks leave.

>>> from c2lab.control.operations import ops
>>> from c2lab.control.task import Task, TaskGroup, final_output
>>> with TaskGroup() as group, Task():
...     answer = final_output(ops.Const(42))
>>> with LocalSession() as session:
...     session.run(group)
>>> int(answer.fetch())
42
"""

from __future__ import annotations

from typing import Any, Self

from c2lab import workspace
from c2lab.control.task import Cluster, Task, TaskGroup, TaskOutput, TaskOutputList, WorkspaceType
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, Plan, execution_step

__all__ = [
    "Cluster",
    "CompiledRunnable",
    "LocalSession",
    "Session",
    "Task",
    "TaskGroup",
    "WorkspaceType",
]


class CompiledRunnable:
    """What ``Session.compile`` gives, ready to be run by sessions of the same class.

    Args:
        obj: What the session's class made of it.
        session_class: That class.
    """

    def __init__(self, obj: Any, session_class: type[Session]) -> None:
        self.obj = obj
        self.session_class = session_class


class Session:
    """Runs things while it is open; ``with`` it, it is closed at the end.

    What can be run are groups of tasks, tasks, steps, plans, builders, nets, and lists of nets or steps. The same
    object is compiled once, and can be run again and again.

    A class for some place to run defines ``_compile_task_group(task_group, setup_net_list)``,
    ``_run_compiled(obj)``, and, where there is something to do, ``_do_close()``.
    """

    def __init__(self) -> None:
        self._open = True

    def is_open(self) -> bool:
        """Whether it can run something."""
        return self._open

    @classmethod
    def compile(
        cls, runnable: Any, workspace_type: str | None = None, setup_net_list: list[Any] | None = None
    ) -> CompiledRunnable:
        """Makes something ready to run.

        Args:
            runnable: What to run.
            workspace_type: Whether new blobs are the tasks' own; where left out the group's choice, and for all
                else they stay in the session's workspace.
            setup_net_list: Nets to set up the places where it runs; a local session needs none.

        Raises:
            AssertionError: It was compiled for sessions of another class, or has another ``workspace_type``.
        """
        if isinstance(runnable, CompiledRunnable):
            if runnable.session_class is not cls:
                raise AssertionError(
                    f"Runnable was compiled for different session type. Need: {cls.__name__}, "
                    f"got: {runnable.session_class.__name__}"
                )
            return runnable
        # Kept with the object itself: it goes when that goes, and is not that of a copy.
        kept = getattr(runnable, "__dict__", {}).setdefault("_compiled_by", {})
        key = (cls, id(runnable))
        if key not in kept:
            group = _as_group(runnable, workspace_type)
            kept[key] = CompiledRunnable(cls._compile_task_group(group, setup_net_list), cls)
        return kept[key]

    def run(self, runnable: Any, workspace_type: str | None = None, setup_net_list: list[Any] | None = None) -> None:
        """Runs something, and waits for its end; arguments and errors as for ``compile``."""
        if not self.is_open():
            raise AssertionError("Session is closed.")
        if runnable is None:
            raise AssertionError("Got a none runnable.")
        self._run_compiled(self.compile(runnable, workspace_type, setup_net_list).obj)

    def close(self) -> None:
        """Ends the session: it can run nothing more."""
        if self._open:
            self._do_close()
            self._open = False

    def fetch_output(self, output: TaskOutput) -> Any:
        """The values of an output; ``output.fetch()`` says the same."""
        if not isinstance(output, TaskOutput):
            raise AssertionError(f"Only a TaskOutput can be fetched, not {type(output).__name__}.")
        return output.fetch()

    @classmethod
    def _compile_task_group(cls, task_group: TaskGroup, setup_net_list: list[Any] | None = None) -> Any:
        raise NotImplementedError(f"{cls.__name__} does not say how it compiles a group of tasks.")

    def _run_compiled(self, obj: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how it runs what it compiled.")

    def _do_close(self) -> None:
        """What there is to do at the end."""

    def __enter__(self) -> Self:
        if not self._open:
            raise AssertionError("Session already closed.")
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        if kind is None:
            self.close()


def _as_group(runnable: Any, workspace_type: str | None) -> TaskGroup:
    if isinstance(runnable, TaskGroup):
        own = runnable.workspace_type()
        if workspace_type and own and own != workspace_type:
            raise AssertionError(f"Require {workspace_type} but already have {own}")
        runnable._workspace_type = own or workspace_type
        return runnable
    group = TaskGroup(workspace_type=workspace_type or WorkspaceType.GLOBAL)
    if isinstance(runnable, Task):
        group.add(runnable)
        return group
    if isinstance(runnable, Plan):
        if not runnable.Steps():
            raise AssertionError(f"The plan {runnable} has no steps to run.")
        # The steps of a plan run one after the other, but tasks beside each other: all are one task.
        step = runnable.Steps()[0] if len(runnable.Steps()) == 1 else execution_step(None, list(runnable.Steps()))
    elif isinstance(runnable, Net) or not (isinstance(runnable, ExecutionStep) or hasattr(runnable, "get")):
        step = execution_step("runnable", runnable)
    else:
        step = runnable
    group.add(Task(step=step, group=TaskGroup()))
    return group


class LocalSession(Session):
    """Runs things in a workspace of this process.

    Args:
        ws: A ``workspace.C.Workspace``; the current workspace where left out.
    """

    def __init__(self, ws: Any = None) -> None:
        super().__init__()
        self._ws = ws or workspace.C.Workspace.current

    @classmethod
    def _compile_task_group(
        cls, task_group: TaskGroup, setup_net_list: list[Any] | None = None
    ) -> tuple[Plan, TaskOutputList]:
        with Cluster():
            task = task_group.to_task()
        plan = Plan("task_group_plan")
        plan.AddStep(task.get_step())
        return plan, task.output_list()

    def _run_compiled(self, obj: tuple[Plan, TaskOutputList]) -> None:
        plan, outputs = obj
        # Made here they are written here, also by tasks with workspaces of their own.
        for name in outputs.names():
            self._ws.create_blob(str(name))
        outputs.set_values([str(name) for name in outputs.names()], _fetch_func=self._fetch_output)
        self._ws.run(plan)

    def _fetch_output(self, name: str) -> Any:
        return self._ws.blobs[name].fetch()
