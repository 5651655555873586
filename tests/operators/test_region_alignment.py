"""RoIAlign, upright and rotated, against loops over the points of each cell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from tests.operators.calls import call, gradients

RANDOM = np.random.default_rng(4)


def read(image, y, x):
    """An image (C, H, W) between its pixels."""
    _, height, width = image.shape
    if y < -1 or y > height or x < -1 or x > width:
        return np.zeros(len(image))
    y, x = max(y, 0.0), max(x, 0.0)
    top, left = min(int(y), height - 1), min(int(x), width - 1)
    y, x = (top if top == height - 1 else y), (left if left == width - 1 else x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    v, u = y - top, x - left
    return (
        image[:, top, left] * (1 - v) * (1 - u)
        + image[:, top, right] * (1 - v) * u
        + image[:, bottom, left] * v * (1 - u)
        + image[:, bottom, right] * v * u
    )


def aligned_pool(X, rois, *, rotated, spatial_scale=1.0, pooled_h=1, pooled_w=1, sampling_ratio=-1, aligned=False):
    """The definition, point by point."""
    result = np.zeros((len(rois), X.shape[1], pooled_h, pooled_w))
    size = 5 if rotated else 4
    for r, roi in enumerate(rois.astype(np.float64)):
        image = X[int(roi[0]) if len(roi) > size else 0].astype(np.float64)
        box = roi[-size:]
        half = 0.5 if aligned else 0.0
        if rotated:
            cx, cy, w, h = box[:4] * spatial_scale
            angle = math.radians(box[4])
        else:
            x1, y1, x2, y2 = box * spatial_scale
            cx, cy, w, h, angle = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0.0
            corner = x1 - half, y1 - half
        cx, cy = cx - half, cy - half
        if not aligned:
            w, h = max(w, 1.0), max(h, 1.0)
        grid_h, grid_w = (
            sampling_ratio if sampling_ratio > 0 else math.ceil(side / cells)
            for side, cells in ((h, pooled_h), (w, pooled_w))
        )
        for p in range(pooled_h):
            for q in range(pooled_w):
                for i in range(grid_h):
                    for j in range(grid_w):
                        v = (p + (i + 0.5) / grid_h) * h / pooled_h
                        u = (q + (j + 0.5) / grid_w) * w / pooled_w
                        if rotated:
                            v, u = v - h / 2, u - w / 2
                            y = v * math.cos(angle) - u * math.sin(angle) + cy
                            x = u * math.cos(angle) + v * math.sin(angle) + cx
                        else:
                            y, x = v + corner[1], u + corner[0]
                        result[r, :, p, q] += read(image, y, x) / (grid_h * grid_w)
    return result


def regions(rotated, count=6, images=2):
    number = np.sort(RANDOM.integers(0, images, count)).astype(np.float32)
    corner = RANDOM.uniform(-3, 12, (count, 2))
    size = RANDOM.uniform(0.2, 14, (count, 2))
    turned = [corner + 4, size, RANDOM.uniform(-180, 180, (count, 1))]
    box = turned if rotated else [corner, corner + size]
    return np.concatenate([number[:, None], *box], axis=1).astype(np.float32)


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(("sampling_ratio", "spatial_scale"), [(0, 0.5), (2, 1.0), (-1, 1.0), (3, 0.25)])
def test_values_and_gradient(rotated, order, aligned, sampling_ratio, spatial_scale):
    type = "RoIAlignRotated" if rotated else "RoIAlign"
    X = RANDOM.normal(size=(2, 3, 9, 11)).astype(np.float32)
    rois = regions(rotated)
    grid = {"pooled_h": 3, "pooled_w": 2, "sampling_ratio": sampling_ratio, "spatial_scale": spatial_scale}
    expected = aligned_pool(X, rois, rotated=rotated, aligned=aligned, **grid)
    given = X if order == "NCHW" else X.transpose(0, 2, 3, 1)
    arguments = grid | {"aligned": aligned, "order": order}
    Y = call(type, given, rois, **arguments)
    np.testing.assert_allclose(Y if order == "NCHW" else Y.transpose(0, 3, 1, 2), expected, rtol=1e-3, atol=2e-4)
    # Linear in X: its gradient goes back along the same weights.
    dY = RANDOM.normal(size=Y.shape).astype(np.float32)
    dX, dRoIs = gradients(type, [given, rois], [dY], **arguments)
    assert dRoIs is None
    towards = RANDOM.normal(size=X.shape).astype(np.float32)
    along = aligned_pool(towards, rois, rotated=rotated, aligned=aligned, **grid)
    flow = dY if order == "NCHW" else dY.transpose(0, 3, 1, 2)
    back = dX if order == "NCHW" else dX.transpose(0, 3, 1, 2)
    np.testing.assert_allclose((back * towards).sum(), (along * flow).sum(), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("type", "size"), [("RoIAlign", 4), ("RoIAlignRotated", 5)])
def test_no_regions_and_one_image(type, size):
    X = RANDOM.normal(size=(1, 2, 5, 5)).astype(np.float32)
    assert call(type, X, np.zeros((0, size + 1), np.float32), pooled_h=2, pooled_w=3).shape == (0, 2, 2, 3)
    dX, _ = gradients(
        type, [X, np.zeros((0, size + 1), np.float32)], [np.zeros((0, 2, 2, 3), np.float32)], pooled_h=2, pooled_w=3
    )
    np.testing.assert_array_equal(dX, np.zeros_like(X))
    roi = np.float32([[1, 1, 3, 3, 20][:size]])
    numbered = np.concatenate([np.zeros((1, 1), np.float32), roi], axis=1)
    np.testing.assert_array_equal(call(type, X, roi, pooled_h=2), call(type, X, numbered, pooled_h=2))


def test_what_is_refused():
    X = np.zeros((1, 2, 5, 5), np.float32)
    with pytest.raises(ShapeMismatch, match=r"must be \(R, 5\)"):
        call("RoIAlign", X, np.zeros((1, 7), np.float32))
    with pytest.raises(BadValue, match=r"outside 0 to 1 - 1 \(found 3"):
        call("RoIAlign", X, np.float32([[3, 0, 0, 1, 1]]))
