"""What nets want to run before and after the tasks that run them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, execution_step


def get_setup_nets(key: str, steps_or_nets: Iterable[Any], target: Any) -> tuple[list[Any], list[Any]]:
    """What the attributes ``key`` of nets and steps want to run before and after.

    An attribute is an object with ``setup(init_net)``, ``exit(exit_net)`` or both, which add operators to the
    net they are given, or return nets or steps, or both. Each object is asked once.

    Args:
        key: The attributes' name.
        steps_or_nets: The nets and steps that carry them.
        target: Who asks; an object with ``_setup_target`` answers only to that one.

    Returns:
        The nets and steps for before, and those for after.
    """
    found: list[Any] = []
    for part in steps_or_nets:
        if hasattr(part, "get_all_attributes"):
            found += part.get_all_attributes(key)
        elif hasattr(part, "get_attributes"):
            found += part.get_attributes(key)
    before, after = Net(f"{key}/init"), Net(f"{key}/exit")
    init: list[Any] = []
    exit: list[Any] = []
    for wish in found:
        if getattr(wish, "_setup_used", False) or getattr(wish, "_setup_target", target) != target:
            continue
        for ask, net, parts in (
            (getattr(wish, "setup", None), before, init),
            (getattr(wish, "exit", None), after, exit),
        ):
            if ask is not None:
                parts += _as_parts(ask(net))
                wish._setup_used = True
    # What was added to the nets themselves comes first: others may use the blobs that it makes.
    for net, parts in ((before, init), (after, exit)):
        if net.Proto().op:
            parts.insert(0, net)
    return init, exit


def _as_parts(answer: Any) -> list[Any]:
    if answer is None:
        return []
    if isinstance(answer, list | tuple):
        return list(answer)
    if isinstance(answer, Net | ExecutionStep):
        return [answer]
    raise TypeError(f"setup() and exit() return nets, steps, a list of these, or None; not {type(answer).__name__}.")


def add_setup_steps(
    step: ExecutionStep, init_nets: Sequence[Any], exit_nets: Sequence[Any], name: str
) -> ExecutionStep:
    """``step`` between what goes before and after it; the step itself where there is nothing."""
    if not init_nets and not exit_nets:
        return step
    parts = [step]
    if init_nets:
        parts.insert(0, execution_step(f"{name}:init", list(init_nets)))
    if exit_nets:
        parts.append(execution_step(f"{name}:exit", list(exit_nets)))
    return execution_step(name, parts)


class SetupNets:
    """Nets to run before and after, for ``net.add_attribute``.

    Args:
        init_nets: Nets to run before.
        exit_nets: Nets to run after.
    """

    def __init__(self, init_nets: list[Net] | None = None, exit_nets: list[Net] | None = None) -> None:
        self.init_nets = init_nets
        self.exit_nets = exit_nets

    def setup(self, init_net: Net) -> list[Net] | None:
        """The nets to run before."""
        return self.init_nets

    def exit(self, exit_net: Net) -> list[Net] | None:
        """The nets to run after."""
        return self.exit_nets
