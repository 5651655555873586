"""Reading what a browser sends: every value is checked before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from c2lab.graph.document import EditRefused

Message = Mapping[str, Any]
Reply = dict[str, Any]

LONGEST_TEXT = 4 * 2**20


def text(message: Message, name: str, default: str | None = None, *, longest: int = LONGEST_TEXT) -> str:
    """A text of the message.

    Raises:
        EditRefused: It is missing, no text, or too long.

    Example:
        >>> text({"type": "Relu"}, "type")
        'Relu'
    """
    value = message.get(name, default)
    if value is None or not isinstance(value, str):
        raise EditRefused(f"{name} must be a text, not {type(value).__name__}")
    if len(value) > longest:
        raise EditRefused(f"{name} has {len(value)} characters; {longest} are the most")
    return value.encode("utf-8", "replace").decode("utf-8")


def number(message: Message, name: str, default: float | None = None) -> float:
    """A finite number of the message.

    Raises:
        EditRefused: It is missing or no finite number.
    """
    value = message.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EditRefused(f"{name} must be a number, not {str(value)[:40]!r}")
    return float(value)


def whole(message: Message, name: str, default: int | None = None) -> int:
    """A whole number of the message."""
    value = number(message, name, default)
    if value != int(value) or abs(value) > 2**53:
        raise EditRefused(f"{name} must be a whole number, not {value}")
    return int(value)


def truth(message: Message, name: str, default: bool = False) -> bool:
    """A yes or no of the message."""
    value = message.get(name, default)
    if not isinstance(value, bool):
        raise EditRefused(f"{name} must be true or false, not {str(value)[:40]!r}")
    return value


def texts(message: Message, name: str) -> list[str]:
    """A list of texts of the message; empty where it is absent."""
    value = message.get(name) or []
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise EditRefused(f"{name} must be a list of texts")
    return list(dict.fromkeys(value))


def place(message: Message) -> tuple[float, float] | None:
    """The place on the canvas that a message names, if it does."""
    if message.get("x") is None or message.get("y") is None:
        return None
    return point(message["x"], message["y"])


def point(x: Any, y: Any) -> tuple[float, float]:
    """A place on the canvas, not farther away than a canvas goes."""
    values = {"x": x, "y": y}
    x, y = (max(-1e6, min(1e6, round(number(values, name), 1))) for name in "xy")
    return x, y
