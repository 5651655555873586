"""One thing of the palette."""

from __future__ import annotations

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One thing of the palette."""

    type: str
    kind: str
    family: str
    summary: str
    words: str
    """Lower-case text that a search looks into."""
    gradient: bool = False

    def told(self) -> dict[str, Any]:
        """The entry as plain data."""
        return self._asdict()
