"""Arguments that hold inside of with blocks."""

from __future__ import annotations

import pytest

from c2lab.brew_layers.argument_scopes import arg_scope, get_current_scope


def conv():
    """A layer."""


def pool():
    """Another layer."""


def test_arguments_hold_inside_the_block():
    with arg_scope([conv, pool], stride=2):
        with arg_scope(conv, stride=1, pad=1):
            assert get_current_scope() == {"conv": {"stride": 1, "pad": 1}, "pool": {"stride": 2}}
        assert get_current_scope() == {"conv": {"stride": 2}, "pool": {"stride": 2}}
    assert get_current_scope() == {}


def test_only_layers():
    with pytest.raises(AssertionError, match="takes a layer"), arg_scope([conv, "pool"], stride=2):
        pass
    assert get_current_scope() == {}
