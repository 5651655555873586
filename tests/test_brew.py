"""brew as a namespace: registering layers, and arguments that come from models and scopes."""

from __future__ import annotations

import inspect
import threading

import pytest

from c2lab import brew
from c2lab.brew_layers.argument_scopes import get_current_scope
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

HELPERS = [
    "accuracy",
    "add_weight_decay",
    "arg_min",
    "average_pool",
    "batch_mat_mul",
    "concat",
    "conv",
    "conv_nd",
    "conv_transpose",
    "db_input",
    "depth_concat",
    "dropout",
    "elementwise_linear",
    "fc",
    "fc_decomp",
    "fc_prune",
    "fc_sparse",
    "fused_8bit_rowwise_quantized_to_float",
    "group_conv",
    "group_conv_deprecated",
    "image_input",
    "instance_norm",
    "iter",
    "layer_norm",
    "lrn",
    "mat_mul",
    "max_pool",
    "max_pool_with_index",
    "moments_with_running_stats",
    "packed_fc",
    "prelu",
    "reduce_sum",
    "relu",
    "softmax",
    "sparse_lengths_sum_4bit_rowwise_sparse",
    "spatial_bn",
    "spatial_gn",
    "sub",
    "sum",
    "tanh",
    "transpose",
    "video_input",
]


@pytest.mark.parametrize("name", HELPERS)
def test_every_layer_is_there_with_its_signature_and_help(name):
    assert brew.has_helper(name)
    layer = getattr(brew, name)
    assert layer.__name__ == name
    assert next(iter(inspect.signature(layer).parameters)) == "model"
    assert inspect.getdoc(layer)
    assert name in dir(brew)
    assert brew.GetRegisteredHelper(name) is layer.__wrapped__


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("conv", {"weight_init": None, "bias_init": None, "group": 1, "transform_inputs": None}),
        ("conv_transpose", {"use_cudnn": False, "order": "NCHW", "cudnn_exhaustive_search": False}),
        ("fc_decomp", {"rank_approx": 5}),
        ("fc_prune", {"threshold": 0.00001, "need_compress_rate": False, "comp_lb": 0.05}),
        ("layer_norm", {"axis": 1, "epsilon": 1e-4, "initial_scale": 1.0, "initial_bias": 0.0}),
        ("prelu", {"num_channels": 1, "slope_init": None}),
        ("spatial_bn", {"init_scale": 1.0, "init_bias": 0.0, "order": "NCHW"}),
        ("relu", {"use_cudnn": False, "order": "NCHW"}),
        ("softmax", {"blob_out": None, "use_cudnn": False}),
        ("image_input", {"order": "NCHW", "use_gpu_transform": False}),
    ],
)
def test_defaults_are_those_of_the_original(name, defaults):
    parameters = inspect.signature(getattr(brew, name)).parameters
    assert {key: parameters[key].default for key in defaults} == defaults


def test_an_unknown_layer():
    with pytest.raises(AttributeError, match=r"Helper function conv4d not registered\."):
        _ = brew.conv4d
    with pytest.raises(AttributeError, match="not registered"):
        brew.GetRegisteredHelper("conv4d")
    assert not brew.has_helper("conv4d")


def test_a_layer_of_ones_own():
    def twice(model, blob_in, blob_out, factor=2.0):
        """Twice as much."""
        return model.net.Scale(blob_in, blob_out, scale=factor)

    brew.Register(twice)
    try:
        assert brew.has_helper(twice)
        with pytest.raises(AttributeError, match="twice already exists"):
            brew.Register(twice)
        model = ModelHelper("own")
        with brew.arg_scope(brew.twice, factor=3.0):
            brew.twice(model, "x", "y")
        # A layer that takes no further arguments is not given those of the model.
        assert written(model.net) == ["Scale(x) -> y scale=3"]
    finally:
        del brew._registry["twice"]


def test_the_model_comes_first_or_by_name():
    model = ModelHelper("m")
    brew.sum(model, ["a", "b"], "c")
    brew.sum(model=model, blob_in=["a", "b"], blob_out="d")
    assert [op.output[0] for op in model.Proto().op] == ["c", "d"]
    with pytest.raises(RuntimeError, match="first input of helper function should be model"):
        brew.sum(["a", "b"], "c")


def test_arguments_of_the_model_reach_its_layers():
    model = ModelHelper("m", arg_scope={"order": "NHWC", "use_cudnn": False})
    brew.max_pool(model, "x", "y", kernel=2)
    brew.max_pool(model, "x", "z", kernel=2, order="NCHW")
    assert written(model.net) == [
        "MaxPool(x) -> y cudnn_exhaustive_search=0 kernel=2 order=NHWC",
        "MaxPool(x) -> z cudnn_exhaustive_search=0 kernel=2 order=NCHW",
    ]


def test_scopes_nest_and_the_call_wins():
    model = ModelHelper("m", arg_scope={"use_cudnn": False})
    with brew.arg_scope([brew.max_pool, brew.average_pool], kernel=3, stride=2):
        with brew.arg_scope(brew.max_pool, stride=1):
            brew.max_pool(model, "x", "a")
        brew.max_pool(model, "x", "b", kernel=5)
        brew.average_pool(model, "x", "c")
    assert get_current_scope() == {}
    assert [{a.name: a.i for a in op.arg if a.name in ("kernel", "stride")} for op in model.Proto().op] == [
        {"kernel": 3, "stride": 1},
        {"kernel": 5, "stride": 2},
        {"kernel": 3, "stride": 2},
    ]


def test_a_scope_ends_with_an_error_too():
    with pytest.raises(KeyError), brew.arg_scope(brew.conv, stride=2):
        raise KeyError
    assert get_current_scope() == {}


def test_a_scope_is_of_its_thread():
    seen = []
    with brew.arg_scope(brew.conv, stride=2):
        thread = threading.Thread(target=lambda: seen.append(dict(get_current_scope())))
        thread.start()
        thread.join()
    assert seen == [{}]


def test_a_scope_takes_layers():
    for wrong in ("conv", ["conv"]):
        with pytest.raises(AssertionError, match=r"brew\.conv"), brew.arg_scope(wrong, stride=2):
            pass
