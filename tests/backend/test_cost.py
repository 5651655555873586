"""What operators cost."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import MissingBlob


def test_a_matrix_product_costs_two_operations_a_term():
    workspace.FeedBlob("X", np.zeros((8, 16), np.float32))
    workspace.FeedBlob("W", np.zeros((4, 16), np.float32))
    workspace.FeedBlob("b", np.zeros(4, np.float32))
    flops, written = workspace.GetOperatorCost(core.CreateOperator("FC", ["X", "W", "b"], "Y"), [])
    assert 2 * 8 * 16 * 4 <= flops <= 2 * 8 * 16 * 4 + 2 * 8 * 4
    assert written == 8 * 4 * 4


def test_host_operators_cost_nothing_and_missing_blobs_are_said():
    assert workspace.GetOperatorCost(core.CreateOperator("CreateMutex", [], "m"), []) == (0, 0)
    with pytest.raises(MissingBlob, match="Can't find blob: q"):
        workspace.GetOperatorCost(core.CreateOperator("Relu", "q", "y"), [])
