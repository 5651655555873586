"""Random programs of loops and branches: values both ways, and gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backend.region_nets import both_ways
from tests.control.random_programs import PARAMETERS, VARIABLES, built, loss, program
from tests.operators.slopes import slope

NAMES = (*VARIABLES, *PARAMETERS)


def given(seed):
    rng = np.random.default_rng(seed)
    return program(rng), dict(zip(NAMES, rng.uniform(-1, 1, (len(NAMES), 3)).astype(np.float32), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_values(seed):
    statements, feeds = given(seed)
    net = built(statements)
    outermost = sum(op.type in ("If", "While") for op in net.Proto().op)
    workspace = both_ways(net, feeds, regions=outermost)
    want = loss(statements, *(value.astype(np.float64) for value in feeds.values()))
    np.testing.assert_allclose(workspace["loss"], want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(100, 112))
def test_gradients(seed):
    statements, feeds = given(seed)
    net = built(statements)
    gradients = net.AddGradientOperators(["loss"])
    workspace = both_ways(net, feeds, regions=None, compiled=None)

    def formula(*values):
        return loss(statements, *values)

    for which, name in enumerate(NAMES):
        want = slope(formula, list(feeds.values()), which, 1.0)
        got = workspace[str(gradients[name])] if name in gradients else np.zeros(3)
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4, err_msg=f"{name} of {statements}")
