"""Every operator by type; the families are imported at the first look-up."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from c2lab.errors import UnknownOperator, did_you_mean

if TYPE_CHECKING:
    from c2lab.operators.definition import Operator

# The files of this package that define the mechanism rather than operators.
MECHANISM = frozenset(
    {
        "axes",
        "box_geometry",
        "broadcasting",
        "checks",
        "convolution_lowerings",
        "definition",
        "draws",
        "gradients",
        "page",
        "pictures",
        "quantized_arithmetic",
        "regions",
        "reading_ahead",
        "registry",
        "schema",
        "subnet_gradients",
        "subnets",
        "values",
        "vjp",
        "waiting",
        "windows",
    }
)

_operators: dict[str, Operator] = {}
_listeners: list[Callable[[Operator], None]] = []
_loaded = False


def register(operator: Operator) -> None:
    """Adds an operator, or replaces the one of the same type (a cell that is run again)."""
    _operators[operator.type] = operator
    for listener in tuple(_listeners):
        listener(operator)


def on_register(listener: Callable[[Operator], None]) -> Callable[[], None]:
    """Calls ``listener(operator)`` at each registration from now on; returns a function that ends this."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def families() -> tuple[str, ...]:
    """The names of the family files, which are the palette's categories."""
    folder = str(Path(__file__).parent)
    return tuple(sorted(m.name for m in pkgutil.iter_modules([folder]) if m.name not in MECHANISM))


def load() -> None:
    """Imports every family file once."""
    global _loaded
    if not _loaded:
        _loaded = True  # before the imports: the families look each other up while they load
        try:
            for family in families():
                importlib.import_module(f"c2lab.operators.{family}")
        except BaseException:
            _loaded = False
            raise


def get(type: str) -> Operator | None:
    """The operator of this type, or ``None``."""
    if type not in _operators:
        load()
    return _operators.get(type)


def find(type: str) -> Operator:
    """The operator of this type.

    Raises:
        UnknownOperator: With the nearest known types.

    Example:
        >>> find("Relu").family
        'activations'
    """
    operator = get(type)
    if operator is None:
        raise UnknownOperator(
            f"Cannot create operator of type '{type}' on the device 'CPU': it is not a registered operator."
            f"{did_you_mean(type, _operators)}"
        )
    return operator


def all_operators() -> Iterator[Operator]:
    """Every operator, sorted by type."""
    load()
    return iter(sorted(_operators.values(), key=lambda operator: operator.type))
