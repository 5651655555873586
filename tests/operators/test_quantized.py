import numpy as np
import pytest

from c2lab.errors import BadArgument, NotSupported, ShapeMismatch, TypeMismatch
from tests.operators.quantized_reference import away_from_zero, call, exact, q, random_q, real, steps


@pytest.mark.parametrize("seed", range(10))
def test_quantize_takes_the_nearest_step(seed):
    rng = np.random.default_rng(seed)
    scale, zero_point = np.float32(rng.uniform(0.001, 2)), int(rng.integers(0, 256))
    x = rng.normal(scale=scale * 100, size=(4, 50)).astype(np.float32)
    halves = (rng.integers(-100, 100, 50) + 0.5).astype(np.float32) * scale
    x = np.concatenate([x, halves[None], np.float32([[0, -0.0, 1e30, -1e30, np.inf] * 10])])
    y = call("Int8Quantize", x, Y_scale=float(scale), Y_zero_point=zero_point)
    quotients = np.nan_to_num(x / scale, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)
    want = [min(max(away_from_zero(exact(v)) + zero_point, 0), 255) for v in quotients.reshape(-1)]
    np.testing.assert_array_equal(y.data.reshape(-1), want)
    assert (y.scale, y.zero_point) == (float(scale), zero_point)


@pytest.mark.parametrize("seed", range(5))
def test_there_and_back(seed):
    rng = np.random.default_rng(20 + seed)
    x = random_q(rng, (3, 4, 5))
    y = call("Int8Dequantize", x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, real(x), rtol=1e-6)
    again = call("Int8Quantize", y, Y_scale=x.scale, Y_zero_point=x.zero_point)
    np.testing.assert_array_equal(again.data, x.data)


def test_quantize_refuses():
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(BadArgument, match=r"Y_scale is .*; it must be above 0"):
            call("Int8Quantize", np.float32([1]), Y_scale=scale)
    with pytest.raises(BadArgument, match="Y_zero_point is 256; it must be 0 to 255"):
        call("Int8Quantize", np.float32([1]), Y_zero_point=256)
    with pytest.raises(NotSupported, match="Qparam is not read"):
        call("Int8Quantize", np.float32([1]), np.float32([1]))
    with pytest.raises(TypeMismatch, match="qX is a plain tensor"):
        call("Int8Dequantize", np.uint8([1]))


def sum_by_hand(a, b, scale, zero_point, low):
    """The sum with multipliers of 22 bits, each to the nearest even, and one rounding shift."""
    factors = [np.float32(x.scale) / np.float32(scale) for x in (a, b)]
    shift = 21 - int(np.floor(np.log2(np.float64(max(factors)))))
    multipliers = [round(exact(factor) * 2**shift) for factor in factors]
    result = []
    for m, n in zip(a.data.reshape(-1).tolist(), b.data.reshape(-1).tolist(), strict=True):
        total = (m - a.zero_point) * multipliers[0] + (n - b.zero_point) * multipliers[1]
        result.append(min(max(away_from_zero(exact(1) * total / 2**shift) + zero_point, low), 255))
    return np.asarray(result).reshape(a.shape)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("type", ["Int8Sum", "Int8SumRelu", "Int8Add", "Int8AddRelu"])
def test_sums(seed, type):
    rng = np.random.default_rng(40 + seed)
    a, b = random_q(rng, (3, 40)), random_q(rng, (3, 40))
    scale, zero_point = float(np.float32(max(a.scale, b.scale) * rng.uniform(0.4, 3))), int(rng.integers(0, 256))
    y = call(type, a, b, inplace=bool(seed % 2), Y_scale=scale, Y_zero_point=zero_point)
    low = zero_point if type.endswith("Relu") else 0
    assert (y.scale, y.zero_point) == (scale, zero_point)
    np.testing.assert_array_equal(y.data, sum_by_hand(a, b, scale, zero_point, low))
    assert np.abs(y.data - steps(real(a) + real(b), scale, zero_point, low)).max() <= 0.51


def test_sums_refuse():
    a = q([1, 2], 0.5, 0)
    with pytest.raises(NotSupported, match="got 3 inputs; it adds two"):
        call("Int8Sum", a, a, a)
    with pytest.raises(ShapeMismatch, match="both must be equal"):
        call("Int8Add", a, q([1], 0.5, 0))
    with pytest.raises(NotSupported, match=r"the scale of the first input over Y_scale is 500"):
        call("Int8Add", a, a, Y_scale=0.001)


@pytest.mark.parametrize("seed", range(6))
def test_relu(seed):
    x = random_q(np.random.default_rng(60 + seed), (5, 9))
    y = call("Int8Relu", x, inplace=bool(seed % 2), Y_scale=x.scale, Y_zero_point=x.zero_point)
    np.testing.assert_array_equal(real(y), np.maximum(real(x), 0))
    assert y.quantization == x.quantization
    with pytest.raises(BadArgument, match="this operator keeps what X has"):
        call("Int8Relu", x, Y_scale=x.scale * 2, Y_zero_point=x.zero_point)


@pytest.mark.parametrize("seed", range(8))
def test_leaky_relu(seed):
    rng = np.random.default_rng(70 + seed)
    x, alpha = q(np.arange(256), rng.uniform(0.01, 0.1), int(rng.integers(0, 256))), float(rng.uniform(0.01, 1))
    scale, zero_point = x.scale * float(rng.uniform(0.3, 3)), int(rng.integers(0, 256))
    y = call("Int8LeakyRelu", x, alpha=alpha, Y_scale=scale, Y_zero_point=zero_point)
    exactly = np.where(real(x) < 0, real(x) * np.float32(alpha), real(x))
    assert np.abs(y.data - steps(exactly, scale, zero_point)).max() <= 0.501


def test_halves_in_tables_go_to_the_even_step():
    x = q([0, 1, 2, 3, 4, 5, 6], 0.5, 3)
    y = call("Int8LeakyRelu", x, alpha=1.0, Y_scale=1.0, Y_zero_point=10)
    assert y.data.tolist() == [8, 9, 10, 10, 10, 11, 12]  # -1.5, -1, -0.5, 0, 0.5, 1, 1.5


@pytest.mark.parametrize("seed", range(6))
def test_sigmoid(seed):
    rng = np.random.default_rng(80 + seed)
    x = q(np.arange(256), rng.uniform(0.005, 0.5), int(rng.integers(0, 256)))
    y = call("Int8Sigmoid", x, Y_scale=1 / 256, Y_zero_point=0)
    assert y.quantization == (1 / 256, 0)
    assert np.abs(y.data - steps(1 / (1 + np.exp(-real(x))), 1 / 256, 0)).max() <= 0.501
    with pytest.raises(NotSupported, match="must be 1/256 and 0"):
        call("Int8Sigmoid", x, Y_scale=0.5)


@pytest.mark.parametrize("seed", range(12))
def test_softmax(seed):
    rng = np.random.default_rng(90 + seed)
    shape, axis = [((4, 7), 1), ((2, 3, 5), 2), ((2, 3, 5), 1), ((3, 600), 1)][seed % 4]
    x = random_q(rng, shape)
    y = call("Int8Softmax", x, axis=axis, Y_scale=0.00390625, Y_zero_point=0)
    assert (y.shape, y.quantization) == (shape, (1 / 256, 0))
    rows = np.asarray(x.data).astype(np.int64).reshape(int(np.prod(shape[:axis])), -1)
    # by the table of whole numbers
    most = min((2**32 - 1) / rows.shape[1], 2**23 - 1)
    want = []
    for row in rows.tolist():
        shares = [round(most * float(np.exp(np.float64(n - max(row)) * x.scale))) for n in row]
        want.append([min(((s << 8) + sum(shares) // 2) // sum(shares), 255) for s in shares])
    np.testing.assert_array_equal(np.asarray(y.data).reshape(rows.shape), want)
    # and by real numbers
    powers = np.exp((rows - rows.max(axis=1, keepdims=True)) * x.scale)
    ideal = np.clip(powers / powers.sum(axis=1, keepdims=True) * 256, 0, 255)
    assert np.abs(np.asarray(want) - ideal).max() <= 0.51
