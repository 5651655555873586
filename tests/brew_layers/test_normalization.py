"""Normalization layers: what they append, and what comes out of them."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import brew, core, workspace
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

BARE = {"use_cudnn": False}
REST = "cudnn_exhaustive_search=0"


def model(**arguments) -> ModelHelper:
    return ModelHelper("normalization", arg_scope=arguments)


def test_spatial_bn_that_trains():
    m = model()
    assert brew.spatial_bn(m, "x", "y", 3, is_test=False, epsilon=1e-3, momentum=0.5) == "y"
    assert written(m.param_init_net) == [
        "ConstantFill() -> y_s shape=[3] value=1",
        "ConstantFill() -> y_b shape=[3] value=0",
        "ConstantFill() -> y_rm shape=[3] value=0",
        "ConstantFill() -> y_riv shape=[3] value=1",
    ]
    assert written(m.net) == [
        "SpatialBN(x, y_s, y_b, y_rm, y_riv) -> y, y_rm, y_riv, y_sm, y_siv "
        "cudnn_exhaustive_search=0 epsilon=0.001 is_test=0 momentum=0.5 order=NCHW use_cudnn=1"
    ]
    assert (m.weights, m.biases, m.params) == (["y_s"], ["y_b"], ["y_s", "y_b"])
    assert m.GetComputedParams() == ["y_rm", "y_riv"]


def test_spatial_bn_that_tests():
    m = model(**BARE, order="NHWC")
    brew.spatial_bn(m, "x", "y", 3, init_scale=2.0, init_bias=0.5, is_test=True)
    assert written(m.param_init_net)[:2] == [
        "ConstantFill() -> y_s shape=[3] value=2",
        "ConstantFill() -> y_b shape=[3] value=0.5",
    ]
    assert written(m.net) == [f"SpatialBN(x, y_s, y_b, y_rm, y_riv) -> y {REST} is_test=1 order=NHWC use_cudnn=0"]


def test_spatial_bn_of_a_model_that_fills_nothing():
    m = ModelHelper("normalization", init_params=False)
    brew.spatial_bn(m, "x", "y", 3, is_test=True)
    assert len(m.InitProto().op) == 0
    assert m.GetAllParams() == ["y_s", "y_b", "y_rm", "y_riv"]


def test_spatial_gn():
    m = model(**BARE)
    brew.spatial_gn(m, "x", "y", 6, group=2, epsilon=1e-3)
    assert written(m.param_init_net) == [
        "ConstantFill() -> y_s shape=[6] value=1",
        "ConstantFill() -> y_b shape=[6] value=0",
    ]
    assert written(m.net) == [f"GroupNorm(x, y_s, y_b) -> y, y_mean, y_std {REST} epsilon=0.001 group=2 use_cudnn=0"]


def test_instance_norm():
    m = model(**BARE)
    brew.instance_norm(m, "x", "y", 3, epsilon=1e-4)
    brew.instance_norm(m, "x", "z", 3, is_test=True)
    assert written(m.param_init_net)[:2] == [
        "ConstantFill() -> y_s shape=[3] value=1",
        "ConstantFill() -> y_b shape=[3] value=0",
    ]
    assert written(m.net) == [
        f"InstanceNorm(x, y_s, y_b) -> y, y_sm, y_siv {REST} epsilon=0.0001 order=NCHW use_cudnn=0",
        f"InstanceNorm(x, z_s, z_b) -> z {REST} is_test=1 order=NCHW use_cudnn=0",
    ]
    assert m.weights == ["y_s", "z_s"]


def test_layer_norm():
    m = model()
    outputs = brew.layer_norm(m, "x", "y", 4, axis=1, epsilon=1e-3, initial_scale=2.0, initial_bias=0.5)
    assert [str(o) for o in outputs] == ["y", "y_mean", "y_std"]
    assert written(m.param_init_net) == [
        "ConstantFill() -> y_scale shape=[4] value=2",
        "ConstantFill() -> y_bias shape=[4] value=0.5",
    ]
    assert written(m.net) == [
        "LayerNorm(x, y_scale, y_bias) -> y, y_mean, y_std axis=1 elementwise_affine=1 epsilon=0.001"
    ]
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    workspace.FeedBlob("x", x)
    workspace.RunNetOnce(m.param_init_net)
    workspace.RunNetOnce(m.net)
    expected = 2 * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3) + 0.5
    np.testing.assert_allclose(workspace.FetchBlob("y"), expected, rtol=1e-4, atol=1e-5)


def test_lrn():
    m = model()
    assert brew.lrn(m, "x", "y", size=5) == "y"
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA)):
        brew.lrn(m, "x", "z", size=5)
    assert written(m.net) == [
        f"LRN(x) -> y, _y_scale {REST} order=NCHW size=5",
        f"LRN(x) -> z {REST} order=NCHW size=5 @CUDNN",
    ]


def test_softmax():
    m = model()
    brew.softmax(m, "x", "y")
    assert brew.softmax(m, "x") == f"{m.net.Name()}/Softmax"
    assert written(m.net)[0] == f"Softmax(x) -> y {REST} order=NCHW @CUDNN"


@pytest.mark.parametrize(("order", "axes"), [("NCHW", "[0,2,3]"), ("NHWC", "[0,1,2]")])
def test_moments_with_running_stats(order, axes):
    m = model(**BARE, order=order)
    brew.moments_with_running_stats(m, "x", "y", 3)
    assert written(m.param_init_net) == [
        "ConstantFill() -> y_rm shape=[3] value=0",
        "ConstantFill() -> y_riv shape=[3] value=1",
    ]
    assert written(m.net) == [f"Moments(x) -> y_sm, y_sv axes={axes} {REST} keepdims=0 order={order} use_cudnn=0"]
    with pytest.raises(ValueError, match="NHWC"):
        brew.moments_with_running_stats(m, "x", "z", 3, order="CHWN")
