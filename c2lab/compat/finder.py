"""Answers ``import caffe2...`` from a table of old names."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

# A module that *is* one of ours, or one put together of names from several of ours.
Target = str | Mapping[str, str]


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of a table; everything else is left to the finders after it."""

    def __init__(self, packages: Sequence[str], table: Mapping[str, Target]) -> None:
        self.packages = frozenset(packages)
        self.table = table
        self._specs: dict[str, Any] = {}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """A specification for a name of the table, or nothing."""
        if fullname in self.packages:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if fullname in self.table:
            return importlib.machinery.ModuleSpec(fullname, self)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        target = self.table.get(spec.name)
        if isinstance(target, str):
            module = importlib.import_module(target)
            # The machinery is about to write the old name into our module; exec_module undoes that.
            self._specs[spec.name] = module.__spec__
            return module
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fills a module that is put together; leaves one of ours as it was."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        if name in self._specs:
            module.__spec__ = self._specs.pop(name)
            return
        target = self.table.get(name)
        if isinstance(target, Mapping):
            module.__dict__.update(_composed(name, target))


def _composed(name: str, names: Mapping[str, str]) -> dict[str, Any]:
    """A module's contents, each name looked up where it lives when it is first asked for."""

    def lookup(attribute: str) -> Any:
        place = names.get(attribute)
        if place is None:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        module, _, member = place.partition(":")
        value = getattr(importlib.import_module(module), member or attribute)
        sys.modules[name].__dict__[attribute] = value
        return value

    return {
        "__getattr__": lookup,
        "__dir__": lambda: sorted(names),
        "__all__": sorted(names),
        "__doc__": f"The names of {name}.",
    }
