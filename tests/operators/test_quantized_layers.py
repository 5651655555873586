import numpy as np
import pytest

from c2lab.errors import NotSupported, ShapeMismatch, TypeMismatch
from tests.operators.calls import call as plain_call
from tests.operators.quantized_reference import (
    away_from_zero,
    call,
    convolution_sums,
    exact,
    fixed_point,
    q,
    random_q,
    real,
    requantized,
    steps,
    windows,
)


def around(x):
    return np.asarray(x.data).astype(np.int64) - x.zero_point


def output_meaning(rng, totals, factor):
    """A scale and zero point into which the sums fit, more or less: some are cut off."""
    largest = np.abs(totals).max() * factor
    scale = float(np.float32(max(largest / rng.uniform(60, 200), factor * 1.01)))
    return scale, int(rng.integers(0, 256))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("relu", [False, True])
def test_convolution(seed, relu):
    rng = np.random.default_rng(seed)
    group = int(rng.choice([1, 1, 2, 4]))
    channels, made = group * int(rng.integers(1, 4)), group * int(rng.integers(1, 4))
    kernel, stride, dilation = (int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    pads = [int(n) for n in rng.integers(0, 3, 4)]
    x = random_q(rng, (2, int(rng.integers(5, 9)), int(rng.integers(5, 9)), channels))
    w = random_q(rng, (made, kernel, kernel, channels // group))
    step = np.float32(x.scale) * np.float32(w.scale)
    bias = q(rng.integers(-3000, 3000, made), step, 0, np.int32)
    totals = convolution_sums(around(x), around(w), stride, pads, dilation, group) + bias.data
    scale, zero_point = output_meaning(rng, totals, step)
    y = call(
        "Int8ConvRelu" if relu else "Int8Conv", x, w, bias, kernel=kernel, stride=stride, dilation=dilation,
        pad_t=pads[0], pad_l=pads[1], pad_b=pads[2], pad_r=pads[3], group=group, order="NHWC",
        Y_scale=scale, Y_zero_point=zero_point,
    )  # fmt: skip
    assert (y.scale, y.zero_point, y.dtype) == (scale, zero_point, np.uint8)
    low = zero_point if relu else 0
    np.testing.assert_array_equal(y.data, requantized(totals, step / np.float32(scale), zero_point, low))
    in_steps = steps(totals * (x.scale * w.scale), scale, zero_point, low)
    assert np.abs(y.data - in_steps).max() <= 0.51
    assert relu or len(np.unique(y.data)) > 3


def test_convolution_as_in_a_mobile_network():
    """Many channels, a window each: what sums in single precision would not hold exactly."""
    rng = np.random.default_rng(7)
    x, w = random_q(rng, (1, 3, 3, 600), 0.02), random_q(rng, (2, 3, 3, 600), 0.01)
    totals = convolution_sums(around(x), around(w), 1, (1, 1, 1, 1), 1, 1)
    assert np.abs(totals).max() > 2**24
    y = call("Int8Conv", x, w, kernel=3, pad=1, order="NHWC", Y_scale=100.0, Y_zero_point=128)
    factor = np.float32(0.02) * np.float32(0.01) / np.float32(100)
    np.testing.assert_array_equal(y.data, requantized(totals, factor, 128))


def test_convolution_refuses_what_the_fixed_point_cannot_hold():
    x, w = q(np.zeros((1, 2, 2, 1)), 0.5, 0), q(np.zeros((1, 1, 1, 1)), 0.5, 0)
    with pytest.raises(NotSupported, match=r"scales over Y_scale is 1; it must be .* below 1: choose another Y_scale"):
        call("Int8Conv", x, w, kernel=1, order="NHWC", Y_scale=0.25)
    with pytest.raises(NotSupported, match="NHWC only"):
        call("Int8Conv", x, w, kernel=1, Y_scale=1.0)
    with pytest.raises(TypeMismatch, match="the bias is a plain tensor; it must be quantized to int32"):
        call("Int8Conv", x, w, np.int32([1]), kernel=1, order="NHWC", Y_scale=1.0)
    with pytest.raises(TypeMismatch, match="X is a plain tensor"):
        call("Int8Conv", np.zeros((1, 2, 2, 1), np.uint8), w, kernel=1, order="NHWC", Y_scale=1.0)
    with pytest.raises(ShapeMismatch, match="filter must be"):
        call("Int8Conv", x, q(np.zeros((1, 1, 1, 3)), 0.5, 0), kernel=1, order="NHWC", Y_scale=1.0)


@pytest.mark.parametrize("seed", range(12))
def test_transposed_convolution(seed):
    rng = np.random.default_rng(100 + seed)
    channels, made, kernel, stride = (int(n) for n in rng.integers(1, 4, 4))
    pad, adj = int(rng.integers(0, kernel)), int(rng.integers(0, stride))
    height, width = (int(n) for n in rng.integers(2, 5, 2))
    rows, columns = ((n - 1) * stride - 2 * pad + kernel + adj for n in (height, width))
    if min(rows, columns) < 1:
        pad, rows, columns = 0, (height - 1) * stride + kernel + adj, (width - 1) * stride + kernel + adj
    x, w = random_q(rng, (2, height, width, channels)), random_q(rng, (channels, kernel, kernel, made))
    painted = np.zeros((2, rows + 2 * pad, columns + 2 * pad, made), np.int64)
    for y in range(height):
        for z in range(width):
            for i in range(kernel):
                for j in range(kernel):
                    painted[:, y * stride + i, z * stride + j] += around(x)[:, y, z] @ around(w)[:, i, j]
    step = np.float32(x.scale) * np.float32(w.scale)
    bias = q(rng.integers(-3000, 3000, made), step, 0, np.int32)
    totals = painted[:, pad : pad + rows, pad : pad + columns] + bias.data
    scale, zero_point = output_meaning(rng, totals, step)
    got = call("Int8ConvTranspose", x, w, bias, kernel=kernel, stride=stride, pad=pad, adj=adj, order="NHWC",
               Y_scale=scale, Y_zero_point=zero_point)  # fmt: skip
    np.testing.assert_array_equal(got.data, requantized(totals, step / np.float32(scale), zero_point))


@pytest.mark.parametrize("seed", range(12))
def test_dense_layer(seed):
    rng = np.random.default_rng(200 + seed)
    shape = [(3, 7), (2, 2, 3, 4), (1, 300)][seed % 3]
    x, w = random_q(rng, shape), random_q(rng, (5, int(np.prod(shape[1:]))))
    step = np.float32(x.scale) * np.float32(w.scale)
    bias = q(rng.integers(-3000, 3000, 5), step, 0, np.int32)
    totals = around(x).reshape(shape[0], -1) @ around(w).T + bias.data
    scale, zero_point = output_meaning(rng, totals, step)
    y = call("Int8FC", x, w, bias, Y_scale=scale, Y_zero_point=zero_point)
    np.testing.assert_array_equal(y.data, requantized(totals, step / np.float32(scale), zero_point))
    product = real(x).reshape(shape[0], -1) @ real(w).T + bias.data * (x.scale * w.scale)
    assert np.abs(y.data - steps(product, scale, zero_point)).max() <= 0.51


def test_dense_layer_refuses():
    x, w, b = q(np.zeros((1, 2)), 0.5, 0), q(np.zeros((3, 2)), 0.5, 0), q(np.zeros(3), 0.25, 0, np.int32)
    with pytest.raises(NotSupported, match="Qparam is not read"):
        call("Int8FC", x, w, b, np.float32([1]), Y_scale=1.0)
    with pytest.raises(NotSupported, match="asked for 4 outputs; it has one"):
        call("Int8FC", x, w, b, outputs=4, Y_scale=1.0)
    with pytest.raises(ShapeMismatch, match=r"2 features, but W is \(3, 1\)"):
        call("Int8FC", x, q(np.zeros((3, 1)), 0.5, 0), b, Y_scale=1.0)


def test_halves_are_rounded_away_from_zero_after_the_product_is_rounded_up():
    x, w = q([[0], [2], [4], [6], [8]], 0.5, 4), q([[1]], 0.25, 0)
    y = call("Int8FC", x, w, q([0], 0.125, 0, np.int32), Y_scale=0.5, Y_zero_point=100)
    assert y.data.reshape(-1).tolist() == [99, 99, 100, 101, 101]  # -1, -0.5, 0, 0.5, 1
    assert [fixed_point(n, 0.25) for n in (-4, -2, 0, 2, 4)] == [-1, -1, 0, 1, 1]


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("relu", [False, True])
def test_average_pool(seed, relu):
    rng = np.random.default_rng(300 + seed)
    kernel, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    pads = [int(n) for n in rng.integers(0, kernel, 4)]
    x = random_q(rng, (2, int(rng.integers(4, 8)), int(rng.integers(4, 8)), 3))
    scale, zero_point = float(np.float32(x.scale * rng.uniform(0.3, 2))), int(rng.integers(0, 256))
    y = call("Int8AveragePoolRelu" if relu else "Int8AveragePool", x, kernel=kernel, stride=stride, pad_t=pads[0],
             pad_l=pads[1], pad_b=pads[2], pad_r=pads[3], order="NHWC", Y_scale=scale,
             Y_zero_point=zero_point)  # fmt: skip
    totals = windows(around(x), kernel, stride, pads, 0).sum(axis=3)
    factor = np.float32(x.scale) / (np.float32(scale) * np.float32(kernel * kernel))
    low = zero_point if relu else 0
    want = [min(max(away_from_zero(int(t) * exact(factor)) + zero_point, low), 255) for t in totals.reshape(-1)]
    np.testing.assert_array_equal(y.data.reshape(-1), want)
    in_steps = steps(totals * x.scale / kernel**2, scale, zero_point, low)
    assert np.abs(y.data - in_steps).max() <= 0.51


def test_global_average_pool():
    rng = np.random.default_rng(5)
    x = random_q(rng, (2, 5, 6, 3), 0.05)
    y = call("Int8AveragePool", x, global_pooling=1, order="NHWC", Y_scale=0.02, Y_zero_point=128)
    assert y.shape == (2, 1, 1, 3)
    mean = real(x).mean(axis=(1, 2), keepdims=True)
    assert np.abs(y.data - steps(mean, 0.02, 128)).max() <= 0.51


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("relu", [False, True])
def test_max_pool(seed, relu):
    rng = np.random.default_rng(400 + seed)
    kernel, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    pads = [int(n) for n in rng.integers(0, kernel, 4)]
    x = random_q(rng, (2, int(rng.integers(4, 8)), int(rng.integers(4, 8)), 3))
    y = call("Int8MaxPoolRelu" if relu else "Int8MaxPool", x, kernel=kernel, stride=stride, pad_t=pads[0],
             pad_l=pads[1], pad_b=pads[2], pad_r=pads[3], order="NHWC", Y_scale=x.scale,
             Y_zero_point=x.zero_point)  # fmt: skip
    assert y.quantization == x.quantization
    want = windows(np.asarray(x.data).astype(np.int64), kernel, stride, pads, -1).max(axis=3)
    np.testing.assert_array_equal(y.data, np.maximum(want, x.zero_point) if relu else want)


@pytest.mark.parametrize("seed", range(6))
def test_roi_align(seed):
    rng = np.random.default_rng(500 + seed)
    x = random_q(rng, (2, 7, 9, 3))
    corners = rng.uniform(0, 8, (5, 4))
    corners[:, 2:] += corners[:, :2]
    rois = np.concatenate([rng.integers(0, 2, (5, 1)), corners], axis=1).astype(np.float32)
    scale, zero_point = float(np.float32(x.scale * rng.uniform(0.5, 2))), int(rng.integers(0, 256))
    more = {"pooled_h": 2, "pooled_w": 3, "sampling_ratio": int(rng.integers(0, 3)), "spatial_scale": 0.5}
    y = call("Int8RoIAlign", x, rois, order="NHWC", Y_scale=scale, Y_zero_point=zero_point, **more)
    plain = plain_call("RoIAlign", real(x).astype(np.float32), rois, order="NHWC", **more)
    assert y.shape == (5, 2, 3, 3)
    assert np.abs(y.data - steps(plain.astype(np.float64), scale, zero_point)).max() <= 0.51
