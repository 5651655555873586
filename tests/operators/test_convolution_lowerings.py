"""All ways to compute a convolution give the same numbers, on the CPU and without a device."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from c2lab.operators import convolution_lowerings as lowerings
from c2lab.operators.windows import Window

RANDOM = np.random.default_rng(23)

# X, filters, kernel, stride, dilation, pads, group
CASES = {
    "few channels": ((2, 3, 9, 9), 4, 3, 2, 1, (1, 0, 1, 2), 1),
    "many taps": ((2, 6, 12, 12), 5, 5, 1, 1, (0, 0, 0, 0), 1),
    "one tap": ((2, 8, 6, 6), 5, 1, 2, 1, (0, 0, 0, 0), 1),
    "depthwise": ((2, 8, 6, 6), 8, 3, 1, 2, (2, 2, 2, 2), 8),
    "groups": ((2, 8, 6, 6), 12, 3, 2, 1, (1, 1, 1, 1), 4),
    "plain": ((2, 8, 6, 6), 5, 3, 1, 1, (1, 1, 1, 1), 1),
    "cropped": ((2, 3, 9, 9), 4, 1, 3, 1, (0, 0, 0, 0), 1),
    "more filters than places": ((2, 4, 5, 6), 24, 3, 2, 1, (1, 1, 1, 1), 1),
    "more filters than places, dilated": ((1, 4, 6, 5), 24, 3, 1, 2, (1, 2, 1, 2), 1),
}


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", CASES)
def test_every_way_is_xlas_convolution(name, order):
    shape, made, kernel, stride, dilation, pads, group = CASES[name]
    turn = (lambda values: np.moveaxis(values, 1, -1)) if order == "NHWC" else np.asarray
    X = turn(RANDOM.normal(size=shape).astype(np.float32))
    W = turn(RANDOM.normal(size=(made, shape[1] // group, kernel, kernel)).astype(np.float32))
    place = Window((kernel,) * 2, (stride,) * 2, (dilation,) * 2, pads).over(shape[2:])

    def plain(X, W):
        return lowerings._by_xla(X, W, place, group, order)

    Y, back = jax.vjp(plain, X, W)
    dY = RANDOM.normal(size=Y.shape).astype(np.float32)
    dX, dW = back(dY)
    close = {"rtol": 1e-4, "atol": 1e-4}
    ways = [lowerings._by_patches] + ([lowerings._shifts] if group == shape[1] else [])
    for way in ways:
        np.testing.assert_allclose(jax.jit(lambda X, W, way=way: way(X, W, place, group, order))(X, W), Y, **close)
    chosen = jax.jit(
        lambda X, W, dY: (
            lowerings.convolve(X, W, place, group, order),
            lowerings.input_gradient(X, W, dY, place, group, order),
            lowerings.filter_gradient(X, W, dY, place, group, order),
        )
    )
    for got, want in zip(chosen(X, W, dY), (Y, dX, dW), strict=True):
        np.testing.assert_allclose(got, want, **close)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_without_a_size(name):
    shape, made, kernel, stride, dilation, pads, group = CASES[name]
    (count,) = export.symbolic_shape("N")
    place = Window((kernel,) * 2, (stride,) * 2, (dilation,) * 2, pads).over(shape[2:])
    X = jax.ShapeDtypeStruct((count, *shape[1:]), jnp.float32)
    W = jax.ShapeDtypeStruct((made, shape[1] // group, kernel, kernel), jnp.float32)
    Y = jax.eval_shape(lambda X, W: lowerings.convolve(X, W, place, group, "NCHW"), X, W)
    assert Y.shape == (count, made, *place.output)
    dX, dW = jax.eval_shape(
        lambda X, W, dY: (
            lowerings.input_gradient(X, W, dY, place, group, "NCHW"),
            lowerings.filter_gradient(X, W, dY, place, group, "NCHW"),
        ),
        X, W, Y,
    )  # fmt: skip
    assert (dX.shape, dW.shape) == (X.shape, W.shape)


def test_accelerators_get_xlas_convolution():
    place = Window((1, 1), (1, 1), (1, 1), (0, 0, 0, 0)).over((4, 4))
    function = jax.jit(lambda X, W: lowerings.convolve(X, W, place, 1, "NCHW"))
    X, W = jnp.zeros((1, 2, 4, 4)), jnp.zeros((3, 2, 1, 1))
    assert "stablehlo.convolution" in export.export(function, platforms=["cuda"])(X, W).mlir_module()
    assert "stablehlo.convolution" not in export.export(function, platforms=["cpu"])(X, W).mlir_module()


def test_large_patch_matrices_are_not_made():
    place = Window((3, 3), (1, 1), (1, 1), (0,) * 4).over((224, 224))
    X, W = jax.ShapeDtypeStruct((64, 64, 224, 224), jnp.float32), jax.ShapeDtypeStruct((64, 64, 3, 3), jnp.float32)
    Y = jax.eval_shape(lambda X, W: lowerings.convolve(X, W, place, 1, "NCHW"), X, W)
    text = str(jax.make_jaxpr(lambda X, W, dY: lowerings.filter_gradient(X, W, dY, place, 1, "NCHW"))(X, W, Y))
    assert "dot_general" not in text
