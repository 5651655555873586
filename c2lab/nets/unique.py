"""Names that are given only once in a process."""

from __future__ import annotations

import threading
from collections.abc import Callable


class UniqueNames:
    """Hands out names; one that is asked for again gets a number.

    Example:
        >>> names = UniqueNames()
        >>> names.take("net"), names.take("net"), names.take("net")
        ('net', 'net_1', 'net_2')
    """

    def __init__(self) -> None:
        # What stands in front of names just now; whoever knows of a context around sets this.
        self.prefix: Callable[[], str] = str
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def take(self, base: str) -> str:
        """``base``, or ``base_<number>`` where that is taken."""
        with self._lock:
            name, number = base, 1
            while name in self._taken:
                name, number = f"{base}_{number}", number + 1
            self._taken.add(name)
            return name
