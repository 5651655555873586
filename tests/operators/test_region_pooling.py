"""RoIPool, its argmaxes and its gradient, permutations of rows, and regions at several scales."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadValue, NotSupported
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(5)


def rounded(value):
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def pooled(X, rois, pooled_h, pooled_w, spatial_scale):
    """The definition, cell by cell, in float32 where a cell's edge may fall on a pixel."""
    Y = np.zeros((len(rois), X.shape[1], pooled_h, pooled_w), np.float32)
    at = np.full(Y.shape, -1, np.int32)
    _, _, height, width = X.shape
    for r, roi in enumerate(rois):
        x1, y1, x2, y2 = (rounded(float(np.float32(v) * np.float32(spatial_scale))) for v in roi[1:])
        for p in range(pooled_h):
            for q in range(pooled_w):
                bounds = []
                for cell, first, last, count, size in ((p, y1, y2, pooled_h, height), (q, x1, x2, pooled_w, width)):
                    side = np.float32(max(last - first + 1, 1)) / np.float32(count)
                    low = int(np.floor(np.float32(cell) * side)) + first
                    high = int(np.ceil(np.float32(cell + 1) * side)) + first
                    bounds.append((min(max(low, 0), size), min(max(high, 0), size)))
                (top, bottom), (left, right) = bounds
                if bottom <= top or right <= left:
                    continue
                for c in range(X.shape[1]):
                    part = X[int(roi[0]), c, top:bottom, left:right]
                    i, j = np.unravel_index(int(np.argmax(part)), part.shape)
                    Y[r, c, p, q] = part[i, j]
                    at[r, c, p, q] = (top + i) * width + left + j
    return Y, at


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("pooled_h", "pooled_w", "spatial_scale"), [(1, 1, 1.0), (3, 2, 0.5), (7, 7, 0.25)])
def test_roi_pool(seed, pooled_h, pooled_w, spatial_scale):
    random = np.random.default_rng(seed)
    X = random.integers(-4, 5, (2, 3, 8, 10)).astype(np.float32)  # with ties: the first counts
    corner = random.uniform(-4, 20, (5, 2))
    rois = np.concatenate([random.integers(0, 2, (5, 1)), corner, corner + random.uniform(-2, 20, (5, 2))], axis=1)
    rois = rois.astype(np.float32)
    arguments = {"pooled_h": pooled_h, "pooled_w": pooled_w, "spatial_scale": spatial_scale}
    expected, place = pooled(X, rois, pooled_h, pooled_w, spatial_scale)
    Y, argmaxes = call("RoIPool", X, rois, outputs=2, **arguments)
    np.testing.assert_array_equal(Y, expected)
    np.testing.assert_array_equal(argmaxes, place)
    np.testing.assert_array_equal(call("RoIPool", X, rois, is_test=1, **arguments), expected)
    dY = random.normal(size=Y.shape).astype(np.float32)
    dX = np.zeros_like(X)
    for (r, c, p, q), where in np.ndenumerate(place):
        if where >= 0:
            dX[int(rois[r, 0]), c].reshape(-1)[where] += dY[r, c, p, q]
    got, _ = gradients("RoIPool", [X, rois], [dY, None], **arguments)
    np.testing.assert_allclose(got, dX, rtol=1e-5, atol=1e-5)


def test_roi_pool_of_nothing_and_in_another_order():
    X = np.zeros((1, 2, 4, 4), np.float32)
    Y, argmaxes = call("RoIPool", X, np.zeros((0, 5), np.float32), outputs=2, pooled_h=2, pooled_w=2)
    assert Y.shape == argmaxes.shape == (0, 2, 2, 2)
    with pytest.raises(NotSupported, match="NCHW"):
        call("RoIPool", X, np.zeros((0, 5), np.float32), order="NHWC")


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 3, 4), (0, 3)])
def test_batch_permutation(shape):
    X = RANDOM.normal(size=shape).astype(np.float32)
    indices = RANDOM.permutation(shape[0]).astype(np.int32)
    np.testing.assert_array_equal(call("BatchPermutation", X, indices), X[indices])
    dY = RANDOM.normal(size=shape).astype(np.float32)
    dX, _ = gradients("BatchPermutation", [X, indices], [dY])
    np.testing.assert_array_equal(dX[indices], dY)
    wires, names = wiring("BatchPermutation", 2)
    assert wires == [("BatchPermutationGradient", ["I1", "GO0"], ["I0_grad"])]
    assert names == ["I0_grad", None]


def test_an_index_out_of_range():
    with pytest.raises(BadValue, match="found 2 at position 1"):
        call("BatchPermutation", np.zeros((2, 1), np.float32), np.int32([0, 2]))


@pytest.mark.parametrize(("height", "width"), [(7, 7), (30, 20), (20, 33), (14, 40)])
@pytest.mark.parametrize("scales", [1, 3])
def test_rmac_regions_cover_the_image(height, width, scales):
    table = call("RMACRegions", np.zeros((2, 1, height, width), np.float32), scales=scales)
    assert table.dtype == np.float32
    half = len(table) // 2
    np.testing.assert_array_equal(table[:half, 0], 0)
    np.testing.assert_array_equal(table[half:, 1:], table[:half, 1:])
    x1, y1, x2, y2 = table[:half, 1:].T
    assert x1.min() == y1.min() == 0
    assert x2.max() == width - 1
    assert y2.max() == height - 1
    sides = [2 * min(height, width) // (scale + 1) for scale in range(1, scales + 1)]
    assert sorted(set((x2 - x1 + 1).tolist()), reverse=True) == sides
    np.testing.assert_array_equal(x2 - x1, y2 - y1)


def test_neighbouring_regions_overlap_as_asked():
    table = call("RMACRegions", np.zeros((1, 1, 10, 16), np.float32), scales=1, overlap=0.4)
    # Two squares of side 10 share 4 of 10 columns.
    np.testing.assert_array_equal(table, [[0, 0, 0, 9, 9], [0, 6, 0, 15, 9]])
