"""Finding operators, and hearing of new ones."""

from __future__ import annotations

import pytest

from c2lab.errors import UnknownOperator
from c2lab.operators import registry
from c2lab.operators.definition import operator


def test_unknown_types_get_a_guess():
    assert registry.get("Rellu") is None
    with pytest.raises(UnknownOperator, match=r"type 'Rellu' on the device 'CPU'.*Did you mean: Relu"):
        registry.find("Rellu")


def test_families_are_the_files_that_define_operators():
    assert {"activations", "convolution", "losses"} <= set(registry.families())
    assert not registry.MECHANISM & set(registry.families())


def test_a_new_operator_is_told_and_can_be_replaced():
    told = []
    end = registry.on_register(lambda found: told.append(found.type))

    @operator("TestTold")
    def first(X):
        """One."""
        return X

    @operator("TestTold")
    def second(X):
        """Two."""
        return X

    end()
    assert told == ["TestTold", "TestTold"]
    assert registry.find("TestTold").doc == "Two."


def test_all_operators_are_sorted():
    types = [found.type for found in registry.all_operators()]
    assert types == sorted(types)
