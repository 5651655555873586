"""Regions proposed, collected and spread, against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.box_geometry import overlaps
from tests.operators.calls import call

RANDOM = np.random.default_rng(12)
ANCHORS = np.float32([[-8, -8, 23, 23], [-16, -4, 31, 19], [-4, -16, 19, 31]])


def proposed(scores, deltas, info, *, stride, before, after, nms, min_size, one):
    """Regions and scores of one image, anchor by anchor."""
    height, width, scale = map(float, info)
    candidates = []
    for (a, y, x), score in np.ndenumerate(scores):
        x1, y1, x2, y2 = ANCHORS[a].astype(float) + np.array([x, y, x, y]) * stride
        w, h = x2 - x1 + one, y2 - y1 + one
        dx, dy, dw, dh = deltas[4 * a : 4 * a + 4, y, x].astype(float)
        cx, cy, bw, bh = x1 + w / 2 + dx * w, y1 + h / 2 + dy * h, w * math.exp(dw), h * math.exp(dh)
        box = np.array([cx - bw / 2, cy - bh / 2, cx + bw / 2 - one, cy + bh / 2 - one])
        candidates.append((float(score), np.clip(box, 0, [width - one, height - one] * 2)))
    candidates.sort(key=lambda c: -c[0])
    kept = []
    for score, box in candidates[:before] if before > 0 else candidates:
        sides = box[2:] - box[:2] + one
        middle = box[:2] + sides / 2
        if (sides < min_size * scale).any() or middle[0] >= width or middle[1] >= height:
            continue
        if all(overlaps(other, box[None], one)[0] <= nms for _, other in kept):
            kept.append((score, box))
    return kept[:after] if after > 0 else kept


@pytest.mark.parametrize("one", [0, 1])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (20, 0), (0, 5), (30, 4)])
@pytest.mark.parametrize(("nms", "min_size"), [(0.3, 0.0), (0.7, 12.0)])
def test_generate_proposals(one, before, after, nms, min_size):
    scores = RANDOM.permutation(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(np.float32) / 120
    deltas = RANDOM.normal(scale=0.3, size=(2, 12, 4, 5)).astype(np.float32)
    info = np.float32([[40, 50, 1.0], [64, 80, 1.5]])
    rois, probabilities = call(
        "GenerateProposals", scores, deltas, info, ANCHORS, outputs=2, spatial_scale=1 / 16, pre_nms_topN=before,
        post_nms_topN=after, nms_thresh=nms, min_size=min_size, legacy_plus_one=one,
    )  # fmt: skip
    expected = [
        (image, score, box)
        for image in range(2)
        for score, box in proposed(
            scores[image], deltas[image], info[image], stride=16, before=before, after=after, nms=nms,
            min_size=min_size, one=one,
        )
    ]  # fmt: skip
    np.testing.assert_allclose(probabilities, [score for _, score, _ in expected], rtol=1e-6)
    np.testing.assert_allclose(rois, [[image, *box] for image, _, box in expected], rtol=1e-4, atol=1e-3)


def test_rotated_anchors_give_rotated_regions():
    anchors = np.float32([[8, 8, 20, 10, 0]])
    scores = np.float32([[[[0.9, 0.4]]]])
    deltas = np.zeros((1, 5, 1, 2), np.float32)
    deltas[0, 4, 0, 1] = math.radians(45)
    rois, probabilities = call(
        "GenerateProposals", scores, deltas, np.float32([[100, 100, 1]]), anchors, outputs=2, min_size=1.0,
        clip_angle_thresh=-1.0,
    )  # fmt: skip
    np.testing.assert_allclose(rois, [[0, 8, 8, 20, 10, 0], [0, 24, 8, 20, 10, 45]], rtol=1e-5)
    np.testing.assert_allclose(probabilities, [0.9, 0.4])
    with pytest.raises(BadArgument, match="multiple of 180"):
        call("GenerateProposals", scores, deltas, np.float32([[9, 9, 1]]), anchors, outputs=2, angle_bound_hi=45)


@pytest.mark.parametrize("one", [0, 1])
@pytest.mark.parametrize(("bounded", "low", "high"), [(1, -90, 90), (1, 0, 180), (0, 0, 45)])
@pytest.mark.parametrize("threshold", [-1.0, 20.0])
@pytest.mark.parametrize(("before", "after", "min_size"), [(0, 0, 0.0), (15, 4, 12.0)])
def test_rotated_proposals_with_all_arguments(one, bounded, low, high, threshold, before, after, min_size):
    random = np.random.default_rng([one, bounded, low + 360, high, int(threshold) + 1, before])
    anchors = np.float32([[4, 4, 24, 16, 0], [4, 4, 16, 24, 60], [4, 4, 20, 20, -75]])
    scores = random.permutation(2 * 3 * 3 * 4).reshape(2, 3, 3, 4).astype(np.float32) / 72
    deltas = random.normal(scale=0.4, size=(2, 15, 3, 4)).astype(np.float32)
    info = np.float32([[30, 40, 1.0], [45, 50, 1.5]])
    rois, probabilities = call(
        "GenerateProposals", scores, deltas, info, anchors, outputs=2, spatial_scale=0.125, pre_nms_topN=before,
        post_nms_topN=after, nms_thresh=0.5, min_size=min_size, legacy_plus_one=one, angle_bound_on=bounded,
        angle_bound_lo=low, angle_bound_hi=high, clip_angle_thresh=threshold,
    )  # fmt: skip
    expected = []
    for image, (height, width, scale) in enumerate(info.astype(float)):
        order = sorted(np.ndindex(3, 3, 4), key=lambda place: -scores[image][place])
        kept = []
        for a, y, x in order[:before] if before else order:
            cx, cy, w, h, angle = anchors[a].astype(float)
            dx, dy, dw, dh, turn = deltas[image, 5 * a : 5 * a + 5, y, x].astype(float)
            cx, cy, angle = cx + x * 8, cy + y * 8, angle + math.degrees(turn)
            if bounded:
                angle += (high - low) * (int(angle < low) - int(angle > high))
            box = np.array([cx + dx * w, cy + dy * h, w * math.exp(dw), h * math.exp(dh), angle])
            if abs(angle) <= threshold:
                half, far = (box[2:4] - one) / 2, [width - one, height - one]
                near, end = np.clip(box[:2] - half, 0, far), np.clip(box[:2] + half, 0, far)
                box[:4] = [*(near + end) / 2, *(end - near + one)]
            small = min(box[2:4]) < min_size * scale
            if small or box[0] >= width or box[1] >= height:
                continue
            if all(overlaps(other, box[None], one)[0] <= 0.5 for other, _ in kept):
                kept.append((box, scores[image, a, y, x]))
        expected += [(image, *found) for found in (kept[:after] if after else kept)]
    np.testing.assert_allclose(probabilities, [score for _, _, score in expected], rtol=1e-6)
    np.testing.assert_allclose(rois, [[image, *box] for image, box, _ in expected], rtol=1e-4, atol=2e-3)


def test_no_places_and_no_images():
    info = np.float32([[30, 40, 1.0]])
    for shape, about in (((1, 3, 0, 4), info), ((0, 3, 2, 2), info[:0])):
        deltas = np.zeros((shape[0], 12, *shape[2:]), np.float32)
        rois, chances = call("GenerateProposals", np.zeros(shape, np.float32), deltas, about, ANCHORS, outputs=2)
        assert rois.shape == (0, 5)
        assert chances.shape == (0,)


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeMismatch, match="bbox_deltas"):
        call(
            "GenerateProposals", np.zeros((1, 3, 2, 2), np.float32), np.zeros((1, 8, 2, 2), np.float32),
            np.zeros((1, 3), np.float32), ANCHORS, outputs=2,
        )  # fmt: skip


def levels(count, number):
    rois = []
    for _ in range(number):
        corner = RANDOM.uniform(0, 300, (count, 2))
        image = RANDOM.integers(0, 2, (count, 1))
        rois.append(np.concatenate([image, corner, corner + 2 ** RANDOM.uniform(3, 10, (count, 2))], axis=1))
    return [r.astype(np.float32) for r in rois], [RANDOM.uniform(size=count).astype(np.float32) for _ in range(number)]


@pytest.mark.parametrize("best", [5, 1000])
@pytest.mark.parametrize("legacy", [0, 1])
@pytest.mark.parametrize(("low", "high"), [(2, 5), (3, 3)])
def test_collecting_and_spreading(best, legacy, low, high):
    rois, chances = levels(8, 4)
    settings = {"rpn_min_level": 2, "rpn_max_level": 5, "rpn_post_nms_topN": best}
    collected = call("CollectRpnProposals", *rois, *chances, **settings)
    order = np.argsort(-np.concatenate(chances))[:best]
    np.testing.assert_array_equal(collected, np.concatenate(rois)[order])
    place = {"roi_min_level": low, "roi_max_level": high, "legacy_plus_one": legacy}
    outputs = high - low + 2
    spread = call("DistributeFpnProposals", collected, outputs=outputs, **place)
    for row in collected.astype(float):
        size = math.sqrt((row[3] - row[1] + legacy) * (row[4] - row[2] + legacy))
        level = min(max(math.floor(4 + math.log2(size / 224 + 1e-6)), low), high)
        assert (spread[level - low] == row.astype(np.float32)).all(axis=1).any()
    together = np.concatenate(spread[:-1])
    assert spread[-1].dtype == np.int32
    np.testing.assert_array_equal(together[spread[-1]], collected)
    both = call("CollectAndDistributeFpnRpnProposals", *rois, *chances, outputs=outputs + 1, **settings, **place)
    for got, expected in zip(both, [collected, *spread], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_boxes_without_an_image_and_no_boxes():
    rois, _ = levels(6, 1)
    with_image = call("DistributeFpnProposals", rois[0], outputs=5)
    without = call("DistributeFpnProposals", rois[0][:, 1:], outputs=5)
    np.testing.assert_array_equal(with_image[-1], without[-1])
    nothing = call("DistributeFpnProposals", np.zeros((0, 5), np.float32), outputs=5)
    assert [value.shape for value in nothing] == [(0, 5)] * 4 + [(0,)]


def test_inputs_and_outputs_must_be_as_many_as_the_levels():
    rois, chances = levels(2, 2)
    with pytest.raises(BadArgument, match="take 10 inputs"):
        call("CollectRpnProposals", *rois, *chances)
    with pytest.raises(BadArgument, match="give 5 outputs"):
        call("DistributeFpnProposals", rois[0], outputs=3)
