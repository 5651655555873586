"""BBoxTransform, BoxWithNMSLimit and HeatmapMaxKeypoint against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch
from c2lab.operators.box_geometry import overlaps
from tests.operators.calls import call

RANDOM = np.random.default_rng(8)


def corners(count, most=40):
    corner = RANDOM.uniform(0, most, (count, 2))
    return np.concatenate([corner, corner + RANDOM.uniform(1, most, (count, 2))], axis=1)


@pytest.mark.parametrize("apply_scale", [0, 1])
@pytest.mark.parametrize("legacy", [0, 1])
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_bbox_transform(apply_scale, legacy, weights):
    counts, classes = [3, 0, 2], 2
    number = np.repeat(np.arange(3), counts)[:, None]
    rois = np.concatenate([number, corners(5)], axis=1).astype(np.float32)
    deltas = RANDOM.normal(scale=0.5, size=(5, 4 * classes)).astype(np.float32)
    info = np.float32([[60, 50, 2.0], [40, 40, 1.0], [33, 47, 0.5]])
    arguments = {"apply_scale": apply_scale, "legacy_plus_one": legacy, "weights": list(weights)}
    got, splits = call("BBoxTransform", rois, deltas, info, outputs=2, **arguments)
    assert splits.dtype == np.float32
    assert splits.tolist() == counts
    for row in range(5):
        height, width, scale = info[int(rois[row, 0])].astype(float)
        x1, y1, x2, y2 = rois[row, 1:].astype(float) / scale
        w, h = x2 - x1 + legacy, y2 - y1 + legacy
        for k in range(classes):
            dx, dy, dw, dh = deltas[row, 4 * k : 4 * k + 4].astype(float) / weights
            x, y = x1 + w / 2 + dx * w, y1 + h / 2 + dy * h
            bw, bh = w * math.exp(dw), h * math.exp(dh)
            far = [int(width / scale + 0.5) - legacy, int(height / scale + 0.5) - legacy] * 2
            box = [x - bw / 2, y - bh / 2, x + bw / 2 - legacy, y + bh / 2 - legacy]
            expected = np.clip(box, 0, far) * (scale if apply_scale else 1)
            np.testing.assert_allclose(got[row, 4 * k : 4 * k + 4], expected, rtol=1e-4, atol=1e-3)


def test_a_rotated_box_moves_and_turns():
    roi = np.float32([[20, 30, 10, 6, 80]])
    delta = np.float32([[0.1, -0.5, math.log(2), 0, math.radians(30)]])
    info = np.float32([[100, 100, 1]])
    got = call("BBoxTransform", roi, delta, info, rotated=1)
    np.testing.assert_allclose(got, [[21, 27, 20, 6, -70]], rtol=1e-5)
    np.testing.assert_allclose(
        call("BBoxTransform", roi, delta, info, rotated=1, angle_bound_on=0)[0, 4], 110, rtol=1e-5
    )


def turned(box, delta, weights, bounded, low, high):
    """A rotated box moved by its delta; one period brings its angle back."""
    x, y, w, h, angle = box
    dx, dy, dw, dh = delta[:4] / weights
    angle += math.degrees(delta[4])
    if bounded and angle < low:
        angle += high - low
    elif bounded and angle > high:
        angle -= high - low
    return np.array([x + dx * w, y + dy * h, w * math.exp(dw), h * math.exp(dh), angle])


def cut_off(box, height, width, one):
    """An upright box, given by centre and size, within the image."""
    half = (box[2:4] - one) / 2
    low = np.clip(box[:2] - half, 0, [width - one, height - one])
    high = np.clip(box[:2] + half, 0, [width - one, height - one])
    return np.concatenate([(low + high) / 2, high - low + one, box[4:]])


@pytest.mark.parametrize("apply_scale", [0, 1])
@pytest.mark.parametrize("legacy", [0, 1])
@pytest.mark.parametrize(("bounded", "low", "high"), [(1, -90, 90), (1, 0, 180), (1, -180, 180), (0, -90, 45)])
@pytest.mark.parametrize("threshold", [-1.0, 1.0, 40.0])
def test_rotated_boxes_with_all_arguments(apply_scale, legacy, bounded, low, high, threshold):
    random = np.random.default_rng([apply_scale, legacy, bounded, low + 360, int(threshold) + 1])
    counts, classes, weights = [4, 0, 3], 2, (10.0, 10.0, 5.0, 5.0)
    number = np.repeat(np.arange(3), counts)[:, None]
    angle = random.uniform(-80, 80, (7, 1)) * random.choice([0, 1], (7, 1))
    box = np.concatenate([random.uniform(0, 60, (7, 2)), random.uniform(5, 40, (7, 2)), angle], axis=1)
    rois = np.concatenate([number, box], axis=1).astype(np.float32)
    deltas = random.normal(size=(7, 5 * classes)).astype(np.float32)
    deltas[::2, 4::5] = 0
    info = np.float32([[60, 50, 2.0], [40, 40, 1.0], [33, 47, 0.5]])
    got, splits = call(
        "BBoxTransform", rois, deltas, info, outputs=2, rotated=1, apply_scale=apply_scale, legacy_plus_one=legacy,
        weights=list(weights), angle_bound_on=bounded, angle_bound_lo=low, angle_bound_hi=high,
        clip_angle_thresh=threshold,
    )  # fmt: skip
    assert splits.tolist() == counts
    for row in range(7):
        height, width, scale = info[int(rois[row, 0])].astype(float)
        before = rois[row, 1:].astype(float) / [scale, scale, scale, scale, 1]
        for k in range(classes):
            expected = turned(before, deltas[row, 5 * k : 5 * k + 5].astype(float), weights, bounded, low, high)
            if abs(expected[4]) <= threshold:
                expected = cut_off(expected, int(height / scale + 0.5), int(width / scale + 0.5), legacy)
            expected[:4] *= scale if apply_scale else 1
            np.testing.assert_allclose(got[row, 5 * k : 5 * k + 5], expected, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("soft", ["", "linear", "gaussian", "hard"])
@pytest.mark.parametrize("seed", range(3))
def test_rotated_boxes_that_overlap(soft, seed):
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, (12, 3)).astype(np.float32)
    box = [random.uniform(0, 20, (12, 2)), random.uniform(4, 15, (12, 2)), random.uniform(-90, 90, (12, 1))]
    boxes = np.tile(np.concatenate(box, axis=1), (1, 3)).astype(np.float32)
    got = call(
        "BoxWithNMSLimit", scores, boxes, np.float32([12]), outputs=6, rotated=1, score_thresh=0.2, nms=0.25,
        detections_per_im=9, soft_nms_enabled=int(bool(soft)), soft_nms_method=soft or "linear",
        soft_nms_min_score_thres=0.1,
    )  # fmt: skip
    found = []
    for k in (1, 2):
        left = {int(i): float(scores[i, k]) for i in np.flatnonzero(scores[:, k] > 0.2)}
        while left:
            best = max(left, key=lambda i: left[i])
            found.append((best, k, left.pop(best)))
            for i in list(left):
                shared = overlaps(boxes[best, :5], boxes[i : i + 1, :5], 1)[0]
                if soft == "gaussian":
                    left[i] *= math.exp(-shared * shared / 0.5)
                elif shared > 0.25:
                    left[i] *= 1 - shared if soft == "linear" else 0
                if left[i] < (0.1 if soft else 1e-9):
                    del left[i]
    least = sorted((f[2] for f in found), reverse=True)[min(9, len(found)) - 1]
    found = [f for f in found if f[2] >= least]
    assert got[4].tolist() == [f[0] for f in found]
    assert got[2].tolist() == [f[1] for f in found]
    np.testing.assert_allclose(got[0], [f[2] for f in found], rtol=1e-4)
    np.testing.assert_array_equal(got[1], boxes[got[4], :5])


def test_what_bbox_transform_refuses():
    info = np.float32([[10, 10, 1]])
    with pytest.raises(ShapeMismatch, match="deltas is"):
        call("BBoxTransform", np.zeros((2, 4), np.float32), np.zeros((1, 4), np.float32), info)
    with pytest.raises(BadValue, match="names an image outside"):
        call("BBoxTransform", np.float32([[1, 0, 0, 1, 1]]), np.zeros((1, 4), np.float32), info)


def detected(scores, boxes, counts, *, score_thresh, nms, limit, first, agnostic, soft, legacy):
    """Detections of each image as sets of (row, class, score)."""
    result, start = [], 0
    for count in counts:
        s, b = scores[start : start + count], boxes[start : start + count]
        start += count
        found = []
        for k in range(1, scores.shape[1]):
            place = k if first else k - 1
            box = b[:, :4] if agnostic else b[:, 4 * place : 4 * place + 4]
            left = {int(i): float(s[i, place]) for i in np.flatnonzero(s[:, place] > score_thresh)}
            while left:
                best = max(left, key=lambda i: left[i])
                found.append((best, k, left.pop(best)))
                for i in list(left):
                    shared = overlaps(box[best], box[i : i + 1], legacy)[0]
                    if soft == "gaussian":
                        left[i] *= math.exp(-shared * shared / 0.5)
                    elif soft == "linear":
                        left[i] *= 1 - shared if shared > nms else 1
                    elif shared > nms:
                        del left[i]
                        continue
                    if soft and left[i] < 0.001:
                        del left[i]
        if 0 < limit < len(found):
            least = sorted(f[2] for f in found)[-limit]
            found = [f for f in found if f[2] >= least]
        result.append(found)
    return result


@pytest.mark.parametrize("soft", ["", "linear", "gaussian"])
@pytest.mark.parametrize(("first", "agnostic"), [(1, 0), (1, 1), (0, 0), (0, 1)])
@pytest.mark.parametrize("limit", [0, 4, 100])
@pytest.mark.parametrize("legacy", [0, 1])
def test_box_with_nms_limit(soft, first, agnostic, limit, legacy):
    counts, classes = [7, 0, 9], 4
    scores = RANDOM.uniform(0, 1, (16, classes)).astype(np.float32)
    boxes = np.concatenate([corners(16) for _ in range(1 if agnostic else classes)], axis=1).astype(np.float32)
    arguments = {
        "score_thresh": 0.3, "nms": 0.4, "detections_per_im": limit, "input_boxes_include_bg_cls": first,
        "output_classes_include_bg_cls": first, "cls_agnostic_bbox_reg": agnostic, "legacy_plus_one": legacy,
        "soft_nms_enabled": int(bool(soft)), "soft_nms_method": soft or "linear",
    }  # fmt: skip
    got = call("BoxWithNMSLimit", scores, boxes, np.float32(counts), outputs=6, **arguments)
    expected = detected(
        scores, boxes, counts, score_thresh=0.3, nms=0.4, limit=limit, first=first, agnostic=agnostic, soft=soft,
        legacy=legacy,
    )  # fmt: skip
    assert got[3].tolist() == [len(found) for found in expected]
    everything = [f for found in expected for f in found]
    np.testing.assert_allclose(got[0], [f[2] for f in everything], rtol=1e-4)
    assert got[2].tolist() == [f[1] - (not first) for f in everything]
    assert got[4].tolist() == [f[0] for f in everything]
    starts = np.repeat(np.cumsum([0, *counts[:-1]]), got[3].astype(int))
    places = [0 if agnostic else f[1] - (not first) for f in everything]
    rows = boxes[starts + got[4]].reshape(len(everything), -1, 4)
    np.testing.assert_array_equal(got[1], rows[np.arange(len(everything)), places])
    assert got[5].tolist() == [[sum(f[1] == k for f in found) for k in range(classes)] for found in expected]


def test_rotated_detections_have_five_numbers():
    box = np.float32([[10, 10, 8, 4, 0], [10, 10, 8, 4, 90], [10, 10, 8, 4, 1]])
    scores = np.float32([[0, 0.9], [0, 0.8], [0, 0.7]])
    out = call("BoxWithNMSLimit", scores, np.concatenate([box, box], axis=1), outputs=3, rotated=1, nms=0.5)
    np.testing.assert_allclose(out[0], [0.9, 0.8])  # the third is nearly the first, the second stands across it
    np.testing.assert_array_equal(out[1], box[:2])


def test_rows_that_do_not_add_up():
    with pytest.raises(BadValue, match="adds up to 3"):
        call("BoxWithNMSLimit", np.zeros((2, 2), np.float32), np.zeros((2, 8), np.float32), np.float32([3]), outputs=3)


@pytest.mark.parametrize("seed", range(5))
def test_a_quadratic_peak_is_found_between_the_pixels(seed):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:9, 0:7].astype(float)
    py, px = random.uniform(2, 6), random.uniform(2, 4)
    heat = 5 - 0.3 * (y - py) ** 2 - 0.2 * (x - px) ** 2 + 0.1 * (y - py) * (x - px)
    box = np.float32([[10, 20, 45, 80, 0.5]])
    got = call("HeatmapMaxKeypoint", heat[None, None].astype(np.float32), box, should_output_softmax=1)
    assert got.shape == (1, 4, 1)
    chance = np.exp(heat.max()) / np.exp(heat).sum()
    expected = [10 + (px + 0.5) * 35 / 7, 20 + (py + 0.5) * 60 / 9, 5, chance]
    np.testing.assert_allclose(got[0, :, 0], expected, rtol=1e-3)
    plain = call("HeatmapMaxKeypoint", heat[None, None].astype(np.float32), box)
    np.testing.assert_allclose(plain[0, 3], plain[0, 2])


def test_flat_maps_and_no_boxes():
    got = call("HeatmapMaxKeypoint", np.ones((1, 1, 4, 4), np.float32), np.float32([[0, 0, 8, 8]]))
    np.testing.assert_array_equal(got[0, :, 0], [1, 1, 1, 1])
    assert call("HeatmapMaxKeypoint", np.zeros((0, 3, 4, 4), np.float32), np.zeros((0, 4), np.float32)).shape == (
        0,
        4,
        3,
    )
