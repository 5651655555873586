"""``ops``: operators, nets and blocks of the ``NetBuilder`` around."""

from __future__ import annotations

import importlib
from typing import Any

from c2lab.control import blocks
from c2lab.control.net_builder import NetBuilder
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.plan import to_execution_step

# Under these names a task finds on its nets what goes before, after and beside them.
TASK_SETUP = "task_setup"
TASK_INSTANCE_SETUP = "task_instance_setup"
LOCAL_SETUP = "local_setup"
REPORT_STEP = "report_step"


class Operations:
    """What can be written inside ``with NetBuilder()``.

    ``ops.<Type>(inputs, outputs, **arguments)`` adds an operator to the net at the end of the builder.

    Example:
        >>> ops = Operations()
        >>> with NetBuilder("operations_example") as builder:
        ...     total = ops.Const(0)
        ...     with ops.loop(10) as loop:
        ...         with ops.If(ops.GE([loop.iter(), ops.Const(5)])):
        ...             ops.Add([total, loop.iter()], [total])
        >>> len(builder.get())
        2
    """

    def __getattr__(self, op_type: str) -> Any:
        if op_type.startswith("__"):
            raise AttributeError(f"ops has no attribute {op_type}.")
        return getattr(self.net(), op_type)

    def net(self, net: Net | None = None, name: str | None = None) -> Net:
        """The net at the end of the builder.

        Args:
            net: Adds this net to the builder, and returns it.
            name: Begins a new net of this name.
        """
        if net is not None and name is not None:
            raise AssertionError("Cannot provide both `net` and `name`.")
        builder = NetBuilder.current()
        return builder.add(net) if net is not None else builder.current_net(name)

    # ---- stopping --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ends the step around: nothing that follows in it runs."""
        self.stop_if(self.Const(True))

    def stop_if(self, blob: Any) -> None:
        """Ends the step around if ``blob`` holds true."""
        NetBuilder.current().stop_if(blob)

    def stop_guard(self, has_stopped_blob: BlobReference | None = None, name: str | None = None) -> blocks.StopGuard:
        """A block that runs once; ``has_stopped()`` of it is a bool that tells whether it was stopped."""
        return NetBuilder.current().add(blocks.StopGuard(has_stopped_blob, name))

    # ---- loops and branches, as steps ------------------------------------------------------------

    def loop(self, iters: int | BlobReference | None = None, name: str | None = None) -> blocks.Loop:
        """A block that is repeated.

        Args:
            iters: How many times, a number or a blob; until ``stop`` or ``stop_if`` where left out.
                ``iter()`` of the block is then the blob that counts, from 0.
            name: The block's name.
        """
        return NetBuilder.current().add(blocks.Loop(iters, name))

    def If(self, cond: Any, name: str | None = None) -> blocks.If:
        """A block that runs where ``cond`` holds; ``Elif(cond)`` and ``Else()`` of it are further blocks."""
        return NetBuilder.current().add(blocks.If(cond, name))

    def task_group(self) -> Any:
        """A group of tasks that runs as the next step."""
        return NetBuilder.current().add(_task_group()())

    # ---- loops and branches, as operators --------------------------------------------------------

    def IfNet(self, cond: Any, name: str | None = None) -> blocks.IfNet:
        """A block that becomes an ``If`` operator; blobs first written in it are its own."""
        return blocks.IfNet(cond, name)

    def Else(self, name: str | None = None) -> blocks.Else:
        """The other block of the ``IfNet`` just before."""
        return blocks.Else(name)

    def WhileNet(self, name: str | None = None) -> blocks.WhileNet:
        """A block that becomes a ``While`` operator; it begins with a block of ``Condition``."""
        return blocks.WhileNet(name)

    def Condition(self, name: str | None = None) -> blocks.Condition:
        """The block of a ``WhileNet`` that is asked before each round: its last operator's output is the answer."""
        return blocks.Condition(name)

    # ---- before, after and beside a task ---------------------------------------------------------

    def task_init(self) -> blocks.Setup:
        """A block that the task around runs once, before everything else, however many instances it has."""
        return _Attached(TASK_SETUP, at_the_end=False, name="task_init")

    def task_exit(self) -> blocks.Setup:
        """A block that the task around runs once, after all of its instances have ended."""
        return _Attached(TASK_SETUP, at_the_end=True, name="task_exit")

    def task_instance_init(self) -> blocks.Setup:
        """A block that each instance of the task runs first, after ``task_init``."""
        return _Attached(TASK_INSTANCE_SETUP, at_the_end=False, name="task_instance_init")

    def task_instance_exit(self) -> blocks.Setup:
        """A block that each instance of the task runs last."""
        return _Attached(TASK_INSTANCE_SETUP, at_the_end=True, name="task_instance_exit")

    def local_init(self) -> blocks.Setup:
        """A block that the group of tasks runs once on each node, before any of its tasks."""
        return _Attached(LOCAL_SETUP, at_the_end=False, name="local_init")

    def local_exit(self) -> blocks.Setup:
        """A block that the group of tasks runs once on each node, after all of its tasks."""
        return _Attached(LOCAL_SETUP, at_the_end=True, name="local_exit")

    def task_reporter(self, interval_ms: int = 1000, name: str | None = None) -> NetBuilder:
        """A block that runs every so many milliseconds beside the task around, and once after it."""
        return _Reporter(interval_ms, of_group=False, name=name or "task_reporter")

    def local_reporter(self, interval_ms: int = 1000, name: str | None = None) -> NetBuilder:
        """A block that runs every so many milliseconds beside the group of tasks, and once after them."""
        return _Reporter(interval_ms, of_group=True, name=name or "local_reporter")


class _Attached(blocks.Setup):
    """A setup that hangs on the net at the end of the builder around, where the task finds it."""

    def __init__(self, attribute: str, *, at_the_end: bool, name: str) -> None:
        super().__init__(at_the_end=at_the_end, name=name)
        self._attribute = attribute

    def __enter__(self) -> blocks.Setup:
        self._net = NetBuilder.current().current_net()
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is None:
            self._net.add_attribute(self._attribute, self)


class _Reporter(NetBuilder):
    """A block that runs again and again beside a task or a group of tasks."""

    def __init__(self, interval_ms: int, *, of_group: bool, name: str) -> None:
        super().__init__(name)
        self._interval_ms, self._of_group = interval_ms, of_group

    def __enter__(self) -> NetBuilder:
        self._net = None if self._of_group else NetBuilder.current().current_net()
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is not None:
            return
        step = to_execution_step(self)
        if self._net is None:
            _task_group().current().report_step(step, interval_ms=self._interval_ms)
        else:
            step.RunEveryMillis(self._interval_ms)
            self._net.add_attribute(REPORT_STEP, step)


def _task_group() -> Any:
    """The class of groups of tasks, which knows builders and so cannot be known to them before they run."""
    return importlib.import_module("c2lab.control.task").TaskGroup


ops = Operations()
