"""Deferred imports of operator libraries: there are none, so nothing is deferred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def RegisterLazyImport(lazy: Callable[[], Any]) -> None:
    """Calls ``lazy`` at once."""
    lazy()


def TriggerLazyImport() -> None:
    """Nothing is left to import."""
