"""The blocks of a ``NetBuilder``: loops and branches as steps of a plan, and as operators in a net."""

from __future__ import annotations

from typing import Any

from c2lab.control.net_builder import NetBuilder
from c2lab.nets.blobs import BlobReference
from c2lab.nets.branches import add_if_op, add_while_op
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, to_execution_step
from c2lab.proto import caffe2_pb2

# ---- as steps ------------------------------------------------------------------------------------


def _net() -> Net:
    return NetBuilder.current().current_net()


class Loop(NetBuilder):
    """A step that is repeated, until it is stopped or has run a number of times.

    Args:
        iters: How many times: a number, or a blob that holds one. Until it is stopped where left out.
        name: The name.
    """

    def __init__(self, iters: int | BlobReference | None = None, name: str | None = None) -> None:
        super().__init__(name, _stop_blob_required=True)
        self._iter: BlobReference | None = None
        if iters is not None:
            # In the net before the loop: a loop in a loop counts anew each time.
            net = _net()
            last = iters if isinstance(iters, BlobReference) else net.Const(int(iters))
            self._count = net.Cast(last, net.NextName("num_iters"), to=caffe2_pb2.TensorProto.INT64)
            self._one = net.Const(1)
            self._iter = net.Const(-1, blob_out=net.NextName("iter"))

    def iter(self) -> BlobReference:
        """The blob that counts the rounds, from 0."""
        if self._iter is None:
            raise AssertionError("Cannot call iter() on a loop without a number of iterations: nothing counts them.")
        return self._iter

    def __enter__(self) -> Loop:
        super().__enter__()
        if self._iter is not None:
            net = _net()
            net.Add([self._iter, self._one], [self._iter])
            self.stop_if(net.GE([self._iter, self._count]))
        return self

    def _finish(self) -> None:
        """Nothing: it begins again."""


class StopGuard(NetBuilder):
    """A step that runs once and tells whether it was stopped.

    Args:
        has_stopped_blob: The blob to tell it in.
        name: The name.
    """

    def __init__(self, has_stopped_blob: BlobReference | None = None, name: str | None = None) -> None:
        super().__init__(name, _stop_blob_required=True)
        self._has_stopped = has_stopped_blob

    def __enter__(self) -> StopGuard:
        super().__enter__()
        self._has_stopped = _net().Const(True, blob_out=self._has_stopped)
        return self

    def _finish(self) -> None:
        _net().Const(False, blob_out=self._has_stopped)
        super()._finish()

    def has_stopped(self) -> BlobReference:
        """A bool: whether ``stop`` or ``stop_if`` ended the step."""
        if self._has_stopped is None:
            raise AssertionError("Whether a stop_guard has stopped is known after its block; enter it first.")
        return self._has_stopped


class If(NetBuilder):
    """A step that runs once, where a condition holds.

    ``Elif`` and ``Else`` add steps that run where none of those before did.

    Args:
        cond: One bool; ``None`` for the last step, which needs no condition.
        name: The name.
    """

    def __init__(self, cond: Any = None, name: str | None = None, _already_ran: BlobReference | None = None) -> None:
        super().__init__(name)
        if cond is None and _already_ran is None:
            raise AssertionError("If needs a condition: a blob that holds one bool.")
        self._cond = cond
        self._already_ran = _net().Const(False) if _already_ran is None else _already_ran

    def __enter__(self) -> If:
        super().__enter__()
        skip = self._already_ran
        if self._cond is not None:
            skip = _net().Or([skip, _net().Not(self._cond)])
        self.stop_if(skip)
        _net().Const(True, blob_out=self._already_ran)
        return self

    def Elif(self, cond: Any, name: str | None = None) -> If:
        """A step that runs where this one and those before it did not, and ``cond`` holds."""
        return self._otherwise(cond, name)

    def Else(self, name: str | None = None) -> If:
        """A step that runs where this one and those before it did not."""
        return self._otherwise(None, name)

    def _otherwise(self, cond: Any, name: str | None) -> If:
        if self._cond is None:
            raise AssertionError("Else is the last step of a choice: neither Elif nor Else can follow it.")
        return NetBuilder.current().add(If(cond, name, self._already_ran))


class Setup(NetBuilder):
    """What a task or group of tasks does once, at its beginning or end.

    Args:
        at_the_end: Whether it is done at the end.
        name: The name.
    """

    def __init__(self, *, at_the_end: bool, name: str | None = None) -> None:
        super().__init__(name)
        self._at_the_end = at_the_end

    def setup(self, init_net: Net) -> ExecutionStep | None:
        """The step for the beginning, if this is one."""
        return None if self._at_the_end else to_execution_step(self)

    def exit(self, exit_net: Net) -> ExecutionStep | None:
        """The step for the end, if this is one."""
        return to_execution_step(self) if self._at_the_end else None


# ---- as operators --------------------------------------------------------------------------------


class _Inside(NetBuilder):
    """A block whose operators become a net inside an operator of the net around it."""

    def __init__(self, name: str | None) -> None:
        super().__init__(name, _use_control_ops=True)
        self._around: NetBuilder | None = None

    def __enter__(self) -> Any:
        self._around = NetBuilder.current(required=False)
        if self._around is None:
            raise AssertionError(f"{type(self).__name__} stands inside a NetBuilder, but none was entered.")
        self._lexical_scope |= self._around.visible_blobs()
        return super().__enter__()

    def _body(self) -> Net:
        nets = self.get()
        return nets[0] if nets else Net("empty")


class IfNet(_Inside):
    """The operators that an ``If`` operator runs where a condition holds.

    Args:
        cond: One bool.
        name: The name.
    """

    def __init__(self, cond: Any, name: str | None = None) -> None:
        super().__init__(name)
        self.cond = cond
        self.then_net: Net | None = None

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is None and self._around is not None:
            self.then_net = self._body()
            net = Net("if")
            add_if_op(net, self.cond, self._lexical_scope, self.then_net)
            net.add_attribute(_IF, self)
            self._around.add_whole(net)


_IF = "if_block"


class Else(_Inside):
    """The operators that the ``If`` operator just before runs where its condition does not hold.

    Args:
        name: The name.
    """

    def __enter__(self) -> Any:
        around = NetBuilder.current(required=False)
        last = around._children[-1] if around is not None and around._children else None
        goes_on = around is not None and around._current_net is not None
        blocks = last.get_attributes(_IF) if isinstance(last, Net) and not goes_on else []
        if len(blocks) != 1 or blocks[0]._around is not around:
            raise AssertionError(
                "Invalid use of Else builder: Else comes directly after the block of an IfNet, and only once."
            )
        self._block: IfNet = blocks[0]
        super().__enter__()
        # It sees what its If saw, and nothing of that one's results by another name.
        self._lexical_scope = set(self._block._lexical_scope)
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is None and self._around is not None:
            del self._around._children[-1]
            net = Net("if_else")
            add_if_op(net, self._block.cond, self._lexical_scope, self._block.then_net, self._body())
            self._around.add_whole(net)


class WhileNet(_Inside):
    """The operators that a ``While`` operator runs again and again; ``ops.Condition()`` in it says how long.

    Args:
        name: The name.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.condition: Net | None = None

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is not None or self._around is None:
            return
        if self.condition is None:
            raise AssertionError("WhileNet has no condition: begin it with a block of ops.Condition().")
        answer = self.condition.Proto().op[-1].output[0]
        net = Net("while")
        if answer not in self._lexical_scope:
            net.Const(False, blob_out=BlobReference(answer, net))
        add_while_op(net, answer, self._lexical_scope, self._body(), self.condition)
        self._around.add_whole(net)


class Condition(_Inside):
    """The operators that a ``WhileNet`` asks before each round; the first output of the last one is the answer.

    Args:
        name: The name.
    """

    def __enter__(self) -> Any:
        around = NetBuilder.current(required=False)
        if not isinstance(around, WhileNet):
            raise AssertionError("Condition stands inside the block of a WhileNet.")
        if around.condition is not None or around._children:
            raise AssertionError("Condition comes first in a WhileNet, and only once.")
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        if kind is None and isinstance(self._around, WhileNet):
            body = self._body()
            if not body.Proto().op or not body.Proto().op[-1].output:
                raise AssertionError("Condition ends with an operator whose output is the answer, one bool.")
            self._around.condition = body
