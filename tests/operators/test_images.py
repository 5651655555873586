"""Images resized, turned and padded, against plain indexing."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(9)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def check_linear_gradient(type, X, matrix_of, **arguments):
    """The gradient of a linear operator goes back along the same weights."""
    Y = call(type, X, **arguments)
    dY = draw(*Y.shape)
    (dX,) = gradients(type, [X], [dY], **arguments)[:1]
    towards = draw(*X.shape)
    np.testing.assert_allclose((dX * towards).sum(), (matrix_of(towards) * dY).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("height", "width"), [(2.0, 3.0), (1.5, 0.5), (0.4, 1.0), (1.171582, 2.148431)])
def test_resize_nearest(order, height, width):
    X = draw(2, 5, 7, 3) if order == "NHWC" else draw(2, 3, 5, 7)
    rows = np.minimum(np.arange(int(np.float32(5) * np.float32(height))) / np.float32(height), 4).astype(int)
    columns = np.minimum(np.arange(int(np.float32(7) * np.float32(width))) / np.float32(width), 6).astype(int)

    def resized(values):
        return values[:, rows][:, :, columns] if order == "NHWC" else values[:, :, rows][..., columns]

    arguments = {"height_scale": height, "width_scale": width, "order": order}
    np.testing.assert_array_equal(call("ResizeNearest", X, **arguments), resized(X))
    check_linear_gradient("ResizeNearest", X, resized, **arguments)
    by_blob = call("ResizeNearest", X, np.float32([height, width]), order=order)
    np.testing.assert_array_equal(by_blob, resized(X))


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_resize_nearest_3d(order):
    turn = (lambda values: np.moveaxis(values, 1, -1)) if order == "NHWC" else np.asarray
    X = draw(1, 2, 2, 4, 3)

    def resized(values):
        return values[:, :, [0, 0, 1, 1]][:, :, :, [0, 2]][..., [0, 0, 0, 1, 1, 1, 2, 2, 2]]

    arguments = {"temporal_scale": 2.0, "height_scale": 0.5, "width_scale": 3.0, "order": order}
    np.testing.assert_array_equal(call("ResizeNearest3D", turn(X), **arguments), turn(resized(X)))
    dY = draw(1, 2, 4, 2, 9)
    (dX,) = gradients("ResizeNearest3D", [turn(X)], [turn(dY)], **arguments)
    towards = draw(*X.shape)
    np.testing.assert_allclose((dX * turn(towards)).sum(), (resized(towards) * dY).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(2.0, 3.0), (1.5, 0.5), (3.608, 1.0)])
def test_upsample_bilinear_keeps_the_corners(height, width):
    X = draw(2, 3, 5, 7)

    def matrix(size, scale):
        made = int(np.float32(size) * np.float32(scale))
        at = np.arange(made) * ((size - 1) / (made - 1))
        low = np.minimum(at.astype(int), size - 2)
        weights = np.zeros((made, size))
        weights[np.arange(made), low] = 1 - (at - low)
        weights[np.arange(made), low + 1] += at - low
        return weights

    def resized(values):
        return np.einsum("nchw,yh,xw->ncyx", values, matrix(5, height), matrix(7, width))

    arguments = {"height_scale": height, "width_scale": width}
    Y = call("UpsampleBilinear", X, **arguments)
    np.testing.assert_allclose(Y, resized(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(Y[..., -1, -1], X[..., -1, -1], rtol=1e-4, atol=1e-5)
    check_linear_gradient("UpsampleBilinear", X, resized, **arguments)
    np.testing.assert_array_equal(call("UpsampleBilinear", X, np.float32([height, width])), Y)


@pytest.mark.parametrize("type", ["ResizeNearest", "UpsampleBilinear"])
def test_resizing_is_wired_as_in_the_original(type):
    assert wiring(type, 2) == ([(f"{type}Gradient", ["GO0", "I0", "I1"], ["I0_grad"])], ["I0_grad", None])
    assert wiring(type, 1) == ([(f"{type}Gradient", ["GO0", "I0"], ["I0_grad"])], ["I0_grad"])


def test_nothing_left_is_an_error():
    with pytest.raises(ShapeMismatch, match="leave nothing"):
        call("ResizeNearest", draw(1, 1, 3, 3), height_scale=0.25)


def test_layouts_undo_each_other():
    X = draw(2, 3, 4, 5)
    turned = call("NCHW2NHWC", X)
    np.testing.assert_array_equal(turned, np.moveaxis(X, 1, -1))
    np.testing.assert_array_equal(call("NHWC2NCHW", turned), X)
    assert wiring("NCHW2NHWC", 1)[0] == [("NHWC2NCHW", ["GO0"], ["I0_grad"])]
    assert wiring("NHWC2NCHW", 1)[0] == [("NCHW2NHWC", ["GO0"], ["I0_grad"])]
    with pytest.raises(ShapeMismatch, match="at least three dimensions"):
        call("NCHW2NHWC", draw(2, 3))


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_pad_image(order, mode):
    X = draw(2, 4, 5, 3) if order == "NHWC" else draw(2, 3, 4, 5)
    margins = [(0, 0), (0, 0), (1, 2), (3, 0)] if order == "NCHW" else [(0, 0), (1, 2), (3, 0), (0, 0)]
    arguments = {"mode": mode, "order": order, "pad_t": 1, "pad_l": 3, "pad_b": 2, "pad_r": 0}
    filled = {"constant_values": 0.5} if mode == "constant" else {}
    Y = call("PadImage", X, value=0.5, **arguments)
    np.testing.assert_array_equal(Y, np.pad(X, margins, mode=mode, **filled))
    check_linear_gradient("PadImage", X, lambda values: np.pad(values, margins, mode=mode), **arguments)
    assert wiring("PadImage", 1) == ([("PadImageGradient", ["GO0"], ["I0_grad"])], ["I0_grad"])


def test_mistakes_of_margins_are_named():
    with pytest.raises(ShapeMismatch, match="a reflected margin must be smaller than the image"):
        call("PadImage", draw(1, 1, 2, 2), pad=2, mode="reflect")
    with pytest.raises(BadArgument, match="mode is 'wrap'"):
        call("PadImage", draw(1, 1, 2, 2), pad=1, mode="wrap")
