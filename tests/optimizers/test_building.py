"""Adding an optimizer to a model: which parameters, where, and at what rate."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from c2lab.optimizers.building import build, get_param_device
from c2lab.optimizers.sgd import SgdOptimizer
from c2lab.parameters.initializers import Initializer


def model_with_gradients() -> ModelHelper:
    model = ModelHelper("building")
    brew.fc(model, "x", "y", 3, 1)
    model.AddGradientOperators([model.AveragedLoss("y", "loss")])
    return model


def updated(model: ModelHelper) -> list[str]:
    return [op.output[0] for op in model.Proto().op if op.type == "WeightedSum"]


def test_all_parameters_or_weights_only():
    model = model_with_gradients()
    optimizer = SgdOptimizer(0.5)
    assert build(model, optimizer) is optimizer
    assert updated(model) == ["y_w", "y_b"]
    model = model_with_gradients()
    build(model, SgdOptimizer(0.5), weights_only=True)
    assert updated(model) == ["y_w"]


def test_gradients_come_first():
    model = ModelHelper("building")
    brew.fc(model, "x", "y", 3, 1)
    with pytest.raises(RuntimeError, match="Need to call AddGradientOperators first"):
        build(model, SgdOptimizer(0.5))


def test_a_parameter_added_twice_is_not_updated_twice():
    model = model_with_gradients()
    model.AddParameter(model.params[0])
    with pytest.raises(AssertionError, match="Duplicate"):
        build(model, SgdOptimizer(0.5))


def test_sparse_gradients_count_by_their_values():
    model = ModelHelper("building")
    rows = model.Gather([model.create_param("table", [5, 2], Initializer("UniformFill")), "i"], "rows")
    model.AddGradientOperators([model.AveragedLoss(rows, "loss")])
    build(model, SgdOptimizer(0.5), max_gradient_norm=1.0)
    squares = next(op for op in model.Proto().op if op.type == "SumSqrElements")
    assert squares.input[0] == model.param_to_grad[model.params[0]].values


def test_an_own_optimizer_may_be_passed_over():
    model = model_with_gradients()
    model.get_param_info(model.params[0]).optimizer = SgdOptimizer(0)
    build(model, SgdOptimizer(0.5))
    assert updated(model) == ["y_b"]
    model = model_with_gradients()
    model.get_param_info(model.params[0]).optimizer = SgdOptimizer(0)
    build(model, SgdOptimizer(0.5), use_param_info_optim=False)
    assert updated(model) == ["y_w", "y_b"]


def test_a_device_is_found_or_asked_for():
    gpu = core.DeviceOption(core.caffe2_pb2.CUDA)
    assert get_param_device("w", "g", {"g": gpu}) == gpu
    with pytest.raises(AssertionError, match="no op creates it"):
        get_param_device("w", "g", {})
