"""The error family and its places."""

from __future__ import annotations

import inspect

import pytest

from c2lab import errors

ALL = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.C2LabError)]


@pytest.mark.parametrize("kind", ALL)
def test_the_innermost_place_wins(kind):
    error = kind("bad").at("Relu (operator 1)").at("net")
    assert str(error) == "Relu (operator 1): bad"
    assert error.message == "bad"


def test_old_except_clauses_hold():
    assert issubclass(errors.UnknownOperator, AttributeError)
    for kind in ALL[:]:
        if kind is not errors.C2LabError:
            assert issubclass(kind, RuntimeError)


def test_did_you_mean():
    assert errors.did_you_mean("conv", ["Conv", "Relu"]) == " Did you mean: Conv?"
    assert errors.did_you_mean("zzz", ["Conv"]) == ""
