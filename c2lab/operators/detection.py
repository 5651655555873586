"""Boxes around things: from a net's deltas and scores to what was detected."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from c2lab.operators.box_geometry import (
    Angles,
    clipped,
    clipped_rotated,
    moved,
    moved_rotated,
    softly_suppressed,
    suppressed,
)
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator

FLOAT = "float32"
_MOST_DEVIATION = 1.5  # pixels of a heat map that a peak may lie beside its highest pixel


@host_operator(
    "BBoxTransform",
    outputs="box_out, roi_batch_splits?",
    gradient="refused",
    types={"rois": FLOAT, "deltas": FLOAT, "im_info": FLOAT},
)
def bbox_transform(
    rois,
    deltas,
    im_info,
    *,
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    apply_scale: bool = True,
    rotated: bool = False,
    angle_bound_on: bool = True,
    angle_bound_lo: int = -90,
    angle_bound_hi: int = 90,
    clip_angle_thresh: float = 1.0,
    legacy_plus_one: bool = True,
):
    """Regions moved to where the boxes of each class are, and cut off at the image.

    With ``(x, y)`` the centre and ``(w, h)`` the size of a region in the image as it was before scaling,
    its box of class k has the centre ``(x + dx * w, y + dy * h)`` and the size
    ``(w * exp(dw), h * exp(dh))``.  Girshick, Fast R-CNN, 2015.

    Inputs:
        rois: Regions ``(M, 4)``, or ``(M, 5)`` with the image's number first (sorted); one number more, the
            angle in degrees, with rotated.
        deltas: ``(M, classes * 4)``: dx, dy, dw, dh (and an angle in radians) of each class.
        im_info: ``(N, 3)``: height, width and scale of each image as the net saw it.
    Args:
        weights: What each kind of delta is divided by.
        apply_scale: Whether boxes are in the scaled image; otherwise in the image before scaling.
        rotated: Boxes are ``(x, y, w, h, degrees)`` around their centre.
        angle_bound_on: Whether angles are brought between the bounds.
        angle_bound_lo: Least angle in degrees.
        angle_bound_hi: Largest angle in degrees, a multiple of 180 above the least.
        clip_angle_thresh: Boxes turned by less are cut off at the image; below 0 none is.
        legacy_plus_one: Whether the far edge belongs to a box, so that its width is ``x2 - x1 + 1``.
    Outputs:
        box_out: Boxes of each class, shaped as deltas.
        roi_batch_splits: float32 ``(N,)``: how many regions each image has.
    Example:
        >>> run("BBoxTransform", rois=[[0.0, 0.0, 9.0, 9.0]], deltas=[[0.1, 0.0, 0.0, 0.0]],
        ...     im_info=[[20.0, 20.0, 1.0]])
        box = [[ 1.  0. 10.  9.]]
    """
    size = 5 if rotated else 4
    require_shape(
        rois.ndim == 2 and rois.shape[1] in (size, size + 1),
        f"rois is {rois.shape}; it must be (M, {size}), or (M, {size + 1}) with the image's number first",
    )
    require_shape(
        deltas.ndim == 2 and deltas.shape[0] == rois.shape[0] and deltas.shape[1] % size == 0,
        f"deltas is {deltas.shape}; it must be ({rois.shape[0]}, classes * {size})",
    )
    require_shape(im_info.ndim == 2 and im_info.shape[1] == 3, f"im_info is {im_info.shape}; it must be (N, 3)")
    require_shape(len(weights) == 4, f"weights has {len(weights)} numbers; it must have 4")
    numbers = rois[:, 0].astype(int) if rois.shape[1] > size else np.zeros(len(rois), int)
    require((numbers >= 0) & (numbers < len(im_info)), f"rois names an image outside 0 to {len(im_info)} - 1", numbers)
    require(np.diff(numbers) >= 0, "rois must be sorted by the image's number")
    angles = Angles(angle_bound_on, angle_bound_lo, angle_bound_hi, clip_angle_thresh)
    if rotated:
        angles.check()
    one = int(legacy_plus_one)
    result = np.empty_like(deltas)
    for number, (height, width, scale) in enumerate(im_info):
        mine = numbers == number
        regions = rois[mine, -size:].copy()
        regions[:, :4] /= scale
        # Sizes of the image before it was scaled, to the next whole pixel.
        high, wide = (float(int(side / scale + np.float32(0.5))) for side in (height, width))
        boxes = []
        for first in range(0, deltas.shape[1], size):
            delta = deltas[mine, first : first + size]
            if rotated:
                box = clipped_rotated(moved_rotated(regions, delta, weights, angles), high, wide, angles, one)
            else:
                box = clipped(moved(regions, delta, weights, one), high, wide, one)
            box[:, :4] *= scale if apply_scale else 1
            boxes.append(box)
        result[mine] = np.concatenate(boxes, axis=1) if boxes else 0
    return result, np.bincount(numbers, minlength=len(im_info)).astype(np.float32)


@bbox_transform.shapes
def _(rois, deltas, im_info, **_arguments):
    return deltas[:2], ((im_info.shape[0],), FLOAT)


@host_operator(
    "BoxWithNMSLimit",
    outputs="scores_out, boxes_out, classes, batch_splits_out?, keeps?, keeps_size?",
    gradient="refused",
    types={"scores": FLOAT, "boxes": FLOAT},
)
def box_with_nms_limit(
    scores,
    boxes,
    batch_splits=None,
    *,
    score_thresh: float = 0.05,
    nms: float = 0.3,
    detections_per_im: int = 100,
    soft_nms_enabled: bool = False,
    soft_nms_method: Literal["linear", "gaussian", "hard"] = "linear",
    soft_nms_sigma: float = 0.5,
    soft_nms_min_score_thres: float = 0.001,
    rotated: bool = False,
    cls_agnostic_bbox_reg: bool = False,
    input_boxes_include_bg_cls: bool = True,
    output_classes_include_bg_cls: bool = True,
    legacy_plus_one: bool = True,
):
    """What was detected: the best boxes of each class that do not overlap, and the best of those of each image.

    For each class but the first (the background): boxes above ``score_thresh``, without those that overlap a
    better one by more than ``nms``; then the ``detections_per_im`` best of all classes (ties all stay).

    Inputs:
        scores: ``(M, classes)``.
        boxes: ``(M, classes * 4)``; five numbers a box with rotated.
        batch_splits: ``(N,)``: how many rows each image has; all belong to one image where left out.
    Args:
        score_thresh: Only boxes above this count.
        nms: The most that two boxes of one class may overlap (shared area over joint area).
        detections_per_im: Boxes an image; without bound at 0 or below.
        soft_nms_enabled: Overlapping boxes lose score instead of being dropped (Bodla et al., 2017).
        soft_nms_method: linear, gaussian or hard.
        soft_nms_sigma: Width of the Gaussian.
        soft_nms_min_score_thres: A box whose score falls below this is dropped.
        rotated: Boxes are ``(x, y, w, h, degrees)``.
        cls_agnostic_bbox_reg: All classes share one box.
        input_boxes_include_bg_cls: Whether the first class of boxes and scores is the background. If not, the
            scores have one column at their end that does not count.
        output_classes_include_bg_cls: Whether classes are counted with the background as 0.
        legacy_plus_one: Whether the far edge belongs to a box.
    Outputs:
        scores_out: ``(n,)``, class by class, best first.
        boxes_out: ``(n, 4)``, or ``(n, 5)`` with rotated.
        classes: float32 ``(n,)``.
        batch_splits_out: float32 ``(N,)``: detections of each image.
        keeps: int32 ``(n,)``: which row of its image each one was.
        keeps_size: int32 ``(N, classes)``: how many of each class.
    Example:
        >>> run("BoxWithNMSLimit", scores=[[0.1, 0.9], [0.2, 0.8]],
        ...     boxes=[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 8.0]], outputs=3)
        scores = [0.9]
        boxes = [[0. 0. 9. 9.]]
        classes = [1.]
    """
    size = 5 if rotated else 4
    require_shape(scores.ndim == 2, f"scores is {scores.shape}; it must be (M, classes)")
    rows, classes = scores.shape
    columns = 1 if cls_agnostic_bbox_reg else classes - (not input_boxes_include_bg_cls)
    require_shape(
        boxes.ndim == 2 and boxes.shape[0] == rows and (boxes.shape[1] >= size * columns),
        f"boxes is {boxes.shape} and scores {scores.shape}; boxes must be ({rows}, {size * columns})",
    )
    counts = np.array([rows]) if batch_splits is None else batch_splits.reshape(-1).astype(np.int64)
    require(counts.sum() == rows, f"batch_splits adds up to {counts.sum()}; scores has {rows} rows")
    one = int(legacy_plus_one)
    found: list[tuple[Any, Any, Any, Any]] = []
    sizes = np.zeros((len(counts), classes), np.int32)
    totals = np.zeros(len(counts), np.float32)
    start = 0
    for image, count in enumerate(counts):
        of_image, box_of_image = scores[start : start + count].copy(), boxes[start : start + count]
        start += count
        kept: dict[int, Any] = {}
        box_of: dict[int, Any] = {}
        for kind in range(1, classes):
            place = kind - (not input_boxes_include_bg_cls)
            column = 0 if cls_agnostic_bbox_reg else place
            box_of[kind] = box_of_image[:, column * size : (column + 1) * size]
            above = np.flatnonzero(of_image[:, place] > np.float32(score_thresh))
            if soft_nms_enabled:
                kept[kind], of_image[:, place] = softly_suppressed(
                    box_of[kind], of_image[:, place], above, method=soft_nms_method, sigma=soft_nms_sigma,
                    threshold=nms, least=soft_nms_min_score_thres, one=one,
                )  # fmt: skip
            else:
                order = above[np.argsort(-of_image[above, place], kind="stable")]
                kept[kind] = suppressed(box_of[kind], order, nms, one)
        score_of = {kind: of_image[:, kind - (not input_boxes_include_bg_cls)] for kind in kept}
        everyone = np.concatenate([score_of[kind][k] for kind, k in kept.items()] or [np.empty(0, np.float32)])
        if 0 < detections_per_im < len(everyone):
            least = np.sort(everyone)[-detections_per_im]
            kept = {kind: k[score_of[kind][k] >= least] for kind, k in kept.items()}
        for kind, k in kept.items():
            label = np.full(len(k), kind - (not output_classes_include_bg_cls), np.float32)
            found.append((score_of[kind][k], box_of[kind][k], label, k.astype(np.int32)))
            sizes[image, kind] = len(k)
        totals[image] = sizes[image].sum()
    empty = (np.empty(0, np.float32), np.empty((0, size), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
    out = [np.concatenate(parts) for parts in zip(empty, *found, strict=True)]
    return out[0], out[1], out[2], totals, out[3], sizes


@box_with_nms_limit.shapes
def _(scores, boxes, batch_splits=None, **_arguments):
    _, classes = scores.shape
    images = 1 if batch_splits is None else batch_splits.shape[0]
    return None, None, None, ((images,), FLOAT), None, ((images, classes), "int32")


@host_operator(
    "HeatmapMaxKeypoint",
    outputs="keypoints",
    gradient="refused",
    types={"heatmaps": FLOAT, "bboxes_in": FLOAT},
)
def heatmap_max_keypoint(heatmaps, bboxes_in, *, should_output_softmax: bool = False):
    """Where each heat map is highest, between its pixels, in the coordinates of the image.

    Around the highest pixel a quadratic function is laid through nine pixels (mirrored at the edges); its
    peak is the key point.

    Inputs:
        heatmaps: ``(M, K, H, W)``, one for each box and each kind of key point.
        bboxes_in: ``(M, 4)`` or more: the boxes that the maps cover.
    Args:
        should_output_softmax: Whether the last row is the softmax of the map at its highest pixel.
    Outputs:
        keypoints: ``(M, 4, K)``: x, y, score, and probability (the score again, where no softmax is asked for).
    Example:
        >>> run("HeatmapMaxKeypoint", heatmaps=[[[[0.0, 1.0]]]], bboxes_in=[[0.0, 0.0, 20.0, 10.0]])
        keypoints = [[[15.]
          [ 5.]
          [ 1.]
          [ 1.]]]
    """
    require_shape(heatmaps.ndim == 4, f"heatmaps is {heatmaps.shape}; it must have four dimensions")
    count, kinds, height, width = heatmaps.shape
    require_shape(
        bboxes_in.ndim == 2 and bboxes_in.shape[0] == count and bboxes_in.shape[1] >= 4,
        f"bboxes_in is {bboxes_in.shape}; it must be ({count}, 4) or wider",
    )
    result = np.zeros((count, 4, kinds), np.float32)
    for m in range(count):
        left, top = bboxes_in[m, :2]
        wide, high = (max(float(bboxes_in[m, 2 + i] - bboxes_in[m, i]), 1.0) for i in range(2))
        for kind in range(kinds):
            heat = heatmaps[m, kind]
            y, x = np.unravel_index(int(np.argmax(heat)), heat.shape)
            dx, dy, score = _peak(heat, int(x), int(y))
            chance = 1 / np.exp(heat - heat.max()).sum() if should_output_softmax else score
            result[m, :, kind] = (
                left + (0.5 + x + dx) * wide / width,
                top + (0.5 + y + dy) * high / height,
                score,
                chance,
            )
    return result


@heatmap_max_keypoint.shapes
def _(heatmaps, bboxes_in, **_arguments):
    count, kinds, _, _ = heatmaps.shape
    return (((count, 4, kinds), FLOAT),)


def _peak(heat: Any, x: int, y: int) -> tuple[float, float, float]:
    """How far beside its highest pixel a map peaks, and how high."""
    height, width = heat.shape

    def mirrored(place: int, size: int) -> int:
        return min(max(place - 2 * (place >= size) + 2 * (place < 0), 0), size - 1)

    near = np.array(
        [[heat[mirrored(y + j, height), mirrored(x + i, width)] for i in (-1, 0, 1)] for j in (-1, 0, 1)], np.float64
    )
    slope = np.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
    mixed = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    bend = np.array(
        [
            [near[1, 0] - 2 * near[1, 1] + near[1, 2], mixed],
            [mixed, near[0, 1] - 2 * near[1, 1] + near[2, 1]],
        ]
    )
    if abs(np.linalg.det(bend)) < 1e-4:
        return 0.0, 0.0, float(near[1, 1])
    beside = -np.linalg.solve(bend, slope)
    beside *= min(1.0, _MOST_DEVIATION / max(np.abs(beside).max(), 1e-12))
    return float(beside[0]), float(beside[1]), float(near[1, 1] + slope @ beside + beside @ bend @ beside / 2)
