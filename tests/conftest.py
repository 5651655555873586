"""What every test runs under: quick compilation, no cache on disk, a fresh workspace."""

from __future__ import annotations

import os

# Compiled code is run once or twice in a test: the time goes into compiling it.
os.environ.setdefault("C2LAB_XLA_OPTIMIZATION", "0")
os.environ.setdefault("C2LAB_CACHE", "0")
os.environ.setdefault("MPLBACKEND", "agg")

import pytest


@pytest.fixture(autouse=True)
def fresh_workspace():
    """Each test starts in an empty workspace and leaves none behind."""
    from c2lab import workspace

    workspace.SwitchWorkspace("default")
    workspace.ResetWorkspace()
    yield
    workspace.SwitchWorkspace("default")
    workspace.ResetWorkspace()
