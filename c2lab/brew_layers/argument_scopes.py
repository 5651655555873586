"""Arguments that hold for all layers of a kind inside a ``with`` block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class _Current(threading.local):
    """The arguments of one thread, by layer."""

    def __init__(self) -> None:
        self.arguments: dict[str, dict[str, Any]] = {}


_current = _Current()


def get_current_scope() -> dict[str, dict[str, Any]]:
    """The arguments that hold now: ``{layer: {argument: value}}``."""
    return _current.arguments


@contextmanager
def arg_scope(single_helper_or_list: Callable[..., Any] | list[Callable[..., Any]], **kwargs: Any) -> Iterator[None]:
    """Gives layers arguments that need not be written at each call; one that is written wins.

    Args:
        single_helper_or_list: A layer, or a list of layers: ``brew.conv``.
        kwargs: The arguments.

    Example:
        >>> def conv(): ...
        >>> with arg_scope(conv, stride=2):
        ...     get_current_scope()
        {'conv': {'stride': 2}}
    """
    layers = single_helper_or_list if isinstance(single_helper_or_list, list) else [single_helper_or_list]
    for layer in layers:
        if not callable(layer):
            raise AssertionError(f"arg_scope takes a layer or a list of layers, such as brew.conv, not {layer!r}.")
    before = _current.arguments
    inner = {name: dict(arguments) for name, arguments in before.items()}
    for layer in layers:
        inner.setdefault(layer.__name__, {}).update(kwargs)
    _current.arguments = inner
    try:
        yield
    finally:
        _current.arguments = before
