"""``NetBuilder``: nets, loops and branches written as they run, inside ``with`` blocks.

>>> from c2lab.control.operations import ops
>>> with NetBuilder("count_down") as builder:
...     left = ops.Const(3)
...     with ops.loop():
...         ops.stop_if(ops.LE([left, ops.Const(0)]))
...         ops.Add([left, ops.Const(-1)], [left])
>>> [type(child).__name__ for child in builder.get()]
['Net', 'Loop']

``core.to_execution_step(builder)`` makes a step of it, which a plan can run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab import origins
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.operators.subnets import writes_of
from c2lab.parameters.contexts import Managed
from c2lab.plan import ExecutionStep


class NetBuilder(Managed):
    """Gathers nets and steps in the order in which they are to run.

    Inside ``with NetBuilder()``, ``ops.<Type>(...)`` adds an operator to the net at the end, and blocks such
    as ``ops.loop()`` add a step.

    Args:
        name: The name, which goes in front of the names of nets and blobs.
        initial_scope: Blobs that exist already and that branches and loops in nets may write.
        _stop_blob_required: Whether there is a stop blob from the start.
        _stop_blob: The stop blob to use.
        _fullname: The name, with nothing in front of it.
        _use_control_ops: Whether branches and loops are operators; then the whole is one net.
    """

    @classmethod
    def _stack(cls) -> list[Any]:
        # All kinds of builders are in one stack: the current one is the innermost, whatever it is.
        return Managed._stack.__func__(NetBuilder)  # type: ignore[attr-defined] - the function under a classmethod

    def __init__(
        self,
        name: str | None = None,
        initial_scope: Iterable[Any] | None = None,
        _stop_blob_required: bool = False,
        _stop_blob: BlobReference | None = None,
        _fullname: str | None = None,
        _use_control_ops: bool = False,
    ) -> None:
        if name and _fullname:
            raise AssertionError(f"name is {name!r} and _fullname {_fullname!r}; give one of the two.")
        parent = NetBuilder.current(required=False)
        self.name = _fullname or "/".join(part for part in (parent.name if parent else "", name or "") if part)
        self._stop_blob = _stop_blob
        self._stop_blob_required = _stop_blob_required
        self._children: list[Any] = []
        self._current_net: Net | None = None
        self._frozen = False
        self._use_control_ops = _use_control_ops
        self._lexical_scope = {str(blob) for blob in initial_scope or ()}
        if parent is not None:
            self._lexical_scope |= parent.visible_blobs()
            self._use_control_ops |= parent._use_control_ops

    def __str__(self) -> str:
        return self.name or "Un-named NetBuilder"

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}", {len(self._children)} nets and steps>'

    # ---- what is in it ---------------------------------------------------------------------------

    def current_net(self, name: str | None = None) -> Net:
        """The net at the end, to which operators are added; a new one where there is none, or one is named."""
        if self._current_net is None or name is not None:
            self.add(Net(name or ("" if self.name else "net")))
        assert self._current_net is not None
        return self._current_net

    def add(self, child: Any) -> Any:
        """Adds a net, a step, or something that becomes one (a builder, a group of tasks); returns it."""
        if self._frozen:
            raise AssertionError(f'The builder "{self}" is complete; nothing can be added to it any more.')
        if self._use_control_ops and not isinstance(child, Net):
            raise AssertionError(
                f'{_kind(child)} is a step of a plan, but the builder "{self}" makes one net; '
                "use ops.IfNet and ops.WhileNet in it."
            )
        self._current_net = child if isinstance(child, Net) else None
        self._children.append(child)
        return child

    def add_whole(self, net: Net) -> None:
        """Adds a net to which nothing more is added: what comes next begins a new one."""
        self.add(net)
        self._current_net = None

    def visible_blobs(self) -> set[str]:
        """The blobs that a block which begins now may write: those around the builder, and those made so far."""
        return self._lexical_scope | _made_by(self._children)

    # ---- stopping --------------------------------------------------------------------------------

    def stop_blob(self) -> BlobReference:
        """The blob that ends this builder's step when it is true, made at the first call.

        Where the builder has more than the current net by then, it is set to false at the beginning.
        """
        if self._use_control_ops:
            raise AssertionError(
                f'Stop blobs are not used with control operators: the builder "{self}" makes one net; '
                "let the condition of ops.WhileNet end the loop."
            )
        if self._stop_blob is None:
            net = self.current_net()
            self._stop_blob = BlobReference(net.NextName("stop_blob"), net)
            first = Net("stop_blob_init")
            first.Const(False, blob_out=self._stop_blob)
            self._children.insert(0, first)
        return self._stop_blob

    def stop_if(self, blob: Any) -> None:
        """Ends the step here if ``blob`` holds true."""
        stop = self.stop_blob()
        self.current_net().Copy(blob, stop)
        # A step looks at its stop blob after each net: what follows is another net.
        self._current_net = None

    # ---- the end ---------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Adds what must come last; called when the block ends without an error."""
        if self._stop_blob is not None:
            # A step with a stop blob is repeated until that is true, and this one runs once.
            self.current_net().Const(True, blob_out=self._stop_blob)

    def __enter__(self) -> Any:
        if self._frozen:
            raise AssertionError(f'The builder "{self}" is complete; enter a new one.')
        super().__enter__()
        if self._stop_blob_required:
            self.stop_blob()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *rest: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            super().__exit__(kind, *rest)
        if kind is None:
            self.freeze()

    def freeze(self) -> None:
        """Completes the builder: nothing can be added to it any more."""
        if self._frozen:
            return
        if self._use_control_ops and self._children:
            self._children = [NetBuilder.merge_nets(self._children, self._lexical_scope)]
        self._current_net = None
        self._frozen = True

    def get(self) -> list[Any]:
        """The nets and steps, in order; the builder is complete from now on."""
        self.freeze()
        return self._children

    @staticmethod
    def merge_nets(nets_or_builders: Iterable[Any], outer_blob_names: Iterable[Any] = ()) -> Net | None:
        """One net with the operators of several, in order; ``None`` where there are none.

        Args:
            nets_or_builders: Nets, and builders of nothing but nets.
            outer_blob_names: The blobs that exist around them.
        """
        merged = None
        for part in nets_or_builders:
            if not isinstance(part, Net | NetBuilder):
                raise AssertionError(f"Only nets and builders can be merged into one net, not {_kind(part)}.")
            nets = [part] if isinstance(part, Net) else part.get()
            if merged is None and nets:
                merged = Net("merged")
            for net in nets:
                if not isinstance(net, Net):
                    raise AssertionError(f"Only nets can be merged into one net, not {_kind(net)} in {part!r}.")
                assert merged is not None
                offset = len(merged.Proto().op)
                merged.AppendNet(net)
                origins.carry_over(net.Name(), merged.Name(), offset)
                for name, objects in net._attributes.items():
                    for obj in objects:
                        merged.add_attribute(name, obj)
        return merged


def _kind(child: Any) -> str:
    return f"the step {child.Name()!r}" if isinstance(child, ExecutionStep) else type(child).__name__


def _made_by(children: Iterable[Any]) -> set[str]:
    names: set[str] = set()
    for child in children:
        if isinstance(child, Net):
            names |= writes_of(child.Proto())
        elif isinstance(child, ExecutionStep):
            names |= _made_by(child.Nets())
        elif isinstance(child, NetBuilder):
            names |= _made_by(child._children)
    return names


def _prefix() -> str:
    builder = NetBuilder.current(required=False)
    return builder.name if builder is not None else ""


Net._names.prefix = _prefix
