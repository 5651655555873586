"""Tasks: steps with a place to run, what they need before and after, and what they give back.

A ``Task`` is a step; a ``TaskGroup`` is tasks that run beside each other; a ``Session`` runs either.

>>> from c2lab.control.operations import ops
>>> with TaskGroup() as group:
...     with Task():
...         answer = final_output(ops.Const(42))
>>> len(group.tasks())
1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2lab.control.net_builder import NetBuilder
from c2lab.control.nodes import Cluster, Node
from c2lab.control.outputs import TaskOutput, TaskOutputList
from c2lab.control.setup_nets import SetupNets, add_setup_steps, get_setup_nets
from c2lab.nets.net import Net
from c2lab.parameters.contexts import Managed
from c2lab.plan import ExecutionStep, execution_step, to_execution_step
from c2lab.proto import caffe2_pb2

__all__ = [
    "Cluster",
    "Node",
    "SetupNets",
    "Task",
    "TaskGroup",
    "TaskOutput",
    "TaskOutputList",
    "WorkspaceType",
    "add_setup_steps",
    "final_output",
    "get_setup_nets",
]


class WorkspaceType:
    """Whether a task's new blobs are its own, or stay in the session's workspace."""

    PRIVATE = "private"
    GLOBAL = "global"


class Task(Managed):
    """A step with a node to run on, what goes before and after it, and its outputs.

    The step is given, or written inside the ``with`` block with ``ops``. Nets in it may carry, by
    ``net.add_attribute(Task.TASK_SETUP, ...)``, what goes before and after (see ``get_setup_nets``).

    Args:
        step: A step, net, builder, or a list of these.
        outputs: Blobs, records or ``TaskOutput``, one or several.
        workspace_type: Whether new blobs are the task's own; the group's choice where left out.
        group: The group to add it to; the current one where left out.
        node: The node to run on; the current one where left out.
        name: A name; a number is added where the group has it already.
        num_instances: How many copies of the step run beside each other, each with blobs of its own.
    """

    TASK_SETUP = "task_setup"
    TASK_INSTANCE_SETUP = "task_instance_setup"
    REPORT_STEP = "report_step"
    _ungrouped: set[str] = set()  # noqa: RUF012 - the names of all tasks without a group

    def __init__(
        self,
        step: Any = None,
        outputs: Any = None,
        workspace_type: str | None = None,
        group: TaskGroup | None = None,
        node: Any = None,
        name: str | None = None,
        num_instances: int | None = None,
    ) -> None:
        self.node = str(Node.current(None if node is None else Node(str(node))))
        self.group: TaskGroup | None = TaskGroup.current(group, required=False)
        self.name = self._free_name(f"{self.node}/{name or 'task'}")
        if self.group is not None:
            self.group._tasks_to_add.append(self)
        self._workspace_type = workspace_type
        self._num_instances = num_instances
        self._already_used = False
        self._step: ExecutionStep | None = None
        self._step_with_setup: ExecutionStep | None = None
        self._outputs: list[TaskOutput] = []
        self._net_builder: NetBuilder | None = None
        if step is not None:
            self.set_step(step)
        if outputs is not None:
            self.add_outputs(outputs)

    def _free_name(self, wanted: str) -> str:
        taken = Task._ungrouped if self.group is None else {task.name for task in self.group._tasks_to_add}
        name, number = wanted, 0
        while name in taken:
            number += 1
            name = f"{wanted}:{number}"
        if self.group is None:
            taken.add(name)
        return name

    def __repr__(self) -> str:
        return f"Task(name={self.name}, node={self.node}, outputs={self._outputs}, num_instances={self._num_instances})"

    def __enter__(self) -> Task:
        self._assert_not_used()
        if self._step is not None:
            raise AssertionError(f"This Task already has an execution step: {self.name} cannot be written again.")
        super().__enter__()
        if self.group is not None:
            # Tasks count in the order in which their blocks end: those inside come before this one.
            self.group._tasks_to_add.remove(self)
        self._net_builder = NetBuilder(_fullname=self.name)
        self._net_builder.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        builder, self._net_builder = self._net_builder, None
        assert builder is not None
        builder.__exit__(kind, *rest)
        if kind is None:
            self.set_step(builder)
        if self.group is not None:
            self.group._tasks_to_add.append(self)

    def workspace_type(self) -> str | None:
        """Whether new blobs are the task's own."""
        return self._workspace_type

    def _assert_not_used(self) -> None:
        if self._already_used:
            raise AssertionError(f"Cannot modify task since it is already been used: {self.name} is complete.")

    def add_output(self, output: Any) -> TaskOutput:
        """Adds a blob, record or ``TaskOutput`` to the outputs."""
        self._assert_not_used()
        output = output if isinstance(output, TaskOutput) else TaskOutput(output)
        self._outputs.append(output)
        return output

    def add_outputs(self, outputs: Any) -> Any:
        """``add_output`` of one, or of each in a list."""
        if isinstance(outputs, list | tuple):
            return [self.add_output(output) for output in outputs]
        return self.add_output(outputs)

    def set_step(self, step: Any) -> None:
        """Sets the step."""
        self._assert_not_used()
        self._step = to_execution_step(step)

    def get_step(self) -> ExecutionStep:
        """The step together with what goes before, after and beside it; the outputs are complete from now on."""
        if self._step_with_setup is None:
            self._step_with_setup = self._with_setup()
        return self._step_with_setup

    def _with_setup(self) -> ExecutionStep:
        if self._step is None:
            return execution_step(self.name, [])
        body = self._step
        reports = [s for s in body.get_all_attributes(Task.REPORT_STEP) if not getattr(s, "_report_step_used", False)]
        for report in reports:
            report._report_step_used = True
            if not report.Proto().run_every_ms:
                report.RunEveryMillis(1000)
        inside = [body, *reports]
        task_init, task_exit = get_setup_nets(Task.TASK_SETUP, inside, self)
        instance_init, instance_exit = get_setup_nets(Task.TASK_INSTANCE_SETUP, inside, self)
        if not self._outputs:
            # Who waits for the task has something to wait for.
            done = Net(f"{self.name}:output")
            self.add_output(done.ConstantFill([], 1, dtype=caffe2_pb2.TensorProto.INT32, value=0))
            task_exit.append(done)
        if reports:
            body = execution_step(f"{self.name}:body", [*reports, body])
        body = add_setup_steps(body, instance_init, instance_exit, f"{self.name}:instance")
        if self._num_instances and self._num_instances > 1:
            if body is self._step:
                body = execution_step(f"{self.name}:instance", [body])
            body.SetCreateWorkspace(True)
            body = execution_step(f"{self.name}:parallel", [body], num_concurrent_instances=self._num_instances)
        whole = add_setup_steps(body, task_init, task_exit, self.name)
        # A step of the user's may be a part of something else, and is not to be changed.
        return execution_step(self.name, [whole]) if whole is self._step else whole

    def output_list(self) -> TaskOutputList:
        """The outputs as one list."""
        return TaskOutputList(self._outputs)

    def outputs(self) -> list[TaskOutput]:
        """The outputs."""
        return self._outputs

    def _notify_used(self) -> None:
        self.get_step()
        self._already_used = True


class TaskGroup(Managed):
    """Tasks that run beside each other; those made inside its ``with`` block belong to it.

    Nets of its tasks may carry, by ``net.add_attribute(TaskGroup.LOCAL_SETUP, ...)``, what each node runs once
    before and after all of its tasks (see ``get_setup_nets``).

    Args:
        workspace_type: Whether new blobs are the tasks' own; the first task's choice where left out,
            and their own where that has none.
    """

    LOCAL_SETUP = "local_setup"

    def __init__(self, workspace_type: str | None = None) -> None:
        self._workspace_type = workspace_type
        self._tasks: list[Task] = []
        self._tasks_to_add: list[Task] = []
        self._already_used = False
        self._report_nets: dict[str, tuple[Net, float]] = {}
        self._report_steps: list[tuple[str, ExecutionStep]] = []
        self._remote_nets: list[Any] = []
        self._by_node: tuple[TaskGroup, dict[str, str]] | None = None

    def __repr__(self) -> str:
        return f"TaskGroup(tasks={self._tasks + self._tasks_to_add}, remote_nets={self._remote_nets})"

    def add_remote_net(self, net: Any) -> None:
        """Keeps a net for a session that runs nets elsewhere."""
        self._remote_nets.append(net)

    def remote_nets(self) -> list[Any]:
        """The nets that ``add_remote_net`` kept."""
        return self._remote_nets

    def add(self, task: Task) -> None:
        """Adds a task, which is complete from now on."""
        if self._already_used:
            raise AssertionError("Cannot add Task to an already used TaskGroup.")
        own, wanted = self._workspace_type, task._workspace_type
        if own is not None and wanted is not None and own != wanted:
            raise AssertionError(f"{task.name} wants a {wanted} workspace, but the group is for {own} ones.")
        if wanted is None:
            task._workspace_type = own or WorkspaceType.PRIVATE
        if own is None:
            self._workspace_type = task._workspace_type
        task._notify_used()
        self._tasks.append(task)

    def tasks(self) -> list[Task]:
        """The tasks; no others can be added from now on."""
        waiting, self._tasks_to_add = self._tasks_to_add, []
        for task in waiting:
            self.add(task)
        self._already_used = True
        return self._tasks

    def num_registered_tasks(self) -> int:
        """How many tasks there are so far."""
        return len(self._tasks) + len(self._tasks_to_add)

    def used_nodes(self) -> list[str]:
        """The nodes that tasks were placed on, in the order in which they came up."""
        return list(dict.fromkeys(task.node for task in (*self._tasks, *self._tasks_to_add)))

    def report_step(self, step: Any = None, node: Any = None, interval_ms: int = 1000) -> None:
        """Runs a step every ``interval_ms`` on a node while its tasks run, and once when they are done.

        Args:
            step: A step, net or builder.
            node: The node; the current one where left out.
            interval_ms: How often.
        """
        step = to_execution_step(step)
        step.RunEveryMillis(interval_ms)
        self._report_steps.append((str(node or Node.current()), step))

    def report_net(self, net: Net | None = None, node: Any = None, report_interval: float = 5) -> Net:
        """The net that runs every so many seconds on a node while its tasks run, and once when they are done.

        Args:
            net: The net; a new one where left out, to which operators can be added.
            node: The node; the current one where left out.
            report_interval: How often, in seconds.
        """
        name = str(node or Node.current())
        if name in self._report_nets:
            if net is not None:
                raise AssertionError(f"Node {name} has a report net already; report_net() gives it.")
        else:
            self._report_nets[name] = (net or Net(f"{name}/reporter"), report_interval)
        return self._report_nets[name][0]

    def tasks_by_node(self, node_remap: Callable[[str], str] | None = None) -> TaskGroup:
        """A group of one task a node, which runs all tasks of that node.

        Args:
            node_remap: Gives another node for each; called again, it must give the same ones.
        """
        tasks = self.tasks()
        places = {task.node: node_remap(task.node) if node_remap else task.node for task in tasks}
        if self._by_node is not None:
            grouped, before = self._by_node
            if before != places:
                raise AssertionError(f"Cannot call tasks_by_node multiple times: nodes were {before}, now {places}.")
            return grouped
        for node, (net, seconds) in self._report_nets.items():
            self.report_step(net, node=node, interval_ms=int(seconds * 1000))
        self._report_nets = {}
        lost = [node for node, _ in self._report_steps if node not in places]
        if lost:
            raise AssertionError(f"There are reports for the nodes {lost}, but no tasks; tasks are on {[*places]}.")
        grouped = TaskGroup()
        for node in dict.fromkeys(places.values()):
            there = [task for task in tasks if places[task.node] == node]
            reports = [step for original, step in self._report_steps if places[original] == node]
            self._add_joined(grouped, node, there, reports)
        self._by_node = (grouped, places)
        return grouped

    def _add_joined(self, grouped: TaskGroup, node: str, tasks: list[Task], reports: list[ExecutionStep]) -> None:
        """Adds one task that runs several beside each other."""
        steps = [task.get_step() for task in tasks]
        init, exit = get_setup_nets(TaskGroup.LOCAL_SETUP, [*steps, *reports], self)
        for task, step in zip(tasks, steps, strict=True):
            step.SetCreateWorkspace(task.workspace_type() == WorkspaceType.PRIVATE)
        steps = reports + steps
        joined = steps[0] if len(steps) == 1 else execution_step(f"{node}:body", steps, concurrent_substeps=True)
        shared = any(task.workspace_type() == WorkspaceType.GLOBAL for task in tasks)
        Task(
            node=node,
            step=add_setup_steps(joined, init, exit, node),
            outputs=[output for task in tasks for output in task.outputs()],
            name="grouped_by_node",
            group=grouped,
            workspace_type=WorkspaceType.GLOBAL if shared else WorkspaceType.PRIVATE,
        )

    def to_task(self, node: Any = None) -> Task:
        """One task that runs all tasks of the group on one node; one that does nothing where there are none."""
        name = str(Node.current(node))
        tasks = self.tasks_by_node(lambda _: name).tasks()
        return tasks[0] if tasks else Task(group=TaskGroup())

    def workspace_type(self) -> str | None:
        """Whether new blobs are the tasks' own; ``None`` where that is open."""
        return self._workspace_type


def final_output(blob_or_record: Any) -> TaskOutput:
    """Leaves a blob or record to whoever runs the current task; without one, a task of its own does."""
    return (Task.current(required=False) or Task()).add_output(blob_or_record)
