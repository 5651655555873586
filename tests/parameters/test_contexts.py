"""Modifiers that hold inside of with blocks."""

from __future__ import annotations

import threading

import pytest

from c2lab.parameters import contexts
from c2lab.parameters.contexts import (
    DefaultManaged,
    Managed,
    ModifierContext,
    NormalizerContext,
    OptimizerContext,
    RegularizerContext,
    UseModifierBase,
    UseNormalizer,
    UseOptimizer,
    UseRegularizer,
)


@pytest.mark.parametrize(
    ("use", "context", "kind"),
    [
        (UseOptimizer, OptimizerContext, "optimizer"),
        (UseRegularizer, RegularizerContext, "regularizer"),
        (UseNormalizer, NormalizerContext, "normalizer"),
    ],
)
def test_one_for_all_or_by_name(use, context, kind):
    def has(name):
        return getattr(context.current(), f"has_{kind}")(name)

    def get(name):
        return getattr(context.current(), f"get_{kind}")(name)

    assert not has("DEFAULT")
    with use("one"):
        assert get("DEFAULT") == "one"
        with use({"WEIGHT": "another", "DEFAULT": "inner"}):
            assert (get("WEIGHT"), get("DEFAULT")) == ("another", "inner")
        assert get("DEFAULT") == "one"
        with pytest.raises(AssertionError, match=f"WEIGHT {kind} is not provided!"):
            get("WEIGHT")
    assert not has("DEFAULT")
    assert contexts.DEFAULT_OPTIM == contexts.DEFAULT_MODIFIER == "DEFAULT"


def test_modifiers_end_with_an_error_too():
    with pytest.raises(KeyError), UseOptimizer("one"):
        raise KeyError
    assert not OptimizerContext.current().has_optimizer("DEFAULT")


def test_nothing_to_take_away():
    with pytest.raises(AssertionError, match="no modifiers"):
        ModifierContext().pop_modifiers()
    with pytest.raises(NotImplementedError, match="UseModifierBase"), UseModifierBase("one"):
        pass


class Needed(Managed):
    """Must be entered."""


class Given(DefaultManaged):
    """Is always there."""


def test_the_innermost_context_is_current():
    with pytest.raises(AssertionError, match="Needed is needed"):
        Needed.current()
    assert Needed.current(required=False) is None
    outer, inner = Needed(), Needed()
    with outer:
        with inner:
            assert Needed.current() is inner
        assert Needed.current() is outer
        assert Needed.current(inner) is inner


def test_a_context_as_decorator():
    context = Needed()

    @context
    def inside():
        """What is it?"""
        return Needed.current()

    assert inside() is context
    assert inside.__doc__ == "What is it?"
    assert Needed.current(required=False) is None


def test_a_default_is_made_once_a_thread():
    first = Given.current()
    assert Given.current() is first
    with Given() as entered:
        assert Given.current() is entered
    assert Given.current() is first
    seen = []
    thread = threading.Thread(target=lambda: seen.append(Given.current()))
    thread.start()
    thread.join()
    assert seen[0] is not first
