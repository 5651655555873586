"""Layers of different name scopes that share their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from c2lab.nets.scopes import SEPARATOR, CurrentNameScope


def _closed(scope: str) -> str:
    """A scope with its slash at the end, so that ``a`` and ``a/`` are the same one."""
    return scope if not scope or scope.endswith(SEPARATOR) else scope + SEPARATOR


class ParameterSharingContext:
    """Which scope's parameters are used instead of which other's."""

    def __init__(self) -> None:
        self._contexts: list[dict[str, str]] = []

    @property
    def _overrides(self) -> dict[str, str]:
        return {scope: target for context in self._contexts for scope, target in context.items()}

    def _resolve(self, scope: str) -> str:
        """Follows the override of the longest part of ``scope`` that has one, again and again."""
        overrides = self._overrides
        parts = scope.split(SEPARATOR)
        for length in range(len(parts) - 1, 0, -1):
            target = overrides.get(_closed(SEPARATOR.join(parts[:length])))
            if target is not None and target != scope:
                return self._resolve(target) + SEPARATOR.join(parts[length:])
        return scope

    def get_parameter_name(self, name: str) -> str:
        """The full name of parameter ``name`` of the current scope."""
        return self._resolve(CurrentNameScope()) + name

    def add_scope_overrides(self, shared_scopes: Mapping[str, str]) -> None:
        """Lets scopes on the left use the parameters of those on the right, until ``pop``."""
        self._contexts.append(dict(shared_scopes))

    def pop(self) -> None:
        """Ends what was added last."""
        if not self._contexts:
            raise AssertionError("There is no parameter sharing to end.")
        self._contexts.pop()


parameter_sharing_context = ParameterSharingContext()


@contextmanager
def ParameterSharing(shared_scopes: Mapping[str, str]) -> Iterator[None]:
    """Inside the block, layers of the scopes on the left use the parameters of the scopes on the right.

    Args:
        shared_scopes: ``{scope: scope whose parameters it uses}``, within the current name scope.

    Example:
        >>> from c2lab.nets.scopes import NameScope
        >>> with ParameterSharing({"b": "a"}), NameScope("b"):
        ...     parameter_sharing_context.get_parameter_name("w")
        'a/w'
    """
    if not isinstance(shared_scopes, dict):
        raise AssertionError(f"ParameterSharing takes a dictionary of scopes, not {shared_scopes!r}.")
    around = CurrentNameScope()
    overrides = {}
    for scope, target in shared_scopes.items():
        if target.startswith(scope):
            raise AssertionError(f"Scope {scope!r} cannot use the parameters of {target!r}, which lies inside of it.")
        overrides[_closed(around + scope)] = _closed(around + target)
    parameter_sharing_context.add_scope_overrides(overrides)
    try:
        yield
    finally:
        parameter_sharing_context.pop()
