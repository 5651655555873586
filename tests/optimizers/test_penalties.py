"""Penalties in the loss, compared with their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.optimizers import penalties
from tests.optimizers.regularized import W, penalty


class Recorder:
    """Stands for a net; remembers every operator, registered or not."""

    def __init__(self):
        self.added = []

    def __getattr__(self, kind):
        def add(inputs, outputs=None, **arguments):
            inputs = inputs if isinstance(inputs, list) else [inputs]
            self.added.append((kind, [str(i) for i in inputs], arguments))
            return core.BlobReference(outputs[0] if isinstance(outputs, list) else kind)

        return add


COLUMNS = np.linalg.norm(W, axis=0)
# All but the largest absolute value of each row.
TRIMMED = np.abs(W).sum() - np.abs(W).max(1).sum()


@pytest.mark.parametrize(
    ("regularizer", "name", "value"),
    [
        (penalties.L1Norm(0.5), "w_l1_regularization", 0.5 * np.abs(W).sum()),
        (penalties.L2Norm(0.5), "w_l2_regularization", 0.5 * (W**2).sum()),
        (
            penalties.LpNorm(0.5, p_value=0.5),
            "w_dense_feature_regularization",
            0.5 * np.sqrt(COLUMNS).sum() ** 2,
        ),
        (
            penalties.L0ApproxNorm(0.5, alpha=1.75),
            "w_dense_feature_regularization",
            0.5 * np.minimum(COLUMNS, 1.75).sum() / 1.75,
        ),
        (
            penalties.L0ApproxNorm(0.5, alpha=1.75, budget=1),
            "w_dense_feature_regularization",
            0.5 * (np.minimum(COLUMNS, 1.75).sum() / 1.75 - 1),
        ),
        (penalties.L0ApproxNorm(0.5, budget=100), "w_dense_feature_regularization", 0),
        (penalties.L1NormTrimmed(0.5, k=1), "w_l1_trimmed_regularization", 0.5 * TRIMMED),
        (
            penalties.ElasticNet(0.5, 0.25),
            "w_elastic_net_regularization",
            0.5 * np.abs(W).sum() + 0.25 * (W**2).sum(),
        ),
        (
            penalties.ElasticNetL1NormTrimmed(0.5, 0.25, k=1),
            "w_elastic_net_l1_trimmed_regularization",
            0.5 * TRIMMED + 0.25 * (W**2).sum(),
        ),
    ],
)
def test_penalties(regularizer, name, value):
    blob, seen = penalty(regularizer)
    assert blob == name
    np.testing.assert_allclose(seen, value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stabilizing", [0, 0.25])
def test_groups(stabilizing):
    net = Recorder()
    regularizer = penalties.GroupL1Norm(0.5, [1, 4], stabilizing_val=stabilizing)
    assert regularizer(net, net, core.BlobReference("w"), by="on_loss") == "group_l1_nrom"
    stable = [("ConstantFill", []), ("Add", ["LengthsSum", "ConstantFill"])] if stabilizing else []
    assert [(kind, inputs) for kind, inputs, _ in net.added] == [
        ("Sqr", ["w"]),
        ("ReduceSum", ["Sqr"]),
        ("GivenTensorIntFill", []),
        ("LengthsSum", ["ReduceSum", "GivenTensorIntFill"]),
        *stable,
        ("Sqrt", ["LengthsSum"]),
        ("GivenTensorFill", []),
        ("Mul", ["Sqrt", "GivenTensorFill"]),
        ("LpNorm", ["normalized_l2_norm_scaled"]),
    ]
    arguments = {kind: arguments for kind, _, arguments in net.added}
    assert arguments["GivenTensorIntFill"] == {"shape": [2], "values": [1, 4]}
    # The strength, and the root of each group's size.
    assert arguments["GivenTensorFill"] == {"shape": [2], "values": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (penalties.L1Norm, {"reg_lambda": -1}, "0 or positive"),
        (penalties.L2Norm, {"reg_lambda": -1}, "0 or positive"),
        (penalties.LpNorm, {"reg_lambda": 0}, "greater than 0"),
        (penalties.LpNorm, {"reg_lambda": 1, "p_value": 0}, "p_value"),
        (penalties.L0ApproxNorm, {"reg_lambda": 1, "alpha": 0}, "alpha"),
        (penalties.L0ApproxNorm, {"reg_lambda": 1, "budget": -1}, "budget"),
        (penalties.L1NormTrimmed, {"reg_lambda": 1, "k": 0}, "at least 1"),
        (penalties.ElasticNetL1NormTrimmed, {"l1": 1, "l2": 1, "k": 1.0}, "an int"),
        (penalties.GroupL1Norm, {"reg_lambda": 1, "groups": 3}, "list"),
    ],
)
def test_arguments_that_make_no_sense(cls, arguments, message):
    with pytest.raises(AssertionError, match=message):
        cls(**arguments)
