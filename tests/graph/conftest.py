"""Fixtures for tests of graphs."""

from __future__ import annotations

import pytest

from c2lab.core import CreateOperator, GradientRegistry, GradientSlice
from tests.graph.gradient_chains import scopeless


@pytest.fixture
def made_up_gradients():
    """Operators whose gradient reads nothing, the input, the output; that pass it on; that have none."""
    known = dict(GradientRegistry.gradient_registry_)

    def maker(kind):
        def make(op, g_output):
            made = [f"{name}_grad" for name in op.input]
            read = {"Direct": [], "UseInput": list(op.input), "UseOutput": list(op.output)}[kind]
            return CreateOperator(
                f"{kind}Gradient", scopeless(read + [g for g in g_output if g]), scopeless(made)
            ), made

        return make

    for kind in ("Direct", "UseInput", "UseOutput"):
        GradientRegistry.RegisterGradient(kind)(maker(kind))
    GradientRegistry.RegisterGradient("PassOn")(lambda op, g: ([], [g[0]] * len(op.input)))
    GradientRegistry.RegisterGradient("NoGrad")(lambda op, g: (None, [None] * len(op.input)))

    @GradientRegistry.RegisterGradient("Rows")
    def _(op, g_output):  # reads rows of a table; the values of the slice are the output's gradient
        return [], [GradientSlice(op.input[1], g_output[0]), None]

    @GradientRegistry.RegisterGradient("Hash")
    def _(op, g_output):  # both parts of the slice are computed
        parts = [f"{op.input[0]}_grad_indices", f"{op.input[0]}_grad_values"]
        return CreateOperator("HashGradient", scopeless(g_output), scopeless(parts)), [GradientSlice(*parts)]

    yield
    GradientRegistry.gradient_registry_.clear()
    GradientRegistry.gradient_registry_.update(known)
