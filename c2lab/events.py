"""What happened, for whoever wants to know: widgets, loggers, tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[..., None]

_listeners: dict[str, list[Listener]] = {}


def listen(event: str, listener: Listener) -> Callable[[], None]:
    """Calls ``listener(**facts)`` at each ``event`` from now on; returns a function that ends this.

    Example:
        >>> end = listen("net_ran", lambda **facts: print(facts["net"]))
        >>> emit("net_ran", net="mnist")
        mnist
        >>> end()
    """
    _listeners.setdefault(event, []).append(listener)
    return lambda: _listeners[event].remove(listener)


def emit(event: str, **facts: Any) -> None:
    """Tells the listeners of ``event``; costs a look-up where there are none."""
    listeners = _listeners.get(event)
    if listeners:
        for listener in tuple(listeners):
            listener(**facts)
