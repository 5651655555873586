"""Modules from a table."""

from __future__ import annotations

import importlib
import sys

import pytest

from c2lab.compat.finder import OldNames


@pytest.fixture
def finder():
    found = OldNames(["oldtown"], {"oldtown.maths": "math", "oldtown.mixed": {"root": "math:sqrt", "pi": "math"}})
    sys.meta_path.insert(0, found)
    yield found
    sys.meta_path.remove(found)
    for name in [name for name in sys.modules if name.startswith("oldtown")]:
        del sys.modules[name]


def test_a_module_is_the_one_that_it_names(finder):
    import math

    assert importlib.import_module("oldtown.maths") is math
    assert math.__spec__.name == math.__name__ == "math"


def test_names_are_looked_up_where_they_live(finder):
    mixed = importlib.import_module("oldtown.mixed")
    assert mixed.root(9) == 3
    assert dir(mixed) == ["pi", "root"]
    with pytest.raises(AttributeError, match=r"oldtown\.mixed.*has no attribute 'e'"):
        _ = mixed.e


def test_everything_else_is_left_to_others(finder):
    assert importlib.import_module("oldtown").__path__ == []
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("oldtown.nowhere")
