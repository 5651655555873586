"""Moving, clipping, overlap and suppression of boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadArgument
from c2lab.operators.box_geometry import (
    Angles,
    clipped,
    clipped_rotated,
    moved,
    moved_rotated,
    overlaps,
    softly_suppressed,
    suppressed,
)

RANDOM = np.random.default_rng(6)


def boxes(count):
    corner = RANDOM.uniform(0, 20, (count, 2))
    return np.concatenate([corner, corner + RANDOM.uniform(1, 15, (count, 2))], axis=1)


@pytest.mark.parametrize("one", [0, 1])
def test_deltas_move_the_centre_and_scale_the_sides(one):
    box = np.array([[2.0, 4.0, 11.0, 8.0]])
    width, height = 9 + one, 4 + one
    (got,) = moved(box, np.array([[1.0, -2.0, math.log(2), 100.0]]), (2.0, 1.0, 1.0, 1.0), one)
    x = 2 + width / 2 + width / 2
    np.testing.assert_allclose(got[[0, 2]], [x - width, x + width - one])
    np.testing.assert_allclose(got[3] - got[1] + one, height * 1000 / 16)  # no box grows by more


def test_clipping():
    np.testing.assert_array_equal(clipped(np.array([[-5.0, 3.0, 40.0, 50.0]]), 20, 30, 1), [[0, 3, 29, 19]])
    np.testing.assert_array_equal(clipped(np.array([[-5.0, 3.0, 40.0, 50.0]]), 20, 30, 0), [[0, 3, 30, 20]])
    angles = Angles(True, -90, 90, 1.0)
    box = np.array([[10.0, 10.0, 40.0, 8.0, 0.5], [10.0, 10.0, 40.0, 8.0, 30.0]])
    got = clipped_rotated(box, 20, 20, angles, 0)
    np.testing.assert_allclose(got[0], [10, 10, 20, 8, 0.5])
    np.testing.assert_array_equal(got[1], box[1])
    np.testing.assert_array_equal(clipped_rotated(box, 20, 20, angles._replace(upright=-1.0), 0), box)


def test_angles_stay_within_their_bounds():
    angles = Angles(True, -90, 90, 1.0)
    got = moved_rotated(np.array([[0, 0, 1, 1, 80.0]]), np.array([[0, 0, 0, 0, math.radians(30)]]), (1.0,) * 4, angles)
    np.testing.assert_allclose(got[0, 4], -70)
    with pytest.raises(BadArgument, match="multiple of 180"):
        Angles(True, -90, 45, 1.0).check()
    Angles(False, -90, 45, 1.0).check()


@pytest.mark.parametrize("one", [0, 1])
def test_overlap_of_whole_boxes_counts_pixels(one):
    random = np.random.default_rng(one)
    corner = random.integers(0, 6, (20, 2))
    some = np.concatenate([corner, corner + random.integers(1, 6, (20, 2))], axis=1).astype(float)

    def pixels(box):
        x1, y1, x2, y2 = box.astype(int)
        return {(x, y) for x in range(x1, x2 + one) for y in range(y1, y2 + one)}

    expected = [len(pixels(some[0]) & pixels(b)) / len(pixels(some[0]) | pixels(b)) for b in some]
    np.testing.assert_allclose(overlaps(some[0], some, one), expected)


def test_rotated_overlap_against_points():
    grid = np.stack(np.meshgrid(np.linspace(-6, 6, 1201), np.linspace(-6, 6, 1201)), axis=-1)
    some = np.concatenate(
        [RANDOM.uniform(-2, 2, (6, 2)), RANDOM.uniform(1, 5, (6, 2)), RANDOM.uniform(-180, 180, (6, 1))], axis=1
    )

    def inside(box):
        x, y = grid[..., 0] - box[0], grid[..., 1] - box[1]
        c, s = math.cos(math.radians(box[4])), math.sin(math.radians(box[4]))
        return (abs(x * c - y * s) <= box[2] / 2) & (abs(x * s + y * c) <= box[3] / 2)

    expected = [(inside(some[0]) & inside(b)).sum() / (inside(some[0]) | inside(b)).sum() for b in some]
    np.testing.assert_allclose(overlaps(some[0], some, 0), expected, atol=5e-3)


@pytest.mark.parametrize(
    "flat", [[25.6, 0.0, 20.0, 0.0, 18.8], [25.6, 0.0, 0.0, 20.0, 18.8], [3.0, 2.0, 0.0, 0.0, 5.0]]
)
def test_a_box_without_area_overlaps_nothing(flat):
    other = np.array([34.4, 11.9, 12.7, 21.1, 32.2], np.float32)
    flat = np.array(flat, np.float32)
    assert overlaps(other, flat[None], 0).tolist() == [0]
    assert overlaps(flat, other[None], 0).tolist() == [0]
    assert overlaps(flat, flat[None], 0).tolist() == [0]


def test_an_upright_rotated_box_overlaps_as_an_upright_one():
    some = boxes(8)
    turned = np.concatenate([(some[:, :2] + some[:, 2:]) / 2, some[:, 2:] - some[:, :2], np.zeros((8, 1))], axis=1)
    np.testing.assert_allclose(overlaps(turned[0], turned, 0), overlaps(some[0], some, 0), atol=1e-9)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("most", [-1, 3])
def test_suppression(threshold, most):
    some, score = boxes(30), RANDOM.permutation(30)
    kept = []
    for k in np.argsort(-score):
        if all(overlaps(some[j], some[k : k + 1], 1)[0] <= threshold for j in kept):
            kept.append(k)
    got = suppressed(some, np.argsort(-score), threshold, 1, most)
    assert got.tolist() == (kept if most < 0 else kept[:most])


@pytest.mark.parametrize("method", ["linear", "gaussian", "hard"])
def test_soft_suppression(method):
    some, score = boxes(12), RANDOM.uniform(0.1, 1, 12)
    settings = {"sigma": 0.5, "threshold": 0.2, "least": 0.05, "one": 0}
    kept, lowered = softly_suppressed(some, score, np.arange(12), method=method, **settings)
    expected = score.copy()
    waiting, order = set(range(12)), []
    while waiting:
        best = max(waiting, key=lambda k: expected[k])
        waiting.remove(best)
        order.append(best)
        for k in sorted(waiting):
            shared = overlaps(some[best], some[k : k + 1], 0)[0]
            if method == "gaussian":
                expected[k] *= math.exp(-shared * shared / 0.5)
            elif shared > 0.2:
                expected[k] *= 1 - shared if method == "linear" else 0
            if expected[k] < 0.05:
                waiting.remove(k)
    assert kept.tolist() == order
    np.testing.assert_allclose(lowered[kept], expected[order])
