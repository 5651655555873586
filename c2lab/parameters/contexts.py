"""Optimizers, regularizers and normalizers that hold for the parameters made inside a ``with`` block."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

DEFAULT_MODIFIER = "DEFAULT"
DEFAULT_OPTIM = "DEFAULT"


class Managed:
    """A context of which the innermost one that was entered in this thread is ``current()``."""

    _allow_default = False
    _entered = threading.local()

    @classmethod
    def _stack(cls) -> list[Any]:
        stacks = cls._entered.__dict__.setdefault("stacks", {})
        return stacks.setdefault(cls, [])

    @classmethod
    def current(cls, value: Any = None, required: bool = True) -> Any:
        """The innermost context; ``value`` where one is given."""
        if value is not None:
            return value
        stack = cls._stack()
        if not stack and cls._allow_default:
            stack.append(cls())
        if stack:
            return stack[-1]
        if required:
            raise AssertionError(f"{cls.__name__} is needed here, but none was entered with a with statement.")
        return None

    def __enter__(self) -> Self:
        if self._allow_default:
            # The default stays below everything that is entered.
            self.current()
        self._stack().append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack().pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A decorator that runs a function inside this context."""

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


class DefaultManaged(Managed):
    """A context that is always there."""

    _allow_default = True


class ModifierContext:
    """Named modifiers; those pushed last win."""

    def __init__(self) -> None:
        self._pushed: list[Mapping[str, Any]] = []

    @property
    def _modifiers(self) -> dict[str, Any]:
        return {name: modifier for modifiers in self._pushed for name, modifier in modifiers.items()}

    def _has_modifier(self, name: str) -> bool:
        return name in self._modifiers

    def _get_modifier(self, name: str) -> Any:
        return self._modifiers.get(name)

    def push_modifiers(self, modifiers: Mapping[str, Any]) -> None:
        """Adds modifiers, which win over those there."""
        self._pushed.append(modifiers)

    def pop_modifiers(self) -> None:
        """Takes away those pushed last."""
        if not self._pushed:
            raise AssertionError("There are no modifiers to take away.")
        self._pushed.pop()


class UseModifierBase:
    """Pushes modifiers for the length of a ``with`` block: one for everything, or ``{name: modifier}``."""

    def __init__(self, modifier_or_dict: Any) -> None:
        named = isinstance(modifier_or_dict, dict)
        self._modifiers = modifier_or_dict if named else {DEFAULT_MODIFIER: modifier_or_dict}

    def _context_class(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say whose modifiers it pushes.")

    def __enter__(self) -> Self:
        self._context_class().current().push_modifiers(self._modifiers)
        return self

    def __exit__(self, *exception: object) -> None:
        self._context_class().current().pop_modifiers()


class OptimizerContext(ModifierContext, DefaultManaged):
    """The optimizers that new parameters get, by tag."""

    def has_optimizer(self, name: str) -> bool:
        """Whether there is an optimizer of this name."""
        return self._has_modifier(name)

    def get_optimizer(self, name: str) -> Any:
        """The optimizer of this name."""
        if not self.has_optimizer(name):
            raise AssertionError(f"{name} optimizer is not provided!")
        return self._get_modifier(name)


class UseOptimizer(UseModifierBase):
    """Gives the parameters made inside the block an optimizer of their own.

    ``UseOptimizer(optimizer)`` for all, ``UseOptimizer({"WEIGHT": a, "BIAS": b})`` by tag.
    """

    def _context_class(self) -> type[OptimizerContext]:
        return OptimizerContext


class RegularizerContext(ModifierContext, DefaultManaged):
    """The regularizers that new parameters get, by tag."""

    def has_regularizer(self, name: str) -> bool:
        """Whether there is a regularizer of this name."""
        return self._has_modifier(name)

    def get_regularizer(self, name: str) -> Any:
        """The regularizer of this name."""
        if not self.has_regularizer(name):
            raise AssertionError(f"{name} regularizer is not provided!")
        return self._get_modifier(name)


class UseRegularizer(UseModifierBase):
    """Gives the parameters made inside the block a regularizer."""

    def _context_class(self) -> type[RegularizerContext]:
        return RegularizerContext


class NormalizerContext(ModifierContext, DefaultManaged):
    """The normalizers that new layers get, by name."""

    def has_normalizer(self, name: str) -> bool:
        """Whether there is a normalizer of this name."""
        return self._has_modifier(name)

    def get_normalizer(self, name: str) -> Any:
        """The normalizer of this name."""
        if not self.has_normalizer(name):
            raise AssertionError(f"{name} normalizer is not provided!")
        return self._get_modifier(name)


class UseNormalizer(UseModifierBase):
    """Gives the layers made inside the block a normalizer."""

    def _context_class(self) -> type[NormalizerContext]:
        return NormalizerContext
