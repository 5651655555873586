import numpy as np
import pytest

from c2lab.errors import ShapeMismatch, TypeMismatch
from c2lab.operators.row_quantization import restored
from tests.operators.calls import call, wiring

rng = np.random.default_rng(41)


def rounded(rows):
    """Steps, step sizes and smallest elements, in float64."""
    low = rows.min(axis=-1, keepdims=True).astype(np.float64)
    scale = (rows.max(axis=-1, keepdims=True) - low) / 255
    return (rows - low) / scale, scale, low


def check_steps(got, exact):
    """Each step is a nearest one; float32 may tip a value that stands halfway."""
    assert got.dtype == np.uint8
    np.testing.assert_array_less(np.abs(got - exact), 0.5 + 1e-3)


@pytest.mark.parametrize("shape", [(6,), (4, 9), (2, 3, 5)])
def test_fused_rows(shape):
    rows = rng.normal(size=shape).astype(np.float32)
    exact, scale, low = rounded(rows)
    fused = call("FloatToFused8BitRowwiseQuantized", rows)
    assert fused.shape == (*shape[:-1], shape[-1] + 8)
    check_steps(fused[..., :-8], exact)
    parameters = np.ascontiguousarray(fused[..., -8:]).view("<f4")
    np.testing.assert_allclose(parameters, np.concatenate([scale, low], axis=-1), rtol=1e-6)
    back = call("Fused8BitRowwiseQuantizedToFloat", fused)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, fused[..., :-8] * parameters[..., :1] + parameters[..., 1:], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_less(np.abs(back - rows) - scale / 2, 1e-5)
    np.testing.assert_allclose(restored(fused), back, rtol=1e-6, atol=1e-6)


def test_rows_of_equal_elements_come_back_as_they_were():
    rows = np.float32([[3.5] * 4, [-2] * 4])
    fused = call("FloatToFused8BitRowwiseQuantized", rows)
    np.testing.assert_array_equal(fused[:, :8], 0)
    np.testing.assert_array_equal(call("Fused8BitRowwiseQuantizedToFloat", fused), rows)
    steps, scale_bias = call("FloatToRowwiseQuantized8Bits", rows, outputs=2)
    np.testing.assert_array_equal(steps, 0)
    np.testing.assert_array_equal(scale_bias, [[1, 3.5], [1, -2]])
    np.testing.assert_array_equal(call("Rowwise8BitQuantizedToFloat", steps, scale_bias), rows)


@pytest.mark.parametrize("shape", [(4, 9), (2, 3, 5)])
def test_rows_with_scales_beside_them(shape):
    X = rng.normal(size=shape).astype(np.float32)
    exact, scale, low = rounded(X.reshape(shape[0], -1))
    steps, scale_bias = call("FloatToRowwiseQuantized8Bits", X, outputs=2)
    check_steps(steps, exact.reshape(shape))
    np.testing.assert_allclose(scale_bias, np.concatenate([scale, low], axis=1), rtol=1e-6)
    back = call("Rowwise8BitQuantizedToFloat", steps, scale_bias)
    want = steps.reshape(shape[0], -1) * scale_bias[:, :1] + scale_bias[:, 1:]
    np.testing.assert_allclose(back, want.reshape(shape), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("type", "inputs", "outputs"),
    [
        ("FloatToFused8BitRowwiseQuantized", 1, 1),
        ("Fused8BitRowwiseQuantizedToFloat", 1, 1),
        ("FloatToRowwiseQuantized8Bits", 1, 2),
        ("Rowwise8BitQuantizedToFloat", 2, 1),
    ],
)
def test_no_gradient_flows_back(type, inputs, outputs):
    assert wiring(type, inputs, outputs) == ([], [None] * inputs)


def test_refusals():
    with pytest.raises(ShapeMismatch, match="rows must not be empty"):
        call("FloatToFused8BitRowwiseQuantized", np.zeros((2, 0), np.float32))
    with pytest.raises(ShapeMismatch, match="longer than the 8 bytes"):
        call("Fused8BitRowwiseQuantizedToFloat", np.zeros((2, 8), np.uint8))
    with pytest.raises(ShapeMismatch, match=r"must be \(N, ...\)"):
        call("FloatToRowwiseQuantized8Bits", np.zeros(3, np.float32), outputs=2)
    with pytest.raises(ShapeMismatch, match="a scale and a bias for each row"):
        call("Rowwise8BitQuantizedToFloat", np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.float32))
    with pytest.raises(TypeMismatch, match="float64"):
        call("FloatToFused8BitRowwiseQuantized", np.zeros((2, 3)))
