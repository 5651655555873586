"""Other packages that want to follow every run: an experiment tracker, for instance.

A package names a function under the entry point group ``c2lab.training``; it is called once for a run
without arguments, and what it returns is a callback of that run: called after each step if it can be
called, told ``on_epoch(run)`` and ``on_end(run)`` if it has these.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import Any

GROUP = "c2lab.training"


def installed() -> list[Any]:
    """A callback of each package that has one; a package that fails is told about, and left out."""
    found = []
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            found.append(entry.load()())
        except Exception as error:
            warnings.warn(
                f"the training hook {entry.name} ({entry.value}) could not be used: {error}", RuntimeWarning, 2
            )
    return found
