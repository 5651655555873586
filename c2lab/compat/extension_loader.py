"""Flags for loading shared libraries; none are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def DlopenGuard(extra_flags: int = 256) -> Iterator[None]:
    """Changes nothing for the length of a ``with`` block."""
    yield
