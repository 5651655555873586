"""Flags for loading libraries."""

from __future__ import annotations

import sys

from c2lab.compat.extension_loader import DlopenGuard


def test_nothing_changes():
    before = sys.getdlopenflags()
    with DlopenGuard():
        assert sys.getdlopenflags() == before
