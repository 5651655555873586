"""What fillers fill: shapes and element types."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch, TypeMismatch
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2
from tests.operators.calls import call, operator_def

T = caffe2_pb2.TensorProto


@pytest.mark.parametrize(("value", "dtype"), [(0.5, np.float32), (3, np.int64), (True, np.int64), (None, np.float32)])
def test_the_value_picks_the_type_where_dtype_is_absent(value, dtype):
    given = {} if value is None else {"value": value}
    filled = call("ConstantFill", shape=[2], **given)
    assert filled.dtype == dtype
    assert (filled == (value or 0)).all()


@pytest.mark.parametrize(
    ("number", "value", "dtype"),
    [
        (T.FLOAT, 1.5, np.float32),
        (T.DOUBLE, 1.5, np.float64),
        (T.INT32, 7, np.int32),
        (T.INT64, 2**40, np.int64),
        (T.BOOL, True, np.bool_),
        (T.UINT8, 200, np.uint8),
        (T.INT8, -3, np.int8),
        (T.INT16, -300, np.int16),
        (T.UINT16, 60000, np.uint16),
        (T.FLOAT16, 0.5, np.float16),
    ],
)
def test_dtype_picks_the_type(number, value, dtype):
    filled = call("ConstantFill", shape=[2, 2], value=value, dtype=number)
    np.testing.assert_array_equal(filled, np.full((2, 2), value, dtype))
    assert filled.dtype == dtype


def test_text_is_filled_on_the_host():
    filled = call("ConstantFill", shape=[2], value="cat", dtype=T.STRING)
    assert filled.tolist() == [b"cat", b"cat"]
    assert call("GivenTensorFill", shape=[2], values=["a", "b"], dtype=T.STRING).tolist() == [b"a", b"b"]


@pytest.mark.parametrize(("value", "dtype"), [(1.0, T.INT32), (1, T.FLOAT), (1, T.STRING)])
def test_a_value_of_another_kind_than_dtype_is_refused(value, dtype):
    with pytest.raises(BadArgument, match="right field"):
        call("ConstantFill", shape=[1], value=value, dtype=dtype)


def test_no_shape_is_one_number():
    assert call("ConstantFill", value=2.0).shape == ()


@pytest.mark.parametrize("type", ["ConstantFill", "GaussianFill", "XavierFill", "UniformFill", "UniformIntFill"])
def test_shape_of_an_input_its_values_and_more_dimensions(type):
    assert call(type, np.zeros((3, 4), np.float32)).shape == (3, 4)
    assert call(type, np.zeros((3, 4), np.float32), extra_shape=[2]).shape == (3, 4, 2)
    assert call(type, np.int64([5, 2]), input_as_shape=1).shape == (5, 2)
    assert call(type, np.int64([5, 2]), input_as_shape=1, extra_shape=[3]).shape == (5, 2, 3)


@pytest.mark.parametrize(
    ("inputs", "arguments", "error"),
    [
        ([np.zeros(3, np.float32)], {"shape": [2]}, BadArgument),
        ([], {"shape": [2], "extra_shape": [2]}, BadArgument),
        ([], {"input_as_shape": 1}, BadArgument),
        ([np.int64([[2]])], {"input_as_shape": 1}, ShapeMismatch),
        ([np.float32([2])], {"input_as_shape": 1}, TypeMismatch),
        ([], {"shape": 3}, BadArgument),
    ],
)
def test_contradicting_shapes_are_refused(inputs, arguments, error):
    with pytest.raises(error):
        call("ConstantFill", *inputs, value=1.0, **arguments)


def test_range_goes_down_and_refuses_to_stand_still():
    np.testing.assert_array_equal(call("Range", np.float32(5), np.float32(0), np.float32(-2)), np.float32([5, 3, 1]))
    assert call("Range", np.int32(3), np.int32(3)).shape == (0,)
    with pytest.raises(BadArgument, match="never end"):
        call("Range", np.int32(0), np.int32(3), np.int32(0))
    with pytest.raises(TypeMismatch):
        call("Range", np.int32(0), np.int64(3))


def test_an_input_is_read_only_where_its_values_are_the_shape():
    """Else each new loss would make a new program, only to fill its gradient with ones."""
    by_shape = operator_def("ConstantFill", 1, value=1.0)
    by_values = operator_def("ConstantFill", 1, value=1.0, input_as_shape=1)
    graph = read(caffe2_pb2.NetDef(name="seeds", op=[by_shape, by_values]))
    assert [len(node.static_inputs) for node in graph.nodes] == [0, 1]
    assert not any(node.host for node in graph.nodes)
