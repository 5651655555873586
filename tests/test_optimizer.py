"""The builders: what each adds for a small regression, and that each learns it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from c2lab import brew, core, optimizer, workspace
from c2lab.model_helper import ModelHelper
from c2lab.parameters.contexts import UseOptimizer
from c2lab.parameters.initializers import Initializer
from tests.written_nets import written

BUILDERS = {
    "sgd": (optimizer.build_sgd, {"base_learning_rate": 0.1}),
    "sgd with momentum": (optimizer.build_sgd, {"base_learning_rate": 0.05, "momentum": 0.9}),
    "sgd with plain momentum": (
        optimizer.build_sgd,
        {"base_learning_rate": 0.05, "momentum": 0.9, "nesterov": False},
    ),
    "sgd with a policy": (
        optimizer.build_sgd,
        {"base_learning_rate": 0.2, "policy": "step", "stepsize": 10, "gamma": 0.9},
    ),
    "sgd with clipped gradients": (optimizer.build_sgd, {"base_learning_rate": 0.2, "max_gradient_norm": 1.0}),
    "sgd with lars": (optimizer.build_sgd, {"base_learning_rate": 0.1, "lars": 0.5}),
    "multi precision sgd": (optimizer.build_multi_precision_sgd, {"base_learning_rate": 0.1}),
    "adagrad": (optimizer.build_adagrad, {"base_learning_rate": 0.5}),
    "adam": (optimizer.build_adam, {"base_learning_rate": 0.1}),
    "rms_prop": (optimizer.build_rms_prop, {"base_learning_rate": 0.05}),
    "adadelta": (optimizer.build_adadelta, {"base_learning_rate": 5.0}),
    "ftrl": (optimizer.build_ftrl, {"alpha": 0.5, "beta": 0.1, "lambda1": 0.0, "lambda2": 0.0}),
    "gftrl": (optimizer.build_gftrl, {"alpha": 0.5, "beta": 0.1, "lambda1": 0.0, "lambda2": 0.0}),
    "wngrad": (optimizer.build_wngrad, {"base_learning_rate": 25.0}),
    "storm": (optimizer.build_storm, {"base_learning_rate": 0.3}),
    "yellowfin": (optimizer.build_yellowfin, {"base_learning_rate": 0.1}),
}


def regression() -> ModelHelper:
    """``y = x w^T + b`` with its loss and gradients."""
    optimizer.reset_optimizer_instance_count()
    model = ModelHelper("regression")
    y = brew.fc(model, "x", "y", 3, 1, weight_init=("ConstantFill", {"value": 0.1}))
    loss = model.AveragedLoss(model.SquaredL2Distance([y, "t"], "distance"), "loss")
    model.AddGradientOperators([loss])
    return model


def feed_samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 3)).astype(np.float32)
    t = x @ np.array([[1.0], [-2.0], [0.5]], np.float32) + np.float32(0.25)
    workspace.FeedBlob("x", x)
    workspace.FeedBlob("t", t)
    return x, t


def losses(model: ModelHelper, steps: int) -> list[float]:
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net)
    seen = []
    for _ in range(steps):
        workspace.RunNet(model.net.Name())
        seen.append(float(workspace.FetchBlob("loss")))
    return seen


@pytest.mark.parametrize("name", BUILDERS)
def test_the_loss_goes_down(name):
    build, arguments = BUILDERS[name]
    model = regression()
    built = build(model, **arguments)
    assert isinstance(built, optimizer.Optimizer)
    feed_samples()
    seen = losses(model, 60)
    assert seen[-1] < 0.35 * seen[0], seen[::10]
    assert np.isfinite(seen).all()


@pytest.mark.parametrize(
    ("builder", "expected"),
    [
        ("build_sgd", {"max_gradient_norm": None, "allow_lr_injection": False}),
        ("build_multi_precision_sgd", {"max_gradient_norm": None, "allow_lr_injection": False}),
        ("build_ftrl", {"engine": "SIMD"}),
        ("build_gftrl", {"engine": ""}),
        ("build_adagrad", {"parameters": None, "max_gradient_norm": None, "allow_lr_injection": False}),
        ("build_adam", {"max_gradient_norm": None, "allow_lr_injection": False}),
        ("build_yellowfin", {"base_learning_rate": 0.1}),
        ("get_param_device", {"param_to_device": None, "default_device": None}),
    ],
)
def test_defaults_of_builders_are_those_of_the_original(builder, expected):
    parameters = inspect.signature(getattr(optimizer, builder)).parameters
    assert {name: p.default for name, p in parameters.items() if p.default is not p.empty} == expected


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (
            optimizer.SgdOptimizer,
            {"base_learning_rate": 0.01, "policy": "fixed", "momentum": 0.0, "nesterov": True, "lars": None},
        ),
        (optimizer.MultiPrecisionSgdOptimizer, {"base_learning_rate": 0.1, "momentum": 0.0, "nesterov": True}),
        (optimizer.FP16SgdOptimizer, {"base_learning_rate": 0.1, "weight_decay": 0.0001}),
        (optimizer.AdagradOptimizer, {"alpha": 0.01, "epsilon": 1e-4, "decay": 1, "counter_halflife": -1}),
        (optimizer.WngradOptimizer, {"alpha": 1.0, "epsilon": 1e-9, "moment_init": 100.0}),
        (optimizer.StormOptimizer, {"lr": 0.1, "momentum": 10.0, "beta": 0.1, "grad_sq_init": 0.01}),
        (optimizer.AdadeltaOptimizer, {"alpha": 0.01, "epsilon": 1e-4, "decay": 0.95}),
        (optimizer.FtrlOptimizer, {"alpha": 0.01, "beta": 1e-4, "lambda1": 0, "lambda2": 0, "engine": ""}),
        (optimizer.GFtrlOptimizer, {"alpha": 0.01, "beta": 1e-4, "lambda1": 0, "lambda2": 0, "engine": ""}),
        (
            optimizer.AdamOptimizer,
            {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "enableRAdam": False},
        ),
        (optimizer.YellowFinOptimizer, {"alpha": 0.1, "mu": 0.0, "beta": 0.999, "curv_win_width": 20}),
        (optimizer.RmsPropOptimizer, {"alpha": 0.01, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-5}),
    ],
)
def test_defaults_of_optimizers_are_those_of_the_original(cls, expected):
    parameters = inspect.signature(cls).parameters
    assert {name: parameters[name].default for name in expected} == expected
    assert inspect.getdoc(cls)


def test_weight_decay_comes_before_the_update_and_leaves_biases_alone():
    model = regression()
    before = len(model.Proto().op)
    optimizer.add_weight_decay(model, 0.5)
    assert written(model.net)[before:] == ["WeightedSum(y_w_grad, ONE_0_0, y_w, wd_0_0) -> y_w_grad"]
    assert written(model.param_init_net)[-2:] == [
        "ConstantFill() -> ONE_0_0 shape=[1] value=1",
        "ConstantFill() -> wd_0_0 shape=[1] value=0.5",
    ]
    optimizer.build_sgd(model, 0.1)
    x, t = feed_samples()
    losses(model, 1)
    w = np.full((1, 3), 0.1)
    gradient = (x @ w.T - t).T @ x / 16
    np.testing.assert_allclose(workspace.FetchBlob("y_w"), w - 0.1 * (gradient + 0.5 * w), rtol=1e-5)


def test_gradients_are_clipped_together():
    model = regression()
    before, filled = len(model.Proto().op), len(model.InitProto().op)
    optimizer.build_sgd(model, 0.1, max_gradient_norm=0.25)
    prefix, auto = "norm_clipped_grad_update/", f"norm_clipped_grad_update/{model.net.Name()}/EnsureCPUOutput"
    assert written(model.net)[before:] == [
        f"SumSqrElements(y_w_grad) -> {prefix}grad_0_squared_sum",
        f"EnsureCPUOutput({prefix}grad_0_squared_sum) -> {auto}",
        f"SumSqrElements(y_b_grad) -> {prefix}grad_1_squared_sum",
        f"EnsureCPUOutput({prefix}grad_1_squared_sum) -> {auto}_2",
        f"Sum({auto}, {auto}_2) -> {prefix}grad_squared_full_sum",
        f"Pow({prefix}grad_squared_full_sum) -> {prefix}global_norm exponent=0.5",
        f"Max({prefix}global_norm, {prefix}clip_norm) -> {prefix}max_norm",
        f"Div({prefix}clip_norm, {prefix}max_norm) -> {prefix}norm_ratio",
        "AtomicIter(iteration_mutex, optimizer_iteration) -> optimizer_iteration",
        "LearningRate(optimizer_iteration) -> SgdOptimizer_0_lr_cpu base_lr=-0.1 policy=fixed",
        f"CopyFromCPUInput({prefix}norm_ratio) -> SgdOptimizer_0_lr_multiplier_cpu",
        "Mul(SgdOptimizer_0_lr_cpu, SgdOptimizer_0_lr_multiplier_cpu) -> SgdOptimizer_0_scaled_lr_cpu",
        "WeightedSum(y_w, ONE_0_0, y_w_grad, SgdOptimizer_0_scaled_lr_cpu) -> y_w",
        f"CopyFromCPUInput({prefix}norm_ratio) -> SgdOptimizer_0_lr_multiplier_cpu",
        "Mul(SgdOptimizer_0_lr_cpu, SgdOptimizer_0_lr_multiplier_cpu) -> SgdOptimizer_0_scaled_lr_cpu",
        "WeightedSum(y_b, ONE_0_0, y_b_grad, SgdOptimizer_0_scaled_lr_cpu) -> y_b",
    ]
    assert written(model.param_init_net)[filled] == f"ConstantFill() -> {prefix}clip_norm shape=[] value=0.25"
    feed_samples()
    workspace.RunNetOnce(model.param_init_net)
    workspace.RunNetOnce(model.net)
    step = np.append(workspace.FetchBlob("y_w") - np.float32(0.1), workspace.FetchBlob("y_b"))
    np.testing.assert_allclose(np.linalg.norm(step), 0.1 * 0.25, rtol=1e-5)


def test_the_learning_rate_of_a_running_net_is_changed():
    model = regression()
    optimizer.build_sgd(model, 0.1, allow_lr_injection=True)
    feed_samples()
    losses(model, 1)
    assert optimizer.get_lr_injection() == [1.0]
    optimizer.set_lr_injection(0.0)
    before = workspace.FetchBlob("y_w")
    workspace.RunNet(model.net.Name())
    np.testing.assert_array_equal(workspace.FetchBlob("y_w"), before)


def test_clipping_and_injection_are_multiplied():
    model = regression()
    optimizer.build_sgd(model, 0.1, max_gradient_norm=1.0, allow_lr_injection=True)
    assert "Mul(norm_clipped_grad_update/norm_ratio, lr_injection) -> lr_multiplier broadcast=1" in written(model.net)


def test_a_parameter_may_have_its_own_optimizer():
    optimizer.reset_optimizer_instance_count()
    model = ModelHelper("own_optimizers")
    with UseOptimizer({"BIAS": optimizer.AdagradOptimizer(alpha=0.5)}):
        brew.fc(model, "x", "y", 3, 1)
    model.AddGradientOperators([model.AveragedLoss("y", "loss")])
    optimizer.build_sgd(model, 0.1)
    assert [op.type for op in model.Proto().op][-3:] == ["WeightedSum", "LearningRate", "Adagrad"]
    assert model.Proto().op[-1].input[0] == "y_b"


def test_updates_run_where_the_parameters_live():
    model = ModelHelper("elsewhere")
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA, 1)):
        brew.fc(model, "x", "y", 3, 1)
        loss = model.AveragedLoss("y", "loss")
    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, 0.1)
    update = model.Proto().op[-1]
    assert (update.type, update.device_option.device_id) == ("WeightedSum", 1)
    assert update.input[1] == "ONE_1_1"
    assert update.input[3].endswith("_lr_gpu1")
    counter = next(op for op in model.Proto().op if op.type == "AtomicIter")
    assert counter.device_option.device_type == core.caffe2_pb2.CPU


def test_the_device_of_a_parameter():
    gpu, cpu = core.DeviceOption(core.caffe2_pb2.CUDA, 2), core.DeviceOption(core.caffe2_pb2.CPU)
    sparse = core.GradientSlice(indices="i", values="v")
    assert optimizer.get_param_device("w", "w_grad", {"w": gpu, "w_grad": cpu}) == gpu
    assert optimizer.get_param_device("w", "w_grad", {"w_grad": gpu}) == gpu
    assert optimizer.get_param_device("w", sparse, {"i": gpu}) == gpu
    assert optimizer.get_param_device("w", sparse, {"i": gpu, "v": cpu}) == cpu
    assert optimizer.get_param_device("w", "w_grad", {}, gpu) == gpu
    with pytest.raises(AssertionError, match="Cannot infer device for w"):
        optimizer.get_param_device("w", "w_grad")


SPARSE = {
    "sgd": (optimizer.build_sgd, {"base_learning_rate": 0.5}, "ScatterWeightedSum"),
    "momentum": (optimizer.build_sgd, {"base_learning_rate": 0.1, "momentum": 0.5}, "SparseMomentumSGDUpdate"),
    "adagrad": (optimizer.build_adagrad, {"base_learning_rate": 0.5}, "SparseAdagrad"),
    "rowwise adagrad": (
        optimizer.build_adagrad,
        {"base_learning_rate": 0.5, "rowWise": True},
        "RowWiseSparseAdagrad",
    ),
    "adam": (optimizer.build_adam, {"base_learning_rate": 0.1}, "SparseAdam"),
    "rowwise adam": (optimizer.build_adam, {"base_learning_rate": 0.1, "rowWise": True}, "RowWiseSparseAdam"),
    "adadelta": (optimizer.build_adadelta, {"base_learning_rate": 5.0}, "SparseAdadelta"),
    "ftrl": (optimizer.build_ftrl, {"alpha": 0.5, "beta": 0.1}, "SparseFtrl"),
    "wngrad": (optimizer.build_wngrad, {"base_learning_rate": 25.0}, "SparseWngrad"),
    "storm": (optimizer.build_storm, {"base_learning_rate": 0.3}, "SparseStorm"),
}


@pytest.mark.parametrize("name", SPARSE)
def test_rows_of_a_table_are_learned(name):
    build, arguments, operator = SPARSE[name]
    optimizer.reset_optimizer_instance_count()
    model = ModelHelper("table")
    fill = Initializer("ConstantFill", value=0.5)
    rows = model.Gather([model.create_param("table", [4, 2], fill), "indices"], "rows")
    model.AddGradientOperators([model.AveragedLoss(model.SquaredL2Distance([rows, "t"], "d"), "loss")])
    build(model, **arguments)
    assert model.Proto().op[-1].type == operator
    workspace.FeedBlob("indices", np.array([2, 0], np.int32))
    workspace.FeedBlob("t", np.array([[1, -1], [2, 0]], np.float32))
    seen = losses(model, 40)
    assert seen[-1] < 0.5 * seen[0], seen[::8]
    table = workspace.FetchBlob("table")
    np.testing.assert_array_equal(table[[1, 3]], np.full((2, 2), 0.5, np.float32))


def test_engines_must_be_there():
    model = regression()
    with pytest.raises(AssertionError, match="operator"):
        optimizer._check_engine("SIMD", "NoSuchOperator")
    optimizer.build_ftrl(model, engine=None)
    assert not model.Proto().op[-1].HasField("engine")
