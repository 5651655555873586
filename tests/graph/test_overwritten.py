"""Gradients of operators that work in place."""

from __future__ import annotations

import pytest

from c2lab import core, errors
from c2lab.graph.overwritten import make_safe_gradient
from c2lab.operators.gradients import make_gradient


@pytest.mark.parametrize("kind", ["Relu", "Sigmoid", "Tanh", "Elu", "StopGradient"])
def test_a_gradient_of_the_output_works_in_place(kind):
    op = core.CreateOperator(kind, "x", "x")
    assert make_safe_gradient(op, ["dx"]) == make_gradient(op, ["dx"])


@pytest.mark.parametrize("kind", ["Add", "Sub", "Div"])
def test_a_gradient_that_reads_only_the_shape_works_in_place(kind):
    op = core.CreateOperator(kind, ["x", "y"], "x")
    assert make_safe_gradient(op, ["dx"]) == make_gradient(op, ["dx"])


@pytest.mark.parametrize(("kind", "inputs"), [("Sqr", ["x"]), ("Log", ["x"]), ("Softsign", ["x"]), ("Mul", ["x", "y"]),
                                              ("Max", ["x", "y"]), ("PRelu", ["x", "w"])])  # fmt: skip
def test_a_gradient_of_the_overwritten_input_is_an_error(kind, inputs):
    op = core.CreateOperator(kind, inputs, "x")
    told = rf'needs input "x" as it was before {kind}, which overwrites it.*Give the output of {kind} another name'
    with pytest.raises(errors.UnsafeInplace, match=told):
        make_safe_gradient(op, ["dx"])
    make_safe_gradient(core.CreateOperator(kind, inputs, "z"), ["dz"])


def test_the_net_says_where():
    net = core.Net("overwriting")
    net.Sqr("x", "x")
    with pytest.raises(RuntimeError, match=r'Sqr \(operator 0 of net "overwriting", added at test_overwritten.py line'):
        net.AddGradientOperators(["x"])
