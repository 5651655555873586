"""Convolution layers: what they append, operator by operator."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import brew, workspace
from c2lab.model_helper import ModelHelper
from c2lab.parameters.initializers import Initializer
from tests.written_nets import written

PLAIN = {"use_cudnn": False}


def model(**arguments) -> ModelHelper:
    return ModelHelper("convolution", arg_scope=arguments)


def test_conv():
    m = model()
    assert brew.conv(m, "x", "y", 3, 8, kernel=5, stride=2, pad=1) == "y"
    assert written(m.param_init_net) == ["XavierFill() -> y_w shape=[8,3,5,5]", "ConstantFill() -> y_b shape=[8]"]
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y exhaustive_search=0 kernel=5 order=NCHW pad=1 stride=2 @CUDNN"]
    assert m.weights == ["y_w"]
    assert m.biases == ["y_b"]


def test_conv_without_cudnn_has_no_engine():
    m = model(**PLAIN)
    brew.conv(m, "x", "y", 3, 8, kernel=5)
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y kernel=5 order=NCHW"]


def test_conv_with_the_channels_last():
    m = model(order="NHWC", **PLAIN)
    brew.conv(m, "x", "y", 4, 8, kernel=[3, 5], group=2)
    assert written(m.param_init_net)[0] == "XavierFill() -> y_w shape=[8,3,5,2]"
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y group=2 kernel_h=3 kernel_w=5 order=NHWC"]


def test_conv_without_bias():
    m = model(**PLAIN)
    brew.conv(m, "x", "y", 3, 8, kernel=1, no_bias=1)
    assert written(m.net) == ["Conv(x, y_w) -> y kernel=1 order=NCHW"]
    assert m.params == ["y_w"]
    m = model(**PLAIN)
    brew.conv(m, "x", "y", 3, 8, kernel=1, no_bias=0)
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y kernel=1 order=NCHW"]


def test_conv_with_fills_of_ones_own():
    m = model(**PLAIN)
    brew.conv(m, "x", "y", 1, 1, 1, ("GaussianFill", {"std": 0.5}), ("ConstantFill", {"value": 0.25}))
    assert written(m.param_init_net) == [
        "GaussianFill() -> y_w shape=[1,1,1,1] std=0.5",
        "ConstantFill() -> y_b shape=[1] value=0.25",
    ]


def test_conv_with_an_initializer_of_ones_own():
    class Halved(Initializer):
        """Fills, and halves what it filled."""

        def create_param(self, param_name, init_net, shape):
            info = super().create_param(param_name, init_net, shape)
            init_net.Scale(info.blob, info.blob, scale=0.5)
            return info

    m = model(**PLAIN)
    brew.conv(m, "x", "y", 1, 1, kernel=1, WeightInitializer=Halved, float16_compute=True)
    assert written(m.param_init_net)[:2] == ["XavierFill() -> y_w shape=[1,1,1,1]", "Scale(y_w) -> y_w scale=0.5"]
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y float16_compute=1 kernel=1 order=NCHW"]


def test_conv_with_a_workspace_limit():
    m = model()
    brew.conv(m, "x", "y", 1, 1, kernel=1, ws_nbytes_limit=64, cudnn_exhaustive_search=True)
    assert written(m.net) == [
        "Conv(x, y_w, y_b) -> y exhaustive_search=1 kernel=1 order=NCHW ws_nbytes_limit=64 @CUDNN"
    ]


def test_conv_may_change_its_inputs():
    m = model(**PLAIN)

    def halve(model, blob_out, inputs):
        inputs[1] = model.net.Scale(inputs[1], blob_out + "_half", scale=0.5)

    brew.conv(m, "x", "y", 1, 1, kernel=1, transform_inputs=halve)
    assert written(m.net) == ["Scale(y_w) -> y_half scale=0.5", "Conv(x, y_half, y_b) -> y kernel=1 order=NCHW"]


def test_engines_that_contradict():
    with pytest.raises(ValueError, match='the only engine is "CUDNN"'):
        brew.conv(model(), "x", "y", 1, 1, kernel=1, engine="NNPACK")
    with pytest.raises(ValueError, match="needs use_cudnn=True"):
        brew.conv(model(**PLAIN), "x", "y", 1, 1, kernel=1, engine="CUDNN")
    m = model(**PLAIN)
    brew.conv(m, "x", "y", 1, 1, kernel=1, engine="NNPACK")
    assert m.Proto().op[0].engine == "NNPACK"


def test_conv_is_for_two_dimensions():
    with pytest.raises(AssertionError, match="conv_nd"):
        brew.conv(model(), "x", "y", 1, 1, kernel=[3, 3, 3])


@pytest.mark.parametrize(
    ("kernel", "order", "shape"),
    [
        ([3], "NCHW", [8, 4, 3]),
        (3, "NCHW", [8, 4, 3]),
        ([1, 2, 3], "NCHW", [8, 4, 1, 2, 3]),
        ([1, 2, 3], "NHWC", [8, 1, 2, 3, 4]),
    ],
)
def test_conv_nd(kernel, order, shape):
    m = model(order=order, **PLAIN)
    brew.conv_nd(m, "x", "y", 4, 8, kernel=kernel)
    sizes = kernel if isinstance(kernel, list) else [kernel]
    assert written(m.param_init_net)[0] == f"XavierFill() -> y_w shape={shape}".replace(", ", ",")
    assert written(m.net) == [f"Conv(x, y_w, y_b) -> y kernels={sizes} order={order}".replace("[1, 2, 3]", "[1,2,3]")]


def test_conv_transpose():
    m = model()
    brew.conv_transpose(m, "x", "y", 4, 8, kernel=3, stride=2)
    assert written(m.param_init_net) == ["XavierFill() -> y_w shape=[4,8,3,3]", "ConstantFill() -> y_b shape=[8]"]
    assert written(m.net) == ["ConvTranspose(x, y_w, y_b) -> y exhaustive_search=0 kernel=3 order=NCHW stride=2 @CUDNN"]
    assert (m.weights, m.biases) == (["y_w"], ["y_b"])
    m = model(order="NHWC", **PLAIN)
    brew.conv_transpose(m, "x", "y", 4, 8, kernel=3)
    assert written(m.param_init_net)[0] == "XavierFill() -> y_w shape=[4,3,3,8]"


def test_group_conv():
    m = model(**PLAIN)
    brew.group_conv(m, "x", "y", 4, 8, kernel=3, group=2)
    assert written(m.param_init_net)[0] == "XavierFill() -> y_w shape=[8,2,3,3]"
    assert written(m.net) == ["Conv(x, y_w, y_b) -> y group=2 kernel=3 order=NCHW"]


def test_group_conv_written_out():
    m = model(**PLAIN)
    assert brew.group_conv_deprecated(m, "x", "y", 4, 8, kernel=3, group=2) == "y"
    assert written(m.param_init_net) == [
        "XavierFill() -> y_gconv_0_w shape=[4,2,3,3]",
        "ConstantFill() -> y_gconv_0_b shape=[4]",
        "XavierFill() -> y_gconv_1_w shape=[4,2,3,3]",
        "ConstantFill() -> y_gconv_1_b shape=[4]",
    ]
    assert written(m.net) == [
        "DepthSplit(x) -> _y_gconv_split_0, _y_gconv_split_1 dimensions=[2,2] order=NCHW",
        "Conv(_y_gconv_split_0, y_gconv_0_w, y_gconv_0_b) -> y_gconv_0 kernel=3 order=NCHW",
        "Conv(_y_gconv_split_1, y_gconv_1_w, y_gconv_1_b) -> y_gconv_1 kernel=3 order=NCHW",
        "Concat(y_gconv_0, y_gconv_1) -> y, _y_concat_dims order=NCHW",
    ]
    for wrong in ((3, 8), (4, 7)):
        with pytest.raises(ValueError, match="divisible by group"):
            brew.group_conv_deprecated(m, "x", "z", *wrong, kernel=3, group=2)


def test_both_group_convolutions_compute_the_same():
    a, b = model(**PLAIN), model(**PLAIN)
    brew.group_conv(a, "x", "one", 4, 6, kernel=3, group=2)
    brew.group_conv_deprecated(b, "x", "many", 4, 6, kernel=3, group=2)
    workspace.RunNetOnce(a.param_init_net)
    weights = workspace.FetchBlob("one_w")
    for group in range(2):
        workspace.FeedBlob(f"many_gconv_{group}_w", weights[3 * group : 3 * group + 3])
        workspace.FeedBlob(f"many_gconv_{group}_b", np.zeros(3, np.float32))
    workspace.FeedBlob("x", np.random.default_rng(0).normal(size=(2, 4, 5, 5)).astype(np.float32))
    workspace.RunNetOnce(a.net)
    workspace.RunNetOnce(b.net)
    np.testing.assert_allclose(workspace.FetchBlob("many"), workspace.FetchBlob("one"), rtol=1e-5, atol=1e-5)


def test_names_that_are_left_out_are_made_up():
    m = model(**PLAIN)
    assert brew.conv(m, "x", None, 1, 1, kernel=1) == f"{m.net.Name()}_blob_0"
    assert m.params == [f"{m.net.Name()}_blob_0_w", f"{m.net.Name()}_blob_0_b"]
