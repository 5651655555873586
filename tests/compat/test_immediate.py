"""Immediate mode: operators run as they are created."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat import immediate


@pytest.fixture(autouse=True)
def immediate_mode():
    immediate.StartImmediate(i_know=True)
    yield
    immediate.StopImmediate()


def test_operators_and_their_gradients_run_at_once():
    immediate.FeedImmediate("x", np.float32([-1, 2]))
    net = core.Net("at_once")
    y = net.Relu("x", "y")
    np.testing.assert_array_equal(immediate.FetchImmediate(y), np.float32([0, 2]))
    gradients = net.AddGradientOperators([y])
    np.testing.assert_array_equal(immediate.FetchImmediate(gradients["x"]), np.float32([0, 1]))
    assert "y" in immediate.ImmediateBlobs()


def test_the_users_workspace_stays_as_it_was():
    core.CreateOperator("ConstantFill", [], "c", shape=[1], value=1.0)
    assert not workspace.HasBlob("c")
    assert workspace.CurrentWorkspace() == "default"


def test_stopping_forgets_the_blobs_and_ends_it():
    core.CreateOperator("ConstantFill", [], "c", shape=[1], value=1.0)
    immediate.StartImmediate()
    immediate.StopImmediate()
    assert not immediate.IsImmediate()
    assert immediate.ImmediateBlobs() == []
    core.CreateOperator("ConstantFill", [], "d", shape=[1], value=1.0)
    assert immediate.ImmediateBlobs() == []
    immediate.StopImmediate()
