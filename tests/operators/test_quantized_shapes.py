import numpy as np
import pytest

from c2lab.errors import BadArgument, NotSupported
from tests.operators.quantized_reference import call, q, random_q

rng = np.random.default_rng(11)


def check(y, x, want):
    assert y.quantization == x.quantization
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y.data, want)


def test_moves():
    x = random_q(rng, (2, 3, 4, 6))
    check(call("Int8Flatten", x), x, x.data.reshape(2, -1))
    check(call("Int8Flatten", x, axis=2), x, x.data.reshape(6, -1))
    check(call("Int8Transpose", x, axes=[0, 3, 1, 2]), x, x.data.transpose(0, 3, 1, 2))
    check(call("Int8Transpose", x), x, x.data.transpose())
    shuffled = x.data.reshape(2, 3, 4, 3, 2).swapaxes(3, 4).reshape(x.shape)
    check(call("Int8ChannelShuffle", x, group=3, order="NHWC"), x, shuffled)
    with pytest.raises(NotSupported, match="NHWC only"):
        call("Int8ChannelShuffle", x, group=3)


def test_reshape():
    x = random_q(rng, (2, 3, 4))
    y, old = call("Int8Reshape", x, outputs=2, shape=[0, -1])
    check(y, x, x.data.reshape(2, 12))
    assert old.tolist() == [2, 3, 4]
    y, _ = call("Int8Reshape", x, np.int64([4, 6]), outputs=2)
    check(y, x, x.data.reshape(4, 6))
    y, _ = call("Int8Reshape", x, outputs=2, shape=[24], inplace=True, Y_scale=x.scale, Y_zero_point=x.zero_point)
    check(y, x, x.data.reshape(24))


def test_slice():
    x = random_q(rng, (3, 5, 4))
    check(call("Int8Slice", x, starts=[0, 1, 0], ends=[-1, 3, -1]), x, x.data[:, 1:3])
    check(call("Int8Slice", x, dim=2, start_idx=1, end_idx=3), x, x.data[..., 1:3])
    check(call("Int8Slice", x, np.int32([0, 2, 0]), np.int32([-1, -1, -1])), x, x.data[:, 2:])


def test_concat():
    x = random_q(rng, (2, 3, 2, 4))
    other = x.with_data(rng.integers(0, 256, (2, 3, 2, 1)).astype(np.uint8))
    y, sizes = call("Int8Concat", x, other, x, outputs=2, order="NHWC", Y_scale=x.scale, Y_zero_point=x.zero_point)
    check(y, x, np.concatenate([x.data, other.data, x.data], axis=3))
    assert sizes.tolist() == [4, 1, 4]
    check(call("Int8Concat", x, x, axis=0), x, np.concatenate([x.data, x.data]))
    check(call("Int8Concat", x, x, axis=1, add_axis=1), x, np.stack([x.data, x.data], axis=1))
    with pytest.raises(BadArgument, match=r"input 1 has scale 2 .* all must be equal"):
        call("Int8Concat", x, q(x.data, 2.0, x.zero_point), axis=0)


@pytest.mark.parametrize(("height", "width"), [(2.0, 2.0), (1.5, 0.5), (1.0, 3.2)])
def test_resize_nearest(height, width):
    x = random_q(rng, (2, 4, 6, 3))
    rows = [min(int(np.float32(k) / np.float32(height)), 3) for k in range(int(np.float32(4) * np.float32(height)))]
    columns = [min(int(np.float32(k) / np.float32(width)), 5) for k in range(int(np.float32(6) * np.float32(width)))]
    y = call("Int8ResizeNearest", x, height_scale=height, width_scale=width, order="NHWC")
    check(y, x, x.data[:, rows][:, :, columns])


def test_resize_nearest_to_a_size():
    x = random_q(rng, (1, 4, 6, 2))
    y = call("Int8ResizeNearest", x, output_size=[8, 3])
    check(y, x, np.repeat(x.data, 2, axis=1)[:, :, ::2])
