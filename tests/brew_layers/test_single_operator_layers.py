"""Layers that append one operator and at most one parameter."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
        ("max_pool", "x", {"kernel": 2}, f"MaxPool(x) -> y {REST} kernel=2 order=NCHW @CUDNN"),
        ("average_pool", "x", {"kernel": 2}, f"AveragePool(x) -> y {REST} kernel=2 order=NCHW @CUDNN"),
        ("relu", "x", {}, f"Relu(x) -> y {REST} order=NCHW @CUDNN"),
        ("tanh", "x", {"use_cudnn": False}, f"Tanh(x) -> y {REST} order=NCHW"),
        ("dropout", "x", {"is_test": False}, f"Dropout(x) -> y, _y_mask {REST} is_test=0 order=NCHW @CUDNN"),
        (
            "dropout",
            "x",
            {"is_test": True, "ratio": 0.25, "use_cudnn": False},
            f"Dropout(x) -> y, _y_mask {REST} is_test=1 order=NCHW ratio=0.25 @DEFAULT",
        ),
        ("concat", ["a", "b"], {}, f"Concat(a, b) -> y, _y_concat_dims {REST} order=NCHW use_cudnn=1"),
        ("concat", ["a", "b"], {"axis": 0}, f"Concat(a, b) -> y, _y_concat_dims axis=0 {REST} use_cudnn=1"),
        ("depth_concat", ["a", "b"], {}, f"Concat(a, b) -> y, _y_concat_dims {REST} order=NCHW use_cudnn=1"),
        ("sum", ["a", "b"], {}, f"Sum(a, b) -> y {REST} order=NCHW use_cudnn=1"),
        ("sub", ["a", "b"], {}, f"Sub(a, b) -> y {REST} order=NCHW use_cudnn=1"),
        ("mat_mul", ["a", "b"], {"trans_b": 1}, f"MatMul(a, b) -> y {REST} order=NCHW trans_b=1 use_cudnn=1"),
        ("batch_mat_mul", ["a", "b"], {}, f"BatchMatMul(a, b) -> y {REST} order=NCHW use_cudnn=1"),
        (
            "batch_mat_mul",
            ["a", "b"],
            {"enable_tensor_core": True},
            f"BatchMatMul(a, b) -> y {REST} order=NCHW use_cudnn=1 @TENSORCORE",
        ),
        ("reduce_sum", "x", {"axes": [1]}, f"ReduceSum(x) -> y axes=[1] {REST} order=NCHW use_cudnn=1"),
        ("arg_min", "x", {"axis": 1}, f"ArgMin(x) -> y axis=1 {REST} order=NCHW use_cudnn=1"),
        ("transpose", "x", {"axes": [1, 0]}, f"Transpose(x) -> y axes=[1,0] {REST} order=NCHW @CUDNN"),
    ],
)
def test_one_operator(layer, inputs, arguments, expected):
    model = ModelHelper("single")
    assert getattr(brew, layer)(model, inputs, "y", **arguments) == "y"
    assert written(model.net) == [expected]
    assert len(model.InitProto().op) == 0


@pytest.mark.parametrize(
    ("layer", "operator"),
    [
        ("fused_8bit_rowwise_quantized_to_float", "Fused8BitRowwiseQuantizedToFloat"),
        ("sparse_lengths_sum_4bit_rowwise_sparse", "SparseLengthsSum4BitRowwiseSparse"),
        ("video_input", "VideoInput"),
        ("max_pool_with_index", "MaxPoolWithIndex"),
    ],
)
def test_operators_that_may_not_be_there(layer, operator):
    model = ModelHelper("single")
    if core.IsOperator(operator):
        getattr(brew, layer)(model, "x", "y")
        assert model.Proto().op[0].type == operator
    else:
        with pytest.raises(AttributeError, match=f"Method {operator} is not a registered operator"):
            getattr(brew, layer)(model, "x", "y")


def test_names_of_scopes_are_put_in_front_once():
    model = ModelHelper("single")
    with core.NameScope("s"):
        x = brew.relu(model, "x", "a")
        y = brew.dropout(model, x, x + "_dropped", is_test=False)
        brew.concat(model, [x, y], y + "_joined", axis=1)
    assert [list(op.output) for op in model.Proto().op] == [
        ["s/a"],
        ["s/a_dropped", "_s/a_dropped_mask"],
        ["s/a_dropped_joined", "_s/a_dropped_joined_concat_dims"],
    ]


def test_prelu():
    model = ModelHelper("single")
    brew.prelu(model, "x", "y")
    brew.prelu(model, "x", "z", num_channels=3, slope_init=("UniformFill", {"max": 0.5}))
    assert written(model.param_init_net) == [
        "ConstantFill() -> y_slope shape=[1] value=0.25",
        "UniformFill() -> z_slope max=0.5 shape=[3]",
    ]
    assert written(model.net) == ["PRelu(x, y_slope) -> y", "PRelu(x, z_slope) -> z"]
    assert model.params == ["y_slope", "z_slope"]


def test_elementwise_linear():
    model = ModelHelper("single")
    brew.elementwise_linear(model, "x", "y", 3)
    assert written(model.param_init_net) == [
        "ConstantFill() -> y_w shape=[3] value=1",
        "ConstantFill() -> y_b shape=[3] value=0",
    ]
    assert written(model.net) == [f"ElementwiseLinear(x, y_w, y_b) -> y {REST} order=NCHW use_cudnn=1"]
    assert (model.weights, model.biases) == (["y_w"], ["y_b"])


def test_dropout_and_pictures_must_know_whether_they_train():
    model = ModelHelper("single")
    with pytest.raises(AssertionError, match="is_test is required"):
        brew.dropout(model, "x", "y")
    with pytest.raises(AssertionError, match="is_test is required"):
        brew.image_input(model, "reader", ["data", "label"])


def test_db_input():
    model = ModelHelper("single")
    data, label = brew.db_input(model, ["data", "label"], batch_size=4, db="d.minidb", db_type="minidb")
    assert (data, label) == ("data", "label")
    assert written(model.param_init_net) == ["CreateDB() -> dbreader_d.minidb db=d.minidb db_type=minidb"]
    assert written(model.net) == ["TensorProtosDBInput(dbreader_d.minidb) -> data, label batch_size=4"]
