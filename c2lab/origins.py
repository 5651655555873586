"""Where the user wrote each operator: the line that errors point at.

Lines are kept beside the nets, by net name and operator position, never in a NetDef.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

_PACKAGE = str(Path(__file__).parent)


class Origin(NamedTuple):
    """A line of the user's code."""

    filename: str
    lineno: int
    where: str
    function: str = ""

    def __str__(self) -> str:
        return self.where


# By net name, then operator position; ``workspace.operator_tracebacks`` is this very dictionary.
operator_tracebacks: dict[str, dict[int, Origin]] = {}


def user_line() -> Origin | None:
    """The innermost calling line outside of this package.

    Example:
        >>> user_line().lineno
        1
    """
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return None
    filename, lineno = frame.f_code.co_filename, frame.f_lineno
    if "ipykernel" in filename or filename.startswith("<ipython-input"):
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        where = f"cell {shell.execution_count} line {lineno}" if shell else f"a cell, line {lineno}"
    else:
        where = f"{Path(filename).name} line {lineno}"
    return Origin(filename, lineno, where, frame.f_code.co_name)


def remember(net_name: str, position: int) -> None:
    """Keeps the user's line for operator ``position`` of net ``net_name``."""
    origin = user_line()
    if origin is not None:
        operator_tracebacks.setdefault(net_name, {})[position] = origin


def carry_over(net_name: str, to_net: str, offset: int) -> None:
    """Gives the operators of a net that were appended to another one, from ``offset``, their own lines."""
    lines = operator_tracebacks.get(net_name, {})
    operator_tracebacks.setdefault(to_net, {}).update({offset + at: line for at, line in lines.items()})


def place(type: str, name: str, position: int | None, net_name: str) -> str:
    """How an error names an operator.

    Example:
        >>> place("FC", "fc1", 3, "mnist")
        'FC "fc1" (operator 3 of net "mnist")'
    """
    label = f'{type} "{name}"' if name else type
    if position is None or not net_name:
        return label
    origin = operator_tracebacks.get(net_name, {}).get(position)
    added = f", added at {origin}" if origin else ""
    return f'{label} (operator {position} of net "{net_name}"{added})'
