"""Deferred imports."""

from __future__ import annotations

from c2lab.compat import lazy


def test_deferred_imports_happen_at_once():
    seen = []
    lazy.RegisterLazyImport(lambda: seen.append(1))
    lazy.TriggerLazyImport()
    assert seen == [1]
