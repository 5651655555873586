"""What fillers fill: shapes, element types, and the distributions of random ones."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.eager import run
from c2lab.errors import BadArgument, BadValue, SchemaError, ShapeMismatch, TypeMismatch
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
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


@pytest.mark.parametrize(
    ("type", "values", "dtype"),
    [
        ("GivenTensorFill", [0.5, 2.0], np.float32),
        ("GivenTensorDoubleFill", [0.5, 2.0], np.float64),
        ("GivenTensorIntFill", [1, -2], np.int32),
        ("GivenTensorInt64Fill", [1, 2**40], np.int64),
        ("GivenTensorInt16Fill", [1, -2], np.int16),
        ("GivenTensorBoolFill", [True, False], np.bool_),
    ],
)
def test_given_values(type, values, dtype):
    filled = call(type, shape=[2, 1], values=values)
    np.testing.assert_array_equal(filled, np.array(values, dtype).reshape(2, 1))
    assert filled.dtype == dtype


def test_given_values_of_the_wrong_number_or_type():
    with pytest.raises(ShapeMismatch, match="holds 4 values, but 3"):
        call("GivenTensorFill", shape=[2, 2], values=[1.0, 2.0, 3.0])
    with pytest.raises(ShapeMismatch, match="but 0 of the right type"):
        call("GivenTensorFill", shape=[2], values=[1, 2])
    with pytest.raises(BadArgument, match="right field"):
        call("GivenTensorIntFill", shape=[2], values=[1.0, 2.0])
    with pytest.raises(SchemaError, match="values"):
        call("GivenTensorFill", shape=[2])


def test_range_goes_down_and_refuses_to_stand_still():
    np.testing.assert_array_equal(call("Range", np.float32(5), np.float32(0), np.float32(-2)), np.float32([5, 3, 1]))
    assert call("Range", np.int32(3), np.int32(3)).shape == (0,)
    with pytest.raises(BadArgument, match="never end"):
        call("Range", np.int32(0), np.int32(3), np.int32(0))
    with pytest.raises(TypeMismatch):
        call("Range", np.int32(0), np.int64(3))


def draw(type, count=100_000, **arguments):
    return call(type, shape=[count], **arguments).astype(np.float64)


def test_gaussian_draws():
    drawn = draw("GaussianFill", mean=2.0, std=3.0)
    assert abs(drawn.mean() - 2) < 4 * 3 / np.sqrt(drawn.size)
    assert abs(drawn.std() - 3) < 0.03
    assert abs(((drawn - 2) ** 3).mean()) < 1.0
    assert call("GaussianFill", shape=[2]).dtype == np.float32


def test_uniform_draws():
    drawn = draw("UniformFill", min=-1.0, max=3.0)
    assert drawn.min() >= -1
    assert drawn.max() <= 3
    assert abs(drawn.mean() - 1) < 0.02
    assert abs(drawn.var() - 16 / 12) < 0.02
    by_default = draw("UniformFill")
    assert by_default.min() >= 0
    assert by_default.max() <= 1


def test_uniform_whole_numbers_include_both_ends():
    drawn = draw("UniformIntFill", min=-2, max=3)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3]
    assert (abs(counts / drawn.size - 1 / 6) < 0.01).all()
    edge = call("UniformIntFill", shape=[4], min=2**31 - 1, max=2**31 - 1)
    assert (edge == 2**31 - 1).all()
    assert edge.dtype == np.int32


def test_bounds_as_inputs():
    shape = np.zeros(1000, np.float32)
    drawn = call("UniformFill", shape, np.float32([4]), np.float32([5]))
    assert drawn.shape == (1000,)
    assert drawn.min() >= 4
    assert drawn.max() <= 5
    with pytest.raises(BadValue, match="min must not be above max"):
        call("UniformIntFill", np.zeros(3, np.float32), np.int32([5]), np.int32([4]))
    with pytest.raises(BadArgument, match="leave out"):
        call("UniformFill", shape, np.float32([4]), np.float32([5]), min=0.0)


def test_xavier_and_msra_scale_with_the_layer():
    xavier = call("XavierFill", shape=[1000, 100]).astype(np.float64)
    bound = np.sqrt(3 / 100)
    assert abs(xavier).max() <= bound
    assert abs(xavier).max() > 0.99 * bound
    assert abs(xavier.std() - bound / np.sqrt(3)) < 1e-3
    msra = call("MSRAFill", shape=[1000, 100]).astype(np.float64)
    assert abs(msra.std() - np.sqrt(2 / 1000)) < 1e-3
    convolution = call("MSRAFill", shape=[128, 64, 5, 5]).astype(np.float64)
    assert abs(convolution.std() - np.sqrt(2 / (128 * 25))) < 1e-3
    with pytest.raises(ShapeMismatch):
        call("MSRAFill", shape=[5])


def test_different_draws_avoid_what_they_should():
    drawn = call("UniqueUniformFill", np.zeros(90, np.float32), np.int32(np.arange(10)), min=0, max=99)
    assert sorted(drawn.tolist()) == list(range(10, 100))
    huge = call("UniqueUniformFill", shape=[1000], min=0, max=2**40, dtype=T.INT64)
    assert len(set(huge.tolist())) == 1000
    assert huge.dtype == np.int64
    with pytest.raises(BadValue, match="only 90"):
        call("UniqueUniformFill", np.zeros(91, np.float32), np.int32(np.arange(10)), min=0, max=99)


def test_weighted_sample_follows_the_weights():
    weights = np.tile(np.float32([1, 0, 3]), (100_000, 1))
    values = np.tile(np.float32([10, 20, 30]), (100_000, 1))
    positions, picked = call("WeightedSample", weights, values, outputs=2)
    assert positions.shape == (100_000, 1)
    assert abs((positions == 2).mean() - 0.75) < 0.01
    assert not (positions == 1).any()
    np.testing.assert_array_equal(picked, np.float32([10, 20, 30])[positions])


def test_multi_sampling_follows_the_steps():
    drawn = call("WeightedMultiSampling", np.float32([0.25, 0.25, 1.0]), num_samples=100_000)
    assert abs((drawn == 0).mean() - 0.25) < 0.01
    assert not (drawn == 1).any()
    shaped = call("WeightedMultiSampling", np.float32([1.0]), np.zeros((2, 3), np.float32))
    assert shaped.shape == (2, 3)


def test_a_seed_repeats_and_a_second_run_does_not():
    op = operator_def("GaussianFill", 0, shape=[5])
    op.device_option.random_seed = 7
    net = caffe2_pb2.NetDef(name="draws", op=[op])
    drawn = []
    for _ in range(2):
        workspace = Workspace("seeded")
        workspace.create(net)
        for _ in range(2):
            workspace.run("draws")
            drawn.append(workspace.fetch("O0"))
    np.testing.assert_array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[1], drawn[3])
    assert (drawn[0] != drawn[1]).all()


def test_an_input_is_read_only_where_its_values_are_the_shape():
    """Else each new loss would make a new program, only to fill its gradient with ones."""
    by_shape = operator_def("ConstantFill", 1, value=1.0)
    by_values = operator_def("ConstantFill", 1, value=1.0, input_as_shape=1)
    graph = read(caffe2_pb2.NetDef(name="seeds", op=[by_shape, by_values]))
    assert [len(node.static_inputs) for node in graph.nodes] == [0, 1]
    assert not any(node.host for node in graph.nodes)


def test_feed_blob_makes_text():
    assert run("FeedBlob", value="dog")["output"] == b"dog"
