"""Sums, products and rearrangements."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0"


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments", "expected"),
    [
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
        ("sparse_lengths_sum_4bit_rowwise_sparse", "SparseLengthsSum4BitRowwiseSparse"),
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
