"""Runs the execution steps of a plan."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from c2lab.backend.run import UNINITIALISED
from c2lab.errors import BadArgument, C2LabError, MissingBlob
from c2lab.operators.waiting import Together, WaitEnded, current_group
from c2lab.proto import caffe2_pb2

Nets = Mapping[str, caffe2_pb2.NetDef]


class Place(Protocol):
    """What steps run in: a workspace."""

    def create(self, net: caffe2_pb2.NetDef, *, overwrite: bool) -> Any:
        """Makes a net ready to run."""

    def run(self, name: str) -> None:
        """Runs a created net."""

    def __contains__(self, name: object) -> bool: ...

    def __getitem__(self, name: str) -> Any: ...

    def child(self) -> Any:
        """A place of its own, which sees the blobs of this one."""


def run_plan(plan: caffe2_pb2.PlanDef, place: Place) -> None:
    """Runs the steps of a plan, one after the other.

    Raises:
        BadArgument: Two nets have one name, or a step is not as it must be.
        Exception: What the first net that failed raised, with the name of its step.
    """
    nets = {net.name: net for net in plan.network}
    if len(nets) < len(plan.network):
        raise BadArgument(f'plan "{plan.name}" holds several nets of one name; each net needs a name of its own')
    for step in plan.execution_step:
        ready(step, place, nets)()


def ready(step: caffe2_pb2.ExecutionStep, place: Place, nets: Nets) -> Callable[[], None]:
    """Creates the nets of a step, and gives what runs it.

    A step with a workspace of its own gets a new one, and its nets in it, at each run.

    Raises:
        BadArgument: A step has nets and substeps, or a stop blob and a number of iterations, or a net is not there.
    """
    if step.create_workspace:
        return lambda: _Step(step, place.child(), nets).run()
    return _Step(step, place, nets).run


class _Step:
    """A step whose nets are created."""

    def __init__(self, step: caffe2_pb2.ExecutionStep, place: Place, nets: Nets) -> None:
        if step.substep and step.network:
            raise BadArgument(f'execution step "{step.name}" has nets and substeps; it may have one of the two')
        if step.HasField("should_stop_blob") and step.HasField("num_iter"):
            raise BadArgument(
                f'Cannot set both should_stop_blob and num_iter. (execution step "{step.name}"): remove one of them'
            )
        self.step = step
        self.place = place
        self.parts: list[Callable[[], None]] = []
        self.reports: list[tuple[float, Callable[[], None]]] = []
        with _named(step):
            for name in step.network:
                self.parts.append(self._net(name, nets))
            for substep in step.substep:
                part = ready(substep, place, nets)
                if substep.run_every_ms > 0:
                    self.reports.append((substep.run_every_ms / 1000, part))
                else:
                    self.parts.append(part)
            if step.report_net:
                self.reports.append((step.report_interval or 1, self._net(step.report_net, nets)))

    def _net(self, name: str, nets: Nets) -> Callable[[], None]:
        if name not in nets:
            known = ", ".join(nets) or "none"
            raise BadArgument(f'ExecutionStep "{self.step.name}" uses undefined net {name}; the plan holds {known}')
        self.place.create(nets[name], overwrite=True)
        return lambda: self.place.run(name)

    def run(self) -> None:
        """Runs the step."""
        if not self.reports:
            self._rounds()
            return
        done = threading.Event()
        with _named(self.step):
            run_together([*(_reporting(*report, done) for report in self.reports)], beside=self._rounds, after=done.set)

    def _rounds(self) -> None:
        step = self.step
        with _named(step):
            if step.HasField("should_stop_blob"):
                self._stops()  # it must be there from the start
                while True:
                    self._once()
                    if self._stops() or step.only_once:
                        return
            for _ in range(step.num_iter if step.HasField("num_iter") else 1):
                self._once()

    def _once(self) -> None:
        copies = max(step.num_concurrent_instances, 1) if (step := self.step).substep else 1
        if copies > 1 or (step.concurrent_substeps and len(self.parts) > 1):
            run_together(self.parts * copies)
            return
        group = current_group()
        for part in self.parts:
            if group is not None:
                group.require_going()
            part()
            if self._stops():
                return

    def _stops(self) -> bool:
        name = self.step.should_stop_blob
        if not name:
            return False
        if name not in self.place:
            raise MissingBlob(f"should_stop_blob {name} does not exist; no net of the plan writes it")
        value = self.place[name]
        if value is UNINITIALISED:
            return False
        if str(getattr(value, "dtype", "")) != "bool" or value.size != 1:
            what = f"{value.dtype}{list(value.shape)}" if hasattr(value, "dtype") else "no tensor"
            raise BadArgument(f"should_stop_blob {name} is {what}; it must hold one bool")
        return bool(value.reshape(()))


def _reporting(interval: float, report: Callable[[], None], done: threading.Event) -> Callable[[], None]:
    """Runs a report at each interval, and once more at the end."""

    def work() -> None:
        while not done.wait(interval):
            report()
        report()

    return work


def run_together(
    parts: Iterable[Callable[[], None]],
    beside: Callable[[], None] | None = None,
    after: Callable[[], None] | None = None,
) -> None:
    """Runs parts in threads beside each other, and waits for all.

    When one fails the others are told: those that wait for a queue stop waiting, and loops do not begin
    another round. The error of the first is raised.

    Args:
        parts: What runs in threads.
        beside: What runs in this thread, meanwhile.
        after: Called when ``beside`` is over, well or not.
    """
    around = current_group()
    group = Together(around)
    failures: list[BaseException] = []

    def work(part: Callable[[], None]) -> None:
        try:
            with group:
                part()
        except BaseException as error:
            failures.append(error)
            group.end()

    threads = [threading.Thread(target=work, args=(part,), daemon=True, name="c2lab step") for part in parts]
    try:
        for thread in threads:
            thread.start()
        if beside is not None:
            work(beside)
    finally:
        if after is not None:
            after()
        try:
            for thread in threads:
                thread.join()
        except BaseException:  # Ctrl-C
            group.end()
            for thread in threads:
                thread.join()
            raise
        finally:
            if around is not None:
                around.leave(group)
    if failures:
        # Those that were only told to give up do not say why.
        raise next((error for error in failures if not isinstance(error, WaitEnded)), failures[0])


@contextlib.contextmanager
def _named(step: caffe2_pb2.ExecutionStep) -> Iterator[None]:
    """Says in an error which step it was; the innermost one that has a name."""
    try:
        yield
    except Exception as error:
        if step.name and not getattr(error, "_c2lab_step", None):
            setattr(error, "_c2lab_step", step.name)  # noqa: B010 - a mark on somebody else's exception
            if isinstance(error, C2LabError):
                error.place = f'{error.place + " " if error.place else ""}in execution step "{step.name}"'
            else:
                error.add_note(f'raised in execution step "{step.name}"')
        raise
