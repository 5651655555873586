"""The gradient registry; what the backward pass does is tested in tests/graph."""

from __future__ import annotations

import pytest

from c2lab import core, errors


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """Makers that are registered here are gone after the test."""
    monkeypatch.setattr(core.GradientRegistry, "gradient_registry_", {})


def test_where_a_gradient_stands_in_a_list():
    gradients = ["a", None, core.GradientSlice("i", "v")]
    assert [core.GetIndexFromGradientList(gradients, name) for name in ("a", "v", "i", "q")] == [0, 2, 2, None]


def test_a_maker_may_return_nothing_one_operator_or_a_list():
    op = core.CreateOperator("Made", "x", "y")
    one = core.CreateOperator("G", "dy", "dx")
    for made, wanted in ((None, []), (one, [one]), ([one, one], [one, one])):
        core.GradientRegistry.RegisterGradient("Made")(lambda op, g, made=made: (made, ["dx"]))
        assert core.GradientRegistry.GetGradientForOp(op, ["dy"]) == (wanted, ["dx"])


def test_errors_of_ours_pass_through_makers():
    @core.GradientRegistry.RegisterGradient("Made")
    def _(op, g):
        raise errors.NoGradient("only for even sizes")

    with pytest.raises(errors.NoGradient, match=r"^only for even sizes$"):
        core.GradientRegistry.GetGradientForOp(core.CreateOperator("Made", "x", "y"), ["dy"])


def test_an_unknown_operator_has_no_gradient_to_ask_for():
    with pytest.raises(errors.UnknownOperator, match="NoSuchThing"):
        core.GradientRegistry.GetGradientForOp(core.CreateOperator("NoSuchThing", "x", "y"), ["dy"])


def test_the_intermediate_form_can_be_played_and_read():
    forward = core.IR([core.CreateOperator("Relu", "x", "h")])
    forward.Play(core.CreateOperator("Relu", "h", "y"))
    assert [step.out_versions for step in forward.ssa] == [{"h": 0}, {"y": 0}]
    assert forward.frontier["h"] == 0
    assert forward.input_usages["h"][0] == [1]
    ops, gradients = forward.GetBackwardPass({"y": "dy"})
    assert [op.type for op in ops] == ["ReluGradient", "ReluGradient"]
    assert gradients["x"] == core.BlobReference("x_grad")
