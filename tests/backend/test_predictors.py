"""Nets that answer, in a workspace of their own."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.predictors import NetPredictor
from c2lab.errors import BadArgument


@pytest.fixture
def predictor():
    init = core.Net("init")
    init.GivenTensorFill([], "w", shape=[2, 2], values=[1.0, 0.0, 0.0, 2.0])
    init.GivenTensorFill([], "b", shape=[2], values=[0.5, 0.5])
    net = core.Net("net")
    net.AddExternalInput("x", "w", "b")
    net.AddExternalOutput(net.FC(["x", "w", "b"], "y"))
    return NetPredictor(init.Proto(), net.Proto())


def test_lists_and_dictionaries(predictor):
    x = np.float32([[1, 1]])
    np.testing.assert_allclose(predictor.run([x])[0], [[1.5, 2.5]])
    np.testing.assert_allclose(predictor.run({"x": 2 * x})[0], [[2.5, 4.5]])
    assert workspace.Blobs() == []


def test_a_parameter_may_be_replaced_by_name(predictor):
    np.testing.assert_allclose(predictor.run({"x": np.float32([[1, 1]]), "b": np.float32([0, 0])})[0], [[1, 2]])


def test_other_batch_sizes(predictor):
    for count in (1, 3, 1, 0):
        assert predictor.run([np.zeros((count, 2), np.float32)])[0].shape == (count, 2)


def test_inputs_that_do_not_fit(predictor):
    with pytest.raises(BadArgument, match="2 inputs given"):
        predictor.run([np.zeros((1, 2), np.float32)] * 2)
    with pytest.raises(BadArgument, match="is no input of net"):
        predictor.run({"z": np.zeros((1, 2), np.float32)})
