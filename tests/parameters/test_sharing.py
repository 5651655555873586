"""Which scope's parameters are used."""

from __future__ import annotations

import pytest

from c2lab.nets.scopes import NameScope
from c2lab.parameters.sharing import ParameterSharing, ParameterSharingContext, parameter_sharing_context


def name(scope: str) -> str:
    with NameScope(scope):
        return parameter_sharing_context.get_parameter_name("w")


def test_longer_scopes_win_and_overrides_are_followed():
    with ParameterSharing({"b": "a", "a": "z", "b/own": "other"}):
        assert name("b") == "z/w"
        assert name("b/own") == "other/w"
        assert name("b/own/deeper") == "other/deeper/w"
        assert name("bb") == "bb/w"
    assert name("b") == "b/w"


def test_inner_sharing_wins():
    with ParameterSharing({"b": "a"}):
        with ParameterSharing({"b": "c"}):
            assert name("b") == "c/w"
        assert name("b") == "a/w"


def test_sharing_ends_with_an_error_too():
    with pytest.raises(KeyError), ParameterSharing({"b": "a"}):
        raise KeyError
    assert name("b") == "b/w"


def test_what_cannot_be_shared():
    with pytest.raises(AssertionError, match="dictionary"), ParameterSharing(["b", "a"]):
        pass
    with pytest.raises(AssertionError, match="inside"), ParameterSharing({"a": "a/b"}):
        pass
    with pytest.raises(AssertionError, match="no parameter sharing"):
        ParameterSharingContext().pop()
