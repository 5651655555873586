"""A compiled step with regions, and the same operators on the host where the regions cannot be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from c2lab.backend.blobs import UNINITIALISED, Blobs
from c2lab.backend.region_nodes import RegionRefused
from c2lab.errors import MissingBlob


class Runs(Protocol):
    """What can be run on blobs: a step, or a program."""

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Runs once."""

    def prepare(self, blobs: Blobs) -> None:
        """Compiles ahead whatever has known shapes."""


class FallbackStep:
    """Runs ``compiled`` as long as that is possible, and from then on what ``on_the_host`` makes.

    A region is refused while the step is compiled, before anything has run or changed: where branches give
    different shapes, a loop changes one, or a blob holds text or nothing yet.

    Args:
        compiled: The step with regions.
        on_the_host: Makes a program of the same operators without regions.
        new: Blobs that regions write whether their branch runs or not; they must hold nothing before.
    """

    def __init__(self, compiled: Any, on_the_host: Callable[[], Runs], new: Iterable[str] = ()) -> None:
        self.compiled = compiled
        self._on_the_host = on_the_host
        self._new = tuple(new)
        self._host_program: Runs | None = None

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Runs the step."""
        if self._new:
            if any(blobs.get(name, UNINITIALISED) is not UNINITIALISED for name in self._new):
                self._host_program = self._on_the_host()  # someone has fed one since the net was created
            self._new = ()
        if self._host_program is None:
            try:
                self.compiled.run(blobs, base, run)
                return
            except (RegionRefused, MissingBlob):
                # A blob that is really missing is missed again, by the operator that needs it.
                self._host_program = self._on_the_host()
        self._host_program.run(blobs, base, run)

    def prepare(self, blobs: Blobs) -> None:
        """Compiles ahead where the shapes are known by now."""
        if self._host_program is None:
            try:
                self.compiled.prepare(blobs)
            except (RegionRefused, MissingBlob):
                self._host_program = self._on_the_host()
