"""The blobs of a workspace inside another one."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any


class ChildBlobs(MutableMapping[str, Any]):
    """Blobs that are looked up in a workspace and then in the one around it.

    A name that either has is written where it is; a new one becomes a blob of the inner workspace.

    Example:
        >>> outer = {"shared": 1}
        >>> inner = ChildBlobs(outer)
        >>> inner["shared"], inner["own"] = 2, 3
        >>> outer, inner["own"]
        ({'shared': 2}, 3)
    """

    def __init__(self, outer: MutableMapping[str, Any]) -> None:
        self.own: dict[str, Any] = {}
        self.outer = outer

    def __getitem__(self, name: str) -> Any:
        try:
            return self.own[name]
        except KeyError:
            return self.outer[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.own and name in self.outer:
            self.outer[name] = value
        else:
            self.own[name] = value

    def __delitem__(self, name: str) -> None:
        # As when a workspace is left: only what is its own goes.
        del self.own[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.own), **dict.fromkeys(self.outer)})

    def __len__(self) -> int:
        return len({*self.own, *self.outer})

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self.outer
