import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from tests.operators.quantized_reference import call


@pytest.mark.parametrize("count", [6, 6000])
def test_bytes(count):
    numbers = np.random.default_rng(count).integers(0, 256, (2, count // 2)).astype(np.uint8)
    y = call("Int8GivenTensorFill", values=numbers.tobytes(), shape=numbers.shape, Y_scale=0.25, Y_zero_point=7)
    np.testing.assert_array_equal(y.data, numbers)
    assert (y.scale, y.zero_point, y.dtype) == (0.25, 7, np.uint8)


@pytest.mark.parametrize("count", [6, 6000])
def test_whole_numbers(count):
    numbers = np.random.default_rng(count).integers(-(2**31), 2**31, (2, count // 2)).astype(np.int32)
    y = call("Int8GivenIntTensorFill", values=numbers.reshape(-1).tolist(), shape=numbers.shape, Y_scale=0.25)
    np.testing.assert_array_equal(y.data, numbers)
    assert (y.scale, y.zero_point, y.dtype) == (0.25, 0, np.int32)


def test_refusals():
    with pytest.raises(ShapeMismatch, match="holds 3 values, but 2 are given"):
        call("Int8GivenTensorFill", values=b"ab", shape=[3])
    with pytest.raises(BadArgument, match="Y_zero_point is -1; it must be 0 to 255"):
        call("Int8GivenTensorFill", values=b"ab", shape=[2], Y_zero_point=-1)
    with pytest.raises(BadArgument, match="Y_scale is 0"):
        call("Int8GivenIntTensorFill", values=[1], shape=[1], Y_scale=0.0)
