"""FTRL and its group variant."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.optimizers.ftrl import FtrlOptimizer, GFtrlOptimizer
from tests.optimizers.three_steps import GRADIENTS, W0, expect, nets, way
from tests.written_nets import written

ARGUMENTS = {"alpha": 0.5, "beta": 0.1, "lambda1": 0.2, "lambda2": 0.3}


def leading(grouped: bool):
    """n and z as the operators keep them, and the parameter that follows from them."""
    w, n, z = W0, np.zeros_like(W0), np.zeros_like(W0)
    for g in GRADIENTS:
        after = n + g**2
        z = z + g - (np.sqrt(after) - np.sqrt(n)) / 0.5 * w
        n = after
        scale = (0.1 + np.sqrt(n)) / 0.5 + 0.3
        if grouped:
            norm, limit = np.linalg.norm(z, axis=0), 0.2 * np.sqrt(len(z))
            w = np.where(norm <= limit, 0, z * (limit / norm - 1) / scale)
        else:
            w = np.where(abs(z) <= 0.2, 0, (0.2 * np.sign(z) - z) / scale)
        yield w


def test_operators_and_blobs():
    optimizer, init_net, net = nets(lambda: FtrlOptimizer(engine="SIMD"))
    assert written(init_net)[-1] == "ConstantFill(w) -> w_ftrl_nz extra_shape=[2] value=0"
    assert written(net) == ["Ftrl(w, w_ftrl_nz, g) -> w, w_ftrl_nz alpha=0.01 beta=0.0001 lambda1=0 lambda2=0 @SIMD"]
    # The operator takes floats only.
    assert all(argument.HasField("f") for argument in net.Proto().op[0].arg)
    assert optimizer.get_auxiliary_parameters().local == ["w_ftrl_nz"]
    _, _, net = nets(FtrlOptimizer, sparse=True)
    assert written(net)[0].startswith("SparseFtrl(w, w_ftrl_nz, i, g) -> w, w_ftrl_nz alpha=0.01")


def test_operators_and_blobs_of_groups():
    _, init_net, net = nets(GFtrlOptimizer)
    assert written(init_net)[-1] == "ConstantFill(w) -> w_gftrl_nz extra_shape=[2] value=0"
    assert written(net) == ["GFtrl(w, w_gftrl_nz, g) -> w, w_gftrl_nz alpha=0.01 beta=0.0001 lambda1=0 lambda2=0"]
    with pytest.raises(AssertionError, match="sparse"):
        nets(GFtrlOptimizer, sparse=True)


def test_the_way():
    expect(lambda: FtrlOptimizer(**ARGUMENTS), leading(grouped=False))


def test_the_way_of_rows():
    seen = way(lambda: FtrlOptimizer(**ARGUMENTS), np.array([0, 1], np.int32))
    np.testing.assert_allclose(seen, list(leading(grouped=False)), rtol=2e-5, atol=2e-6)


def test_the_way_of_groups():
    expect(lambda: GFtrlOptimizer(**ARGUMENTS), leading(grouped=True))
