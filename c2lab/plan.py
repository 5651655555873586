"""Plans: which nets run in which order, how often, and what runs beside what.

>>> from c2lab import core, plan
>>> net = core.Net("plan_example")
>>> step = plan.execution_step("train", net, num_iter=10)
>>> plan.Plan(step).Proto().execution_step[0].num_iter
10
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab.nets.blobs import BlobReference, ScopedName
from c2lab.nets.net import Net
from c2lab.nets.unique import UniqueNames
from c2lab.proto import caffe2_pb2

__all__ = [
    "ExecutionStep",
    "Plan",
    "add_nets_in_order",
    "execution_step",
    "get_net_name",
    "scoped_execution_step",
    "to_execution_step",
]


def get_net_name(netlike: Net | caffe2_pb2.NetDef | str) -> str:
    """The name of a net, however it is given."""
    if isinstance(netlike, Net):
        return netlike.Name()
    return netlike.name if isinstance(netlike, caffe2_pb2.NetDef) else netlike


def _keep_net(nets: dict[str, Net], net: Net) -> None:
    """Adds a net to those of a step or plan; one name must be one net."""
    name = get_net_name(net)
    if nets.setdefault(name, net) is not net:
        raise AssertionError(f'There is another net named "{name}" in this step or plan; give one of them a new name.')


class ExecutionStep:
    """One step of a plan: nets that run one after the other, or smaller steps.

    Args:
        name: The step's name; one is made up where it is empty.
        nets: A net or a list of nets to run.
        num_iter: How many times to run them.
    """

    _names = UniqueNames()

    def __init__(self, name: str | None, nets: Net | Iterable[Net] | None = None, num_iter: int | None = None) -> None:
        self._step = caffe2_pb2.ExecutionStep()
        self._step.name = name or ExecutionStep._names.take("step")
        self._nets: dict[str, Net] = {}
        self._substeps: list[ExecutionStep] = []
        self._used = False
        for net in [nets] if isinstance(nets, Net) else nets or []:
            self.AddNet(net)
        if num_iter is not None:
            self._step.num_iter = num_iter

    def _open(self) -> caffe2_pb2.ExecutionStep:
        """The proto, to be changed."""
        if self._used:
            raise AssertionError(
                f'Cannot mutate a step that has already been added to a plan/step: "{self.Name()}" is complete.'
            )
        return self._step

    def close(self) -> None:
        """Ends changes to this step: a plan or another step holds a copy of it from now on."""
        self._used = True

    def get_net(self, name: str) -> Net:
        """The net of this name in this step or the ones below."""
        return self._nets[name]

    def Name(self) -> str:
        """The step's name."""
        return self._step.name

    def __str__(self) -> str:
        return self._step.name

    def __repr__(self) -> str:
        return f'<ExecutionStep "{self._step.name}", {len(self._nets)} nets, {len(self._step.substep)} substeps>'

    def Proto(self) -> caffe2_pb2.ExecutionStep:
        """The message of this step."""
        return self._step

    def HasNets(self) -> bool:
        """Whether the step runs nets itself."""
        return len(self._step.network) > 0

    def HasSubsteps(self) -> bool:
        """Whether the step runs smaller steps."""
        return len(self._step.substep) > 0

    def Nets(self) -> list[Net]:
        """The nets, in the order in which they were added."""
        return list(self._nets.values())

    def Substeps(self) -> list[ExecutionStep]:
        """The steps that were added to this one."""
        return self._substeps

    def SetIter(self, num_iter: int) -> None:
        """Runs the step this many times."""
        self._open().num_iter = num_iter

    def SetCreateWorkspace(self, create_workspace: bool) -> None:
        """Gives the step a workspace of its own, which sees the blobs of the one around it."""
        self._open().create_workspace = create_workspace

    def SetNumConcurrentInstances(self, num_concurrent_instances: int) -> None:
        """Runs this many copies of the step beside each other."""
        self._open().num_concurrent_instances = num_concurrent_instances

    def SetOnlyOnce(self, only_once: bool) -> None:
        """Runs the step once each time, also where it has a stop blob."""
        self._open().only_once = only_once

    def SetShouldStopBlob(self, should_stop_blob: BlobReference) -> None:
        """Runs the step until this boolean blob is true; it is looked at after each net or substep."""
        if not isinstance(should_stop_blob, BlobReference):
            raise AssertionError(f"expects BlobReference here, got {type(should_stop_blob)}")
        self._open().should_stop_blob = str(should_stop_blob)

    def RunEveryMillis(self, interval: int) -> None:
        """Runs the step again and again while its siblings run, and once more when they are done."""
        self._open().run_every_ms = interval

    def SetReportNet(self, report_net: Net, report_interval: int) -> None:
        """Runs ``report_net`` every ``report_interval`` iterations."""
        step = self._open()
        _keep_net(self._nets, report_net)
        step.report_net = get_net_name(report_net)
        step.report_interval = report_interval

    def AddSubstep(self, substep: ExecutionStep | caffe2_pb2.ExecutionStep) -> ExecutionStep:
        """Appends a step, which cannot be changed any more; one that does nothing is left out."""
        step = self._open()
        if self.HasNets():
            raise AssertionError(f'Cannot have both network and substeps: step "{self.Name()}" has nets.')
        if isinstance(substep, ExecutionStep):
            substep.close()
            if not substep.HasNets() and not substep.HasSubsteps():
                return self
            for net in substep.Nets():
                _keep_net(self._nets, net)
            self._substeps.append(substep)
            substep = substep.Proto()
        step.substep.append(substep)
        return self

    def SetConcurrentSubsteps(self, concurrent_substeps: bool) -> None:
        """Runs the substeps beside each other, not one after the other."""
        self._open().concurrent_substeps = concurrent_substeps

    def AddNet(self, net: Net) -> ExecutionStep:
        """Appends a net."""
        step = self._open()
        if self.HasSubsteps():
            raise AssertionError(f'Cannot have both network and substeps: step "{self.Name()}" has substeps.')
        if not isinstance(net, Net):
            raise AssertionError(f"AddNet takes a core.Net, not {type(net).__name__}.")
        _keep_net(self._nets, net)
        step.network.append(get_net_name(net))
        return self

    def get_all_attributes(self, name: str) -> list[Any]:
        """What ``add_attribute(name, ...)`` left on the nets of this step."""
        return [attribute for net in self._nets.values() for attribute in net.get_attributes(name)]

    @classmethod
    def create_from_proto(
        cls,
        step_proto: caffe2_pb2.ExecutionStep,
        net_obj_dict: dict[str, Net],
        net_proto_dict: dict[str, caffe2_pb2.NetDef],
    ) -> ExecutionStep:
        """The step that a proto describes.

        Args:
            step_proto: The step, which has nets or substeps but not both.
            net_obj_dict: Nets that exist already, by name in the protos; new ones are added.
            net_proto_dict: The nets that the step may name.
        """
        if bool(step_proto.network) == bool(step_proto.substep):
            raise AssertionError(f'Step "{step_proto.name}" must have either nets or substeps.')
        parts: list[Any] = [cls.create_from_proto(sub, net_obj_dict, net_proto_dict) for sub in step_proto.substep]
        for name in step_proto.network:
            if name not in net_obj_dict:
                if name not in net_proto_dict:
                    raise AssertionError(f'Step "{step_proto.name}" runs net "{name}", which the plan does not hold.')
                net_obj_dict[name] = Net(net_proto_dict[name])
            parts.append(net_obj_dict[name])
        given = {field.name for field, _ in step_proto.ListFields()}
        kept = (
            "num_iter",
            "concurrent_substeps",
            "only_once",
            "num_concurrent_instances",
            "create_workspace",
            "run_every_ms",
        )
        options = {name: getattr(step_proto, name) for name in kept if name in given}
        if "should_stop_blob" in given:
            options["should_stop_blob"] = BlobReference(step_proto.should_stop_blob)
        return execution_step(step_proto.name, parts, **options)


def add_nets_in_order(step: ExecutionStep, net_list: list[str]) -> None:
    """Appends the names of the nets of a step, in the order in which they first run."""
    for substep in step.Substeps():
        add_nets_in_order(substep, net_list)
    proto = step.Proto()
    for name in (*proto.network, *filter(None, [proto.report_net])):
        if name not in net_list:
            net_list.append(name)


class Plan:
    """A plan: steps to run in order, and the nets that they run.

    Args:
        name_or_step: A name for an empty plan, or its first step.
    """

    def __init__(self, name_or_step: str | ExecutionStep) -> None:
        self._plan = caffe2_pb2.PlanDef()
        self._nets: dict[str, Net] = {}
        self._steps: list[ExecutionStep] = []
        if isinstance(name_or_step, ExecutionStep):
            self._plan.name = name_or_step.Name()
            self.AddStep(name_or_step)
        elif isinstance(name_or_step, str):
            self._plan.name = name_or_step
        else:
            raise ValueError(f"name_or_step must be a string or ExecutionStep, not {type(name_or_step).__name__}")

    def __str__(self) -> str:
        return self._plan.name

    def __repr__(self) -> str:
        return f'<Plan "{self._plan.name}", {len(self._steps)} steps, {len(self._nets)} nets>'

    def Proto(self) -> caffe2_pb2.PlanDef:
        """The message of this plan."""
        return self._plan

    def AddNets(self, nets: Iterable[Net]) -> None:
        """Adds nets for steps to name; one that is there already is not added again."""
        for net in nets:
            known = get_net_name(net) in self._nets
            _keep_net(self._nets, net)
            if not known:
                self._plan.network.append(net.Proto())

    def Nets(self) -> list[Net]:
        """The nets, in the order in which they were added."""
        return list(self._nets.values())

    def AddStep(self, step: ExecutionStep) -> None:
        """Appends a step, which cannot be changed any more; one that does nothing is left out."""
        if not isinstance(step, ExecutionStep):
            raise AssertionError(f"AddStep takes an ExecutionStep, not {type(step).__name__}.")
        step.close()
        if not step.HasNets() and not step.HasSubsteps():
            return
        self._plan.execution_step.append(step.Proto())
        self._steps.append(step)
        names: list[str] = []
        add_nets_in_order(step, names)
        self.AddNets(step.get_net(name) for name in names)

    def Steps(self) -> list[ExecutionStep]:
        """The steps, in order."""
        return self._steps

    def get_all_attributes(self, name: str) -> list[Any]:
        """What ``add_attribute(name, ...)`` left on the nets of this plan."""
        return [attribute for net in self._nets.values() for attribute in net.get_attributes(name)]

    @classmethod
    def create_from_proto(cls, plan_proto: caffe2_pb2.PlanDef) -> Plan:
        """The plan that a proto describes; its nets get names of their own where theirs are taken."""
        plan = cls(plan_proto.name)
        plan._plan.CopyFrom(plan_proto)
        del plan._plan.network[:]
        del plan._plan.execution_step[:]
        protos = {proto.name: proto for proto in plan_proto.network}
        if len(protos) < len(plan_proto.network):
            raise AssertionError(f'Plan "{plan_proto.name}" holds two nets of one name.')
        nets: dict[str, Net] = {}
        for step in plan_proto.execution_step:
            plan.AddStep(ExecutionStep.create_from_proto(step, nets, protos))
        return plan


def to_execution_step(step_or_nets: Any, default_name: str | None = None) -> ExecutionStep:
    """A step as it is; nets, a builder of nets (anything with ``get``) or a group of tasks, made into one."""
    if isinstance(step_or_nets, ExecutionStep):
        return step_or_nets
    if not isinstance(step_or_nets, Net) and hasattr(step_or_nets, "to_task"):
        return step_or_nets.to_task().get_step()
    stop_blob = None
    if not isinstance(step_or_nets, Net):
        default_name = default_name or getattr(step_or_nets, "name", None)
        if hasattr(step_or_nets, "get"):
            stop_blob = step_or_nets._stop_blob
            step_or_nets = step_or_nets.get()
    return execution_step(default_name, step_or_nets, should_stop_blob=stop_blob)


def execution_step(
    default_name: str | None,
    steps_or_nets: Any,
    num_iter: int | None = None,
    report_net: Net | None = None,
    report_interval: int | None = None,
    concurrent_substeps: bool | None = None,
    should_stop_blob: BlobReference | None = None,
    only_once: bool | None = None,
    num_concurrent_instances: int | None = None,
    create_workspace: bool = False,
    run_every_ms: int | None = None,
) -> ExecutionStep:
    """An ``ExecutionStep``, said in one call.

    Args:
        default_name: The step's name; one is made up where it is empty.
        steps_or_nets: A net, a step, a list of either, or ``None``.
        num_iter: How many times to run; once where neither this nor ``should_stop_blob`` is given.
        report_net, report_interval: A net to run every so many iterations.
        concurrent_substeps: Whether the substeps run beside each other.
        should_stop_blob: A boolean blob; the step ends when it is true after a net or substep.
        only_once: Whether the step runs once, also where it has a stop blob.
        num_concurrent_instances: How many copies of the step run beside each other.
        create_workspace: Whether the step has a workspace of its own.
        run_every_ms: Run every so many milliseconds while the siblings run.
    """
    if should_stop_blob is not None and num_iter is not None:
        raise AssertionError("Cannot set both should_stop_blob and num_iter.")
    step = ExecutionStep(default_name)
    if should_stop_blob is not None:
        step.SetShouldStopBlob(should_stop_blob)
    else:
        step.SetIter(1 if num_iter is None else num_iter)
    if only_once is not None:
        step.SetOnlyOnce(only_once)
    if concurrent_substeps is not None:
        step.SetConcurrentSubsteps(concurrent_substeps)
    if report_net is not None:
        if report_interval is None:
            raise AssertionError("report_net needs report_interval: every how many iterations to run it.")
        step.SetReportNet(report_net, report_interval)
    if num_concurrent_instances is not None:
        step.SetNumConcurrentInstances(num_concurrent_instances)
    if create_workspace:
        step.SetCreateWorkspace(True)
    if run_every_ms:
        step.RunEveryMillis(run_every_ms)

    if isinstance(steps_or_nets, ExecutionStep):
        step.AddSubstep(steps_or_nets)
    elif isinstance(steps_or_nets, Net):
        step.AddNet(steps_or_nets)
    elif isinstance(steps_or_nets, list | tuple):
        if all(isinstance(part, Net) for part in steps_or_nets):
            for net in steps_or_nets:
                step.AddNet(net)
        else:
            for part in steps_or_nets:
                step.AddSubstep(to_execution_step(part))
    elif steps_or_nets:
        raise ValueError(f"steps_or_nets must be a step, a net, None, or a list of these, not {steps_or_nets!r}")
    return step


def scoped_execution_step(name: str | None, *args: Any, **kwargs: Any) -> ExecutionStep:
    """``execution_step`` with the current name scope in front of the step's name."""
    return execution_step(ScopedName(name) if name else name, *args, **kwargs)
